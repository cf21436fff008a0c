"""Whole cards: what they show, how large they are, and that nothing in an item breaks them."""

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image
from tests.unit.content.card.paintings import painted, saved

from magpie_services.content.card.cards import Cards
from magpie_services.content.card.drawing import SIZES, Style
from magpie_services.content.card.encoding import MOST_BYTES
from magpie_services.content.card.palette import Colour
from magpie_services.content.card.pictures import Pictures
from magpie_services.content.card.pricing import PriceTag, price_tag
from magpie_services.core.items import Item, Text
from magpie_services.core.money import Money
from magpie_services.kit.errors import Invalid

STYLE = Style(Colour.parse("#1F5F5B"), Colour.parse("#C8372D"))


class Shelf:
    """Pictures by name, and how often one was asked for."""

    def __init__(self, **pictures: bytes) -> None:
        self.pictures = pictures
        self.asked = 0

    async def fetch(self, uri: str) -> bytes:
        self.asked += 1
        return self.pictures[uri]


def cards_of(
    shelf: Shelf, accepts: Callable[[str], bool] = lambda text: True, cache_bytes: int = 1_000_000
) -> Cards:
    return Cards(Pictures(shelf, None, 1_000_000, lambda: 0.0), STYLE, cache_bytes, accepts, lambda title: [])


def item(**changes: object) -> Item:
    given = {
        "item_id": "pot",
        "title": "手冲咖啡壶 简约米白色",
        "locale": "zh-CN",
        "translations": {"en": Text(title="Minimalist kettle in off-white")},
        "brand": "Yunqili",
        "price": Money("CNY", 25_900),
        "list_price": Money("CNY", 32_900),
        "attributes": {"colour": ["米白色"]},
        "image_uri": "pot",
    }
    return Item(**(given | changes))  # type: ignore[arg-type]


def opened(image: bytes) -> Image.Image:
    picture = Image.open(BytesIO(image))
    picture.load()
    return picture


@pytest.mark.parametrize("ratio", [2.0, 1.0])
@pytest.mark.parametrize("locale", ["zh-CN", "zh-TW", "en"])
async def test_a_card_shows_the_picture_of_the_item(ratio: float, locale: str) -> None:
    cards = cards_of(Shelf(pot=saved(painted())))
    card = await cards.render(item(), locale, ratio)
    assert (card.width, card.height) == SIZES[ratio] == opened(card.image).size
    assert opened(card.image).format == "JPEG"
    assert not card.plain
    assert len(card.image) <= MOST_BYTES
    middle = (900, 300) if ratio == 2 else (540, 325)
    red, green, blue = opened(card.image).getpixel(middle)  # type: ignore[misc]
    assert abs(red - 53) + abs(green - 106) + abs(blue - 140) < 20


async def test_the_same_card_has_the_same_bytes_and_is_drawn_once() -> None:
    shelf = Shelf(pot=saved(painted()))
    cards = cards_of(shelf)
    first = await cards.render(item(), "en", 2.0)
    assert await cards.render(item(version=9, stock=3), "en", 2.0) is first
    assert shelf.asked == 1
    assert (await cards_of(shelf).render(item(), "en", 2.0)).image == first.image
    for other in (item(price=Money("CNY", 25_800)), item(brand="Mushi"), item(image_uri="")):
        assert (await cards.render(other, "en", 2.0)).image != first.image
    assert (await cards.render(item(), "zh-CN", 2.0)).image != first.image


async def test_cards_kept_are_bounded_by_their_bytes() -> None:
    cards = cards_of(Shelf(pot=saved(painted())), cache_bytes=100_000)
    for price in range(1, 8):
        await cards.render(item(price=Money("CNY", price * 100)), "en", 1.0)
    assert cards._drawn.held_bytes <= 100_000
    assert len(cards._drawn) >= 1


@pytest.mark.parametrize("ratio", [0.0, -1.0, 1.5, 1.999, float("nan"), float("inf")])
async def test_another_ratio_is_refused(ratio: float) -> None:
    with pytest.raises(Invalid, match="aspect_ratio"):
        await cards_of(Shelf()).render(item(), "en", ratio)


@pytest.mark.parametrize(
    "picture",
    [b"", b"<svg/>", saved(painted((1, 1))), saved(painted(), "JPEG")[:2_000]],
    ids=["nothing", "drawing", "dot", "half"],
)
async def test_a_plain_card_stands_in_for_a_bad_picture(picture: bytes) -> None:
    cards = cards_of(Shelf(pot=picture))
    card = await cards.render(item(), "zh-CN", 2.0)
    assert card.plain
    assert opened(card.image).size == (1200, 600)
    assert (await cards.render(item(), "zh-CN", 2.0)).plain  # and so it says when it is kept


@pytest.mark.parametrize(
    "uri", ["", "../pot", "/etc/passwd", "http://x/y", "javascript:1", "file:///pot", "a\\b"]
)
async def test_addresses_that_lead_elsewhere_are_never_asked(uri: str) -> None:
    shelf = Shelf()
    assert (await cards_of(shelf).render(item(image_uri=uri), "en", 1.0)).plain
    assert shelf.asked == 0


@pytest.mark.parametrize("ratio", [2.0, 1.0])
async def test_noise_still_fits(ratio: float) -> None:
    noise = Image.effect_noise((1_200, 1_200), 120).convert("RGB")
    card = await cards_of(Shelf(pot=saved(noise, "PNG"))).render(item(), "en", ratio)
    assert len(card.image) <= MOST_BYTES
    assert not card.plain


async def test_a_sliver_of_a_picture_is_not_blown_up() -> None:
    sliver = Image.effect_noise((50, 100_000), 90)
    assert not (await cards_of(Shelf(pot=saved(sliver))).render(item(), "en", 2.0)).plain


@pytest.mark.parametrize(
    "title",
    [
        "好" * 5_000,
        "W" * 5_000,
        "word " * 1_000,
        "👨‍👩‍👧‍👦🇨🇳👍🏽" * 40,
        "\u202eגרמ\u200b\u200d\u2066",
        "<script>alert(1)</script><img src=x onerror=alert(1)>",
        "{{7*7}} ${x} %s =cmd|'/c calc'!A1",
        "Z" + "\u0301" * 500 + "algo",
        "。，！？" * 30,
        "\x00\n\r\t",
        "ไทย العربية",
    ],
)
@pytest.mark.parametrize("uri", ["pot", ""])
async def test_no_title_breaks_a_card(title: str, uri: str) -> None:
    card = await cards_of(Shelf(pot=saved(painted()))).render(
        item(title=title, translations={}, brand=title[:128], image_uri=uri), "zh-CN", 2.0
    )
    assert opened(card.image).size == (1200, 600)


async def test_a_title_that_may_not_be_shown_is_not() -> None:
    shelf = Shelf(pot=saved(painted()))
    without = await cards_of(shelf).render(item(title="、", translations={}), "zh-CN", 2.0)
    banned = await cards_of(shelf, lambda text: "最低" not in text).render(
        item(title="全网最低价咖啡壶", translations={}, attributes={}), "zh-CN", 2.0
    )
    assert banned.image == without.image


@pytest.mark.parametrize(
    ("changes", "locale", "tag"),
    [
        ({}, "zh-CN", ("¥259", "¥329", "7.9折")),
        ({}, "en", ("CN¥259", "CN¥329", "-21%")),
        ({"list_price": None}, "en", ("CN¥259", "", "")),
        ({"list_price": Money("CNY", 25_900)}, "en", ("CN¥259", "", "")),
        ({"list_price": Money("CNY", 26_000)}, "en", ("CN¥259", "", "")),
        ({"list_price": Money("USD", 99_900)}, "en", ("CN¥259", "", "")),
        ({"list_price": Money("CNY", 99_999_900)}, "en", ("CN¥259", "", "")),
        ({"price": Money("CNY", 0)}, "en", ("", "", "")),
        ({"price": Money("QQQ", 100)}, "en", ("", "", "")),
        ({"price": None}, "en", ("", "", "")),
    ],
)
def test_the_badge_says_what_the_prices_say(
    changes: dict[str, object], locale: str, tag: tuple[str, str, str]
) -> None:
    assert price_tag(item(**changes), locale) == PriceTag(*tag)


@pytest.mark.parametrize(
    ("given", "brand", "locale", "shown"),
    [
        ("Yunqili minimalist kettle", "Yunqili", "en", "Minimalist kettle"),
        ("Yunqili云栖里 咖啡壶", "Yunqili", "zh-CN", "云栖里 咖啡壶"),
        ("Elmwood table", "Elm", "en", "Elmwood table"),
        ("Elm", "Elm", "en", "Elm"),
        ("Elm!", "Elm", "en", "Elm!"),
        ("双肩包,装得下电脑!", "", "zh-CN", "双肩包，装得下电脑！"),
        ("簡約咖啡壺", "", "zh-CN", "简约咖啡壶"),
        ("A kettle 👋 for you", "", "en", "A kettle for you"),
    ],
)
def test_a_title_is_set_without_what_the_card_says_already(
    given: str, brand: str, locale: str, shown: str
) -> None:
    of = item(title=given, brand=brand, locale="", translations={})
    assert cards_of(Shelf())._words(of, locale).title == shown


def test_a_text_that_is_in_the_characters_of_the_reader_stays_as_it_is() -> None:
    of = item(title="雲棲里 咖啡壺", brand="雲棲里", locale="zh-TW", translations={})
    assert cards_of(Shelf())._words(of, "zh-TW").label == "雲棲里"
