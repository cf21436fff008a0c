"""Whatever a model answers, nothing crashes, and messages have their figures and names from facts."""

import random
import unicodedata
from collections.abc import Iterator

import pytest
from tests.unit.content.model.test_templates import GOOD
from tests.unit.content.worlds import NOW_MS, holder, shirt

from magpie_services.content.compose import Brief, Composer, Draft
from magpie_services.content.model import prompt
from magpie_services.content.model.asks import Ask
from magpie_services.content.model.personas import Persona, group
from magpie_services.content.model.pool import Pool
from magpie_services.content.model.rehearsal import Rehearsal
from magpie_services.content.model.screening import screen
from magpie_services.content.model.templates import Refused, parse
from magpie_services.content.slots import NAMES
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.content.verifier import passed
from magpie_services.core.decisions import Copy
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait
from magpie_services.kit.clock import SystemClock

NOBODY = Portrait(user_id="nobody")
SLOTS = [f"{{{name}}}" for name in NAMES] + ["{drop|come down}", "{cart|waiting}", "{new|new}", "{drop|降价}"]
HOSTILE = [
    *(
        "<b>",
        "</b>",
        "{{x}}",
        "${x}",
        "{%",
        "&lt;",
        "javascript:alert(1)",
        "https://evil.example",
        "evil.com",
    ),
    *(
        "\u202e",
        "\u200b",
        "\u0430",
        "①",
        "９９",
        "٣",
        "½",
        "=1+1",
        "\\",
        "|",
        "(a|b)",
        "<fact>",
        "\x00",
        "🔥",
    ),
    *(
        "the best",
        "最好",
        "only today",
        "99",
        "£1",
        "九折",
        "Fern",
        "云上",
        "red",
        "红色",
        "waterproof",
        "加微信",
    ),
]
ENGLISH = [" a quiet evening", " have a look", " and", " good news:", ", ", "! ", ". ", " now"]
CHINESE = ["今天看看", "慢慢挑", "好消息", "，", "！", "。", "现在"]


def answers(locale: str, many: int) -> Iterator[tuple[str, str]]:
    """Titles and bodies: nonsense, and good ones with something put in."""
    dice = random.Random(locale)
    words = ENGLISH if locale == "en" else CHINESE
    pieces = [*SLOTS, *HOSTILE, *words * 3]
    for at in range(many):
        title, body = dice.choice(GOOD[locale])
        if at % 3 == 0:
            title, body = ("".join(dice.choices(pieces, k=dice.randint(1, 6))) for _ in range(2))
        elif at % 3 == 1:
            title = f"{title}{dice.choice(pieces)}"
        else:
            cut = dice.randint(0, len(body))
            body = f"{body[:cut]}{dice.choice(pieces)}{body[cut:]}"
        yield title, body


@pytest.mark.parametrize(("item", "locale"), [(holder(), "en"), (shirt(), "zh-CN"), (shirt(), "zh-TW")])
def test_a_message_by_the_model_is_true_whatever_it_answered(item: Item, locale: str) -> None:
    pool = Pool(SystemClock())
    composer = Composer(pool=pool)
    strategy, tone = Strategy.PRICE_DROP, Tone.PLAIN
    version = pool.about(item, NOBODY, locale, NOW_MS).version
    ask = Ask(version, locale, strategy, Persona(tone, *group(NOBODY, NOW_MS)))
    kept = refused = 0
    for pair in answers(locale, 300):
        try:
            template = parse(*pair, strategy, locale)
            screen(template, item, locale, composer)
            Rehearsal(composer, ask, item, NOW_MS).play(template)
        except Refused:
            refused += 1
            continue
        pool.keep(ask, [template], NOW_MS * 10)
        for seed in range(6):
            brief = Brief(item=item, portrait=NOBODY, strategy=strategy, tone=tone, locale=locale, seed=seed)
            message = composer.compose(brief, NOW_MS).messages[0]
            if message.writer == "model":
                kept += 1
                assert passed(composer.verify(_draft(message, item), NOW_MS))
                _is_grounded(message)
    assert kept > 20
    assert refused > 100


def _draft(message: Copy, item: Item) -> Draft:
    return Draft(title=message.title, body=message.body, item=item)


def _is_grounded(message: Copy) -> None:
    """Outside the spans there are words and punctuation only."""
    for part, text in (("title", message.title), ("body", message.body)):
        said = {at for span in message.spans if span.part == part for at in range(span.start, span.end)}
        free = {char for at, char in enumerate(text) if at not in said}
        assert not any(unicodedata.category(char)[0] in "NCS" for char in free)
        assert not set('<>{}[]()|\\&%@#/"=') & free
        assert message.locale == "en" or not any(char.isascii() and char.isalpha() for char in free)


HOSTILE_ITEMS = [
    {"title": "x"},
    {"title": "a" * 5_000},
    {"title": "\u202e\u200b\u2066"},
    {"title": "<script>alert(1)</script>{{x}}${y}{%z%}"},
    {"title": "=cmd|' /C calc'!A0", "brand": "\x00", "categories": ["", "\x1b[31m"]},
    {"title": "{item}", "attributes": {"{price}": ["{drop|x}"], "": [""], "colour": []}},
    {"title": "ok", "price": None, "list_price": None, "stock": 0, "rating": float("inf")},
    {
        "title": "ok",
        "description": "字" * 50_000,
        "attributes": {str(at): ["值" * 500] * 50 for at in range(200)},
    },
    {"title": "ok", "locale": "xx-broken-", "item_id": "a:b:{c}\n"},
]


@pytest.mark.parametrize("changes", HOSTILE_ITEMS)
@pytest.mark.parametrize("locale", ["en", "zh-CN", "zh-TW"])
def test_an_item_of_any_kind_is_asked_about_or_left_out(changes: dict[str, object], locale: str) -> None:
    item, composer = shirt(**changes), Composer()
    for strategy in Strategy:
        ask = Ask("", locale, strategy, Persona(Tone.PLAIN, "even", "new"))
        scene = Rehearsal(composer, ask, item, NOW_MS)
        offered = scene.offers()
        if offered:
            messages = prompt.messages(ask, item, offered)
            assert sum(len(message["content"].encode()) for message in messages) < 40_000
        for pair in GOOD[locale]:
            try:
                template = parse(*pair, strategy, locale)
                screen(template, item, locale, composer)
                scene.play(template)
            except Refused:
                continue
