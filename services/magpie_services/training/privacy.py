"""What differential privacy a ranker is asked for, and what it then guarantees: plain values.

The unit is a user: all logged arms of one person, there or not.
"""

import msgspec

from magpie_services.kit.errors import Invalid


class Privacy(msgspec.Struct, frozen=True, kw_only=True):
    """Asked of one release: `epsilon` at `delta`, or `noise` itself (standard deviation over the clip).

    `rate` is the chance of each user to be in a step, `clip` the most that all rows of one may move a sum.
    All releases together may cost `budget_epsilon` at `budget_delta`. `ridge` pulls to the prior.
    Raises Invalid, naming what is out of range.
    """

    epsilon: float = 2.0
    delta: float = 1e-6
    noise: float = 0.0
    clip: float = 0.5
    rate: float = 0.2
    steps: int = 100
    learning_rate: float = 0.4
    ridge: float = 1e-3
    budget_epsilon: float = 8.0
    budget_delta: float = 1e-6

    def __post_init__(self) -> None:
        positive = ("clip", "budget_epsilon", "learning_rate")
        wrong = [(name, "must be above 0") for name in positive if not getattr(self, name) > 0]
        if not 0 < self.rate <= 1:
            wrong.append(("rate", "must be above 0 and at most 1"))
        if self.steps < 1:
            wrong.append(("steps", "must be at least 1"))
        if not 0 <= self.noise < float("inf"):
            wrong.append(("noise", "must be at least 0 and finite"))
        if not (self.noise > 0 or self.epsilon > 0):
            wrong.append(("epsilon", "is required where no noise is given"))
        wrong += [
            (name, "must be above 0 and below 0.001")
            for name in ("delta", "budget_delta")
            if not 0 < getattr(self, name) < 1e-3
        ]
        if wrong:
            raise Invalid.many((f"privacy.{name}", problem) for name, problem in wrong)


class Guarantee(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of one ranker: (epsilon, delta) by user, and together with all rankers before it
    (spent_...).
    """

    epsilon: float
    delta: float
    spent_epsilon: float
    spent_delta: float
    noise: float
    rate: float
    steps: int
    clip: float

    def metrics(self) -> dict[str, float]:
        """The figures by name, as a release shows them."""
        names = ("epsilon", "delta", "spent_epsilon", "spent_delta")
        return {f"privacy_{name}": getattr(self, name) for name in names}
