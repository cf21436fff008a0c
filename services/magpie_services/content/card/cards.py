"""Cards of items: which words and picture one shows, drawn once for all who ask for the same."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec
import structlog

from magpie_services.content.card import drawing
from magpie_services.content.card.cache import Cache
from magpie_services.content.card.decoding import Unusable, decode
from magpie_services.content.card.drawing import SIZES, Style, Words
from magpie_services.content.card.encoding import jpeg
from magpie_services.content.card.pictures import Picture, Pictures
from magpie_services.content.card.pricing import PriceTag, price_tag
from magpie_services.content.card.typeface import Typeface
from magpie_services.content.facts.items import title_of
from magpie_services.content.grammar.packs import resolve
from magpie_services.content.scripts import written
from magpie_services.core.items import Item
from magpie_services.core.untrusted import clean
from magpie_services.kit.errors import Invalid
from magpie_services.kit.metrics import DEGRADED

log = structlog.get_logger()

MEDIA_TYPE = "image/jpeg"
DESIGN = 1  # part of every key: raise it when the same words are drawn in another way
_TRANSLATION = re.compile(r".*translations\[(.+)\]\.title")
# Cleaning makes all punctuation narrow; Chinese is set with its own.
_BESIDE_HAN = re.compile("(?<=[㐀-鿿])[,:;!?](?=[㐀-鿿]|$)")
_WIDE = str.maketrans(",:;!?", "，：；！？")
_ANY_SIZE = 30

Accepts = Callable[[str], bool]


class Card(NamedTuple):
    """A card as JPEG; `plain` when it shows no picture of the item."""

    image: bytes
    width: int
    height: int
    plain: bool


class Cards:
    """Draws cards in threads of its own, at most two at a time, and keeps the latest ones.

    `accepts` tells whether a cleaned text of the catalogue may be shown; `terms` gives the words of a title
    that had better not be broken.
    """

    def __init__(
        self,
        pictures: Pictures,
        style: Style,
        cache_bytes: int,
        accepts: Accepts,
        terms: Callable[[str], Collection[str]],
    ) -> None:
        self._pictures = pictures
        self._terms = terms
        self._style = style
        self._accepts = accepts
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="card")
        self._drawn: Cache[Card] = Cache(cache_bytes, lambda card: len(card.image))
        self._under_way: dict[str, asyncio.Task[Card]] = {}

    async def render(self, item: Item, locale: str, ratio: float) -> Card:
        """The card of an item in a locale ("zh-CN", "zh-TW", "en"), 2:1 or 1:1.

        Raises Invalid for another ratio. A picture that cannot be used gives a plain card; the log says why.
        """
        if ratio not in SIZES:
            raise Invalid("aspect_ratio", "must be 2 (twice as wide as high) or 1 (square)")
        words = self._words(item, locale)
        try:
            picture = await self._pictures.get(item.image_uri)
        except Unusable as error:
            if item.image_uri:
                self._degraded(item, error.reason)
            picture = None
        key = self._key(words, ratio, picture.digest if picture else "")
        card = self._drawn.get(key)
        if card is None:
            card = await asyncio.shield(self._task(key, item, words, ratio, picture))
        return card

    async def close(self) -> None:
        """Wait for what is being drawn."""
        await asyncio.to_thread(self._threads.shutdown)

    def _words(self, item: Item, locale: str) -> Words:
        """What of an item may be shown: a title or brand that does not pass is left out, and so is a price
        with a sign that cannot be drawn."""
        face, bold = Typeface(locale, _ANY_SIZE), Typeface(locale, _ANY_SIZE, bold=True)

        def shown(raw: str, tag: str) -> str:
            text = clean(raw) if resolve(tag) == locale else written(clean(raw), locale)
            text = _BESIDE_HAN.sub(
                lambda mark: mark[0].translate(_WIDE), " ".join(face.drawable(text).split())
            )
            return text if any(char.isalnum() for char in text) and self._accepts(text) else ""

        raw, field = title_of(item, locale)
        tagged = _TRANSLATION.fullmatch(field)
        title, label = shown(raw, tagged[1] if tagged else item.locale), shown(item.brand, item.locale)
        price = price_tag(item, locale)
        return Words(
            title=_without(label, title),
            label=label,
            tag=price if all(bold.drawable(text) == text for text in price) else PriceTag(),
            locale=locale,
            terms=tuple(sorted(set(self._terms(title)))),
        )

    def _key(self, words: Words, ratio: float, digest: str) -> str:
        """Names everything that shapes a card."""
        return hashlib.sha256(msgspec.json.encode([DESIGN, words, self._style, ratio, digest])).hexdigest()

    def _task(
        self, key: str, item: Item, words: Words, ratio: float, picture: Picture | None
    ) -> asyncio.Task[Card]:
        """The drawing of a card, one for all who wait for it; it goes on when they no longer do."""
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._draw(key, item, words, ratio, picture))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return task

    async def _draw(self, key: str, item: Item, words: Words, ratio: float, picture: Picture | None) -> Card:
        loop = asyncio.get_running_loop()
        image, reason = await loop.run_in_executor(
            self._threads, _drawn, words, self._style, ratio, picture.data if picture else None
        )
        if reason:
            self._degraded(item, reason)
        card = Card(image, *SIZES[ratio], plain=picture is None or bool(reason))
        self._drawn.put(key, card)
        return card

    def _degraded(self, item: Item, reason: str) -> None:
        DEGRADED.labels("card_picture").inc()
        log.info("card.plain", item_id=item.item_id, reason=reason)


def _without(label: str, title: str) -> str:
    """The title without the brand at its beginning, which the card says above it."""
    rest = title[len(label) :]
    if not label or not rest.strip() or not title.casefold().startswith(label.casefold()):
        return title
    if rest[0].isascii() and rest[0].isalnum():
        return title
    rest = rest.lstrip(" -–—·|:,，：")
    return rest[:1].upper() + rest[1:] if any(char.isalnum() for char in rest) else title


def _drawn(words: Words, style: Style, ratio: float, data: bytes | None) -> tuple[bytes, str]:
    """The JPEG, and why it shows no picture ("" when it does). Runs in a thread."""
    reason = ""
    if data is not None:
        try:
            image = jpeg(drawing.card(words, style, ratio, decode(data, max(SIZES[ratio]))))
            if image is not None:
                return image, ""
            reason = "TOO_LARGE_DRAWN"
        except Unusable as error:
            reason = error.reason
    image = jpeg(drawing.poster(words, style, ratio))
    if image is None:  # a slope and some letters: a tenth of the room at the best quality
        raise AssertionError("a plain card is too large")
    return image, reason
