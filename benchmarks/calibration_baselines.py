"""What the ranker is measured against: one tower of dense layers, DeepFM, LightGBM, logistic regression.

The networks learn by the ranker's own loop: the same loss, early stop and batches.
"""

from collections.abc import Callable
from typing import Any

import keras
import lightgbm
import numpy as np
from calibration_world import Slate, flat
from keras import ops
from numpy.typing import NDArray

from magpie_services.core.feature_schema import HEADS
from magpie_services.training import progress
from magpie_services.training.plan import RankerPlan
from magpie_services.training.ranking import fit as ranker_fit
from magpie_services.training.ranking import light
from magpie_services.training.ranking.rows import CLICK, PURCHASE, UNSUBSCRIBE, WIDTH, WIDTHS, Rows

Floats = NDArray[np.float32]
Scorer = Callable[[Slate], Floats]  # log-odds [B, N, H]
TREE_HEADS = (CLICK, PURCHASE, UNSUBSCRIBE)
_TABLE, _SIZE = 16_381, 16


class Tower(keras.Model):  # type: ignore[misc]
    """All features and the item's, category's and brand's vectors side by side, then dense layers."""

    widths = WIDTHS

    def __init__(self, bias: Floats) -> None:
        super().__init__()
        self._table = self.add_weight((_TABLE, _SIZE), initializer="zeros", name="table")
        self._layers_ = [keras.layers.Dense(width, activation="relu") for width in (128, 64)]
        self._drop = keras.layers.Dropout(0.1)
        self._heads = keras.layers.Dense(len(HEADS), kernel_initializer="zeros")
        self._heads.build((None, 64))
        self._heads.bias.assign(bias)
        self.logits(*_nothing())

    def logits(
        self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, training: bool = False
    ) -> Any:
        whole = self._whole(user, items, cross, hashes)
        for layer in self._layers_:
            whole = layer(whole)
        return self._heads(self._drop(whole, training=training))

    def _whole(self, user: Any, items: Any, cross: Any, hashes: Any) -> Any:
        count = ops.shape(items)[1]
        vectors = ops.take(self._table, hashes % _TABLE, axis=0)
        vectors = ops.reshape(vectors, (-1, count, 3 * _SIZE))
        return ops.concatenate([_repeated(user, count), items, cross, vectors], -1)


class DeepFM(Tower):
    """The tower, beside a factorisation machine over all features, each with a vector of its own."""

    def __init__(self, bias: Floats) -> None:
        keras.Model.__init__(self)
        self._vectors = self.add_weight((WIDTH + 3 * _SIZE, _SIZE), name="vectors")
        self._linear = self.add_weight((WIDTH + 3 * _SIZE, len(HEADS)), initializer="zeros", name="linear")
        self._mixed = self.add_weight((_SIZE, len(HEADS)), initializer="zeros", name="mixed")
        Tower.__init__(self, bias)

    def logits(
        self, user: Any, items: Any, cross: Any, hashes: Any, recent: Any, training: bool = False
    ) -> Any:
        deep = super().logits(user, items, cross, hashes, recent, training)
        if not hasattr(self, "_mixed"):
            return deep
        whole = self._whole(user, items, cross, hashes)
        together = ops.square(ops.matmul(whole, self._vectors))
        alone = ops.matmul(ops.square(whole), ops.square(self._vectors))
        return deep + ops.matmul(whole, self._linear) + ops.matmul(0.5 * (together - alone), self._mixed)


def network(kind: type[Tower], rows: Rows, plan: RankerPlan, seed: int) -> Scorer:
    """A taught tower."""
    keras.utils.set_random_seed(seed)
    weight = (rows.known * rows.shares).sum(0) + 1
    rate = np.clip((rows.labels.sum(0) + 0.5) / weight, 1e-4, 0.5)
    model = kind(np.log(rate / (1 - rate)).astype(np.float32))
    held = ranker_fit.held_out(rows, seed)
    ranker_fit.learn(model, plan, rows.take(~held), rows.take(held), seed, progress.silent)
    return lambda slate: np.asarray(
        model.logits(slate.user, slate.items, slate.cross, slate.hashes, slate.recent)
    )


def logistic(rows: Rows, seed: int) -> Scorer:
    """The light model alone."""
    model = light.fit(rows, seed)
    return lambda slate: model.logits(flat(slate))


def trees(rows: Rows, seed: int) -> Scorer:
    """A LightGBM for each of clicks, purchases and opt-outs, of rows whose window is over."""
    held, boosters = ranker_fit.held_out(rows, seed), {}
    settings = {
        "objective": "binary",
        "learning_rate": 0.1,
        "num_leaves": 31,
        "min_data_in_leaf": 200,
        "feature_fraction": 0.7,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 5.0,
        "verbosity": -1,
        "seed": seed,
        "num_threads": 2,
    }
    for head in TREE_HEADS:
        used = (rows.known[:, head] > 0) & (rows.shares[:, head] >= 1)
        data = [
            lightgbm.Dataset(np.array(rows.features[used & chosen]), rows.labels[used & chosen, head])
            for chosen in (~held, held)
        ]
        boosters[head] = lightgbm.train(
            settings, data[0], 200, [data[1]], callbacks=[lightgbm.early_stopping(20, verbose=False)]
        )

    def score(slate: Slate) -> Floats:
        whole = flat(slate)
        found = np.full((*whole.shape[:2], len(HEADS)), np.nan, np.float32)
        for head, booster in boosters.items():
            raw = booster.predict(whole.reshape(-1, whole.shape[-1]), raw_score=True)
            found[..., head] = np.asarray(raw, np.float32).reshape(whole.shape[:2])
        return found

    return score


def _repeated(user: Any, count: Any) -> Any:
    return ops.repeat(user[:, None], count, axis=1)


def _nothing() -> tuple[Any, ...]:
    widths = WIDTHS
    return (
        np.zeros((1, widths[0]), np.float32),
        np.zeros((1, 1, widths[1]), np.float32),
        np.zeros((1, 1, widths[2]), np.float32),
        np.zeros((1, 1, 3), np.int32),
        np.zeros((1, 20), np.int32),
    )
