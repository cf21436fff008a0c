"""Scores batches by the model, or by the light scorer when the model cannot answer."""

import random
from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np

from magpie_services.core.features import HEADS
from magpie_services.kit.errors import DeadlineExceeded, NotFound, Unavailable
from magpie_services.ranking.batch import Batch
from magpie_services.ranking.light import Floats, Light

CLICK, PURCHASE = HEADS.index("click"), HEADS.index("purchase")


class Model(Protocol):
    """The ranking model; see tf_serving.Ranker."""

    @property
    def light(self) -> Light: ...

    async def score(self, batch: Batch, version: int = 0) -> tuple[Floats, int]: ...


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """Probabilities float32 [B, N, H] in the order of HEADS."""

    probabilities: Floats
    version: int
    fallback: bool


async def score(model: Model, batch: Batch, version: int = 0) -> Scored:
    """What follows a push of every candidate, and what is bought without one."""
    try:
        probabilities, used = await model.score(batch, version)
    except (DeadlineExceeded, NotFound, Unavailable):
        return by_light(model.light, batch)
    return Scored(probabilities=probabilities, version=used, fallback=False)


def by_light(light: Light, batch: Batch) -> Scored:
    """The light scorer's answer."""
    return Scored(
        probabilities=light.probabilities(batch),
        version=light.version,
        fallback=True,
    )


def best_first(probabilities: Floats) -> list[int]:
    """Indices of candidates [N, H] by the sum of click and purchase, highest first."""
    score = probabilities[:, CLICK] + probabilities[:, PURCHASE]
    return [int(at) for at in np.argsort(-score, kind="stable")]


def sample(order: Sequence[int], best: int, rest: int, seed: int, user_id: str) -> tuple[list[int], float]:
    """Which candidates' features to return: the first `best` of `order` and `rest` drawn from the others.

    Also the chance that each of the others had. By `seed` and user the draw is always the same.
    """
    first, others = order[:best], order[best:]
    count = min(rest, len(others))
    drawn = random.Random(f"{seed}:{user_id}").sample(others, count) if count else []  # noqa: S311
    return [*first, *drawn], count / len(others) if others else 1.0
