"""Quiet hours in the user's own time, whatever the clocks do."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.push.quiet_hours import parse

NIGHT = parse("21:30", "08:00", "UTC")
ZONES = ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]


def ms(zone: str, *when: int, fold: int = 0) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize("zone", ZONES)
def test_ends_at_the_local_time(zone: str) -> None:
    assert NIGHT.until_ms(ms(zone, 2026, 5, 5, 23, 0), zone) == ms(zone, 2026, 5, 6, 8, 0)
    assert NIGHT.until_ms(ms(zone, 2026, 5, 6, 7, 59), zone) == ms(zone, 2026, 5, 6, 8, 0)
    assert NIGHT.until_ms(ms(zone, 2026, 5, 6, 8, 0), zone) is None
    assert NIGHT.until_ms(ms(zone, 2026, 5, 6, 21, 29), zone) is None
    assert NIGHT.until_ms(ms(zone, 2026, 5, 6, 21, 30), zone) is not None


def test_a_night_in_which_the_clocks_change_is_shorter_or_longer() -> None:
    zone = "America/New_York"
    evening = ms(zone, 2026, 3, 7, 22, 0)
    assert NIGHT.until_ms(evening, zone) == ms(zone, 2026, 3, 8, 8, 0) == evening + 9 * 3_600_000
    evening = ms(zone, 2026, 10, 31, 22, 0)
    assert NIGHT.until_ms(evening, zone) == ms(zone, 2026, 11, 1, 8, 0) == evening + 11 * 3_600_000


def test_an_end_that_the_clocks_skip_is_the_skip() -> None:
    quiet, zone = parse("01:00", "02:30", "UTC"), "America/New_York"
    assert quiet.until_ms(ms(zone, 2026, 3, 8, 1, 30), zone) == ms(zone, 2026, 3, 8, 3, 0)


def test_an_end_that_comes_twice_is_the_second() -> None:
    quiet, zone = parse("00:30", "01:30", "UTC"), "America/New_York"
    assert quiet.until_ms(ms(zone, 2026, 11, 1, 0, 45), zone) == ms(zone, 2026, 11, 1, 1, 30, fold=1)
    assert quiet.until_ms(ms(zone, 2026, 11, 1, 1, 45), zone) == ms(zone, 2026, 11, 1, 1, 30, fold=1)


def test_an_unknown_zone_falls_back() -> None:
    quiet = parse("21:30", "08:00", "Asia/Shanghai")
    at = ms("Asia/Shanghai", 2026, 5, 5, 23, 0)
    for name in ("", "No/Where", "../etc/passwd", "Asia/\0"):
        assert quiet.until_ms(at, name) == ms("Asia/Shanghai", 2026, 5, 6, 8, 0)


def test_the_same_start_and_end_is_never_quiet() -> None:
    assert parse("08:00", "08:00", "UTC").until_ms(ms("UTC", 2026, 5, 5, 8, 0), "UTC") is None


@pytest.mark.parametrize(("start", "zone"), [("25:00", "UTC"), ("nine", "UTC"), ("21:30", "Mars")])
def test_nonsense_is_refused(start: str, zone: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(start, "08:00", zone)


times = st.times().map(lambda t: t.replace(second=0, microsecond=0))


@given(
    start=times,
    end=times,
    zone=st.sampled_from([*ZONES, "UTC", "Africa/Casablanca", "Pacific/Apia", "Antarctica/Troll"]),
    now_ms=st.integers(1_262_304_000_000, 1_893_456_000_000),
)
def test_quiet_ends_later_within_a_day_and_at_the_said_time(start, end, zone, now_ms) -> None:  # type: ignore[no-untyped-def]
    quiet = parse(start.isoformat(), end.isoformat(), "UTC")
    until_ms = quiet.until_ms(now_ms, zone)
    local = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone))
    if until_ms is None:
        offsets = {
            local.utcoffset(),
            datetime.fromtimestamp(now_ms / 1000 - 90_000, ZoneInfo(zone)).utcoffset(),
        }
        inside = start <= local.time() < end if start < end else (local.time() >= start or local.time() < end)
        # Around a change of the clocks the wall clock alone does not tell.
        assert not inside or start == end or len(offsets) > 1
        return
    assert now_ms < until_ms <= now_ms + 50 * 3_600_000
    there = datetime.fromtimestamp(until_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    before = datetime.fromtimestamp(until_ms / 1000 - 1, UTC).astimezone(ZoneInfo(zone))
    assert there.time() == end or there.utcoffset() != before.utcoffset()
