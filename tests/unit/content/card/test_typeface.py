"""The typefaces have what Chinese and English titles and prices are written with."""

from PIL import Image, ImageDraw

from magpie_services.content.card.palette import WHITE
from magpie_services.content.card.typeface import Typeface


def charset(encoding: str, first: int, last: int) -> str:
    rows = (bytes([row, cell]) for row in range(first, last + 1) for cell in range(0x40, 0xFF))
    return "".join(
        text for pair in rows if len(text := pair.decode(encoding, "ignore")) == 1 and text > "\u3400"
    )


def test_both_chinese_standards_and_the_currencies_are_there() -> None:
    simplified, traditional = charset("gb2312", 0xB0, 0xF7), charset("big5", 0xA4, 0xC5)
    assert (len(simplified), len(traditional)) == (6_763, 5_338)
    latin = "ÀÉñöüßŁžğİ “”‘’–—…·×℃№"
    for locale in ("zh-CN", "zh-TW", "en"):
        face = Typeface(locale, 20)
        for text in (simplified, traditional, latin, "，。！？、；：「」『』《》【】（）￥"):
            assert face.drawable(text) == text
        price = "¥$€£₩₹₽₫₺₱₪0123456789,.-%折"
        assert Typeface(locale, 20, bold=True).drawable(price) == price


def test_taiwan_has_its_own_forms() -> None:
    assert drawn("zh-TW", "骨") != drawn("zh-CN", "骨")
    assert drawn("zh-TW", "中") == drawn("zh-CN", "中")


def test_what_no_file_has_is_left_out() -> None:
    face = Typeface("en", 20)
    assert face.drawable("hi 👋 שלום ไทย \u200b\u202e!") == "hi    !"
    assert face.width("hi 👋") == face.width("hi ")


def drawn(locale: str, text: str) -> bytes:
    canvas = Image.new("RGB", (60, 60))
    Typeface(locale, 40).write(ImageDraw.Draw(canvas), (5, 50), text, WHITE)
    return canvas.tobytes()
