"""A whole run with privacy, from the lake to the bundle: what is spent, said and refused. Uses TensorFlow."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.unit.training import worlds

from magpie_services.kit.errors import Invalid
from magpie_services.training import progress
from magpie_services.training.plan import Plan, RankerPlan, RetrieverPlan
from magpie_services.training.privacy import Privacy
from magpie_services.training.ranking import light, private_ledger
from magpie_services.training.ranking.rows import WIDTH, WIDTHS

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
# Two steps of everybody: one run costs about 2.9, two about 4.4.
PRIVACY = Privacy(noise=2.0, rate=1.0, steps=2, budget_epsilon=4.0, budget_delta=1e-5, delta=1e-5)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    worlds.lake(tmp_path / "lake", users=40, events=20, items=30, decisions=150)
    plan = Plan(
        run_id="run-1",
        folder=str(tmp_path / "run"),
        lake_folder=str(tmp_path / "lake"),
        ledger=str(tmp_path / "models" / "privacy.json"),
        retriever=RetrieverPlan(epochs=1, seconds=1.0),
        ranker=RankerPlan(privacy=PRIVACY),
    )
    plan.save()
    return plan


def test_a_private_run_says_what_it_spent_and_the_next_one_is_refused(plan: Plan) -> None:
    import tensorflow as tf

    from magpie_services.training import fit

    with progress.journal(plan.path, lambda news: None) as journal:
        report = fit.fit(plan, journal)
    assert report.privacy is not None
    assert report.privacy.noise == 2.0
    assert report.metrics["privacy_epsilon"] == pytest.approx(report.privacy.epsilon) != 0
    (entry,) = private_ledger.entries(Path(plan.ledger))
    assert entry.run_id == "run-1"

    model = tf.saved_model.load(str(plan.path / "release" / "ranker"))
    found = model.signatures["light"](unit=tf.constant([0]))
    weights, bias = found["weights"].numpy()[0], found["bias"].numpy()[0]
    assert np.abs(weights - light.prior().weights).max() > 1e-3, "noise at least"
    rng = np.random.default_rng(1)
    features = rng.normal(0, 0.5, (1, WIDTH)).astype(np.float32)
    user, items, cross = np.split(features, np.cumsum(WIDTHS[:2]), axis=1)
    answer = model.signatures["rank"](
        user=tf.constant(user),
        items=tf.constant(items[:, None]),
        cross=tf.constant(cross[:, None]),
        hashes=tf.constant([[[7, 8, 9]]]),
        recent=tf.constant(np.arange(20, dtype=np.int32)[None]),
        mask=tf.ones((1, 1)),
    )["probabilities"].numpy()[0, 0]
    expected = 1 / (1 + np.exp(-(weights @ features[0] + bias)))
    np.testing.assert_allclose(answer[:4], expected[:4], rtol=1e-3, err_msg="the light part is all there is")

    shutil.rmtree(plan.path)
    second = msgspec.structs.replace(plan, run_id="run-2")
    second.save()
    with (
        progress.journal(second.path, lambda news: None) as journal,
        pytest.raises(Invalid, match=r"privacy\.budget_epsilon"),
    ):
        fit.fit(second, journal)
    assert not (second.path / "release").exists()
