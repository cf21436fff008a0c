"""The real logs of the Open Bandit Dataset: one policy's clicks estimated from the other's log.

https://research.zozo.com/data.html (Saito et al. 2021, CC BY 4.0): impressions of 34 items at 3 positions,
drawn evenly or by Bernoulli Thompson sampling with its chances on record. The logs name no user; whoever
shares all four user features within an hour is taken for one.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import harness
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.off_policy import Estimator, Evaluation, evaluate
from magpie_services.core.off_policy_log import Log

ITEMS = 34
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Impressions:
    """One log, arrays [n]: item, position (0 to 2), clicked or not, the chance of being drawn, and who."""

    item: Ints
    position: Ints
    click: Floats
    chance: Floats
    user: Ints


def open_bandit(folder: Path) -> None:
    """Tells, on standard error, what each log says of the policy of the other."""
    even, thompson = (read(folder / name / "men.csv") for name in ("random", "bts"))
    harness.say(
        f"\nOpen Bandit, campaign men: {len(even.item):,} random impressions with"
        f" {even.click.sum():.0f} clicks, {len(thompson.item):,} of Thompson sampling"
        f" with {thompson.click.sum():.0f}"
    )
    uniform = np.full((ITEMS, 3), 1 / ITEMS)
    learnt = mean_chances(thompson)
    _tell("Thompson sampling, from the random log", judge(even, uniform, learnt), thompson)
    _tell("random, from the log of Thompson sampling", judge(thompson, None, uniform), even)
    harness.say(
        f"{even.click.sum():.0f} and {thompson.click.sum():.0f} clicks cannot rank estimators: the intervals"
        " are far wider than the values differ. It shows that real propensities go through, and no more."
    )


def read(path: Path) -> Impressions:
    """A log. Raises SystemExit where it is not one."""
    try:
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        users = [(row["timestamp"][:13], *(row[f"user_feature_{n}"] for n in range(4))) for row in rows]
        number = {user: index for index, user in enumerate(dict.fromkeys(users))}
        return Impressions(
            item=np.array([int(row["item_id"]) for row in rows]),
            position=np.array([int(row["position"]) - 1 for row in rows]),
            click=np.array([float(row["click"]) for row in rows]),
            chance=np.array([float(row["propensity_score"]) for row in rows]),
            user=np.array([number[user] for user in users]),
        )
    except (OSError, KeyError, ValueError) as error:
        raise SystemExit(f"{path}: not a log of the Open Bandit Dataset: {error}") from None


def mean_chances(log: Impressions) -> Floats:
    """Mean chance of each item at each position, [34, 3], from the chances of what was drawn.

    The log has the chance of the drawn item only; over the log its policy moved. One over the mean of the
    inverse is an item's mean chance where it moved (harmonic); they are made to sum to 1.
    """
    flat = log.item * 3 + log.position
    count = np.bincount(flat, minlength=ITEMS * 3)
    inverse = np.bincount(flat, 1 / log.chance, ITEMS * 3)
    chances = np.divide(count, inverse, out=np.zeros(ITEMS * 3), where=inverse > 0).reshape(ITEMS, 3)
    return np.asarray(chances / chances.sum(axis=0))


def judge(log: Impressions, logging: Floats | None, target: Floats) -> Evaluation:
    """The target [34, 3] from a log; `logging` None where only the chance of the drawn item is known: the
    rest of its decision is then shared by the others as the log has it on average.
    """
    count = len(log.item)
    chances = mean_chances(log)[:, log.position].T if logging is None else logging[:, log.position].T.copy()
    own = np.arange(count), log.item
    rest = chances.sum(axis=1) - chances[own]
    chances *= ((1 - log.chance) / rest)[:, None]
    chances[own] = log.chance
    # Worth of an item: clicks at its position, of other hours, so that no click foretells itself.
    model = np.repeat(_rate_without_own(log)[:, None], ITEMS, axis=1)
    return evaluate(
        Log(
            user=log.user,
            reward=log.click,
            drawn=np.arange(count) * ITEMS + log.item,
            owner=np.repeat(np.arange(count), ITEMS),
            logging=chances.ravel(),
            target=target[:, log.position].T.ravel(),
            model=model.ravel(),
        )
    )


def _rate_without_own(log: Impressions) -> Floats:
    """Share of clicks at the position of each impression among those of other users, [n]."""
    both = log.position * (log.user.max() + 1) + log.user
    clicks, shown = (np.bincount(log.position, column, 3)[log.position] for column in (log.click, None))
    own_clicks, own_shown = (np.bincount(both, column)[both] for column in (log.click, None))
    return np.asarray((clicks - own_clicks) / (shown - own_shown))


def _tell(title: str, found: Evaluation, truth: Impressions) -> None:
    harness.say(
        f"{title}: {truth.click.mean():.2%} in its own log; {found.users:,} users,"
        f" effective sample {found.effective:,.0f} of {found.decisions:,}, {found.rewarded} clicks count"
    )
    for name in Estimator:
        value, low, high, _ = found.values[name]
        harness.say(f"  {name:<10} {value:.2%}   ({low:.2%} to {high:.2%})")
