"""What becomes a fact, in which words, and from where it says it is."""

import msgspec
import pytest
from tests.unit.content.worlds import NOW_MS, holder, person, shirt

from magpie_services.content.dice import Dice
from magpie_services.content.facts.extra import NO_EXTRA, Extra
from magpie_services.content.facts.items import Extracted, ItemFacts, item_facts
from magpie_services.content.facts.moments import moment_phrases
from magpie_services.content.facts.people import address, liked, traits
from magpie_services.content.facts.phrases import Phrases
from magpie_services.content.scripts import written
from magpie_services.core.items import Item, Text
from magpie_services.core.memory import DAY_MS, Decayed, ItemMemory
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait


def anything(_text: str) -> bool:
    return True


def facts(item: Item, locale: str = "zh-CN", *extracted: Extracted) -> ItemFacts:
    return item_facts(item, locale, "shop", anything, extracted)


def moment(item: Item, portrait: Portrait, extra: Extra = NO_EXTRA, locale: str = "zh-CN") -> Phrases:
    return moment_phrases(item, facts(item, locale), None, portrait, extra, locale, NOW_MS)


def said_of(found: ItemFacts) -> Phrases:
    """Everything that may be said of an item."""
    return found.phrases | found.described(found.words, loosely=False)


def words(phrases: Phrases) -> dict[str, str]:
    return {name: phrase.text for name, phrase in phrases.items()}


def test_an_item_in_traditional_characters_keeps_the_value_of_its_catalogue() -> None:
    found = facts(shirt(), "zh-TW")
    said = words(said_of(found))
    assert (said["item"], said["attrs"], said["brand"]) == ("真絲襯衫", "時尚、簡約、藍色", "雲上")
    assert found.names[0].fact.value == "真丝衬衫"
    assert [piece.value for piece in said_of(found)["attrs"].pieces if not isinstance(piece, str)] == [
        "时尚", "简约", "蓝色"
    ]  # fmt: skip


def test_traditional_text_is_not_converted_again() -> None:
    assert written("雲棲里", "zh-TW") == "雲棲里"
    assert written("云栖里", "zh-CN") == written("雲棲里", "zh-CN") == "云栖里"
    assert written("云栖里", "en") == "云栖里"


@pytest.mark.parametrize(
    ("locale", "money", "expected"),
    [
        ("zh-CN", Money("CNY", 129_900), "¥1,299"),
        ("zh-CN", Money("TWD", 520_000), "NT$5,200"),
        ("zh-TW", Money("TWD", 520_000), "NT$5,200"),
        ("zh-TW", Money("CNY", 129_950), "CN¥1,299.50"),
        ("en", Money("GBP", 255), "£2.55"),
        ("en", Money("JPY", 1_200), "¥1,200"),
    ],
)
def test_money_is_written_as_readers_of_the_locale_do(locale: str, money: Money, expected: str) -> None:
    item = shirt(price=money, list_price=None)
    assert facts(item, locale).phrases["price"].text == expected


def test_the_title_nearest_to_the_locale_is_used() -> None:
    item = shirt(translations={"zh-TW": Text(title="真絲襯衫（台版）"), "en": Text(title="Silk Shirt")})
    assert facts(item, "zh-TW").names[0].fact.field == "item.translations[zh-TW].title"
    assert facts(item, "en").names[0].text == "Silk Shirt"
    assert facts(item, "zh-CN").names[0].fact.field == "item.title"


def test_poor_marks_free_items_and_several_colours_are_not_spoken_of() -> None:
    item = shirt(
        rating=3.2, price=Money("CNY", 0), attributes={"colour": ["蓝色", "红色"], "style": ["简约"]}
    )
    found = said_of(facts(item))
    assert not {"rating", "price", "colour", "was"} & found.keys()
    assert found["attrs"].text == "简约"


@pytest.mark.parametrize("name", ["size", "尺码", "性别", "sku"])
def test_attributes_that_do_not_describe_are_not_spoken(name: str) -> None:
    assert not facts(shirt(attributes={name: ["加大"]})).words


def test_what_the_name_says_already_is_not_said_beside_it() -> None:
    found = facts(shirt(title="云上简约真丝衬衫"))
    assert found.names[0].text == "简约真丝衬衫"
    assert [word.text for word in found.words] == ["时尚", "简约", "蓝色"]
    assert [word.text for word in found.unsaid] == ["时尚", "蓝色"]
    assert [name.text for name in found.telling] == ["简约真丝衬衫"]
    assert [name.text for name in found.bare] == ["真丝衬衫"]


def test_attributes_read_from_texts_fill_gaps_and_say_where_they_stand() -> None:
    read = (Extracted("colour", "蓝色", "text.title"), Extracted("material", "真丝", "text.title"))
    found = said_of(facts(shirt(attributes={"colour": ["红色"]}), "zh-CN", *read))
    assert found["colour"].text == "红色"
    assert found["material"].fact.field == "item.title"
    assert found["material"].fact.value == "真丝"


def test_days_since_the_last_purchase_come_from_the_portrait() -> None:
    item = shirt()
    memory = ItemMemory(purchases=2, last_purchase_ms=NOW_MS - 40 * DAY_MS - 5_000)
    told = moment(item, Portrait(user_id="u", items={item.item_id: memory}))
    assert told["days"].text == "40"
    assert told["days"].fact.field == "portrait.items[shirt].last_purchase_time"
    assert told["again"].fact.value == "2"


def test_back_in_stock_for_a_week() -> None:
    for days, back in ((0, True), (6, True), (8, False)):
        item = shirt(restock_ms=NOW_MS - days * DAY_MS)
        assert back is ("back" in moment(item, person()))
    assert "back" not in moment(shirt(stock=0), person(), Extra(was_out_of_stock=True))


def test_the_season_is_spoken_when_it_is_now_where_the_user_is() -> None:
    assert moment(shirt(), person())["season"].text == "中秋"
    assert moment(shirt(), person(), locale="zh-TW")["season"].text == "中秋"
    assert moment(shirt(), person(), locale="en")["season"].text == "the Mid-Autumn Festival"
    sydney = msgspec.structs.replace(person(), country="AU")
    assert "season" not in moment(holder(), sydney, locale="en")
    fact = moment(holder(), person(), locale="en")["season"].fact
    assert (fact.text, fact.field, fact.value) == ("autumn", "item.attributes.season", "Autumn")


def test_traits_and_a_category_often_visited_may_be_said() -> None:
    portrait = msgspec.structs.replace(
        person("年轻", "注重品质", "怀孕"), categories={"衬衫": Decayed(5.0, NOW_MS)}
    )
    often = liked(portrait, "衬衫", "zh-TW", NOW_MS, anything)
    assert often is not None
    assert often.text == "襯衫"
    assert liked(person(), "衬衫", "zh-CN", NOW_MS, anything) is None
    known = traits(portrait, "zh-TW", anything)
    assert [trait.fact.value for trait in known] == ["年轻", "注重品质"]
    ways = [words(address(known, "zh-TW", Dice(seed))) for seed in range(40)]
    assert {way["you"] for way in ways} == {"年輕的你", "注重品質的你"}
    assert {way["all_you"] for way in ways} == {"年輕、注重品質的你"}
