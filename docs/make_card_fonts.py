"""Makes the fonts of picture cards from Noto Sans, Noto Sans SC and Noto Sans TC (SIL Open Font License 1.1).

    python docs/make_card_fonts.py FOLDER   # needs `fonttools`; FOLDER holds the files named in SOURCES

Kept are the characters of GB2312 and of Big5 level 1, Latin with its accents, Greek, Cyrillic, kana,
punctuation and currency signs. A character that both regions write alike is in the first file only; the
second holds those that Taiwan writes in another form. Prices and badges have a bolder face of their own,
Latin only. Accented letters and currency signs that these lack come from Noto Sans.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

SOURCES = {
    "sc": "NotoSansSC_600SemiBold.ttf",
    "tc": "NotoSansTC_600SemiBold.ttf",
    "bold": "NotoSansSC_800ExtraBold.ttf",
    "latin": "NotoSans_600SemiBold.ttf",
    "money": "NotoSans_800ExtraBold.ttf",
}
TARGET = Path(__file__).parents[1] / "services/magpie_services/content/card/fonts"
# Frequent in names, and outside both standards.
NAMES = "囍喆堃珺煊玥囧槑媞祎昇晞瑄玟彣凃峯烔鎏鑫翀赟璟骉砼硂镕囡嘢啲嘅咗咁冇嚟唔喺嗰佢哋乜嘥㗎"
RANGES = (
    (0x0020, 0x007E), (0x00A0, 0x024F), (0x0391, 0x03C9), (0x0401, 0x0451), (0x1E80, 0x1EF9),
    (0x2010, 0x2027), (0x2030, 0x203B), (0x20A0, 0x20BF), (0x2100, 0x2122), (0x2150, 0x2183),
    (0x2190, 0x2193), (0x2460, 0x2473), (0x25A0, 0x25CF), (0x2605, 0x2606), (0x3001, 0x301F),
    (0x3041, 0x30FF), (0x3105, 0x3129), (0xFF01, 0xFF5E), (0xFFE0, 0xFFE6),
)  # fmt: skip


def main(folder: Path) -> None:
    """Writes the three files."""
    sc, tc = TTFont(folder / SOURCES["sc"]), TTFont(folder / SOURCES["tc"])
    common = {code for first, last in RANGES for code in range(first, last + 1)}
    mainland, taiwan = _charset("gb2312", 0xB0, 0xF7), _charset("big5", 0xA4, 0xC6)
    other = {code for code in taiwan if not _alike(sc, tc, code)}
    _write(
        folder / SOURCES["sc"],
        "NotoSansSC-SemiBold.ttf",
        common | mainland | {*map(ord, NAMES)} | (taiwan - other),
    )
    _write(folder / SOURCES["tc"], "NotoSansTC-SemiBold.ttf", other)
    digits = {code for first, last in RANGES[:2] for code in range(first, min(last, 0xFF) + 1)}
    currencies = {0x0E3F, *range(0x20A0, 0x20C1)}
    _write(
        folder / SOURCES["latin"], "NotoSans-SemiBold.ttf", (common | currencies) - sc.getBestCmap().keys()
    )
    bold = TTFont(folder / SOURCES["bold"]).getBestCmap().keys()
    _write(
        folder / SOURCES["bold"], "NotoSansSC-ExtraBold.ttf", digits | currencies | {*map(ord, "￥折元圆圓")}
    )
    _write(folder / SOURCES["money"], "NotoSans-ExtraBold.ttf", currencies - bold)


def _charset(encoding: str, first: int, last: int) -> set[int]:
    """Han characters of the rows `first` to `last` of a two-byte encoding."""
    found: set[int] = set()
    for row in range(first, last + 1):
        for cell in range(0x40, 0xFF):
            if row == last == 0xC6 and cell > 0x7E:
                continue  # level 1 of Big5 ends within its last row
            text = bytes([row, cell]).decode(encoding, "ignore")
            found.update({ord(text)} if len(text) == 1 and ord(text) >= 0x3400 else ())
    return found


def _alike(sc: TTFont, tc: TTFont, code: int) -> bool:
    """Whether both fonts draw a character with the very same points."""
    glyphs = [font["glyf"][font.getBestCmap()[code]] for font in (sc, tc)]
    points = [glyph.getCoordinates(font["glyf"])[0] for glyph, font in zip(glyphs, (sc, tc), strict=True)]
    return bool(points[0] == points[1])


def _write(source: Path, name: str, codes: Iterable[int]) -> None:
    options = Options(
        hinting=False, layout_features=[], notdef_outline=True, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14]
    )
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "STAT", "vhea", "vmtx"]
    font = TTFont(source, recalcTimestamp=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font.save(TARGET / name)
    size = (TARGET / name).stat().st_size
    sys.stdout.write(f"{name}: {len(font.getBestCmap())} characters, {size:,} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
