"""Widths as displayed, and cuts between what a person sees as characters."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.content.limits import ELLIPSIS, columns, cut

FAMILY = "👨‍👩‍👧‍👦"


@pytest.mark.parametrize(
    ("text", "width"),
    [("abc", 3), ("蓝色", 4), ("，。", 4), ("…", 2), ("❤️", 2), ("ﾊ", 1), ("👗", 2), ("e\u0301", 1), ("—", 2)],
)
def test_wide_characters_take_two_columns(text: str, width: int) -> None:
    assert columns(text) == width


def test_a_cut_never_splits_an_emoji_a_word_or_a_number() -> None:
    assert cut(FAMILY * 9, 30) == FAMILY * 3 + ELLIPSIS
    assert cut("hello wonderful world", 18) == f"hello wonderful{ELLIPSIS}"
    assert cut("衬衫 1299.00 元", 12) == f"衬衫{ELLIPSIS}"
    assert cut("短", 2) == "短"


@given(text=st.text(max_size=80), room=st.integers(2, 60))
def test_a_cut_fits_and_ends_between_graphemes(text: str, room: int) -> None:
    short = cut(text, room)
    assert columns(short) <= room
    if short != text and short:
        head = short.removesuffix(ELLIPSIS)
        borders = {match.end() for match in regex.finditer(r"\X", text)}
        assert text.startswith(head)
        assert len(head) in borders
