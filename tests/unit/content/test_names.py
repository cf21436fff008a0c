"""Short forms of an item's name: unbroken pieces of its title that still name the thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.content.limits import ELLIPSIS, columns
from magpie_services.content.names import LONGEST, forms
from magpie_services.core.untrusted import clean


def anything(_text: str) -> bool:
    return True


@pytest.mark.parametrize(
    ("title", "brand", "category", "expected"),
    [
        ("Qinghe Row青禾集 运动风墨绿色登山包", "Qinghe Row青禾集", "", "运动风墨绿色登山包"),
        ("北欧风 实木床头柜", "", "", "实木床头柜"),
        ("Fern & Co Linen Shirt", "Fern & Co", "", "Linen Shirt"),
        ("cute building blocks in dark green", "", "", "cute building blocks"),
        ("WHITE HANGING HEART T-LIGHT HOLDER", "", "Candle holders", "T-Light Holder"),
        ("【包邮】真丝衬衫", "", "", "真丝衬衫"),
    ],
)
def test_a_shorter_whole_name_is_found(title: str, brand: str, category: str, expected: str) -> None:
    assert expected in forms(title, anything, brand, category)


def test_a_brand_that_starts_the_title_stays_away() -> None:
    assert all("Fern" not in form for form in forms("Fern & Co Linen Shirt", anything, "Fern & Co"))
    assert forms("Fern & Co", anything, "Fern & Co") == ("Fern & Co",)


def test_what_may_not_be_said_is_in_no_form() -> None:
    found = forms("真丝衬衫 全网最低价", lambda text: "最低" not in text)
    assert found
    assert all("最低" not in form for form in found)


@given(title=st.text(max_size=120), brand=st.text(max_size=12))
def test_every_form_is_a_piece_of_the_title_and_short(title: str, brand: str) -> None:
    cleaned = clean(title)
    for form in forms(cleaned, anything, clean(brand)):
        assert 0 < columns(form) <= LONGEST
        assert form.removesuffix(ELLIPSIS).casefold() in cleaned.casefold()
