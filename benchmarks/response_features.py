"""What could be known of each contact on the morning its campaign starts: features of the household, of the
campaign and of both together, as the ranker splits them.

Nothing later enters: all is computed from `Log.before(start)`, and of the campaign itself from its list of
contacts, its coupons and its dates. Purchases are a sample, so that shares are pulled towards those of all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from response_log import DEMOGRAPHICS, KINDS, LEVELS, Doubles, Ints, Log
from scipy.sparse import csr_array

_DEPARTMENTS = (
    "GROCERY",
    "DRUG GM",
    "PRODUCE",
    "MEAT",
    "MEAT-PCKGD",
    "DELI",
    "PASTRY",
    "NUTRITION",
    "COSMETICS",
)
# What a campaign's rate of redemption is worth beforehand: so many contacts at such a rate.
_RATE, _RATE_CONTACTS = 0.05, 10.0
Columns = dict[str, Doubles]


@dataclass(frozen=True)
class Features:
    """values float32 [R, F], named; `widths` are how many of a household, of a campaign and of both."""

    values: NDArray[np.float32]
    names: tuple[str, ...]
    widths: tuple[int, int, int]


def of(log: Log, campaign: int) -> Features:
    """The features of a campaign's contacts, in the order of the log; some purchase must lie before it."""
    seen = _Past(log, campaign)
    groups = (seen.household(), seen.campaign(), seen.both())
    names = tuple(name for group in groups for name in group)
    values = np.stack([column for group in groups for column in group.values()], 1)
    first, second, third = map(len, groups)
    return Features(values.astype(np.float32), names, (first, second, third))


class _Past:
    """All of the log that lies before a campaign, counted."""

    def __init__(self, log: Log, campaign: int) -> None:
        self._log, self._number = log, campaign
        self._start = int(log.campaigns["start"][campaign])
        past = log.before(self._start)
        self._bought, self._redeemed = past.purchases, past.redemptions
        self._asked: Ints = log.contacts["household"][log.contacts["campaign"] == campaign]
        own = log.coupons.take(log.coupons["campaign"] == campaign)
        self._coupons, self._goods = own, np.unique(own["product"])
        self._every = past.coupons
        self._age = self._start - self._bought["day"]
        self._span = max(int(self._age.max()), 7)
        self._lines = self._sum()
        shape = (log.households, len(log.campaigns))
        self._contacted, self._answered = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        self._contacted[past.contacts["household"], past.contacts["campaign"]] = True
        self._answered[self._redeemed["household"], self._redeemed["campaign"]] = True
        reach = self._contacted.sum(0)
        rate = (self._answered.sum(0) + _RATE * _RATE_CONTACTS) / (reach + _RATE_CONTACTS)
        # What each contact was expected to bring, had all households been alike.
        self._expected = self._contacted * rate

    def household(self) -> Columns:
        """Purchases, discounts, demographics, earlier contacts and redemptions: the user's features."""
        bought, age, lines = self._bought, self._age, self._lines
        days, spend = float(self._span), self._sum(bought["spend"])
        saved = self._sum(bought["discount"])
        visits = self._distinct(bought["basket"])
        last = np.full(self._log.households, -1)
        np.maximum.at(last, bought["household"], bought["day"])
        since = np.where(last >= 0, self._start - last, days)[self._asked]
        coupon = (bought["coupon_discount"] > 0).astype(np.float64)
        fresh = np.exp2(-age / 60.0)
        found = {
            "lines": np.log1p(lines),
            "visits": np.log1p(visits),
            "lines_a_month": np.log1p(30 * lines / days),
            **{f"lines_{some}": np.log1p(self._sum(age <= some)) for some in (14, 30, 90)},
            "lines_decayed": np.log1p(self._sum(np.exp2(-age / 45.0))),
            "spend": np.log1p(spend),
            "spend_a_month": np.log1p(30 * spend / days),
            "spend_90": np.log1p(self._sum(bought["spend"] * (age <= 90))),
            "line_spend": np.log((spend + 30) / (lines + 10)),
            "visit_lines": np.log((lines + 3) / (visits + 2)),
            "since_purchase": np.log1p(since),
            "trend": np.log((self._sum(age <= 30) + 1) / (lines * 30 / days + 1)),
            "discount_share": self._share(bought["discount"] > 0),
            "discount_depth": saved / (spend + saved + 5),
            "coupon_share": self._share(coupon, 10.0),
            "coupon_lines": np.log1p(self._sum(coupon)),
            "coupon_value": np.log1p(self._sum(bought["coupon_discount"])),
            "coupon_decayed": np.log1p(self._sum(coupon * fresh)),
            "coupon_rate": np.log((self._sum(coupon) + 0.3) / (lines + 10)),
            "coupon_rate_decayed": (self._sum(coupon * fresh) + 0.1) / (self._sum(fresh) + 3),
            "private_share": self._share(self._log.products["private"][bought["product"]]),
            "weekend_share": self._share((bought["day"] + 3) % 7 >= 5),
            "categories": np.log1p(self._distinct(self._log.products["category"][bought["product"]])),
            "stores": np.log1p(self._distinct(bought["store"])),
        }
        for name in _DEPARTMENTS:
            inside = self._log.products["department_name"][bought["product"]] == name
            found[f"share_of_{name}"] = self._share(inside)
        found |= {name: self._log.demographics[self._asked, place] for place, name in enumerate(DEMOGRAPHICS)}
        return found | self._history()

    def _history(self) -> Columns:
        """Earlier contacts and what came of them, whatever the campaign."""
        contacts, answers = self._contacted[self._asked], self._answered[self._asked]
        redeemed, when = self._redeemed, self._redeemed["day"]
        last_answer, last_contact = np.full(self._log.households, -1), np.full(self._log.households, -1)
        np.maximum.at(last_answer, redeemed["household"], when)
        for number in np.flatnonzero(self._contacted.any(0)).tolist():
            mine, start = self._contacted[:, number], int(self._log.campaigns["start"][number])
            last_contact[mine] = np.maximum(last_contact[mine], start)
        running = self._log.campaigns["end"] >= self._start
        found = {}
        for kind in KINDS:
            alike = self._log.campaigns["kind"] == kind
            found[f"contacts_{kind}"] = np.log1p(contacts[:, alike].sum(1))
            found[f"redeemed_{kind}"] = np.log1p(answers[:, alike].sum(1))
        expected = self._expected[self._asked].sum(1)
        return found | {
            "contacts": np.log1p(contacts.sum(1)),
            "redeemed": np.log1p(answers.sum(1)),
            "redeemed_ever": answers.any(1).astype(np.float64),
            "ignored": np.log1p(contacts.sum(1)) - np.log1p(2 * answers.sum(1)),
            "expected": expected,
            "beyond_expected": np.log((answers.sum(1) + 0.5) / (expected + 0.5)),
            "coupons_redeemed": np.log1p(
                np.bincount(redeemed["household"], None, len(last_answer))[self._asked]
            ),
            "coupons_redeemed_decayed": np.log1p(
                np.bincount(redeemed["household"], np.exp2(-(self._start - when) / 60.0), len(last_answer))[
                    self._asked
                ]
            ),
            "redeemed_lately": self._lately(last_answer),
            "contacted_lately": self._lately(last_contact),
            "running": contacts[:, running].sum(1).astype(np.float64),
        }

    def campaign(self) -> Columns:
        """Kind, size, length, departments and how campaigns of its kind did: the item's features."""
        log, goods, count = self._log, self._goods, len(self._asked)
        kind, end = log.campaigns["kind"][self._number], int(log.campaigns["end"][self._number])
        coupons = len(np.unique(self._coupons["coupon"]))
        alike = log.campaigns["kind"] == kind
        reach, answers = self._contacted[:, alike].sum(), self._answered[:, alike].sum()
        sold = np.bincount(self._bought["product"], None, len(log.products))
        told = {
            **{f"kind_{one}": float(kind == one) for one in KINDS},
            "products": np.log1p(len(goods)),
            "coupons": np.log1p(coupons),
            "products_a_coupon": np.log1p(len(self._coupons) / max(coupons, 1)),
            "reach": np.log(count),
            "length": np.log1p(end - self._start),
            "kind_rate": np.log((answers + 4.0) / (reach + 50.0) / 0.08),
            "private": float(log.products["private"][goods].mean()) if len(goods) else 0.0,
            "popularity": np.log((sold[goods].sum() + 1) / (len(self._bought) + 1)),
        }
        for name in _DEPARTMENTS:
            inside = log.products["department_name"][goods] == name
            told[f"products_of_{name}"] = float(inside.mean()) if len(goods) else 0.0
        return {name: np.full(count, value) for name, value in told.items()}

    def both(self) -> Columns:
        """What the household buys against what the coupons are for, and what it made of similar campaigns."""
        found: Columns = {}
        for level in LEVELS:
            found |= self._fit(level)
        for level in LEVELS[:3]:
            found |= self._usable(level)
        found |= self._similar()
        answers, expected = self._answered[self._asked], self._expected[self._asked]
        mine = self._log.campaigns["kind"][self._number]
        alike = self._log.campaigns["kind"] == mine
        found["alike_redeemed"] = np.log1p(answers[:, alike].sum(1))
        found["alike_beyond_expected"] = np.log(
            (answers[:, alike].sum(1) + 0.3) / (expected[:, alike].sum(1) + 0.3)
        )
        user = {
            "beyond_expected": np.log((answers.sum(1) + 0.5) / (expected.sum(1) + 0.5)),
            "redeemed": np.log1p(answers.sum(1)),
            "lines_decayed": np.log1p(self._sum(np.exp2(-self._age / 45.0))),
            "discount_share": self._share(self._bought["discount"] > 0),
        }
        for kind in KINDS[:2]:
            found |= {f"{name}_in_{kind}": value * (mine == kind) for name, value in user.items()}
        return found

    def _fit(self, level: str) -> Columns:
        """Lines bought of what the coupons cover, at one level of the catalogue: how many, of late, and
        against what other households would buy of it.
        """
        value = self._log.products[level]
        bought, count = self._bought["product"], int(value.max()) + 1
        inside = np.zeros(len(value))
        inside[self._goods] = 1.0
        sold, covered = (
            np.bincount(value[bought], None, count),
            np.bincount(value[bought], inside[bought], count),
        )
        listed = np.bincount(value, inside, count) / np.maximum(np.bincount(value, None, count), 1)
        weight = ((covered + listed) / (sold + 1.0))[value[bought]]
        got, usual = self._sum(weight), float(weight.mean())
        return {
            f"fit_{level}": np.log1p(got),
            f"lift_{level}": np.log((got + 2 * usual + 0.05) / (self._lines * usual + 2 * usual + 0.05)),
            f"fit_lately_{level}": np.log1p(self._sum(weight * np.exp2(-self._age / 30.0))),
        }

    def _usable(self, level: str) -> Columns:
        """How many of the coupons are for something that the household has bought, at one level."""
        value, goods = self._log.products[level], self._bought["product"]
        names, coupon = np.unique(self._coupons["coupon"], return_inverse=True)
        size, people = int(value.max()) + 1, self._log.households
        covers = _marks(coupon.reshape(-1), value[self._coupons["product"]], (len(names), size))
        buys = _marks(self._bought["household"], value[goods], (people, size))
        used = (buys @ covers.T).toarray()[self._asked] > 0
        share = used.sum(1) / max(len(names), 1)
        return {f"usable_{level}": np.log1p(used.sum(1)), f"usable_share_{level}": share}

    def _similar(self) -> Columns:
        """Redemptions weighted by how like this campaign theirs was; of coupons alike; of neighbours."""
        category, size = self._log.products["category"], int(self._log.products["category"].max()) + 1
        counts = np.zeros((len(self._log.campaigns), size))
        for of in (self._every, self._coupons):
            pairs = np.unique(of["campaign"] * len(category) + of["product"])
            np.add.at(counts, (pairs // len(category), category[pairs % len(category)]), 1.0)
        shape = _unit(np.sqrt(counts))
        alike = shape @ shape[self._number]
        alike[self._number] = 0
        answers = (self._answered * alike).sum(1)
        expected = (self._expected * alike).sum(1)
        names, coupon = np.unique(self._every["coupon"], return_inverse=True)
        covers = np.zeros((max(len(names), 1), size))
        covers[coupon.reshape(-1), category[self._every["product"]]] = 1.0
        like = _unit(covers) @ shape[self._number]
        place = np.searchsorted(names, self._redeemed["coupon"])
        place = np.minimum(place, max(len(names) - 1, 0))
        known = np.flatnonzero(names[place] == self._redeemed["coupon"]) if len(names) else place[:0]
        like_redeemed = np.bincount(
            self._redeemed["household"][known], like[place[known]], self._log.households
        )
        return {
            "similar_redeemed": answers[self._asked],
            "similar_expected": expected[self._asked],
            "similar_beyond_expected": np.log((answers + 0.3) / (expected + 0.3))[self._asked],
            "like_coupons_redeemed": np.log1p(like_redeemed[self._asked]),
            "neighbours_beyond_expected": self._neighbours(category, size),
        }

    def _neighbours(self, category: Ints, size: int) -> Doubles:
        """What households that buy in the same categories made of their contacts."""
        bought = np.zeros((self._log.households, size), np.float32)
        np.add.at(bought, (self._bought["household"], category[self._bought["product"]]), 1)
        rarity = np.log(len(bought) / (1 + (bought > 0).sum(0)))
        taste = _unit(np.log1p(bought) * np.maximum(rarity, 0))
        known = np.flatnonzero(self._contacted.any(1))
        near = np.maximum(taste[self._asked] @ taste[known].T, 0) ** 3
        near[self._asked[:, None] == known] = 0
        answers, expected = self._answered[known].sum(1), self._expected[known].sum(1)
        return np.asarray(np.log((near @ answers + 0.5) / (near @ expected + 0.5)))

    def _sum(self, weight: NDArray[np.generic] | None = None) -> Doubles:
        """Of each contact's household, the sum over its purchases; their number without a weight."""
        counts = np.bincount(self._bought["household"], weight, self._log.households)
        return counts[self._asked].astype(np.float64)

    def _share(self, inside: NDArray[np.bool_] | Doubles, prior: float = 5.0) -> Doubles:
        """Of its purchases, the share for which something holds."""
        usual = float(np.mean(inside, dtype=np.float64))
        return np.asarray((self._sum(inside) + prior * usual) / (self._lines + prior))

    def _distinct(self, of: NDArray[np.generic]) -> Doubles:
        """How many different values its purchases have."""
        names, number = np.unique(of, return_inverse=True)
        owner = np.unique(self._bought["household"] * len(names) + number.reshape(-1)) // len(names)
        return np.bincount(owner, None, self._log.households)[self._asked].astype(np.float64)

    def _lately(self, last: Ints) -> Doubles:
        """1 for today, half of it 60 days later, 0 for never."""
        return np.where(last >= 0, np.exp2(-(self._start - last) / 60.0), 0.0)[self._asked]


def _marks(rows: Ints, columns: Ints, shape: tuple[int, int]) -> csr_array:
    """1 or more in some places of a matrix [shape]."""
    return csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape)


def _unit(rows: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))
