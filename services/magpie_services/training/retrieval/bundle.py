"""An exported retriever, asked as the candidate service asks it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.core.reading import closed, summed
from magpie_services.training.retrieval.sequences import Inputs

_TRANSITIONS = {"rows", "scores", "weight", "steps"}


class Bundle:
    """A loaded SavedModel; `ids` are its vocabulary. Every method raises what TensorFlow does (OpError,
    TypeError) or KeyError where it does not work.
    """

    def __init__(self, model: Any) -> None:
        import tensorflow as tf

        self._tensor = tf.constant
        self._retrieve = model.signatures["retrieve"]
        told = model.signatures.get("transitions")
        self._transitions = told if told and told.structured_outputs.keys() >= _TRANSITIONS else None
        read = model.signatures["item_vectors"]
        table = read(rows=tf.range(read(rows=tf.constant([0]))["total"][0]))
        self.ids: list[str] = [text.decode() for text in table["ids"].numpy().tolist()]
        self._vectors: NDArray[np.float32] = table["vectors"].numpy()

    def scores(self, asked: Inputs) -> NDArray[np.float32]:
        """What candidates are ordered by, float32 [B, n]: the cosine and, for what follows the newest items,
        the transitions; -inf for padding. Items of a history that are not in the vocabulary are 0.
        """
        items, kinds, gaps = closed(asked.items, asked.kinds, asked.gaps)
        found = self._retrieve(items=self._tensor(items), kinds=self._tensor(kinds), gaps=self._tensor(gaps))[
            "vector"
        ]
        scores: NDArray[np.float32] = found.numpy() @ self._vectors.T
        if self._transitions is not None:
            told = {name: part.numpy() for name, part in self._transitions(items=self._tensor(items)).items()}
            for own, rows, parts, weight in zip(
                scores, told["rows"], told["scores"], told["weight"], strict=True
            ):
                follow, sums, _ = summed(rows, parts)
                own[follow] += weight * sums
        scores[:, 0] = -np.inf
        return scores
