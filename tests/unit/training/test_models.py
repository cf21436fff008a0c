"""The models learn, and what is exported answers as what was trained. TensorFlow is imported here."""

import itertools
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.training import worlds

from magpie_services.core.feature_schema import HEADS, SCHEMA_HASH
from magpie_services.training import evaluation, gate
from magpie_services.training.dataset import Dataset
from magpie_services.training.plan import RankerPlan, RetrieverPlan
from magpie_services.training.progress import silent
from magpie_services.training.ranking import rows
from magpie_services.training.ranking.rows import CLICK, DISMISS, PURCHASE

# Importing and tracing take most of the time, and much more of it on a machine with other work.
pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(240)]
RETRIEVER = RetrieverPlan(blocks=1, epochs=8, seconds=6.0, negatives=64)
RANKER = RankerPlan(epochs=2, seconds=4.0)


@dataclass(frozen=True)
class Trained:
    """One bundle on disk, the models it came from and the exam of its world."""

    folder: Path
    retriever: Any
    fitted: Any
    ranker: Any
    data: Dataset
    exam: evaluation.Exam
    validation_ndcg: float


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    from magpie_services.training import export
    from magpie_services.training.ranking import fit as ranker_fit
    from magpie_services.training.retrieval import fit as retriever_fit

    folder = tmp_path_factory.mktemp("bundle")
    known, history = worlds.world(150, 30, 80)
    data = Dataset(known, history, worlds.rows(2_000), worlds.START_MS, worlds.END_MS)
    fitted = retriever_fit.train(RETRIEVER, known, history, data.cut_ms, 1, silent)
    ranker, _ = ranker_fit.train(RANKER, data.rows, 1, silent)
    ranker_fit.calibrate(ranker, data.rows)
    export.save_retriever(fitted.model, known.ids, folder / "retriever", fitted.transitions, fitted.weight)
    export.save_ranker(ranker, folder / "ranker")
    exam = evaluation.build(data, 1)
    return Trained(folder, fitted.model, fitted, ranker, data, exam, fitted.validation_ndcg)


def load(folder: Path) -> Any:
    import tensorflow as tf

    return tf.saved_model.load(str(folder))


def judge(folder: Path, trained: Trained) -> gate.Verdict:
    from magpie_services.training import evaluate

    champion = evaluate.examine(trained.folder, trained.exam)
    new = evaluate.examine(folder, trained.exam)
    return gate.judge(new, new, champion, np.full(len(trained.exam.wanted), 0.1), 1)


def test_the_retriever_finds_the_taste(trained: Trained) -> None:
    from magpie_services.training import evaluate

    marks = evaluate.examine(trained.folder, trained.exam)
    assert len(trained.exam.wanted) > 50
    # Ten items of eighty by chance: about 0.1; a favourite group has ten items.
    assert marks.ndcg.mean() > 0.3
    assert marks.extra["click_auc"] > 0.7


def test_exported_user_vectors_are_those_of_the_model(trained: Trained) -> None:
    import tensorflow as tf

    from magpie_services.training.retrieval import fit as retriever_fit
    from magpie_services.training.retrieval import sequences

    history = trained.exam.history
    inputs = sequences.inputs_at(
        history, history.offsets[1:], np.full(len(history.users), trained.exam.cut_ms)
    )
    served = load(trained.folder / "retriever").signatures["retrieve"](
        items=tf.constant(inputs.items), kinds=tf.constant(inputs.kinds), gaps=tf.constant(inputs.gaps)
    )["vector"]
    own = retriever_fit.user_vectors(trained.retriever, inputs, trained.retriever.vectors())
    np.testing.assert_allclose(served, own, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(served, axis=1), 1.0, atol=1e-5)


def test_exported_transitions_are_those_of_the_table(trained: Trained) -> None:
    import tensorflow as tf

    from magpie_services.training.retrieval import sequences

    past = trained.exam.history
    inputs = sequences.inputs_at(past, past.offsets[1:], np.full(len(past.users), trained.exam.cut_ms))
    served = load(trained.folder / "retriever").signatures["transitions"](items=tf.constant(inputs.items))
    sums = np.zeros((len(past.users), len(trained.data.vocabulary)), np.float32)
    np.add.at(sums, (np.arange(len(sums))[:, None], served["rows"].numpy()), served["scores"].numpy())
    np.testing.assert_allclose(sums, trained.fitted.transitions.scores(past), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(served["weight"].numpy(), trained.fitted.weight)
    wild = tf.constant(np.full((1, 50), 10**6, np.int32))
    served = load(trained.folder / "retriever").signatures["transitions"](items=wild)
    assert not served["scores"].numpy().any()


def test_item_vectors_come_in_pages_with_their_ids(trained: Trained) -> None:
    import tensorflow as tf

    call = load(trained.folder / "retriever").signatures["item_vectors"]
    size = len(trained.data.vocabulary)
    pages = [call(rows=tf.range(at, min(at + 50, size))) for at in range(0, size, 50)]
    ids = [text.decode() for page in pages for text in page["ids"].numpy()]
    vectors = np.concatenate([page["vectors"] for page in pages])
    assert tuple(ids) == trained.data.vocabulary.ids
    assert {int(page["total"][0]) for page in pages} == {size}
    assert not vectors[0].any()
    np.testing.assert_allclose(np.linalg.norm(vectors[1:], axis=1), 1.0, atol=1e-5)
    beyond = call(rows=tf.constant([size + 5, -1]))
    assert beyond["ids"].numpy().tolist() == [b"", b""]
    assert not beyond["vectors"].numpy().any()


def test_every_size_that_is_served_is_warmed_up(trained: Trained) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    from magpie_services.core import buckets

    warmed: dict[str, set[tuple[int, ...]]] = {}
    for model in ("retriever", "ranker"):
        file = trained.folder / model / "assets.extra" / "tf_serving_warmup_requests"
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            name = request.model_spec.signature_name
            # Users, and for the ranker their candidates too.
            tensor = request.inputs["mask"] if name == "rank" else next(iter(request.inputs.values()))
            sizes = [dim.size for dim in tensor.tensor_shape.dim][: 2 if name == "rank" else 1]
            warmed.setdefault(name, set()).add(tuple(sizes))
        declared = set(load(trained.folder / model).signatures)
        assert declared <= warmed.keys(), "a signature without a record could be broken unnoticed"
    assert warmed["rank"] == set(itertools.product(buckets.USERS, buckets.CANDIDATES))
    assert warmed["retrieve"] == warmed["describe"] == {(size,) for size in buckets.READERS}


def test_an_item_that_came_later_has_a_vector_among_its_like(trained: Trained) -> None:
    import tensorflow as tf

    from magpie_services.core import item_codes

    newcomers = worlds.catalogue(8)  # one of each group; `describe` is not told who they are
    vectors = load(trained.folder / "retriever").signatures["describe"](
        tags=tf.constant([item_codes.tags(item) for item in newcomers]),
        brands=tf.constant([item_codes.brand(item) for item in newcomers]),
        bands=tf.constant([item_codes.band(item) for item in newcomers]),
        words=tf.constant([item_codes.words(item) for item in newcomers]),
        pictures=tf.constant([item_codes.picture(item) for item in newcomers]),
    )["vectors"]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    table = trained.retriever.vectors()[1:]  # item n is of group n % 8
    nearest = np.argsort(-(vectors @ table.T), axis=1)[:, :10]
    assert np.mean(nearest % 8 == np.arange(8)[:, None]) > 0.8


def test_somebody_without_history_and_items_out_of_range_do_no_harm(trained: Trained) -> None:
    import tensorflow as tf

    call = load(trained.folder / "retriever").signatures["retrieve"]
    zeros = np.zeros((2, 50), np.int32)
    wild = np.where(np.arange(50) == 49, [[10**6], [-5]], 0).astype(np.int32)
    for items in (zeros, wild):
        found = call(items=tf.constant(items), kinds=tf.constant(zeros), gaps=tf.zeros((2, 50)))["vector"]
        assert not found.numpy().any()


def test_exported_ranking_is_that_of_the_model_for_any_padding(trained: Trained) -> None:
    import tensorflow as tf

    from magpie_services.training.ranking import fit as ranker_fit

    some = trained.data.rows.take(np.arange(12))
    user, items, cross, hashes, recent = ranker_fit.inputs(some)
    own = trained.ranker.probabilities(user, items, cross, hashes, recent).numpy()
    pad = [(0, 0), (0, 15), (0, 0)]
    served = (
        load(trained.folder / "ranker")
        .signatures["rank"](
            user=tf.constant(user),
            items=tf.constant(np.pad(items, pad)),
            cross=tf.constant(np.pad(cross, pad)),
            hashes=tf.constant(np.pad(hashes, pad)),
            recent=tf.constant(recent),
            mask=tf.constant(np.pad(np.ones((12, 1), np.float32), pad[:2])),
        )["probabilities"]
        .numpy()
    )
    np.testing.assert_allclose(served[:, :1], own, atol=1e-6)
    assert not served[:, 1:].any()
    assert served.shape == (12, 16, len(HEADS))


def test_the_light_weights_and_the_schema_travel_with_the_ranker(trained: Trained) -> None:
    import tensorflow as tf

    model = load(trained.folder / "ranker")
    light = model.signatures["light"](unit=tf.constant([0]))
    assert light["weights"].shape == (1, len(HEADS), rows.WIDTH)
    assert light["bias"].shape == (1, len(HEADS))
    assert model.signatures["schema"](unit=tf.constant([0]))["hash"].numpy()[0].decode() == SCHEMA_HASH


def test_warm_up_records_run(trained: Trained) -> None:
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    for name in ("retriever", "ranker"):
        path = trained.folder / name / "assets.extra" / "tf_serving_warmup_requests"
        records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
        model, warmed = load(trained.folder / name), set()
        for record in records:
            request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
            inputs = {key: tf.constant(tf.make_ndarray(value)) for key, value in request.inputs.items()}
            assert request.model_spec.name == name
            model.signatures[request.model_spec.signature_name](**inputs)
            warmed.add(request.model_spec.signature_name)
        assert warmed == set(model.signatures)


def test_without_rows_the_ranker_is_the_prior() -> None:
    from magpie_services.training.ranking import fit as ranker_fit
    from magpie_services.training.ranking import light

    model, epochs = ranker_fit.train(RANKER, rows.empty(), 1, silent)
    some = worlds.rows(50)
    np.testing.assert_allclose(ranker_fit.logits(model, some), light.prior().logits(some.features), atol=1e-4)
    assert epochs == 0


def test_features_of_another_log_are_learnt_by_the_same_code() -> None:
    from magpie_services.training.ranking import fit as ranker_fit
    from magpie_services.training.ranking import light

    rng, whole = np.random.default_rng(4), worlds.rows(2_000)
    features = rng.normal(0, 1, (len(whole), 6)).astype(np.float32)
    clicked = rng.random(len(whole)) < 1 / (1 + np.exp(2 - 2 * features[:, 1]))
    labels = np.where(np.arange(len(HEADS)) == CLICK, clicked[:, None], 0).astype(np.float32)
    known = np.tile((np.arange(len(HEADS)) == CLICK).astype(np.float32), (len(whole), 1))
    made = replace(whole, features=features, labels=labels, known=known)
    belief = light.indifferent((3, 1, 2))
    model, _ = ranker_fit.train(RANKER, made, 1, silent, epochs=1, belief=belief)
    found = ranker_fit.logits(model, made)[:, CLICK]
    assert np.corrcoef(found, features[:, 1])[0, 1] > 0.9


def test_shadow_rows_alone_teach_purchases_and_leave_the_push_without_lift() -> None:
    from magpie_services.training.ranking import fit as ranker_fit
    from magpie_services.training.ranking import light

    shadow = worlds.rows(2_500, sent=False)
    model, _ = ranker_fit.train(RANKER, shadow, 1, silent)
    found, prior = ranker_fit.logits(model, shadow), light.prior().logits(shadow.features)
    assert np.corrcoef(found[:, PURCHASE], shadow.features[:, light.NAMES.index("interest")])[0, 1] > 0.8
    assert np.abs(found[:, DISMISS] - prior[:, DISMISS]).max() < 0.5
    pushed = replace(shadow, sent=np.ones(len(shadow), np.float32))
    np.testing.assert_allclose(ranker_fit.logits(model, pushed)[:, CLICK], found[:, CLICK], atol=1e-5)
    assert np.abs(ranker_fit.logits(model, pushed) - found).max() < 0.05


@pytest.mark.parametrize("encoder", ["recurrent", "convolutional"])
def test_the_other_families_train_too(encoder: Any) -> None:
    from magpie_services.training.retrieval import fit as retriever_fit

    known, history = worlds.world(40, 20, 40)
    plan = RetrieverPlan(encoder=encoder, blocks=1, epochs=1, seconds=1.0)
    fitted = retriever_fit.train(plan, known, history, worlds.END_MS, 1, silent)
    assert fitted.epochs == 1
    assert np.isfinite(fitted.model.vectors()).all()


def test_the_gate_takes_the_same_models_again(trained: Trained) -> None:
    verdict = judge(trained.folder, trained)
    assert verdict.passed, verdict.reasons


@pytest.mark.parametrize("damage", ["truncated", "missing", "turned"])
def test_the_gate_refuses_a_damaged_bundle(trained: Trained, tmp_path: Path, damage: str) -> None:
    shutil.copytree(trained.folder, tmp_path / "bundle")
    data = next((tmp_path / "bundle" / "retriever" / "variables").glob("*.data-*"))
    if damage == "truncated":
        data.write_bytes(data.read_bytes()[:1_000])
    elif damage == "missing":
        shutil.rmtree(tmp_path / "bundle" / "ranker")
    else:
        from magpie_services.training import export

        # One that answers the opposite of what it learnt.
        gain = trained.retriever.reader._norm.gamma
        gain.assign(-gain)
        shutil.rmtree(tmp_path / "bundle" / "retriever")
        export.save_retriever(
            trained.retriever, trained.data.vocabulary.ids, tmp_path / "bundle" / "retriever"
        )
        gain.assign(-gain)
    verdict = judge(tmp_path / "bundle", trained)
    assert not verdict.passed
    assert verdict.reasons
