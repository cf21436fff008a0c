"""Seasons and occasions: the words that mean them, their days, and whether they are now."""

from datetime import date, timedelta

import pytest

from magpie_services.content import seasons


@pytest.mark.parametrize(
    ("word", "name"),
    [("中秋节", "中秋"), ("端午節", "端午"), ("Xmas", "圣诞"), ("Summer", "夏天"), ("秋季", "秋天"),
     ("fall", "秋天"),
     ("Valentine's", "情人节")],
)  # fmt: skip
def test_a_catalogue_may_use_many_words(word: str, name: str) -> None:
    season = seasons.meant(word)
    assert season is not None
    assert season.names[0] == name


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("中秋礼盒", "中秋"),
        ("Christmas Star Lights", "Christmas"),
        ("夏季薄款连衣裙", "夏季"),
        ("端午節粽子", "端午"),
    ],
)
def test_a_title_may_name_it(title: str, word: str) -> None:
    told = seasons.told(title)
    assert told is not None
    assert told[1] == word


@pytest.mark.parametrize(
    "title", ["Midsummerland Mug", "Spring Mattress", "中号收纳盒", "Easterly Wind Chime"]
)
def test_other_words_are_no_seasons(title: str) -> None:
    assert seasons.told(title) is None


@pytest.mark.parametrize(
    ("word", "day", "southern", "now"),
    [
        ("中秋", date(2026, 9, 25), False, True),
        ("中秋", date(2026, 8, 26), False, True),
        ("中秋", date(2026, 9, 26), False, False),
        ("中秋", date(2035, 9, 16), False, False),  # a year that no table has: nothing is claimed
        ("春节", date(2026, 12, 1), False, False),
        ("春节", date(2027, 2, 1), False, True),
        ("元旦", date(2026, 12, 25), False, True),
        ("christmas", date(2026, 11, 20), False, True),
        ("christmas", date(2026, 12, 28), False, False),
        ("summer", date(2026, 7, 1), False, True),
        ("summer", date(2026, 7, 1), True, False),
        ("winter", date(2026, 7, 1), True, True),
        ("winter", date(2027, 1, 15), False, True),
        ("autumn", date(2027, 4, 1), True, True),
        ("mother's day", date(2027, 5, 9), False, True),
        ("easter", date(2027, 3, 28), False, True),
    ],
)
def test_it_is_now_or_not(word: str, day: date, southern: bool, now: bool) -> None:
    season = seasons.meant(word)
    assert season is not None
    assert now is seasons.at_hand(season, day, southern=southern)


def test_easter_sundays() -> None:
    assert [seasons.easter(year).isoformat()[5:] for year in (2026, 2027, 2028, 2029, 2030)] == [
        "04-05", "03-28", "04-16", "04-01", "04-21"
    ]  # fmt: skip


def test_lunar_feasts_keep_the_distances_of_their_calendar() -> None:
    """A lunar month has 29 or 30 days, so the days between feasts are known but for the months between."""
    days = {name: {d[0]: date(*d) for d in table} for name, table in seasons._LUNAR.items()}
    for year in range(2026, 2031):
        assert days["lantern"][year] - days["spring_festival"][year] == timedelta(14)
        assert (days["mid_autumn"][year] - days["qixi"][year]).days in (37, 38)
        assert (days["double_ninth"][year] - days["mid_autumn"][year]).days in (23, 24)
        assert (days["qixi"][year] - days["dragon_boat"][year]).days in (60, 61, 62, 89, 90, 91)


@pytest.mark.parametrize(
    ("country", "timezone", "southern"),
    [("AU", "", True), ("cn", "", False), ("", "Australia/Sydney", True), ("", "Asia/Shanghai", False),
     ("US", "Australia/Sydney", False), ("", "", False)],
)  # fmt: skip
def test_whose_winter_is_in_july(country: str, timezone: str, southern: bool) -> None:
    assert southern is seasons.southern(country, timezone)
