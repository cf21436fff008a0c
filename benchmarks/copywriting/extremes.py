"""Items at the edge of what a shop may hold, and whether words about them keep within their room."""

import json
import random
import unicodedata
from collections.abc import Iterator
from itertools import product

import regex
from wcwidth import wcswidth

from magpie.v1 import content_service_pb2 as content_pb
from magpie.v1 import device_pb2 as device_pb
from magpie.v1 import item_pb2 as item_pb
from magpie.v1 import money_pb2 as money_pb

PAYLOAD_BYTES = 4_096  # what APNs and FCM carry
# As docs/limits.md states them: title columns, title bytes, body columns, body bytes.
ROOM = {
    device_pb.CHANNEL_IN_APP: (48, 240, 140, 800),
    device_pb.CHANNEL_EMAIL: (60, 300, 400, 2_400),
}
NARROWEST = (40, 200, 100, 600)
_FAMILY, _FLAG, _TONE = "👩\u200d👩\u200d👧\u200d👦", "🇹🇼", "👍🏽"
_TITLES = (
    "龍" * 5_000, "𠮷野家限定丼" * 40, "ｗｉｄｅ　ｌｅｔｔｅｒｓ　" * 30, _FAMILY * 60, f"茶{_FLAG}杯{_TONE}" * 50, "Z̷͑a̸͊l̶̽g̷̈́ô̵ " * 60,
    "한국어 찻잔 " * 40, "ไม้กวาด" * 60, "कड़ाही " * 60, "كوب شاي " * 60, "Donaudampfschifffahrtsgesellschaftskapitän" * 20,
    "a" * 5_000, "1234567890" * 400, "杯", "A", "👍", "e\u0301" * 300, "🏴\u200d☠️旗" * 40, "㍿" * 80, "ﷺ" * 60, "—" * 90 + "盘",
)  # fmt: skip
_GRAPHEME = regex.compile(r"\X")


def briefs(seed: int) -> Iterator[content_pb.Brief]:
    """Every title with every channel and locale, and the other facts as long as they may be."""
    rng = random.Random(seed)
    channels = [number for number in device_pb.Channel.values() if number]
    for number, (title, channel, locale) in enumerate(product(_TITLES, channels, ("zh-CN", "zh-TW", "en"))):
        other = rng.choice(_TITLES)
        item = item_pb.Item(
            item_id=f"edge-{number}",
            version=1,
            text=item_pb.ItemText(title=title, description=other),
            locale=rng.choice(("", "zh-CN", "en", "th", "xx")),
            categories=[other[:60].strip() or "杯", title[:60].strip() or "杯"],
            brand=rng.choice(("", other[:60].strip())),
            price=money_pb.Money(
                currency=rng.choice(("CNY", "GBP", "KWD", "JPY", "XXX")),
                minor_units=rng.choice((1, 99, 10**14)),
            ),
            rating=4.9,
            rating_count=rng.choice((21, 10**9)),
            stock=rng.choice((1, 9, 10**12)),
        )
        item.list_price.CopyFrom(item.price)
        item.list_price.minor_units *= rng.choice((1, 3))
        for name in ("颜色", "material", "style"):
            item.attributes[name].values.extend([other[:200] or "蓝", "深海蓝色", "brushed steel"])
        brief = content_pb.Brief(
            item=item, locale=locale, channel=device_pb.Channel.ValueType(channel), seed=rng.getrandbits(40)
        )
        brief.because_item.CopyFrom(item)
        brief.because_item.item_id = "other"
        brief.because_item.text.title = other
        brief.portrait.user_id = "somebody"
        brief.portrait.traits.extend(["年轻", "注重品质", "quality-minded"])
        brief.facts.update({"viewed": "true", "popular_rank": "7", "trend_category": other[:100] or "杯"})
        yield brief


def within(brief: content_pb.Brief, message: content_pb.Message) -> bool:
    """Whether a message keeps to its channel's room, fits a payload, and shows nothing broken."""
    wide, heavy, body_wide, body_heavy = ROOM.get(brief.channel, NARROWEST)
    payload = json.dumps({"title": message.title, "body": message.body}, ensure_ascii=False).encode()
    return (
        0 < _columns(message.title) <= wide
        and _columns(message.body) <= body_wide
        and len(message.title.encode()) <= heavy
        and len(message.body.encode()) <= body_heavy
        and len(payload) <= PAYLOAD_BYTES
        and not _broken(message.title, brief)
        and not _broken(message.body, brief)
    )


def _columns(text: str) -> int:
    return max(0, wcswidth(text)) if text.isprintable() else len(text) * 2


def _broken(text: str, brief: content_pb.Brief) -> bool:
    """Hidden or unpaired characters, or a cut through what a person sees as one character."""
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co") for char in text):
        return True
    head, cut, _ = text.partition("…")
    if not cut or not head:
        return False
    last = _GRAPHEME.findall(head)[-1]
    if last.isascii():
        return False
    titles = (brief.item.text.title, brief.because_item.text.title)
    return last not in {one for title in titles for one in _GRAPHEME.findall(title)} and last not in head[:-1]
