"""Promises of the Chinese texts: how they are written, in every pack, and what Taiwan reads."""

import re
from collections.abc import Iterator

import pytest
from opencc import OpenCC
from tests.unit.content.worlds import NOW_MS, person, shirt

from magpie_services.content.attributes import HAN
from magpie_services.content.compose import Brief, Composer
from magpie_services.content.facts.extra import Extra
from magpie_services.content.grammar.packs import PACKS, grammar
from magpie_services.content.limits import columns
from magpie_services.content.measures import measure
from magpie_services.content.strategies import RULES, Tone
from magpie_services.core.decisions import Copy
from magpie_services.core.items import Item

EXTRA = Extra(
    was_out_of_stock=True, in_cart=True, viewed=True, bought=True, popular_rank=3, bought_days_ago=40
)
SCARF = shirt(item_id="scarf", title="羊毛围巾")
HOLDER = shirt(
    title="Heart T-Light Holder", locale="en", brand="Fern & Co", attributes={}, categories=["Home"]
)
HAN_CHAR = HAN.pattern
# A half-width mark beside Han, a mark twice, a mark at the start, a space beside a full-width mark.
HALF_WIDTH = re.compile(rf"{HAN_CHAR}[,;:!?()]|[,;!?](?={HAN_CHAR})")
DOUBLED = re.compile("[，。；：、！？～]{2}")
BAD_SPACE = re.compile(rf"[，。；：、！？～「」（）] | [，。；：、！？～（）]|{HAN_CHAR} {HAN_CHAR}|  ")
EMOJI = re.compile(r" [^\w\s。？！～）%]+$")
UNSPACED = re.compile(rf"{HAN_CHAR}[A-Za-z0-9¥£]|[A-Za-z0-9%]{HAN_CHAR}")


def messages(pack: str, locale: str, item: Item, seeds: int = 6) -> Iterator[Copy]:
    """Texts of each strategy and tone that the pack speaks."""
    composer = Composer(pack=pack)
    someone = person("年轻", "注重品质", item=item, because=SCARF)
    for strategy in RULES:
        if not grammar(locale, pack).speaks(strategy):
            continue
        for tone in Tone:
            for seed in range(seeds):
                brief = Brief(item=item, portrait=someone, strategy=strategy, tone=tone, locale=locale,
                              because=SCARF, extra=EXTRA, seed=seed)  # fmt: skip
                (message,) = composer.compose(brief, NOW_MS).messages
                assert message.strategy == strategy.value or item is not SCARF
                yield message


@pytest.mark.parametrize("locale", ["zh-CN", "zh-TW"])
@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("item", [shirt(), HOLDER], ids=["han", "latin"])
def test_punctuation_and_spaces_are_those_of_a_printed_page(pack: str, locale: str, item: Item) -> None:
    for message in messages(pack, locale, item):
        for text in (EMOJI.sub("", message.title), message.body):
            for wrong in (HALF_WIDTH, DOUBLED, BAD_SPACE, UNSPACED):
                assert not wrong.search(text), (wrong.pattern, text)
            assert text[0] not in "，。；：、！？～", text
        assert message.body[-1] in "。？！～", message.body
        assert message.title[-1] not in "，。；：、", message.title


@pytest.mark.parametrize("pack", PACKS)
def test_taiwan_reads_no_simplified_character_and_its_own_quotes(pack: str) -> None:
    to_traditional = OpenCC("s2tw")
    for message in messages(pack, "zh-TW", shirt(), seeds=3):
        for text in (message.title, message.body):
            assert to_traditional.convert(text) == text, text
            assert not re.search("[“”]|打過分|現價", text), text


@pytest.mark.parametrize("pack", PACKS)
def test_the_files_of_taiwan_are_those_of_the_mainland_line_by_line(pack: str) -> None:
    mainland, taiwan = grammar("zh-CN", pack).sections, grammar("zh-TW", pack).sections
    assert mainland.keys() == taiwan.keys()
    assert {name: len(lines) for name, lines in mainland.items()} == {
        name: len(lines) for name, lines in taiwan.items()
    }
    assert mainland != taiwan


def test_a_push_is_short() -> None:
    widths = [columns(message.body) for message in messages("shop", "zh-CN", shirt(), seeds=10)]
    assert sum(widths) / len(widths) < 60
    assert max(widths) <= 100


def test_nothing_of_what_somebody_did_is_on_the_screen_where_health_is_the_matter() -> None:
    item = shirt(title="年度体检", brand="康和", categories=["体检"])
    for locale in ("zh-CN", "zh-TW"):
        for message in messages("health", locale, item):
            shown = message.title + message.body
            assert not re.search("[看买買做][过過]|上次|天前|年轻|年輕|注重|常", shown), shown


@pytest.mark.parametrize(
    ("title", "unit"),
    [
        ("复古蓝色乐福鞋", "双"),
        ("简约墨绿色手账本", "本"),
        ("焦糖色口红", "支"),
        ("陶瓷台灯", "盏"),
        ("雪纺半身裙", "条"),
        ("黑胶唱机", "台"),
        ("头戴耳机", "副"),
        ("餐具套装", "套"),
        ("托特包", "个"),
        ("Heart T-Light Holder", "件"),
    ],
)
def test_things_are_counted_in_their_own_measure(title: str, unit: str) -> None:
    assert measure(title, "", "shop") == unit


def test_a_brand_of_two_names_is_said_once() -> None:
    item = shirt(title="Bailu白鹭 复古蓝色衬衫", brand="Bailu")
    texts = [message.title + message.body for message in messages("shop", "zh-CN", item, seeds=4)]
    assert any("Bailu" in text for text in texts)
    assert not any("白鹭" in text for text in texts)


def test_who_viewed_the_item_itself_may_be_told_so() -> None:
    composer = Composer()
    item = shirt()
    viewed = person("注重品质", because=item)
    texts = set()
    for seed in range(60):
        for portrait in (viewed, person("注重品质")):
            brief = Brief(item=item, portrait=portrait, locale="zh-CN", seed=seed)
            (message,) = composer.compose(brief, NOW_MS).messages
            told = "看过" in message.title + message.body
            assert portrait is viewed or not told
            texts.add(told)
    assert texts == {True, False}
