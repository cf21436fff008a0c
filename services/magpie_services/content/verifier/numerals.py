"""Numbers in a text, however they are written: 1,299, 1.2万, 1.5k, 三千九百, twenty-one, a dozen."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import NamedTuple


class Number(NamedTuple):
    """A number at [start, end) of a plain view."""

    start: int
    end: int
    value: Decimal
    spoken: bool  # in words, not in digits


_MOST = Decimal(10**15)  # what is larger is no amount of anything, and beyond exact arithmetic
_SCALES = {"百": 100, "千": 1_000, "k": 1_000, "万": 10_000, "亿": 100_000_000}
_ARABIC = re.compile(r"\d+(?:,\d{3}(?!\d))*(?:\.\d+)?(?: ?(?:[百千]?[万亿]|[千百](?!分)|k(?![a-z0-9])))?")

_HAN_DIGITS = {**dict(zip("零〇一二三四五六七八九", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)), "两": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1_000}
# Words in which such characters count nothing.
_HAN_IDIOMS = (
    "[一两三四几](?:个字|句)|[前这过]两天|万一|千万(?=别|不要|记得|要)|十分|十足|百搭|百货|百科|百合|百叶|百变|百味|百里|"
    "百分(?!之)|万分|万事|万物|万象|万用|万向|万能|万圣|万千|千层|千鸟|"
    "千金|千里|千禧|千纸鹤|千岛|百褶|三五|三两|两三|七夕|八宝|五谷|五香|四季|四海|三餐|"
    "三明治|三文鱼|三角|三轮|三亚|三国|三体|三生|两用|两侧|两边|两头|"
    "两面|两样|二手|二维|二次元|二胡|五彩|五金|五官|六神|九阳|七彩|七匹狼|四川|四件套|三件套|"
    "九月|十月|一二|一五一十|乱七八糟|五花八门|四面八方|"
    "十里|十字|十指|一百分|八卦|八角|八仙|四方|四周|四处|三思|三伏|三九|十全|千丝|千姿|百年|"
    "百看|百事|百度|千元机|百元店|万家|万科|万达|三星|"
    "两全|两种选择|一千零一夜|一千个|一百个|半百|两口|三口|二人|两人|二人世界|三八|双十一|"
    "双十二|十一黄金|十一假期|周[一二三四五六日]|星期[一二三四五六]|"
    "礼拜[一二三四五六]|十二月|[一二三四五六七八九十]月(?!\\d|[一二三四五六七八九十])|"
    "第[一二三四五六七八九十]+(?=章|课|季|集|卷|册|辑|讲|节|单元)"
)
_HAN = re.compile(f"(?:{_HAN_IDIOMS})|([零〇一二两三四五六七八九十百千万亿]+)")

_ONES = {
    word: value
    for value, word in enumerate(
        re.findall(
            "[a-z]+",
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen",
        )
    )
}
_TENS = {
    word: 10 * tens
    for tens, word in enumerate(
        re.findall("[a-z]+", "twenty thirty forty fifty sixty seventy eighty ninety"), start=2
    )
}
_BIG = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "dozen": 12}
_ENGLISH_WORD = "|".join([*_TENS, *_ONES, *_BIG])
_ENGLISH = re.compile(rf"(?<![a-z])(?:{_ENGLISH_WORD})(?:[ -]+(?:and[ -]+)?(?:{_ENGLISH_WORD}))*(?![a-z])")
_ENGLISH_HINT = re.compile("|".join([*_TENS, *_ONES, *_BIG]))
_HAN_HINT = re.compile("[零〇一二两三四五六七八九十百千万亿]")


def numbers(view: str) -> Iterator[Number]:
    """Every number of a plain view, from left to right within each way of writing."""
    taken = -1
    for match in _ARABIC.finditer(view):
        taken = match.end()
        yield Number(match.start(), taken, min(_arabic(match[0]), _MOST), False)
    if _HAN_HINT.search(view):
        for match in _HAN.finditer(view):
            if match[1] and not (match.start() and view[match.start() - 1].isdigit()):
                yield Number(*match.span(), min(_han(match[1]), _MOST), True)
    if _ENGLISH_HINT.search(view):
        for match in _ENGLISH.finditer(view):
            yield Number(*match.span(), min(_english(match[0]), _MOST), True)


def decimal(text: str) -> Decimal:
    """The number that digits with thousands' commas make."""
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return Decimal(-1)


def _arabic(text: str) -> Decimal:
    digits = text.rstrip("百千万亿k ")
    value = decimal(digits)
    for scale in text[len(digits) :].strip():
        value *= _SCALES[scale]
    return value


def _han(text: str) -> Decimal:
    """三千九百 and 三千九 are 3900, 八五 is 85, 二〇二六 is 2026."""
    if not any(char in "十百千万亿" for char in text):
        return Decimal("".join(str(_HAN_DIGITS[char]) for char in text))
    total = section = digit = 0
    last = 1
    for char in text:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char]
            last = 10 if char in "零〇" else last
        elif char in _HAN_UNITS:
            last = _HAN_UNITS[char]
            section += (digit or 1) * last
            digit = 0
        else:
            last = _SCALES[char]
            total = (total + section + digit or 1) * last
            section = digit = 0
    # A digit that ends the number counts the next smaller unit: 三千九 is 3900.
    return Decimal(total + section + digit * (last // 10 if last > 10 and not text.endswith("零") else 1))


def _english(text: str) -> Decimal:
    total = section = 0
    for word in re.findall("[a-z]+", text):
        if word in _ONES:
            section += _ONES[word]
        elif word in _TENS:
            section += _TENS[word]
        elif word in ("hundred", "dozen"):
            section = (section or 1) * _BIG[word]
        elif word in _BIG:
            total += (section or 1) * _BIG[word]
            section = 0
    return Decimal(total + section)
