"""Colours, and whether text can be read on them (WCAG 2: 4.5 to 1)."""

import re
from typing import NamedTuple

READABLE = 4.5
_HEX = re.compile("#?([0-9a-fA-F]{6})")


class Colour(NamedTuple):
    """A colour of sRGB, each part 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> "Colour":
        """A colour from "#1F6F5C". Raises ValueError for anything else."""
        match = _HEX.fullmatch(text)
        if match is None:
            raise ValueError(f"{text[:20]!r} is not a colour such as #1F6F5C")
        return cls(*bytes.fromhex(match[1]))

    def mixed(self, other: "Colour", share: float) -> "Colour":
        """This colour with `share` (0 to 1) of another."""
        return Colour(*(round(a + (b - a) * share) for a, b in zip(self, other, strict=True)))


WHITE = Colour(255, 255, 255)
BLACK = Colour(0, 0, 0)


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 (black) to 1 (white)."""
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """How well two colours stand out from each other, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: Colour, ground: Colour, least: float = READABLE) -> Colour:
    """The colour itself, or as little darker or lighter as it takes to be read on the ground."""
    goal = WHITE if contrast(WHITE, ground) > contrast(BLACK, ground) else BLACK
    for step in range(20):
        candidate = colour.mixed(goal, step / 20)
        if contrast(candidate, ground) >= least:
            return candidate
    return goal


def ink(ground: Colour) -> Colour:
    """White where it can be read on the ground, else a near-black of the ground's own hue."""
    return WHITE if contrast(WHITE, ground) >= READABLE else readable(ground.mixed(BLACK, 0.75), ground)
