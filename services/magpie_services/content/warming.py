"""Has everything loaded that composing needs, so that no caller waits seconds for the first message."""

import time
from datetime import UTC, datetime

import structlog

from magpie_services.content.compose import Brief, Composer, Draft
from magpie_services.content.facts.extra import Extra
from magpie_services.content.grammar.packs import LOCALES
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait

log = structlog.get_logger()

_VARIANTS = 4
_TITLES = {"en": "Blue cotton shirt", "zh-CN": "蓝色棉衬衫", "zh-TW": "藍色棉襯衫"}


def warm_up(composer: Composer, now_ms: int) -> None:
    """Composes and verifies in every language, about an item that nobody sells, for nobody. Takes seconds."""
    started = time.monotonic()
    today = datetime.fromtimestamp(now_ms / 1_000, UTC).date()
    for locale in LOCALES:
        item = Item(
            item_id="",
            title=_TITLES[locale],
            description=_TITLES[locale],
            locale=locale,
            price=Money("CNY", 9_900),
            list_price=Money("CNY", 12_900),
            stock=3,
            rating=4.5,
            rating_count=200,
        )
        extra = Extra(was_out_of_stock=True, in_cart=True, is_new=True, popular_rank=3, offer_ends=today)
        brief = Brief(item=item, portrait=Portrait(user_id=""), locale=locale, extra=extra)
        composition = composer.compose(brief, now_ms, variants=_VARIANTS, with_description=True)
        for message in composition.messages:
            composer.verify(Draft(title=message.title, body=message.body, item=item, extra=extra), now_ms)
    log.info("content.warm", seconds=round(time.monotonic() - started, 2))
