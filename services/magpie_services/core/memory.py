"""The parts of a portrait: counters that forget, and what is remembered of items, searches, money and pushes.

Every part takes its news in any order and can absorb a part of the same kind (linked identities).
Parts are encoded as arrays to keep portraits small: fields are only ever appended, with a default.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable
from typing import Annotated

import msgspec

from magpie_services.core.checks import LATEST_MS

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
WINDOW_DAYS = (1.0, 7.0, 30.0)
MAX_ORDER_DAYS = 128
MAX_ITEM_DAYS = 16
MAX_INT64 = 2**63 - 1

# Held to when a portrait is decoded: it may come from anybody, and arithmetic on it must not fail.
Count = Annotated[int, msgspec.Meta(ge=0)]
Moment = Annotated[int, msgspec.Meta(ge=0)]
Day = Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS // DAY_MS)]  # UTC, since the epoch
Amount = Annotated[float, msgspec.Meta(ge=0, le=1e15)]
LogSum = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
Stars = Annotated[float, msgspec.Meta(ge=0, le=5)]


def decay(age_ms: float, half_life_days: float) -> float:
    """What is left of 1 after `age_ms`; news from the future is not worth more than news of now."""
    return math.exp2(-max(age_ms, 0.0) / (half_life_days * DAY_MS))


class Decayed(msgspec.Struct, array_like=True):
    """A counter that halves every half-life, stored as its value at `as_of_ms`.

    Adding commutes but for rounding: late news arrives already decayed.
    """

    value: Amount = 0.0
    as_of_ms: Moment = 0

    def add(self, amount: float, at_ms: int, half_life_days: float) -> None:
        if at_ms >= self.as_of_ms:
            self.value = self.value * decay(at_ms - self.as_of_ms, half_life_days) + amount
            self.as_of_ms = at_ms
        else:
            self.value += amount * decay(self.as_of_ms - at_ms, half_life_days)

    def at(self, now_ms: int, half_life_days: float) -> float:
        """The value at `now_ms`."""
        return self.value * decay(now_ms - self.as_of_ms, half_life_days)


class Windows(msgspec.Struct, array_like=True):
    """One count seen through half-lives of 1, 7 and 30 days, and in total."""

    day: Amount = 0.0
    week: Amount = 0.0
    month: Amount = 0.0
    as_of_ms: Moment = 0
    total: Count = 0

    def _put(self, values: tuple[float, float, float], at_ms: int, total: int) -> None:
        newest = max(at_ms, self.as_of_ms)
        old, new = newest - self.as_of_ms, newest - at_ms
        one, seven, thirty = WINDOW_DAYS
        self.day = self.day * decay(old, one) + values[0] * decay(new, one)
        self.week = self.week * decay(old, seven) + values[1] * decay(new, seven)
        self.month = self.month * decay(old, thirty) + values[2] * decay(new, thirty)
        self.as_of_ms = newest
        self.total += total

    def add(self, at_ms: int) -> None:
        self._put((1.0, 1.0, 1.0), at_ms, 1)

    def absorb(self, other: "Windows") -> None:
        self._put((other.day, other.week, other.month), other.as_of_ms, other.total)

    def at(self, now_ms: int) -> tuple[float, float, float]:
        """The three decayed counts at `now_ms`: (1 day, 7 days, 30 days)."""
        age = now_ms - self.as_of_ms
        one, seven, thirty = WINDOW_DAYS
        return self.day * decay(age, one), self.week * decay(age, seven), self.month * decay(age, thirty)


class Recent(msgspec.Struct, array_like=True, frozen=True, order=True):
    """One interaction with an item; `kind` is a code of `events.KIND_CODES`. Ordered by time."""

    at_ms: Moment
    item_id: str
    kind: Annotated[int, msgspec.Meta(ge=0, le=255)]
    category: str = ""


class ItemMemory(msgspec.Struct, array_like=True):
    """What one user did with one item. Times are 0 where it never happened.

    `days` has the newest 16 different days (UTC, since the epoch) on which it was bought, oldest first; empty
    where nobody told (`bought_on` then knows the first and the last).
    """

    views: Count = 0
    carts: Count = 0
    purchases: Count = 0
    returns: Count = 0
    rating: Stars = 0.0
    dwell_seconds: Amount = 0.0
    last_ms: Moment = 0
    first_ms: Moment = 0
    last_purchase_ms: Moment = 0
    first_purchase_ms: Moment = 0
    rated_ms: Moment = 0
    wishes: Count = 0
    last_cart_ms: Moment = 0
    last_uncart_ms: Moment = 0
    units: Count = 0
    days: list[Day] = []

    @property
    def bought_on(self) -> list[int]:
        """Different days on which it was bought, as far as they are known, oldest first."""
        if self.days or not self.purchases:
            return self.days
        return sorted({self.first_purchase_ms // DAY_MS, self.last_purchase_ms // DAY_MS})

    @property
    def in_cart(self) -> bool:
        """Added since it was last removed or bought."""
        return self.last_cart_ms > max(self.last_uncart_ms, self.last_purchase_ms)

    @property
    def purchase_gap_ms(self) -> float:
        """Mean time between purchases, 0 where there were fewer than two."""
        if self.purchases < 2:
            return 0.0
        return (self.last_purchase_ms - self.first_purchase_ms) / (self.purchases - 1)

    @property
    def worth_keeping_ms(self) -> int:
        """Rank for eviction: when it was last touched, a purchase (up to 12) being worth a month more."""
        return self.last_ms + min(self.purchases, 12) * 30 * DAY_MS

    def touch(self, at_ms: int) -> None:
        self.first_ms = earliest(self.first_ms, at_ms)
        self.last_ms = max(self.last_ms, at_ms)

    def rate(self, stars: float, at_ms: int) -> None:
        """Keeps the newest stars; of two at one moment, the higher."""
        if (at_ms, stars) >= (self.rated_ms, self.rating):
            self.rating, self.rated_ms = stars, at_ms

    def absorb(self, other: "ItemMemory") -> None:
        self.days = newest_days(self.bought_on, other.bought_on, MAX_ITEM_DAYS)
        for count in ("views", "carts", "purchases", "returns", "dwell_seconds", "wishes", "units"):
            setattr(self, count, getattr(self, count) + getattr(other, count))
        for last in ("last_ms", "last_purchase_ms", "last_cart_ms", "last_uncart_ms"):
            setattr(self, last, max(getattr(self, last), getattr(other, last)))
        for first in ("first_ms", "first_purchase_ms"):
            setattr(self, first, earliest(getattr(self, first), getattr(other, first)))
        if other.rating:
            self.rate(other.rating, other.rated_ms)


class Search(msgspec.Struct, array_like=True):
    """How often and when last a (normalised) query was searched."""

    query: str
    at_ms: Moment
    count: Count = 1


class Spend(msgspec.Struct, array_like=True):
    """How much and how a user buys. One purchase event is one order (line).

    `order_days` has the newest 128 different days (UTC, since the epoch) with a purchase, oldest first.
    Prices are natural logs of major units; `paid` maps a currency to minor units, before returns.
    Prices in several currencies are not converted: shops are expected to bill a user in one.
    """

    orders: Count = 0
    units: Count = 0
    returns: Count = 0
    priced: Count = 0
    log_price_sum: LogSum = 0.0
    log_price_squares: Amount = 0.0
    discounted: Count = 0
    paid: dict[str, int] = {}
    last_order_ms: Moment = 0
    order_days: list[Day] = []

    @property
    def mean_order_gap_days(self) -> float:
        """Mean days between days with a purchase, 0 for fewer than two."""
        days = self.order_days
        return (days[-1] - days[0]) / (len(days) - 1) if len(days) > 1 else 0.0

    @property
    def mean_log_price(self) -> float:
        """Mean log unit price, 0 where no purchase had a price."""
        return self.log_price_sum / self.priced if self.priced else 0.0

    @property
    def variance_log_price(self) -> float:
        """Variance of the log unit price, 0 for fewer than two prices."""
        if self.priced < 2:
            return 0.0
        return max(0.0, self.log_price_squares / self.priced - self.mean_log_price**2)

    @property
    def discount_share(self) -> float:
        """Share of orders bought at a discount, 0 without orders."""
        return self.discounted / self.orders if self.orders else 0.0

    def order_on(self, days: Iterable[int]) -> None:
        """Takes days with a purchase, in any order."""
        self.order_days = newest_days(self.order_days, days, MAX_ORDER_DAYS)

    def pay(self, currency: str, minor: int) -> None:
        """Adds to what was paid; stops counting where an integer of 64 bits, which is stored, would end."""
        self.paid[currency] = min(self.paid.get(currency, 0) + minor, MAX_INT64)

    def absorb(self, other: "Spend") -> None:
        for count in (
            "orders",
            "units",
            "returns",
            "priced",
            "log_price_sum",
            "log_price_squares",
            "discounted",
        ):
            setattr(self, count, getattr(self, count) + getattr(other, count))
        for currency, minor in other.paid.items():
            self.pay(currency, minor)
        self.last_order_ms = max(self.last_order_ms, other.last_order_ms)
        self.order_on(other.order_days)


# From weak to strong: a push keeps the strongest thing that happened to it.
PUSH_OUTCOMES = ("", "delivered", "dismissed", "opened", "clicked", "unsubscribed")


class PushRecord(msgspec.Struct, array_like=True):
    """One push: its strongest outcome so far, one of `PUSH_OUTCOMES`, and the form of its words."""

    decision_id: str
    item_id: str = ""
    sent_ms: Moment = 0
    outcome: str = ""
    campaign_id: str = ""
    variant_id: str = ""

    def absorb(self, other: "PushRecord") -> None:
        """Takes news of the same push. An outcome may come before the sending: the earliest time stands."""
        self.item_id = max(self.item_id, other.item_id)
        self.campaign_id = max(self.campaign_id, other.campaign_id)
        self.variant_id = max(self.variant_id, other.variant_id)
        self.sent_ms = earliest(self.sent_ms, other.sent_ms)
        self.outcome = max(self.outcome, other.outcome, key=PUSH_OUTCOMES.index)


class PushMemory(msgspec.Struct, array_like=True):
    """What the user did with pushes; `recent` has the newest, oldest first."""

    sent: Windows = msgspec.field(default_factory=Windows)
    opened: Windows = msgspec.field(default_factory=Windows)
    clicked: Windows = msgspec.field(default_factory=Windows)
    dismissed: Windows = msgspec.field(default_factory=Windows)
    last_sent_ms: Moment = 0
    last_opened_ms: Moment = 0
    last_dismissed_ms: Moment = 0
    last_unsubscribed_ms: Moment = 0
    recent: list[PushRecord] = []

    def note(self, news: PushRecord, limit: int) -> None:
        """Files news of one push among the `limit` newest."""
        for record in self.recent:
            if record.decision_id == news.decision_id:
                record.absorb(news)
                break
        else:
            self.recent.append(news)
        self.recent.sort(key=lambda record: (record.sent_ms, record.decision_id))
        del self.recent[:-limit]

    def absorb(self, other: "PushMemory", limit: int) -> None:
        for windows in ("sent", "opened", "clicked", "dismissed"):
            getattr(self, windows).absorb(getattr(other, windows))
        for last in ("last_sent_ms", "last_opened_ms", "last_dismissed_ms", "last_unsubscribed_ms"):
            setattr(self, last, max(getattr(self, last), getattr(other, last)))
        for record in other.recent:
            self.note(record, limit)


def newest_days(held: list[int], news: Iterable[int], limit: int) -> list[int]:
    """The newest `limit` of all days in `held` (different, oldest first; may be changed) and `news`."""
    for day in news:
        place = bisect_left(held, day)
        if place == len(held) or held[place] != day:
            held.insert(place, day)
    del held[:-limit]
    return held


def earliest(one_ms: int, other_ms: int) -> int:
    """The earlier of two times of which 0 means never."""
    return min(one_ms, other_ms) if one_ms and other_ms else one_ms or other_ms
