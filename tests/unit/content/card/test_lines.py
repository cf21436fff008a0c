"""Where titles break."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.content.card.lines import ELLIPSIS, wrap


def width(text: str) -> float:
    return float(sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text))


def test_a_line_never_begins_with_what_closes_and_never_ends_with_what_opens() -> None:
    text = "新款上市，舒适透气。「轻盈」一步，（春夏）都能穿：好看！"
    for room in range(4, 30):
        for line in wrap(text, width, room, 20):
            assert line[0] not in "，。」）：！"
            assert line[-1] not in "「（"


def test_breaks_are_put_where_a_reader_pauses() -> None:
    assert wrap("簡約手沖咖啡壺，米白色細口壺", width, 20, 2) == ["簡約手沖咖啡壺，", "米白色細口壺"]
    assert wrap("手冲咖啡壶 简约细口", width, 12, 2) == ["手冲咖啡壶", "简约细口"]


def test_terms_stay_whole() -> None:
    title = "手冲咖啡壶简约米白色款"
    assert any("米白色" in line for line in wrap(title, width, 16, 2, ("米白色", "简约")))
    assert wrap("米白色" * 9, width, 4, 2, ("米白色",))[0] == "米白"  # unless the line is too short for them


def test_words_numbers_and_prices_are_not_torn() -> None:
    text = "T-shirt men's 1,299.00 off-white"
    assert wrap(text, width, 10, 9) == ["T-shirt", "men's", "1,299.00", "off-white"]


def test_what_does_not_fit_ends_with_an_ellipsis() -> None:
    assert wrap("one two three four five", width, 9, 2) == ["one two", "three" + ELLIPSIS]
    assert wrap("好" * 5000, width, 20, 2) == ["好" * 10, "好" * 9 + ELLIPSIS]


def test_a_word_longer_than_a_line_breaks_between_graphemes() -> None:
    family = "👨‍👩‍👧"
    lines = wrap(family * 3 + "é" * 30, width, 12, 50)
    assert "".join(lines) == family * 3 + "é" * 30
    assert not any(line.startswith(("\u200d", "\u0301")) for line in lines)


@pytest.mark.parametrize("text", ["", "   ", "\u3000"])
def test_nothing_gives_no_line(text: str) -> None:
    assert wrap(text, width, 20, 3) == []


@given(st.text(max_size=300), st.integers(8, 40), st.integers(1, 5))
def test_lines_hold_the_room_and_the_count(text: str, room: int, most: int) -> None:
    lines = wrap(text, width, room, most)
    assert len(lines) <= most
    assert all(width(line) <= room or len(line) <= 8 for line in lines)  # one grapheme may be wider than all
