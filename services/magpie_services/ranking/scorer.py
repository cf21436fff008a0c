"""Scores batches by the model, or by the light scorer when the model cannot answer."""

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

    async def score(self, batch: Batch, version: int = 0, *, sent: float = 1.0) -> tuple[Floats, int]: ...


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """Probabilities float32 [B, N, 4] of a push, purchases without one float32 [B, N] (0 where not asked)."""

    probabilities: Floats
    organic: Floats
    version: int
    fallback: bool


async def score(model: Model, batch: Batch, version: int = 0, *, organic: bool = False) -> Scored:
    """What follows a push of every candidate; with `organic` also what goes without, in a second call.

    The light scorer does not tell what goes without a push.
    """
    without = np.zeros(batch.mask.shape, dtype=np.float32)
    try:
        probabilities, used = await model.score(batch, version)
        if organic:
            unpushed, _ = await model.score(batch, used, sent=0.0)
            without = unpushed[..., PURCHASE]
    except (DeadlineExceeded, NotFound, Unavailable):
        return by_light(model.light, batch)
    return Scored(probabilities=probabilities, organic=without, version=used, fallback=False)


def by_light(light: Light, batch: Batch) -> Scored:
    """The light scorer's answer."""
    return Scored(
        probabilities=light.probabilities(batch),
        organic=np.zeros(batch.mask.shape, dtype=np.float32),
        version=light.version,
        fallback=True,
    )


def best_first(probabilities: Floats) -> list[int]:
    """Indices of candidates [N, 4] by the sum of click and purchase, highest first."""
    score = probabilities[:, CLICK] + probabilities[:, PURCHASE]
    return [int(at) for at in np.argsort(-score, kind="stable")]


def sample(order: Sequence[int], best: int, rest: int, seed: int, user_id: str) -> tuple[set[int], float]:
    """Which candidates' features to return: the first `best` of `order` and `rest` drawn from the others.

    Also the chance that each of the others had. By `seed` and user the draw is always the same.
    """
    first, others = order[:best], order[best:]
    count = min(rest, len(others))
    generator = np.random.default_rng([seed, *user_id.encode()])
    drawn = generator.choice(len(others), size=count, replace=False).tolist() if count else []
    return {*first, *(others[at] for at in drawn)}, count / len(others) if others else 1.0
