"""iALS: factors of users and items for implicit feedback, by alternating conjugate gradients."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from magpie_services.training.retrieval.baselines.interactions import counts
from magpie_services.training.retrieval.sequences import History

CG_STEPS = 3  # warm-started by the sweep before: more changes nothing

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Ials:
    """Minimises the squared error of 1 at what was met, weighted 1 + `weight` · log1p(count), and of 0
    elsewhere with weight 1, plus `ridge` times the squares of the factors.
    """

    factors: int = 64
    ridge: float = 10.0
    weight: float = 10.0
    sweeps: int = 8

    @property
    def name(self) -> str:
        return "ials"

    @property
    def settings(self) -> dict[str, float]:
        return {"factors": self.factors, "ridge": self.ridge, "weight": self.weight, "sweeps": self.sweeps}

    def fit(self, history: History, size: int, seed: int) -> "IalsScorer":
        """Alternates between users and items; see Baseline."""
        rng = np.random.default_rng(seed)
        met = self.confidence(history, size)
        users = np.zeros((met.shape[0], self.factors), np.float32)
        items = rng.normal(0, 1 / self.factors**0.5, (size, self.factors)).astype(np.float32)
        back = met.T.tocsr()
        for _ in range(self.sweeps):
            users = solve(met, items, users, self.ridge)
            items = solve(back, users, items, self.ridge)
        return IalsScorer(self, items)

    def confidence(self, history: History, size: int) -> sparse.csr_matrix:
        """The weights beyond 1: float32 [users, size]."""
        met = counts(history, size)
        met.data = (self.weight * np.log1p(met.data)).astype(np.float32)
        return met


@dataclass(frozen=True)
class IalsScorer:
    """`items` float32 [size, factors]."""

    plan: Ials
    items: Floats

    def scores(self, asked: History) -> Floats:
        """Folds the users in; see Scorer."""
        met = self.plan.confidence(asked, len(self.items))
        start = np.zeros((met.shape[0], self.items.shape[1]), np.float32)
        users = solve(met, self.items, start, self.plan.ridge, steps=3 * CG_STEPS)
        return np.asarray(users @ self.items.T, dtype=np.float32)


def solve(
    extra: sparse.csr_matrix, items: Floats, start: Floats, ridge: float, steps: int = CG_STEPS
) -> Floats:
    """Factors of all rows of `extra` [rows, n] given those of its columns [n, f]: float32 [rows, f].

    Every row is its own linear system; conjugate gradients go one step in all of them at once.
    """
    rows = np.repeat(np.arange(extra.shape[0]), np.diff(extra.indptr))
    near = items[extra.indices]
    gram = items.T @ items + ridge * np.eye(items.shape[1], dtype=np.float32)

    def times(x: Floats) -> Floats:
        weight = extra.data * np.einsum("nf,nf->n", x[rows], near)
        own = sparse.csr_matrix((weight, extra.indices, extra.indptr), shape=extra.shape)
        return np.asarray(x @ gram + own @ items, dtype=np.float32)

    target = sparse.csr_matrix((1.0 + extra.data, extra.indices, extra.indptr), shape=extra.shape)
    x = start
    residual = target @ items - times(x)
    direction = residual
    square = np.einsum("rf,rf->r", residual, residual)
    for _ in range(steps):
        image = times(direction)
        step = square / np.maximum(np.einsum("rf,rf->r", direction, image), 1e-20)
        x = x + step[:, None] * direction
        residual = residual - step[:, None] * image
        before, square = square, np.einsum("rf,rf->r", residual, residual)
        direction = residual + (square / np.maximum(before, 1e-20))[:, None] * direction
    return np.asarray(x, dtype=np.float32)


def loss(extra: sparse.csr_matrix, users: Floats, items: Floats, ridge: float) -> float:
    """What iALS minimises."""
    guess = (users @ items.T).astype(np.float64)
    met = extra.toarray().astype(np.float64)
    error = (1.0 + met) * ((met > 0) - guess) ** 2
    return float(error.sum() + ridge * ((users**2).sum() + (items**2).sum()))
