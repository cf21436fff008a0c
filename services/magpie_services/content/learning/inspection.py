"""What was learnt of the forms of words, for people to look at, a page at a time."""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from magpie_services.content.learning import features
from magpie_services.content.learning.tally import Statistics
from magpie_services.content.learning.thompson import Lesson
from magpie_services.content.strategies import Strategy
from magpie_services.kit.errors import Invalid

_PARTS = re.compile(rf"\b({'|'.join((*features.PARTS, 'tired'))})=")


class Weight(NamedTuple):
    """The weight of one feature: mean and deviation of its posterior, in log-odds of a click."""

    feature: str
    mean: float
    deviation: float


class Page(NamedTuple):
    """Forms by id, weights on the first page, and the token of the next page, "" on the last."""

    variants: list[Statistics]
    weights: list[Weight]
    token: str


class Inspection:
    """Answers what was counted and learnt."""

    def __init__(
        self, totals: Callable[[str], Awaitable[list[Statistics]]], lesson: Callable[[], Lesson]
    ) -> None:
        """`totals` reads what became of the forms of a locale; `lesson` is what words are chosen by now."""
        self._totals = totals
        self._lesson = lesson

    async def page(self, locale: str, strategy: Strategy | None, size: int, token: str) -> Page:
        """Up to `size` forms of a locale, of one strategy or of all. Raises Invalid for a foreign token."""
        start = f"{locale}:{strategy}:" if strategy else f"{locale}:"
        if token and not token.startswith(start):
            raise Invalid("page_token", "is not of this list")
        left = [
            one
            for one in await self._totals(locale)
            if one.variant_id.startswith(start) and one.variant_id > token
        ]
        weights = [] if token else list(self._weights(locale, strategy))
        return Page(left[:size], weights, left[size - 1].variant_id if len(left) > size else "")

    def _weights(self, locale: str, strategy: Strategy | None) -> list[Weight]:
        """Of the parts of forms, without those of other locales and, where one is asked for, strategies."""
        lesson = self._lesson()
        found = []
        for name, mean, deviation in zip(
            features.names(), lesson.mean.tolist(), lesson.deviation.tolist(), strict=True
        ):
            levels = dict(part.split("=") for part in name.split("&") if "=" in part)
            wanted = levels.get("locale", locale) == locale
            wanted = wanted and (strategy is None or levels.get("strategy", strategy) == strategy)
            if wanted and _PARTS.search(name):
                found.append(Weight(name, mean, deviation))
        return found
