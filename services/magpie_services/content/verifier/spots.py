"""A number where it stands, and what is said of it."""

import re
from typing import NamedTuple

from magpie_services.content.verifier.numerals import Number

BEFORE, AFTER = 32, 40


class Spot(NamedTuple):
    """A number of a plain view with the words before and after it."""

    number: Number
    before: str
    after: str


class Verdict(NamedTuple):
    """What a number of a certain role comes to; `check` is "" where the facts support it."""

    check: str = ""
    reason: str = ""


FINE = Verdict()


def spot(view: str, number: Number) -> Spot:
    """The number with its context, cut at the ends of the line."""
    before = view[max(0, number.start - BEFORE) : number.start]
    after = view[number.end : number.end + AFTER]
    return Spot(number, before[before.rfind("\n") + 1 :], after.partition("\n")[0])


def before(words: str, filler: str = "") -> re.Pattern[str]:
    """Finds words that end right before a number, but for some filler."""
    return re.compile(rf"(?:{words}){filler}$")
