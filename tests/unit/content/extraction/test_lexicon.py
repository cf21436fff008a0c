"""What is learnt from a catalogue."""

import pytest

from magpie_services.content.extraction.extractor import Extractor
from magpie_services.content.extraction.lexicon import Lexicon, learn
from magpie_services.content.extraction.samples import Value, sample
from magpie_services.core.items import Item, Text

Row = tuple[str, dict[str, list[str]], str]


def shop(*rows: Row, brand: str = "") -> Lexicon:
    """The lexicon of items of (title, attributes, category)."""
    return learn(
        [
            sample(
                Item(item_id=str(at), title=title, attributes=attributes, categories=[category], brand=brand)
            )
            for at, (title, attributes, category) in enumerate(rows)
        ]
    )


def found(lexicon: Lexicon, title: str, category: str = "") -> dict[str, str]:
    item = Item(item_id="x", title=title, categories=[category] if category else [])
    return {one.name: one.value for one in Extractor(lexicon).attributes(item)}


def test_values_are_read_as_the_catalogue_writes_them() -> None:
    lexicon = shop(*[(f"Sunset Ember mug {at}", {"Farbe": ["Sunset Ember"]}, "Mugs") for at in range(4)])
    assert found(lexicon, "SUNSET-EMBER bowl") == {"Farbe": "Sunset Ember"}
    assert lexicon.entries["sunset ember"].confidence == 1.0


def test_confidence_is_the_share_of_items_with_the_words_that_have_the_value() -> None:
    rows = [("amber glass", {"colour": ["amber"]}, "Jars")] * 7 + [
        ("amber scent", {"colour": ["white"]}, "Jars")
    ] * 3
    assert shop(*rows).entries["amber"].confidence == pytest.approx(0.7)
    rows += [("amber scent", {"colour": ["white"]}, "Jars")] * 8
    assert "amber" not in shop(*rows).entries


def test_too_few_items_teach_nothing() -> None:
    assert "zinnwaldite" not in shop(*[("zinnwaldite mug", {"colour": ["zinnwaldite"]}, "")] * 2).entries


def test_a_word_may_mean_something_in_one_category_only() -> None:
    rows = [("light cream", {"style": ["light"]}, "Skin care")] * 20
    rows += [("light bulb", {"style": ["modern"]}, "Lamps")] * 20
    lexicon = shop(*rows)
    assert found(lexicon, "light lotion", "Skin care") == {"style": "light"}
    assert found(lexicon, "light switch", "Lamps") == {}


def test_a_brand_is_learnt_with_its_other_name() -> None:
    things = [("Cups", "马克杯"), ("Cups", "茶杯"), ("Cups", "保温杯"), ("Lamps", "台灯"), ("Lamps", "夜灯")]
    rows: list[Row] = [(f"Yunqili云栖里 {thing}", {}, category) for category, thing in things]
    lexicon = shop(*rows, brand="Yunqili")
    assert lexicon.entries["云栖里"].value == Value("brand", "Yunqili")
    assert found(lexicon, "云栖里 花瓶") == {"brand": "Yunqili"}
    assert "云栖" not in lexicon.entries


def test_a_colour_is_learnt_in_the_other_language() -> None:
    rows = [
        (f"crimsonette {thing}", {"颜色": ["绯红色"]}, thing)
        for thing in ("dress", "skirt", "bag")
        for _ in "123"
    ]
    assert found(shop(*rows), "a crimsonette hat") == {"颜色": "绯红色"}


def test_a_habit_of_the_shop_is_no_name_of_a_value() -> None:
    rows = [(f"thermos {at}", {"material": ["stainless steel"]}, "Kitchen") for at in range(20)]
    assert found(shop(*rows), "thermos") == {}


def test_a_shop_without_attributes_has_the_seeds() -> None:
    lexicon = learn([])
    assert found(lexicon, "简约深蓝色纯棉连衣裙") == {"style": "简约", "colour": "深蓝色", "material": "纯棉"}
    assert found(lexicon, "Minimalist navy blue cotton dress") == {
        "style": "minimalist", "colour": "navy blue", "material": "cotton",
    }  # fmt: skip
    assert found(lexicon, "蓝牙耳机 口红 白酒 green tea 绿色食品") == {}


def test_seeds_take_the_names_that_the_catalogue_uses() -> None:
    rows = [(f"绯红色 {at}", {"颜色": ["绯红色"]}, "") for at in range(4)]
    assert found(shop(*rows), "米白色外套") == {"颜色": "米白色"}


def test_a_seed_yields_to_what_the_catalogue_says() -> None:
    rows = [("oak barrel whisky", {"material": ["glass"]}, "Spirits")] * 12
    assert "oak" not in shop(*rows).entries


def test_numbers_and_single_letters_are_never_words() -> None:
    rows = [("size M 2024", {"size": ["M"], "year": ["2024"], "": ["x" * 90]}, "")] * 5
    assert not {"m", "2024", "x" * 90} & shop(*rows).entries.keys()


def test_translations_are_read_when_learning() -> None:
    words = {"en": Text(title="gleamish cup")}
    item = Item(item_id="x", title="杯", translations=words, attributes={"finish": ["gleamish"]})
    assert "gleamish" in learn([sample(item)] * 3).entries


def test_another_spelling_stands_for_the_usual_one() -> None:
    lexicon = shop(*[(f"smoke grey mug {at}", {"colour": ["smoke grey"]}, "Mugs") for at in range(4)])
    assert found(lexicon, "smoke-gray jug") == {"colour": "smoke grey"}
