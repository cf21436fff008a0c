"""What a card says of the price: nothing that the item's own price and list price do not show."""

from typing import NamedTuple

from magpie_services.content import formats
from magpie_services.core.items import Item

# Outside these a discount is not worth a badge, or not to be believed.
LEAST_PERCENT, MOST_PERCENT = 3, 95


class PriceTag(NamedTuple):
    """Texts in the card's language; "" for what is not known or not so."""

    price: str = ""
    was: str = ""
    off: str = ""


def price_tag(item: Item, locale: str) -> PriceTag:
    """The price, what it was, and the discount as a badge: "-15%", or "8.5折" in Chinese."""
    price, full = item.price, item.list_price
    if price is None or price.minor <= 0 or not (shown := formats.money(price, locale)):
        return PriceTag()
    if full is None or full.currency != price.currency or full.minor <= price.minor:
        return PriceTag(shown)
    percent = formats.percent_off(price.minor, full.minor)
    if not LEAST_PERCENT <= percent <= MOST_PERCENT:
        return PriceTag(shown)
    off = f"{formats.zhe(price.minor, full.minor)}折" if locale.startswith("zh") else f"-{percent}%"
    return PriceTag(shown, formats.money(full, locale), off)
