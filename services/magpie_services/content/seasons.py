"""Seasons and occasions: by which words a catalogue names them, and from when to when each is at hand."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from magpie_services.content.scripts import simplified

# First days of the lunar feasts in the calendar of everyday life, 2026 to 2030, from the conversion tables of
# the Hong Kong Observatory. Years that are missing have no such feast here: nothing is claimed.
_LUNAR: Mapping[str, tuple[tuple[int, int, int], ...]] = {
    "spring_festival": ((2026, 2, 17), (2027, 2, 6), (2028, 1, 26), (2029, 2, 13), (2030, 2, 3)),
    "lantern": ((2026, 3, 3), (2027, 2, 20), (2028, 2, 9), (2029, 2, 27), (2030, 2, 17)),
    "dragon_boat": ((2026, 6, 19), (2027, 6, 9), (2028, 5, 28), (2029, 6, 16), (2030, 6, 5)),
    "qixi": ((2026, 8, 19), (2027, 8, 8), (2028, 8, 26), (2029, 8, 16), (2030, 8, 5)),
    "mid_autumn": ((2026, 9, 25), (2027, 9, 15), (2028, 10, 3), (2029, 9, 22), (2030, 9, 12)),
    "double_ninth": ((2026, 10, 18), (2027, 10, 8), (2028, 10, 26), (2029, 10, 16), (2030, 10, 5)),
}
_SOUTHERN = frozenset(
    "AO AR AU BO BR BW CL FJ LS MG MU MW MZ NA NZ PE PG PY SZ UY ZA ZM ZW".split()  # noqa: SIM905
)
_SOUTHERN_ZONES = (
    "Africa/Johannesburg",
    "America/Argentina/",
    "America/Montevideo",
    "America/Santiago",
    "America/Sao_Paulo",
    "Australia/",
    "Pacific/Auckland",
)


class Season(NamedTuple):
    """A season or an occasion: `day` gives its day in a year, at hand `ahead` days before until it ends.

    `names` are what to call it (Chinese, English), `words` all by which a catalogue may mean it, simplified
    and in lower case; those in `titles` are telling enough to be read in an item's title too.
    """

    names: tuple[str, str]
    words: frozenset[str]
    titles: tuple[str, ...]
    day: Callable[[int], date | None]
    ahead: int
    lasts: int = 1
    quarter: int = 0


def _lunar(name: str) -> Callable[[int], date | None]:
    days = {year: date(year, month, day) for year, month, day in _LUNAR[name]}
    return days.get


def _fixed(month: int, day: int) -> Callable[[int], date | None]:
    return lambda year: date(year, month, day)


def _weekday(month: int, weekday: int, nth: int) -> Callable[[int], date | None]:
    """The nth such weekday (Monday is 0) of a month."""

    def day(year: int) -> date:
        first = date(year, month, 1)
        return first + timedelta((weekday - first.weekday()) % 7 + 7 * (nth - 1))

    return day


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm of 1876)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _season(
    chinese: str,
    english: str,
    words: str,
    day: Callable[[int], date | None],
    ahead: int,
    lasts: int = 1,
    *,
    titles: str = "",
    quarter: int = 0,
) -> Season:
    told = frozenset(word.replace("_", " ") for word in words.split())
    known = told | {chinese, english.casefold()}
    return Season(
        (chinese, english),
        known,
        tuple(word.replace("_", " ") for word in titles.split()),
        day,
        ahead,
        lasts,
        quarter,
    )


# The occasions first: "winter" gives way to "Christmas".
SEASONS = (
    _season("春节", "Lunar New Year", "新年 新春 过年 年货 spring_festival chinese_new_year lunar_new_year",
            _lunar("spring_festival"), 30, 7, titles="春节 新春 年货 lunar_new_year chinese_new_year"),
    _season("元宵", "the Lantern Festival", "元宵节 lantern_festival", _lunar("lantern"), 10,
            titles="元宵节"),
    _season("端午", "the Dragon Boat Festival", "端午节 dragon_boat_festival", _lunar("dragon_boat"), 21,
            titles="端午"),
    _season("七夕", "Qixi", "七夕节 qixi_festival", _lunar("qixi"), 14, titles="七夕"),
    _season("中秋", "the Mid-Autumn Festival",
            "中秋节 mid-autumn mid_autumn mid-autumn_festival moon_festival",
            _lunar("mid_autumn"), 30, titles="中秋 mid-autumn"),
    _season("重阳", "the Double Ninth Festival", "重阳节 double_ninth", _lunar("double_ninth"), 14,
            titles="重阳"),
    _season("元旦", "New Year", "元旦节 new_year new_year's", _fixed(1, 1), 14, titles="元旦"),
    _season("情人节", "Valentine's Day", "valentine valentines valentine's valentines_day", _fixed(2, 14), 21,
            titles="情人节 valentine valentine's"),
    _season("复活节", "Easter", "easter", easter, 28, 2, titles="easter 复活节"),
    _season("母亲节", "Mother's Day", "mothers_day", _weekday(5, 6, 2), 21, titles="母亲节 mother's_day"),
    _season("儿童节", "Children's Day", "六一 childrens_day", _fixed(6, 1), 21, titles="儿童节"),
    _season("父亲节", "Father's Day", "fathers_day", _weekday(6, 6, 3), 21, titles="父亲节 father's_day"),
    _season("教师节", "Teachers' Day", "teachers_day", _fixed(9, 10), 14, titles="教师节"),
    _season("国庆", "National Day", "国庆节 十一", _fixed(10, 1), 14, 7, titles="国庆"),
    _season("万圣节", "Halloween", "halloween", _fixed(10, 31), 28, titles="halloween 万圣节"),
    _season("感恩节", "Thanksgiving", "thanksgiving", _weekday(11, 3, 4), 21, titles="thanksgiving 感恩节"),
    _season("圣诞", "Christmas", "圣诞节 xmas christmas", _fixed(12, 25), 40, 2,
            titles="圣诞 christmas xmas"),
    _season("春天", "spring", "春 春季 春日 春款", _fixed(3, 1), 0, 92, titles="春季 春日", quarter=1),
    _season("夏天", "summer", "夏 夏季 夏日 夏款", _fixed(6, 1), 0, 92,
            titles="夏季 夏日 夏天 summer", quarter=2),
    _season("秋天", "autumn", "秋 秋季 秋日 秋款 fall", _fixed(9, 1), 0, 91, titles="秋季 秋日 秋天 autumn",
            quarter=3),
    _season("冬天", "winter", "冬 冬季 冬日 冬款", _fixed(12, 1), 0, 91,
            titles="冬季 冬日 冬天 winter", quarter=4),
)  # fmt: skip
_BY_WORD = {word: season for season in reversed(SEASONS) for word in season.words}


def meant(word: str) -> Season | None:
    """The season or occasion that a word of a catalogue means."""
    return _BY_WORD.get(simplified(word.strip()).casefold())


def told(title: str) -> tuple[Season, str] | None:
    """The season or occasion that a title names, with its word there."""
    text = simplified(title).casefold()
    for season in SEASONS:
        for word in season.titles:
            at = text.find(word)
            if at >= 0 and _whole(text, at, at + len(word)):
                return season, title[at : at + len(word)] if len(text) == len(title) else word
    return None


@lru_cache(maxsize=1_024)
def at_hand(season: Season, today: date, *, southern: bool = False) -> bool:
    """Whether a season is now, or an occasion near enough to speak of."""
    if season.quarter and southern:
        season = next(one for one in SEASONS if one.quarter == (season.quarter + 1) % 4 + 1)
    for year in (today.year - 1, today.year, today.year + 1):
        day = season.day(year)
        if day and day - timedelta(season.ahead) <= today < day + timedelta(season.lasts):
            return True
    return False


def southern(country: str, timezone: str) -> bool:
    """Whether somebody has winter in July, by their country, else their time zone."""
    if country:
        return country.upper() in _SOUTHERN
    return timezone.startswith(_SOUTHERN_ZONES)


def _whole(text: str, start: int, end: int) -> bool:
    """Whether a Latin word stands by itself there; Han need no border."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not text[start].isascii() or not ((before + after).isascii() and (before + after).isalpha())
