"""The light scorer: a logistic regression on the features, for when the model cannot answer.

Its weights come with each release of the model. Before the first release a hand-set prior stands in, which
only puts candidates into a sensible order: its probabilities are base rates of the field, not of this shop.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from magpie_services.core.features import (
    CROSS_FEATURES,
    HEADS,
    ITEM_FEATURES,
    SCHEMA_HASH,
    USER_FEATURES,
)
from magpie_services.ranking.batch import Batch

Floats = NDArray[np.float32]
NAMES = (*USER_FEATURES, *ITEM_FEATURES, *CROSS_FEATURES)

# Log-odds of a click, purchase, dismissal, opt-out of an average push, and what moves them. Nothing is known
# of what a push adds to a purchase; half of them are bought within the day. Directions are plain (what is
# liked, in the cart, near in taste or due again is clicked and bought more; somebody who was pushed a lot and
# opened little dismisses more), sizes are kept small.
_PRIOR_BIAS = (-3.5, -5.5, -2.5, -6.5)
_LIKE = dict(zip(HEADS, (0, 1, 2, 3, 1, 1, 1), strict=True))
_DAY_LOG_ODDS = -0.7
_PRIOR: dict[str, tuple[float, float, float, float]] = {
    "open_rate": (1.5, 0.3, -1.0, -0.5),
    "click_rate": (2.0, 0.8, -0.5, -0.5),
    "dismiss_rate": (-0.5, -0.2, 1.5, 1.0),
    "sent_week": (-0.2, 0.0, 0.3, 0.4),
    "dismissed_week": (-0.3, -0.1, 0.5, 0.5),
    "hour_affinity": (0.3, 0.1, -0.2, -0.1),
    "stage_loyal": (0.2, 0.5, 0.0, -0.2),
    "stage_dormant": (-0.5, -0.7, 0.2, 0.3),
    "item_discount": (0.5, 0.5, 0.0, 0.0),
    "item_popularity": (0.2, 0.2, 0.0, 0.0),
    "item_conversion": (0.3, 1.0, 0.0, 0.0),
    "item_stars": (0.2, 0.2, -0.1, 0.0),
    "interest": (0.8, 0.8, -0.4, -0.2),
    "in_cart": (0.7, 1.5, -0.2, 0.0),
    "wished": (0.4, 0.5, -0.1, 0.0),
    "returned": (-1.0, -1.5, 0.5, 0.2),
    "own_stars": (0.3, 0.3, -0.2, 0.0),
    "repurchase_due": (0.1, 0.4, 0.0, 0.0),
    "category_interest": (0.5, 0.4, -0.2, 0.0),
    "stated_category": (0.4, 0.3, -0.2, 0.0),
    "brand_interest": (0.2, 0.2, 0.0, 0.0),
    "price_distance": (-0.1, -0.3, 0.0, 0.0),
    "discount_fit": (0.4, 0.4, 0.0, 0.0),
    "similarity": (0.8, 0.6, -0.3, 0.0),
    "covisitation": (0.8, 0.6, -0.2, 0.0),
    "pushes_of_item": (-0.4, -0.2, 0.4, 0.3),
    "ignored_pushes": (-0.5, -0.2, 0.4, 0.3),
}


class Light(msgspec.Struct, frozen=True, kw_only=True):
    """Weights float32 [H, U + I + C] and bias float32 [H] as bytes, of model `version` (0 is the prior)."""

    version: int
    schema_hash: str
    weights: bytes
    bias: bytes

    @property
    def fits(self) -> bool:
        """The weights are of the features that this process computes."""
        rows, columns = len(HEADS), len(NAMES)
        sizes = (len(self.weights), len(self.bias)) == (4 * rows * columns, 4 * rows)
        return self.schema_hash == SCHEMA_HASH and sizes

    def probabilities(self, batch: Batch) -> Floats:
        """Of every pair and head: float32 [B, N, H]. Only where `fits`."""
        weights = np.frombuffer(self.weights, dtype="<f4").reshape(len(HEADS), len(NAMES))
        bias = np.frombuffer(self.bias, dtype="<f4")
        log_odds = np.clip(batch.flat() @ weights.T + bias, -30.0, 30.0)
        return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), dtype=np.float32)


def light(version: int, weights: Floats, bias: Floats) -> Light:
    """The light scorer of a model of our own schema: weights [H, U + I + C], bias [H]."""
    return Light(
        version=version,
        schema_hash=SCHEMA_HASH,
        weights=weights.astype("<f4").tobytes(),
        bias=bias.astype("<f4").tobytes(),
    )


def prior() -> Light:
    """The hand-set weights."""
    weights = np.zeros((len(_PRIOR_BIAS), len(NAMES)), dtype=np.float32)
    for name, moves in _PRIOR.items():
        weights[:, NAMES.index(name)] = moves
    bias = np.array(_PRIOR_BIAS, dtype=np.float32)
    like = [_LIKE[head] for head in HEADS]
    later = np.array([_DAY_LOG_ODDS if head.endswith("_day") else 0.0 for head in HEADS], dtype=np.float32)
    return light(0, weights[like], bias[like] + later)
