"""A light ranker learnt with differential privacy: what it says hardly depends on any one user's rows.

Its weights are the last layer, over features that need only the row itself, so that the gradient of each
user is a sum of outer products: exact, and as cheap as a plain step. Every step draws each user by itself
(the size of a batch is chance), clips the sum over all rows of a user, and adds Gaussian noise to the total.
What is not learnt here is not touched by the log: start and pull are the prior that a person wrote, there is
no calibration and no early stopping, and delays are spread evenly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from magpie_services.training.privacy import Privacy
from magpie_services.training.ranking import light
from magpie_services.training.ranking.light import Light
from magpie_services.training.ranking.rows import WINDOWS_MS, Rows

Doubles = NDArray[np.float64]

_MIN_SHARE = 0.05
_MOMENTUM = 0.9


@dataclass(frozen=True)
class People:
    """Rows sorted by user: those of user u are at `starts[u]:starts[u + 1]`.

    inputs [R, F + 1] (features and a 1), labels [R, H], weights [R, H] (0 where the label is not known, else
    a share of one user), shares [R, H] (of what a label had time for).
    """

    inputs: Doubles
    labels: Doubles
    weights: Doubles
    shares: Doubles
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def rows_of(self, users: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of all rows of these users, and where each user's begin among them."""
        first, counts = self.starts[users], np.diff(self.starts)[users]
        begins = np.cumsum(counts) - counts
        return np.repeat(first - begins, counts) + np.arange(counts.sum()), begins


def fit(privacy: Privacy, rows: Rows, end_ms: int, noise: float, rng: np.random.Generator) -> Light:
    """The weights after all steps, averaged over the later half of them. The log ends at `end_ms`.

    `noise` is the standard deviation over the clip. `rng` draws users and noise: for a promise it must come
    from the operating system, for whoever knows its seed can take the noise out again.
    """
    people, start = by_user(rows, end_ms), light.prior()
    first = np.concatenate([start.weights, start.bias[:, None]], axis=1).astype(np.float64)
    weights, total, kept = first.copy(), np.zeros_like(first), 0
    if not len(people):
        return start
    expected, moving = privacy.rate * len(people), np.zeros_like(first)
    for step in range(privacy.steps):
        users = drawn(len(people), privacy.rate, rng)
        gradient = clipped_sum(people, users, weights, privacy.clip)
        gradient += rng.normal(0.0, noise * privacy.clip, gradient.shape)
        # What is done with the noisy sum costs nothing more.
        moving = _MOMENTUM * moving + gradient / expected + privacy.ridge * (weights - first)
        weights = weights - privacy.learning_rate * moving
        if 2 * step >= privacy.steps - 1:
            total, kept = total + weights, kept + 1
    mean = (total / kept).astype(np.float32)
    return Light(mean[:, :-1], mean[:, -1])


def drawn(users: int, rate: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Poisson sampling: each user is in with chance `rate`, whatever the others are."""
    return np.flatnonzero(rng.random(users) < rate)


def clipped_sum(people: People, users: NDArray[np.integer], weights: Doubles, clip: float) -> Doubles:
    """Sum over users of their gradients [H, F + 1], each cut to the length `clip` over all heads together."""
    total = np.zeros_like(weights)
    if not len(users):
        return total
    gradients = user_gradients(people, users, weights)
    lengths = np.sqrt(np.einsum("uhf,uhf->u", gradients, gradients))
    shrunk = np.minimum(1.0, clip / np.maximum(lengths, 1e-12))
    total += np.einsum("u,uhf->hf", shrunk, gradients)
    return total


def user_gradients(people: People, users: NDArray[np.integer], weights: Doubles) -> Doubles:
    """The gradient of the log loss of all rows of each user: [U, H, F + 1]."""
    at, begins = people.rows_of(users)
    inputs, labels, shares = people.inputs[at], people.labels[at], people.shares[at]
    chance = 1.0 / (1.0 + np.exp(-np.clip(inputs @ weights.T, -30.0, 30.0)))
    seen = np.clip(chance * shares, 1e-9, 1 - 1e-9)
    slope = people.weights[at] * (1 - chance) * ((1 - labels) * seen / (1 - seen) - labels)
    heads = [np.add.reduceat(slope[:, [head]] * inputs, begins) for head in range(slope.shape[1])]
    return np.stack(heads, axis=1)


def by_user(rows: Rows, end_ms: int) -> People:
    """The rows, sorted by user. Rows of nobody in particular are left out: they may be of many."""
    rows = rows.take(rows.groups >= 0)
    rows = rows.take(np.argsort(rows.groups, kind="stable"))
    begins = np.flatnonzero(np.diff(rows.groups, prepend=-1))
    # A user counts once, however many arms they were shown: few are then cut, and steps suit any log.
    mine = np.diff(np.append(begins, len(rows)))
    # How late purchases come is not learnt from the others': as if spread evenly over their window.
    age_ms = (end_ms - rows.decided_ms)[:, None]
    return People(
        inputs=np.concatenate([rows.features, np.ones((len(rows), 1))], axis=1).astype(np.float64),
        labels=rows.labels.astype(np.float64),
        weights=(rows.known * rows.weights[:, None]).astype(np.float64) / np.repeat(mine, mine)[:, None],
        shares=np.clip(age_ms / WINDOWS_MS, _MIN_SHARE, 1.0),
        starts=np.append(begins, len(rows)).astype(np.int64),
    )
