"""Draws the sample cards in docs/cards: five goods in three languages, with pictures made up here.

.venv/bin/python docs/draw_cards.py
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFilter

from magpie_services.content.card.cards import Cards
from magpie_services.content.card.drawing import Style
from magpie_services.content.card.encoding import jpeg
from magpie_services.content.card.palette import Colour
from magpie_services.content.card.pictures import Pictures
from magpie_services.content.extraction.extractor import Extractor
from magpie_services.content.verifier import presentable
from magpie_services.core.items import Item
from magpie_services.core.money import Money

FOLDER = Path(__file__).with_name("cards")
MOST_BYTES = 60_000
SIDE = 1_600  # pictures are drawn this large, then halved
CURRENCIES = {"zh-CN": "CNY", "zh-TW": "TWD", "en": "USD"}
Rgb = tuple[int, int, int]
SHADOW: Rgb = (40, 34, 30)


def main() -> None:
    """Writes cards/<good>.<locale>.jpg."""
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(_draw_all())


async def _draw_all() -> None:
    for good in GOODS:
        pictures = Pictures(_Easel(good.paint), None, 10_000_000, time.monotonic)
        cards = Cards(pictures, good.style, 0, presentable, Extractor().words)
        for locale, (title, brand, price, full) in good.words.items():
            currency = CURRENCIES[locale]
            item = Item(
                item_id=good.key,
                title=title,
                locale=locale,
                brand=brand,
                price=Money(currency, price),
                list_price=Money(currency, full) if full else None,
                image_uri=good.key if good.paint else "",
            )
            card = await cards.render(item, locale, good.ratio)
            small = jpeg(Image.open(BytesIO(card.image)), MOST_BYTES)
            if small is None:
                raise ValueError(f"{good.key} does not fit in {MOST_BYTES} bytes")
            (FOLDER / f"{good.key}.{locale}.jpg").write_bytes(small)
        await cards.close()


class _Easel:
    """A source of one picture; without a painter it has none."""

    def __init__(self, paint: Callable[[], Image.Image] | None) -> None:
        self._paint = paint

    async def fetch(self, uri: str) -> bytes:
        out = BytesIO()
        if self._paint is not None:
            self._paint().reduce(2).save(out, "PNG")
        return out.getvalue()


class _Canvas:
    """A soft ground to put shapes on, each lit from the upper left."""

    def __init__(self, ground: Rgb) -> None:
        self.image = Image.new("RGB", (SIDE, SIDE), ground)
        glow = (
            Image.radial_gradient("L")
            .resize((SIDE * 2, SIDE * 2))
            .crop((SIDE // 2, SIDE // 3, SIDE * 3 // 2, SIDE * 4 // 3))
        )
        self.image = Image.composite(_toned(self.image, 0.90), _toned(self.image, 1.04), glow)

    def shape(
        self, colour: Rgb, kind: str, where: Sequence[Any], *options: int, shade: float = 0.28, **named: Any
    ) -> None:
        """A shape as ImageDraw draws it by that name; darker towards its lower right by `shade`."""
        mask = Image.new("L", (SIDE, SIDE), 0)
        getattr(ImageDraw.Draw(mask), kind)(where, *options, fill=255, **named)
        box = mask.getbbox()
        if box is None:
            return
        size = (box[2] - box[0], box[3] - box[1])
        across = Image.linear_gradient("L").rotate(90).resize(size)
        down = Image.linear_gradient("L").resize(size)
        slope = Image.blend(across, down, 0.35)
        lit = Image.new("RGB", size, colour)
        body = Image.composite(_toned(lit, 1 - shade), _toned(lit, 1 + shade / 2.4), slope)
        self.image.paste(body, box[:2], mask.crop(box))

    def shadow(self, box: tuple[int, int, int, int], strength: float = 0.34, blur: int = 38) -> None:
        """A soft shadow on the floor."""
        mask = Image.new("L", (SIDE, SIDE), 0)
        ImageDraw.Draw(mask).ellipse(box, fill=round(255 * strength))
        self.image.paste(SHADOW, (0, 0), mask.filter(ImageFilter.GaussianBlur(blur)))


def _toned(image: Image.Image, factor: float) -> Image.Image:
    return image.point(lambda value: min(255, round(value * factor)))


def _kettle() -> Image.Image:
    canvas = _Canvas((233, 225, 213))
    steel, wood = (238, 232, 220), (150, 101, 62)
    canvas.shadow((330, 1180, 1330, 1350))
    canvas.shape(steel, "line", [(560, 1010), (330, 860), (330, 560), (236, 500)], width=44, joint="curve")
    canvas.shape(wood, "arc", (880, 540, 1360, 1100), -94, 96, width=58)
    canvas.shape(wood, "line", [(1010, 590), (1124, 566)], width=58)
    canvas.shape(steel, "ellipse", (430, 1130, 1190, 1270), shade=0.36)
    canvas.shape(steel, "polygon", [(560, 560), (1060, 560), (1190, 1200), (430, 1200)], shade=0.36)
    canvas.shape(_mixed(steel, SHADOW, 0.12), "ellipse", (548, 500, 1072, 622))
    canvas.shape(wood, "ellipse", (756, 396, 864, 512))
    return canvas.image


def _dress() -> Image.Image:
    canvas = _Canvas((223, 230, 236))
    blue, night = (62, 104, 158), (20, 30, 50)
    bodice = [(640, 520), (600, 320), (720, 290), (800, 372), (880, 290), (1000, 320), (960, 520), (940, 720)]
    canvas.shadow((520, 1390, 1080, 1470), 0.22)
    canvas.shape((90, 84, 80), "arc", (740, 130, 860, 260), 120, 430, width=14)
    canvas.shape((176, 132, 92), "line", [(540, 330), (800, 248), (1060, 330)], width=24, joint="curve")
    canvas.shape(blue, "polygon", [*bodice, (1150, 1400), (450, 1400), (660, 720)], shade=0.34)
    canvas.shape(_mixed(blue, night, 0.35), "rectangle", (654, 700, 946, 742))
    for x, top in ((660, 800), (800, 760), (930, 800)):
        foot = x + (x - 800) // 2
        canvas.shape(_mixed(blue, night, 0.18), "polygon", [(x, top), (foot - 14, 1400), (foot + 26, 1400)])
    return canvas.image


def _backpack() -> Image.Image:
    canvas = _Canvas((226, 232, 224))
    green, strap, leather = (48, 92, 74), (30, 58, 47), (176, 132, 92)
    canvas.shadow((400, 1270, 1220, 1410))
    canvas.shape(strap, "arc", (670, 190, 930, 460), 180, 360, width=40)
    canvas.shape(strap, "rounded_rectangle", (396, 700, 484, 1240), 40)
    canvas.shape(strap, "rounded_rectangle", (1116, 700, 1204, 1240), 40)
    canvas.shape(green, "rounded_rectangle", (440, 310, 1160, 1330), 210, shade=0.36)
    canvas.shape(_mixed(green, (255, 255, 255), 0.07), "rounded_rectangle", (510, 840, 1090, 1260), 90)
    canvas.shape(strap, "line", (540, 930, 1060, 930), width=14)
    canvas.shape((206, 178, 118), "rounded_rectangle", (1010, 906, 1060, 1010), 20)
    canvas.shape(strap, "arc", (500, 380, 1100, 900), 190, 350, width=14)
    canvas.shape(leather, "rounded_rectangle", (715, 560, 885, 660), 24)
    return canvas.image


def _lamp() -> Image.Image:
    canvas = _Canvas((58, 54, 62))
    clay, linen = (204, 132, 98), (252, 233, 202)
    glow = Image.new("L", (SIDE, SIDE), 0)
    ImageDraw.Draw(glow).ellipse((260, 340, 1340, 1420), fill=150)
    canvas.image.paste((255, 206, 138), (0, 0), glow.filter(ImageFilter.GaussianBlur(170)))
    canvas.shadow((480, 1290, 1120, 1420), 0.5)
    canvas.shape(clay, "ellipse", (560, 880, 1040, 1360), shade=0.42)
    canvas.shape(clay, "rounded_rectangle", (752, 760, 848, 930), 20)
    canvas.shape(linen, "polygon", [(610, 280), (990, 280), (1180, 800), (420, 800)], shade=0.16)
    return canvas.image


def _mixed(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


class _Good(NamedTuple):
    """A good in three languages: title, brand, and price and list price (0: none) in minor units."""

    key: str
    paint: Callable[[], Image.Image] | None
    ratio: float
    style: Style
    words: dict[str, tuple[str, str, int, int]]


def _style(brand: str, accent: str) -> Style:
    return Style(Colour.parse(brand), Colour.parse(accent))


GOODS = (
    _Good("kettle", _kettle, 2, _style("#6B4A2F", "#B4451F"), {
        "zh-CN": ("云栖里 简约米白色手冲咖啡壶", "云栖里", 25_900, 32_900),
        "zh-TW": ("雲棲里 簡約米白色手沖咖啡壺", "雲棲里", 119_000, 149_000),
        "en": ("Yunqili minimalist pour-over kettle in off-white", "Yunqili", 3_900, 4_900),
    }),
    _Good("dress", _dress, 1, _style("#274C77", "#C8372D"), {
        "zh-CN": ("南枝 法式蓝色亚麻连衣裙", "南枝", 35_900, 42_900),
        "zh-TW": ("南枝 法式藍色亞麻洋裝", "南枝", 159_000, 189_000),
        "en": ("Nanzhi linen dress in blue", "Nanzhi", 5_900, 7_200),
    }),
    _Good("backpack", _backpack, 2, _style("#1F5F4B", "#1F5F4B"), {
        "zh-CN": ("山海间 通勤墨绿色尼龙双肩包，装得下 14 寸电脑", "山海间", 39_900, 0),
        "zh-TW": ("山海間 通勤墨綠色尼龍後背包，裝得下 14 吋筆電", "山海間", 179_000, 0),
        "en": ("Shanhai & Co dark green commuter backpack, fits 14-inch laptops", "Shanhai & Co", 6_500, 0),
    }),
    _Good("lamp", _lamp, 1, _style("#4A3F55", "#E9B44C"), {
        "zh-CN": ("木拾 复古陶瓷台灯", "木拾", 18_900, 22_900),
        "zh-TW": ("木拾 復古陶瓷檯燈", "木拾", 85_000, 99_000),
        "en": ("Mushi vintage ceramic table lamp", "Mushi", 2_900, 3_500),
    }),
    _Good("cream", None, 2, _style("#7A4E6D", "#C8372D"), {
        "zh-CN": ("素年 神经酰胺保湿面霜 50ml", "素年", 16_900, 0),
        "zh-TW": ("素年 神經醯胺保濕面霜 50ml", "素年", 78_000, 0),
        "en": ("Sunian moisturising cream with ceramides, 50 ml", "Sunian", 2_400, 0),
    }),
)  # fmt: skip


if __name__ == "__main__":
    main()
