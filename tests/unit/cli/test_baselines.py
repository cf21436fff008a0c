"""The four policies that a demo has to beat, and what counts as a hit."""

import pytest

from magpie_cli.demo.baselines import DAY_MS, History
from magpie_cli.demo.hits import Score, mean_rates, score


def history(*purchases: tuple[int, str, str, str]) -> History:
    """Purchases as (day, user, item, invoice)."""
    made = History()
    for day, user, item, invoice in purchases:
        made.observe(user, item, invoice, day * DAY_MS)
    return made


def test_popular_counts_customers_of_the_last_seven_days() -> None:
    past = history(
        (0, "a", "old", "1"), (0, "b", "old", "2"), (0, "c", "old", "3"),
        (5, "a", "mug", "4"), (5, "a", "mug", "5"), (6, "a", "mug", "6"),
        (6, "a", "bag", "7"), (6, "b", "bag", "8"),
    )  # fmt: skip
    picked = past.choices(10 * DAY_MS, ["a", "b"])["popular"]
    assert picked == {"a": "bag", "b": "bag"}  # two customers beat three purchases of one; "old" is too old


def test_last_item_is_the_latest_line() -> None:
    past = history((0, "a", "mug", "1"), (1, "a", "bag", "2"), (2, "a", "mug", "3"))
    assert past.choices(3 * DAY_MS, ["a"])["last item"] == {"a": "mug"}


def test_most_frequent_counts_invoices_not_lines_and_prefers_the_later() -> None:
    past = history(
        (0, "a", "mug", "1"), (0, "a", "mug", "1"), (0, "a", "mug", "1"),
        (1, "a", "bag", "2"), (2, "a", "bag", "3"),
        (3, "a", "tin", "4"), (4, "a", "tin", "5"),
    )  # fmt: skip
    assert past.choices(5 * DAY_MS, ["a"])["most frequent"] == {"a": "tin"}


def test_most_frequent_remembers_more_than_the_recent_items() -> None:
    past = history((0, "a", "mug", "1"), (1, "a", "mug", "2"))
    for number in range(40):
        past.observe("a", f"other{number}", "3", 2 * DAY_MS)
    assert past.choices(3 * DAY_MS, ["a"])["most frequent"] == {"a": "mug"}


def test_covisitation_finds_what_was_bought_together() -> None:
    past = history(
        (0, "a", "cup", "1"), (0, "a", "saucer", "1"),
        (1, "b", "cup", "2"), (1, "b", "saucer", "2"),
        (2, "c", "bag", "3"), (2, "c", "ribbon", "3"),
        (3, "d", "cup", "4"),
    )  # fmt: skip
    assert past.choices(4 * DAY_MS, ["d"])["co-visitation"] == {"d": "saucer"}


def test_covisitation_without_company_falls_back_to_popular() -> None:
    past = history((0, "a", "mug", "1"), (0, "b", "mug", "2"), (1, "c", "alone", "3"))
    assert past.choices(2 * DAY_MS, ["c"])["co-visitation"] == {"c": "mug"}


def test_nobody_bought_anything_this_week() -> None:
    assert history((0, "a", "mug", "1")).choices(30 * DAY_MS, ["a"])["popular"] == {"a": ""}


def test_hits_and_hits_on_new_items() -> None:
    past = history((0, "a", "mug", "1"))
    week = {"a": {"mug", "bag"}, "b": {"tin"}}
    assert score({"a": "mug", "b": "tin", "c": "tin"}, week, past) == Score(users=3, hits=2, new_hits=1)
    assert score({"a": "", "b": "mug"}, week, past) == Score(users=2, hits=0, new_hits=0)


def test_rates_and_their_means() -> None:
    assert Score(0, 0, 0).rate == 0.0
    assert mean_rates([Score(10, 2, 1), Score(20, 2, 0)]) == pytest.approx((0.15, 0.05))
    assert mean_rates([]) == (0.0, 0.0)
