"""Attributes of items from their texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.content.extraction.extractor import Extractor
from magpie_services.content.extraction.lexicon import learn
from magpie_services.content.extraction.samples import sample
from magpie_services.core.items import Item, Text

SEEDS = Extractor()


def item(title: str, description: str = "", **changes: object) -> Item:
    return Item(item_id="x", title=title, description=description, **changes)  # type: ignore[arg-type]


def read(extractor: Extractor, of: Item) -> list[tuple[str, str, str]]:
    return [(one.name, one.value, one.field) for one in extractor.attributes(of)]


def test_the_words_that_say_so_stand_where_it_is_said() -> None:
    of = item("Robe", "Soft 深藍色 silk", translations={"zh-CN": Text(title="真丝睡袍")})
    texts = {
        "text.title": of.title,
        "text.description": of.description,
        "translations[zh-CN].title": "真丝睡袍",
    }
    found = SEEDS.attributes(of)
    assert [(one.value, one.word, one.field) for one in found] == [
        ("深蓝色", "深藍色", "text.description"),
        ("silk", "silk", "text.description"),
        ("真丝", "真丝", "translations[zh-CN].title"),
    ]
    assert all(texts[one.field][one.start : one.end] == one.word for one in found)
    assert all(0.6 <= one.confidence <= 1 for one in found)


def test_what_the_catalogue_gives_is_never_contradicted() -> None:
    of = item("Blue cotton dress", attributes={"Colour": ["red"]})
    assert read(SEEDS, of) == [("material", "cotton", "text.title")]
    learnt = Extractor(learn([sample(item(f"Acme mug {at}", brand="Acme")) for at in range(5)]))
    assert read(learnt, item("Acme mug")) == [("brand", "Acme", "text.title")]
    assert read(learnt, item("Acme mug", brand="Other")) == []


def test_a_title_goes_before_a_description_and_two_colours_are_none() -> None:
    learnt = Extractor(
        learn(
            [
                sample(item(f"{c} mug {at}", attributes={"colour": [c]}))
                for c in ("blue", "red")
                for at in range(5)
            ]
        )
    )
    assert "colour" in learnt.lexicon.single
    assert read(learnt, item("Blue mug", "also in red")) == [("colour", "blue", "text.title")]
    assert read(learnt, item("Blue and red mug")) == []
    assert read(learnt, item("Mug", "blue, blue, Blue!")) == [("colour", "blue", "text.description")]


def test_for_copy_a_value_that_no_text_has_is_said_in_the_words_of_the_text() -> None:
    learnt = Extractor(
        learn([
            sample(item(f"crimsonette {thing}", attributes={"颜色": ["绯红色"]}, categories=[thing]))
            for thing in ("dress", "skirt") for _ in range(4)
        ])
    )  # fmt: skip
    assert [(one.value, one.field) for one in learnt.spoken(item("Crimsonette hat"))] == [
        ("Crimsonette", "text.title")
    ]
    assert [one.value for one in learnt.spoken(item("crimsonette 绯红色 hat"))] == ["绯红色"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("北欧风实木床头柜 原木色", {"北欧风", "实木", "原木色"}),
        ("不锈钢保温杯 500ml 黑色", {"不锈钢", "黑色"}),
        ("女士真皮斜挎包 复古 焦糖色", {"真皮", "复古", "焦糖色"}),
        ("仿真皮沙发 深灰色", {"深灰色"}),
        ("头层牛皮腰带（非PU）", {"头层牛皮"}),
        ("純棉四件套 簡約 霧灰", {"纯棉", "简约", "雾灰"}),
        ("蓝光防护眼镜 黑色", {"黑色"}),
        ("红酒杯 高硼硅玻璃", {"高硼硅玻璃"}),
        ("儿童绿豆糕模具 硅胶", {"硅胶"}),
        ("Handmade ceramic mug, off-white, rustic", {"ceramic", "off-white", "rustic"}),
        ("Men's merino wool sweater - charcoal", {"merino wool", "charcoal"}),
        ("Faux leather tote, black", {"faux leather", "black"}),
        ("Leather-free wallet in dark brown", {"dark brown"}),
        ("Green tea bath salts", set()),
        ("Stainless-steel kettle", {"stainless steel"}),
        ("Glass cleaner, lavender scent", set()),
        ("Skittles in cotton bag", set()),
        ("Oak cabinet with glass doors", {"oak"}),
        ("Dress with cotton and sequins", {"cotton"}),
        ("Shirt in navy blue cotton", {"navy blue", "cotton"}),
        ("Red woolly hat, white pompom", set()),
    ],
)
def test_titles_as_shops_write_them(title: str, expected: set[str]) -> None:
    assert {one.value for one in SEEDS.attributes(item(title))} == expected


@pytest.mark.parametrize(
    "title",
    ["", "\x00\u202e", "<b>blue</b>" * 900, "蓝" * 5_000, "\U0001f600" * 5_000, "not " * 1_200 + "blue"],
)
def test_no_title_breaks_it(title: str) -> None:
    SEEDS.attributes(item(title, title))


@given(st.text(max_size=120), st.text(max_size=300))
def test_spans_are_within_the_text(title: str, description: str) -> None:
    of = item(title, description)
    for one in SEEDS.attributes(of):
        text = title if one.field == "text.title" else description
        assert text[one.start : one.end] == one.word
