"""A shop whose chances are known: users and items with the features of serving, and what pushes do.

What people do follows tastes, appetites and annoyances that no feature shows as they are; features show the
traces of them. Base rates, weekdays and a walk from day to day move; labels come late, receipts get lost.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.core import features
from magpie_services.core.columns import ItemColumns
from magpie_services.core.events import KIND_CODES, Event, EventKind
from magpie_services.core.feature_schema import CROSS_FEATURES, HEADS, SOURCES, USER_FEATURES
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait, fold, new_portrait
from magpie_services.training.ranking.rows import (
    CLICK,
    DAY_MS,
    DISMISS,
    ORGANIC,
    ORGANIC_DAY,
    PURCHASE,
    PURCHASE_DAY,
    UNSUBSCRIBE,
    Rows,
)

START_MS = 1_767_225_600_000
TASTES = 12
PLATFORMS = ("android", "ios", "web")
RATES = {CLICK: 0.05, PURCHASE: 0.01, DISMISS: 0.08, UNSUBSCRIBE: 0.003, ORGANIC: 0.007}
DRIFT = 0.02  # of log-odds from day to day
WEEKDAYS = 0.05  # of a category on a day of the week
PAST_DAYS = 45
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Slate:
    """B users at a moment each with N candidates: features, true chances and what would follow a push."""

    user: Floats  # [B, U]
    items: Floats  # [B, N, I]
    cross: Floats  # [B, N, C]
    hashes: NDArray[np.int32]  # [B, N, 3]
    recent: NDArray[np.int32]  # [B, 20]
    chances: Floats  # [B, N, H]
    decided_ms: NDArray[np.int64]  # [B]
    category: NDArray[np.int64]  # [B, N]


class World:
    """Users, items and a clock of days; everything from one seed."""

    def __init__(self, users: int, items: int, days: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        rng = self.rng
        self.users, self.items = users, items
        self.taste = rng.dirichlet(np.full(TASTES, 0.35), users)
        self.activity = rng.gamma(2.0, 0.5, users)
        self.appetite, self.annoyance = rng.normal(0, 0.6, users), rng.normal(0, 0.8, users)
        self.thrift = rng.uniform(0, 1, users)
        self.hour = rng.integers(0, 24, users)
        self.platform = rng.choice(len(PLATFORMS), users, p=[0.55, 0.35, 0.1])
        self.group = rng.integers(0, TASTES, items)
        self.appeal = rng.normal(0, 0.5, items)
        self.flavour = rng.dirichlet(np.full(TASTES, 0.2), items) * 0.4
        self.flavour[np.arange(items), self.group] += 0.6
        self.discount = np.where(rng.random(items) < 0.3, rng.uniform(0.1, 0.5, items), 0.0)
        self.drift = np.cumsum(rng.normal(0, DRIFT, (days + 1, len(HEADS))), 0)
        self.week = rng.normal(0, WEEKDAYS, (7, TASTES))
        self.bias = np.zeros(len(HEADS))
        self.columns = ItemColumns()
        self.columns.upsert(self._item(number) for number in range(items))
        self.portraits = self._people()
        self._settle()

    def slate(self, users: NDArray[np.int64], count: int, day: int) -> Slate:
        """Some users, each at an hour of a day, with `count` items half drawn from what they like."""
        rng = self.rng
        rows = self._candidates(users, count)
        hours = np.where(rng.random(len(users)) < 0.5, self.hour[users] + 12, rng.integers(0, 24, len(users)))
        at_ms = START_MS + day * DAY_MS + (hours % 24) * 3_600_000 + rng.integers(0, 3_600_000, len(users))
        # Pasts are not lived on: seen from any day, they lie as far back.
        seen_ms = at_ms - day * DAY_MS
        match = np.einsum("ut,unt->un", self.taste[users], self.flavour[rows])
        similarity = np.tanh(3 * match - 1 + rng.normal(0, 0.3, match.shape)).astype(np.float32)
        flags = np.zeros((*rows.shape, len(SOURCES)), np.float32)
        flags[..., 0] = similarity > 0.2
        flags[..., 2] = ~(similarity > 0.2)
        people = [self.portraits[user] for user in users]
        user = np.concatenate(
            [
                features.user_features([one], int(now))
                for one, now in zip(people, seen_ms.tolist(), strict=True)
            ]
        )
        weekday = (START_MS // DAY_MS + day + 3) % 7  # what the day is, not what it is seen from
        for name, value in (
            ("weekday_sin", np.sin(weekday * np.pi / 3.5)),
            ("weekday_cos", np.cos(weekday * np.pi / 3.5)),
            ("weekend", float(weekday >= 5)),
        ):
            user[:, USER_FEATURES.index(name)] = value
        now_ms = int(seen_ms.mean())  # of an item's age hours do not matter
        cross = [
            features.cross_features(
                people[at : at + 64],
                self.columns,
                rows[at : at + 64],
                now_ms,
                similarity=similarity[at : at + 64],
                covisitation=np.maximum(similarity[at : at + 64], 0),
                sources=flags[at : at + 64],
            )
            for at in range(0, len(people), 64)
        ]
        found = Slate(
            user=user,
            items=features.item_features(self.columns, rows, now_ms),
            cross=np.concatenate(cross),
            hashes=features.hash_buckets(self.columns, rows),
            recent=np.array([features.recent_buckets(one) for one in people]),
            chances=np.zeros((*rows.shape, len(HEADS)), np.float32),
            decided_ms=at_ms,
            category=self.group[rows],
        )
        return Slate(**{**vars(found), "chances": self._chances(found, users, rows, match, day)})

    def remembered(self, chances: Floats, day: int, known: int) -> Floats:
        """Chances [R, H] of a day, for one who knows all of an earlier one but not the walk since."""
        step = self.drift[known] - self.drift[day]
        step[PURCHASE] = step[ORGANIC]
        odds = chances / (1 - chances) * np.exp(step)
        found = odds / (1 + odds)
        for week, part in ((PURCHASE, PURCHASE_DAY), (ORGANIC, ORGANIC_DAY)):
            found[:, part] = chances[:, part] * found[:, week] / chances[:, week]
        return np.asarray(found, np.float32)

    def arms(self, slate: Slate, users: NDArray[np.int64], first: int) -> Rows:
        """The slate as logged: each arm pushed or not by an old policy's dice, and when what followed."""
        rng, shape = self.rng, slate.chances.shape[:2]
        liked = (
            slate.cross[..., CROSS_FEATURES.index("similarity")]
            - 0.3 * slate.user[:, None, USER_FEATURES.index("sent_day")]
        )
        propensity = np.clip(1 / (1 + np.exp(-(1.0 + 2.0 * liked))), 0.05, 0.95)
        sent = rng.random(shape) < propensity
        happens = outcomes(slate.chances, rng)
        wait = rng.exponential(0.3, happens.shape) * DAY_MS % DAY_MS
        late = DAY_MS + rng.beta(1.0, 1.6, happens.shape) * 6 * DAY_MS
        for week, day in ((PURCHASE, PURCHASE_DAY), (ORGANIC, ORGANIC_DAY)):
            wait[..., week] = np.where(happens[..., day], wait[..., day], late[..., week])
        delays = np.where(happens, wait, -1).astype(np.int64)
        # What was bought is bought: of the two heads the log knows only that of what was done.
        for pushed, unpushed in ((PURCHASE, ORGANIC), (PURCHASE_DAY, ORGANIC_DAY)):
            done = np.where(sent, delays[..., pushed], delays[..., unpushed])
            delays[..., pushed] = delays[..., unpushed] = done
        count = shape[0] * shape[1]
        owner = np.repeat(np.arange(shape[0]), shape[1])
        return Rows(
            features=flat(slate).reshape(count, -1),
            hashes=slate.hashes.reshape(count, 3),
            recent=slate.recent[owner],
            sent=sent.reshape(count).astype(np.float32),
            told=(rng.random(count) > 0.1).astype(np.float32),
            exposure=np.where(sent, propensity, 1 - propensity).reshape(count).astype(np.float32),
            delays=delays.reshape(count, -1),
            labels=np.zeros((count, len(HEADS)), np.float32),
            known=np.zeros((count, len(HEADS)), np.float32),
            shares=np.ones((count, len(HEADS)), np.float32),
            weights=np.ones(count, np.float32),
            decided_ms=slate.decided_ms[owner],
            groups=users[owner],
            decisions=first + owner,
            campaigns=np.full(count, -1),
        )

    def _chances(
        self, slate: Slate, users: NDArray[np.int64], rows: NDArray[np.int64], match: Doubles, day: int
    ) -> Floats:
        weekday = self.week[day % 7][self.group[rows]]
        fatigue = slate.user[:, USER_FEATURES.index("sent_week")][:, None]
        fit = np.cos((slate.decided_ms / 3_600_000 % 24 - self.hour[users]) * np.pi / 12)[:, None]
        bargain = self.discount[rows] * self.thrift[users][:, None]
        met = slate.cross[..., CROSS_FEATURES.index("interest")]
        appeal, taste = self.appeal[rows], np.sqrt(match)
        appetite, annoyance = self.appetite[users][:, None], self.annoyance[users][:, None]
        platform = np.array([0.0, 0.25, -0.5])[self.platform[users]][:, None]
        logits = np.zeros((*rows.shape, len(HEADS)))
        logits[..., CLICK] = (
            3.0 * taste + 0.8 * appeal + 0.5 * fit + appetite - 0.5 * fatigue + 2.5 * bargain + weekday
        ) + platform * (1 + appeal)
        logits[..., DISMISS] = 0.8 * annoyance + 0.6 * fatigue - 1.5 * taste - 0.3 * fit - platform
        logits[..., UNSUBSCRIBE] = annoyance + 0.8 * fatigue - 1.2 * taste - 0.5 * appetite - 0.5 * platform
        logits[..., ORGANIC] = (
            3.0 * taste
            + appeal
            + 1.0 * met
            + 2.0 * bargain
            + 0.5 * np.log(self.activity[users] + 0.2)[:, None]
        ) + weekday
        lift = 0.4 * taste - 0.3 * fatigue + 0.3 * appetite + 0.3 * fit
        logits[..., PURCHASE] = logits[..., ORGANIC] + lift
        logits += self.bias + self.drift[day]
        logits[..., PURCHASE] += self.drift[day, ORGANIC] - self.drift[day, PURCHASE]
        chances = 1 / (1 + np.exp(-logits))
        soon = 1 / (1 + np.exp(-(0.2 + 0.8 * bargain + 0.3 * fit)))
        chances[..., PURCHASE_DAY] = chances[..., PURCHASE] * np.minimum(1.2 * soon, 1)
        chances[..., ORGANIC_DAY] = chances[..., ORGANIC] * 0.8 * soon
        return chances.astype(np.float32)

    def _settle(self) -> None:
        """Sets the biases so that the first day has the rates."""
        users = self.rng.choice(self.users, min(self.users, 400), replace=False)
        for _ in range(6):
            found = self.slate(users, 20, 0).chances.reshape(-1, len(HEADS)).mean(0)
            for head, rate in RATES.items():
                self.bias[head] += np.log(rate / (1 - rate)) - np.log(found[head] / (1 - found[head]))

    def _candidates(self, users: NDArray[np.int64], count: int) -> NDArray[np.int64]:
        rng = self.rng
        rows = rng.integers(0, self.items, (len(users), count))
        cumulative = np.cumsum(self.taste[users], 1)
        wanted = (
            (rng.random((len(users), count))[..., None] > cumulative[:, None]).sum(-1).clip(0, TASTES - 1)
        )
        shelves = [np.flatnonzero(self.group == group) for group in range(TASTES)]
        for group, shelf in enumerate(shelves):
            here = (wanted == group) & (rng.random(rows.shape) < 0.5)
            rows[here] = rng.choice(shelf, int(here.sum()))
        return rows

    def _item(self, number: int) -> Item:
        rng, full = self.rng, 500 + int(self.rng.gamma(2.0, 2_000))
        return Item(
            item_id=f"i{number}",
            categories=[f"hall{self.group[number] % 4}", f"taste{self.group[number]}"],
            brand=f"b{rng.integers(0, 40)}",
            price=Money("EUR", int(full * (1 - self.discount[number]))),
            list_price=Money("EUR", full),
            rating=float(np.clip(4 + 0.6 * self.appeal[number] + rng.normal(0, 0.3), 1, 5)),
            rating_count=int(rng.gamma(1.0, 40)),
            stock=10,
            published_ms=START_MS - int(rng.integers(1, 400)) * DAY_MS,
        )

    def _people(self) -> list[Portrait]:
        """Everybody's past: views and purchases by taste, and what they did with earlier pushes."""
        rng, found = self.rng, []
        for user in range(self.users):
            portrait = new_portrait(f"u{user}")
            count = 4 + int(rng.poisson(14 * self.activity[user]))
            rows = self._candidates(np.full(1, user), count)[0]
            times = np.sort(START_MS - rng.integers(1, PAST_DAYS * 86_400, count) * 1_000)
            push = rng.random(count) < 0.2
            for row, at_ms, pushed in zip(rows.tolist(), times.tolist(), push.tolist(), strict=True):
                for event in self._acts(user, row, at_ms, pushed):
                    fold(portrait, event)
                if not pushed:
                    self.columns.observe([f"i{row}"], [KIND_CODES[EventKind.VIEW_ITEM]], [at_ms])
            found.append(portrait)
        return found

    def _acts(self, user: int, row: int, at_ms: int, pushed: bool) -> list[Event]:
        dice, name = self.rng.random(3), f"{user}-{row}-{at_ms}"
        kinds = [EventKind.VIEW_ITEM]
        if not pushed and dice[0] < 0.12 + 0.1 * np.tanh(self.appeal[row]):
            kinds.append(EventKind.PURCHASE)
        if pushed:
            kinds = [EventKind.PUSH_SENT]
            if dice[0] < 1 / (1 + np.exp(1.5 - self.appetite[user])):
                kinds.append(EventKind.PUSH_OPENED)
            if dice[1] < 1 / (
                1 + np.exp(1.8 - self.appetite[user] - 2 * self.flavour[row] @ self.taste[user])
            ):
                kinds.append(EventKind.PUSH_CLICKED)
            if dice[2] < 1 / (1 + np.exp(2.0 - self.annoyance[user])):
                kinds.append(EventKind.PUSH_DISMISSED)
        return [
            Event(
                event_id=f"{name}-{kind}",
                user_id=f"u{user}",
                kind=kind,
                occurred_ms=at_ms + 1_000 * place,
                item_id=f"i{row}",
                category=f"taste{self.group[row]}",
                platform=PLATFORMS[self.platform[user]],
                unit_price=Money("EUR", 1_000) if kind == EventKind.PURCHASE else None,
                attributes={"timezone": "UTC"},
                decision_id=name if pushed else "",
            )
            for place, kind in enumerate(kinds)
        ]


def outcomes(chances: Floats, rng: np.random.Generator) -> NDArray[np.bool_]:
    """What happens, [..., H]: who buys in a day has bought in the week."""
    dice = rng.random(chances.shape, dtype=np.float32)
    dice[..., PURCHASE_DAY], dice[..., ORGANIC_DAY] = dice[..., PURCHASE], dice[..., ORGANIC]
    return dice < chances


def flat(slate: Slate) -> Floats:
    """User, item and cross features side by side: [B, N, F]."""
    shape = (*slate.items.shape[:2], len(USER_FEATURES))
    return np.concatenate([np.broadcast_to(slate.user[:, None], shape), slate.items, slate.cross], -1)
