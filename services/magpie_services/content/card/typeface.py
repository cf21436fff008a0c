"""The typefaces of cards: which file draws which character, how wide a text is, and how it is drawn."""

import struct
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

from magpie_services.content.card.palette import Colour

_FOLDER = Path(__file__).with_name("fonts")
_SIMPLIFIED, _TRADITIONAL = "NotoSansSC-SemiBold.ttf", "NotoSansTC-SemiBold.ttf"
_ACCENTED = "NotoSans-SemiBold.ttf"
_BOLD = ("NotoSansSC-ExtraBold.ttf", "NotoSans-ExtraBold.ttf")
# Taiwan's forms come first where a reader expects them; what only the other file has is still drawn.
_TEXT = {
    "zh-TW": (_TRADITIONAL, _SIMPLIFIED, _ACCENTED),
    "zh-CN": (_SIMPLIFIED, _TRADITIONAL, _ACCENTED),
}


class Typeface:
    """One weight at one size (pixels) for one locale. Not for use by two threads at once."""

    def __init__(self, locale: str, size: int, *, bold: bool = False) -> None:
        self.size = size
        files = _TEXT.get(locale, _TEXT["zh-CN"])
        self._files = (*_BOLD, *files) if bold else files
        font = _font(self._files[0], size)
        self.cap_height = round(-font.getbbox("H", anchor="ls")[1])

    def drawable(self, text: str) -> str:
        """The text without the characters that no file has."""
        return "".join(char for char in text if char == " " or _file_of(char, self._files))

    def width(self, text: str) -> float:
        """How wide a line is, in pixels."""
        return sum(self._font(name).getlength(run) for name, run in self._runs(text))

    def write(self, draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, fill: Colour) -> None:
        """Draws a line from its left end on the baseline."""
        x, y = at
        for name, run in self._runs(text):
            font = self._font(name)
            draw.text((x, y), run, fill=tuple(fill), font=font, anchor="ls")
            x += font.getlength(run)

    def _runs(self, text: str) -> list[tuple[str, str]]:
        kept = [(char, _file_of(char, self._files) or self._files[0]) for char in self.drawable(text)]
        return [
            (name, "".join(char for char, _ in run)) for name, run in groupby(kept, key=lambda pair: pair[1])
        ]

    def _font(self, name: str) -> ImageFont.FreeTypeFont:
        return _font(name, self.size)


@lru_cache(maxsize=64)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    # The basic layout looks the same on every machine; the other one needs a library of the system.
    return ImageFont.truetype(_FOLDER / name, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=16_384)
def _file_of(char: str, files: tuple[str, ...]) -> str:
    """The first file that has the character, "" when none has."""
    return next((name for name in files if ord(char) in _coverage(name)), "")


@cache
def _coverage(name: str) -> frozenset[int]:
    """The code points of a font file, from its character map (format 4: runs of code points)."""
    data = (_FOLDER / name).read_bytes()
    tables = {data[at : at + 4]: at for at in range(12, 12 + 16 * struct.unpack_from(">H", data, 4)[0], 16)}
    start = struct.unpack_from(">I", data, tables[b"cmap"] + 8)[0]
    for record in range(start + 4, start + 4 + 8 * struct.unpack_from(">H", data, start + 2)[0], 8):
        at = start + struct.unpack_from(">I", data, record + 4)[0]
        kind, _, _, doubled = struct.unpack_from(">4H", data, at)
        if kind == 4:
            ends = struct.unpack_from(f">{doubled // 2}H", data, at + 14)
            starts = struct.unpack_from(f">{doubled // 2}H", data, at + 16 + doubled)
            runs = zip(starts, ends, strict=True)
            return frozenset(code for first, last in runs for code in range(first, last + 1)) - {0xFFFF}
    raise LookupError(f"{name} has no character map of format 4")
