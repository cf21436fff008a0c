"""Counts hits: a push is one when its customer buys the item within seven days. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from magpie_cli.demo.baselines import History


@dataclass(frozen=True)
class Score:
    """Hits among `users` pushes; `new_hits` are those of items that the customer had never bought."""

    users: int
    hits: int
    new_hits: int

    @property
    def rate(self) -> float:
        """Hits a push."""
        return self.hits / self.users if self.users else 0.0

    @property
    def new_rate(self) -> float:
        """Hits on new items a push."""
        return self.new_hits / self.users if self.users else 0.0


def score(
    choices: Mapping[str, str],
    bought: Mapping[str, Collection[str]],
    before: History,
) -> Score:
    """The score of one policy in one week.

    `choices` has an item ("" for none) a customer, `bought` the items a customer bought in the week, `before`
    what was bought until it began.
    """
    hits = [
        (user_id, item_id)
        for user_id, item_id in choices.items()
        if item_id and item_id in bought.get(user_id, ())
    ]
    new = sum(not before.has_bought(user_id, item_id) for user_id, item_id in hits)
    return Score(len(choices), len(hits), new)


def mean_rates(weeks: Collection[Score]) -> tuple[float, float]:
    """Means over the weeks of the hit rate and of the rate on new items, each week counting the same."""
    if not weeks:
        return 0.0, 0.0
    return (
        sum(week.rate for week in weeks) / len(weeks),
        sum(week.new_rate for week in weeks) / len(weeks),
    )
