"""What the gate examines of a retriever is what the candidate service makes of it: the exported model, over a
socket, asked by portraits on one side and by the exam's histories on the other.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import prediction_server
from tests.unit.training import worlds

from magpie_services.candidate.near import near
from magpie_services.candidate.release import Followers
from magpie_services.candidate.retriever import Retriever, sequences
from magpie_services.candidate.vector_index import Kind
from magpie_services.core.memory import Recent
from magpie_services.core.mirror import Mirror
from magpie_services.core.portraits import Portrait, new_portrait
from magpie_services.core.reading import closed
from magpie_services.kit.breaker import CircuitBreaker
from magpie_services.kit.channels import open_channel
from magpie_services.kit.prediction import Prediction
from magpie_services.training import evaluation
from magpie_services.training.dataset import Dataset
from magpie_services.training.evaluation import Exam
from magpie_services.training.plan import RetrieverPlan
from magpie_services.training.ranking import rows

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
LIMIT = 100


def signatures(loaded: Any) -> prediction_server.Signatures:
    """A SavedModel's own, as functions of arrays."""
    import tensorflow as tf

    def call(signature: Any) -> Callable[[prediction_server.Arrays], prediction_server.Arrays]:
        def answer(inputs: prediction_server.Arrays) -> prediction_server.Arrays:
            found = signature(**{name: tf.constant(array) for name, array in inputs.items()})
            return {name: part.numpy() for name, part in found.items()}

        return answer

    return {name: call(signature) for name, signature in loaded.signatures.items()}


def portrait(exam: Exam, user: int) -> Portrait:
    """What profile would remember of somebody whose history is in the exam."""
    held = exam.history
    found = new_portrait(held.users[user])
    for row in range(held.offsets[user], held.offsets[user + 1]):
        item_id = exam.ids[held.items[row]]
        found.recent.append(Recent(item_id=item_id, kind=int(held.kinds[row]), at_ms=int(held.at_ms[row])))
    return found


async def test_candidates_are_ordered_as_the_gate_examines_them(tmp_path: Path) -> None:
    import tensorflow as tf

    from magpie_services.training import evaluate, export
    from magpie_services.training.retrieval import fit, transitions
    from magpie_services.training.retrieval.bundle import Bundle

    known, history = worlds.world(60, 70, 160)
    model = fit.begin(RetrieverPlan(), known, history, 1).model  # untrained: any order will do
    table = transitions.fit(transitions.Pairs(history, len(known)), fit.TRANSITIONS)
    export.save_retriever(model, known.ids, tmp_path / "retriever", table, 0.7)
    loaded = tf.saved_model.load(str(tmp_path / "retriever"))
    bundle = Bundle(loaded)

    data = Dataset(known, history, rows.empty(), worlds.START_MS, worlds.END_MS)
    exam = evaluation.build(data, 1)
    # Some of what people met is unknown to the model.
    ids = tuple(f"later{at}" if at % 7 == 3 else item_id for at, item_id in enumerate(exam.ids))
    exam = Exam(ids, exam.cut_ms, exam.history, exam.wanted, exam.popular, exam.rows)
    portraits = [portrait(exam, user) for user in range(len(exam.history.users))]
    assert max(len(one.recent) for one in portraits) > 50
    examined = bundle.scores(evaluate.inputs(exam, bundle.ids))

    models = prediction_server.Models()
    models.served["retriever"] = {1: signatures(loaded)}
    async with prediction_server.serving(models) as address:
        channel = open_channel(address)
        retriever = Retriever(Prediction(channel), CircuitBreaker, Kind(), timeout_seconds=20, poll_seconds=1)
        await retriever.refresh()
        users = await retriever.user_vectors(portraits, exam.cut_ms)
        await channel.close()
    assert users is not None
    assert users.known.all()
    assert isinstance(users.followers, Followers)

    asked = evaluate.inputs(exam, bundle.ids)
    for mine, theirs in zip(
        sequences(users.release, portraits, exam.cut_ms),
        closed(asked.items, asked.kinds, asked.gaps),
        strict=True,
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)

    mirror = Mirror()
    mirror.put(worlds.catalogue(160))
    allowed = np.ones(len(mirror.columns), dtype=np.bool_)
    found = near(users, mirror.columns, allowed, LIMIT, {"vector", "transition"})
    cosines = users.vectors @ users.release.vectors.T
    for user, scores in enumerate(examined):
        codes = np.array([users.release.codes[mirror.columns.ids[row]] for row in found[user].rows])
        best = np.argsort(-scores, kind="stable")[:LIMIT]
        np.testing.assert_allclose(scores[codes], scores[best], atol=1e-5)
        assert (scores[codes] - cosines[user][codes] > 1e-3).any(), "transitions count"
