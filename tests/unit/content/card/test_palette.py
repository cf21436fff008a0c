"""Colours that can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.content.card import drawing
from magpie_services.content.card.palette import BLACK, READABLE, WHITE, Colour, contrast, ink, readable

colours = st.builds(Colour, *[st.integers(0, 255)] * 3)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21.0)
    assert contrast(Colour.parse("#767676"), WHITE) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("text", ["", "red", "#12345", "#1234567", "#12345g"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        Colour.parse(text)


@given(colours, colours)
def test_readable_is_readable(colour: Colour, ground: Colour) -> None:
    assert contrast(readable(colour, ground), ground) >= READABLE
    assert contrast(ink(ground), ground) >= READABLE


@given(colours, colours)
def test_every_text_of_a_card_can_be_read_whatever_the_colours_of_the_shop(
    brand: Colour, accent: Colour
) -> None:
    style = drawing.Style(brand, accent)
    paper, glow = brand.mixed(WHITE, 0.94), brand.mixed(WHITE, 0.06)
    for ground, scheme in (
        (paper, drawing._scheme_on_paper(style, paper)),
        (glow, drawing._scheme_on_brand(style, glow)),
    ):
        for text, below in (
            (scheme.title, ground),
            (scheme.label, ground),
            (scheme.was, ground),
            (scheme.price, scheme.badge),
            (scheme.off, scheme.pill),
        ):
            assert contrast(text, below) >= READABLE
