"""What the reason of a message needs of this very moment."""

from magpie_services.content.verifier.evidence import Facts

_MANY_RATINGS = 5
_WELL = 4.0


def problem(facts: Facts) -> str:
    """Why the strategy's reason does not hold now; "" where it does, or where nobody names one."""
    flags, item, strategy = facts.flags, facts.item, facts.strategy
    if not strategy:
        return ""
    if item.withdrawn:
        return "the item is no longer offered"
    if item.stock == 0 and strategy != "plain":
        return "the item is sold out"
    ended = facts.extra.offer_ends is not None and facts.extra.offer_ends < facts.day(-12)
    holds, otherwise = {
        "price_drop": (
            "discount" in flags and not ended,
            "the offer has ended" if ended else "its price is not below its list price",
        ),
        "back_in_stock": ("back" in flags, "it did not come back into stock lately"),
        "low_stock": ("scarce" in flags, "its stock is not known to be low"),
        "cart_reminder": ("cart" in flags, "it is not in the cart"),
        "because_you_viewed": ({"viewed", "because"} <= flags, "nothing viewed speaks for it"),
        "complement": ({"bought", "because"} <= flags, "nothing bought speaks for it"),
        "replenish": ("bought" in flags, "it was not bought before"),
        "new_from_brand": ("new" in flags and bool(item.brand), "it is not new, or of no brand"),
        "trending": ("popular" in flags, "it is not in the charts"),
        "well_reviewed": (
            item.rating >= _WELL and item.rating_count >= _MANY_RATINGS,
            "too few rated it, or not well enough",
        ),
        "seasonal": (facts.names_a("occasion"), "no fact of it names a season or an occasion"),
        "new_arrival": ("new" in flags, "it is not new"),
    }.get(strategy, (True, ""))
    return "" if holds else otherwise
