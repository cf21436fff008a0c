"""A number where it stands, and what is said of it."""

import re
from typing import NamedTuple

from magpie_services.content.verifier.numerals import Number

BEFORE, AFTER = 28, 40


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


class Before(NamedTuple):
    """Finds words that end right before a number, but for some filler, among the last `reach` characters."""

    pattern: re.Pattern[str]
    reach: int

    def search(self, text: str) -> re.Match[str] | None:
        """The words in the text before a number."""
        return self.pattern.search(text, max(0, len(text) - self.reach))


def before(words: str, filler: str = "", reach: int = BEFORE) -> Before:
    """Words and filler as regular expressions."""
    return Before(re.compile(rf"(?:{words}){filler}$"), reach)
