"""What a span of days came to, and the reward by a stated formula."""

import msgspec
import numpy as np

from magpie_simulator.acts import Kind, Table

CLICK_VALUE, DISMISSAL_COST, OPT_OUT_COST = 0.5, 0.1, 30.0
FORMULA = (
    "per 1,000 user-days, in CNY: {margin:.0%} of all purchases less returns + 0.50 a click on a push "
    "- 0.10 a dismissal - 30 an opt-out (with or without a push as its stated cause)"
)


class Tally(msgspec.Struct, kw_only=True):
    """Counts of one run of a world; money in fen."""

    user_days: int = 0
    visits: int = 0
    pushes: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    bought: int = 0
    dismissed: int = 0
    opted_out: int = 0
    silently_opted_out: int = 0
    purchases: int = 0
    revenue: int = 0
    returned: int = 0

    def add(self, happened: Table) -> None:
        """Counts what happened."""
        counts = dict(zip(*np.unique(happened["kind"], return_counts=True), strict=True))
        buys = happened[happened["kind"] == Kind.PURCHASE]
        returns = happened[happened["kind"] == Kind.RETURN_ITEM]
        self.visits += int(counts.get(Kind.SESSION_START, 0))
        self.delivered += int(counts.get(Kind.DELIVERED, 0))
        self.opened += int(counts.get(Kind.OPENED, 0))
        self.clicked += int(counts.get(Kind.CLICKED, 0))
        self.dismissed += int(counts.get(Kind.DISMISSED, 0))
        self.opted_out += int(counts.get(Kind.UNSUBSCRIBED, 0))
        self.silently_opted_out += int(counts.get(Kind.SILENT_OPT_OUT, 0))
        self.purchases += len(buys)
        self.bought += int((buys["push"] >= 0).sum())
        self.revenue += int(buys["price"].sum())
        self.returned += int(returns["price"].sum())

    def __add__(self, other: "Tally") -> "Tally":
        """Both spans together."""
        ours, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(other)
        return Tally(**{name: count + theirs[name] for name, count in ours.items()})

    def reward(self, margin: float) -> float:
        """The reward by FORMULA."""
        yuan = margin * (self.revenue - self.returned) / 100
        yuan += CLICK_VALUE * self.clicked - DISMISSAL_COST * self.dismissed
        yuan -= OPT_OUT_COST * (self.opted_out + self.silently_opted_out)
        return 1_000 * yuan / max(1, self.user_days)

    def summary(self, margin: float) -> dict[str, float | int]:
        """The counts in words of a report; money in CNY."""
        return {
            "pushes": self.pushes,
            "opened": self.opened,
            "clicked": self.clicked,
            "bought": self.bought,
            "dismissed": self.dismissed,
            "opted_out": self.opted_out,
            "silently_opted_out": self.silently_opted_out,
            "visits": self.visits,
            "purchases": self.purchases,
            "revenue": round(self.revenue / 100, 2),
            "reward": round(self.reward(margin), 2),
        }
