"""What a fit says becomes lines for the worker, curves for the report and event files for TensorBoard."""

import math
from pathlib import Path

import msgspec
import pytest

from magpie_services.training import child, progress
from magpie_services.training.progress import Journal, News


def test_lines_carry_figures_and_the_time_left(tmp_path: Path) -> None:
    told: list[News] = []
    now = 100.0
    journal = Journal(tmp_path, told.append, clock=lambda: now)
    journal.say("reading", 0.0)
    report = journal.stage("retriever", 0.2, 0.6, "ndcg_at_10")
    now = 110.0
    report("epoch 1", 0.5, step=1, loss=2.5, metric=0.125)
    journal.close()
    assert told[0] == News(activity="reading")
    assert told[1].progress == pytest.approx(0.4)
    assert told[1].left_seconds == pytest.approx(15.0)
    assert (told[1].stage, told[1].step, told[1].measure) == ("retriever", 1, "ndcg_at_10")


def test_time_left_after_a_resume_is_not_told_from_work_done_before(tmp_path: Path) -> None:
    told: list[News] = []
    now = 0.0
    journal = Journal(tmp_path, told.append, clock=lambda: now)
    journal.say("goes on", 0.5)
    now = 10.0
    journal.say("further", 0.75)
    assert told[1].left_seconds == pytest.approx(10.0)


def test_curves_are_read_by_stage_and_an_epoch_done_twice_counts_once(tmp_path: Path) -> None:
    told: list[News] = []
    report = Journal(tmp_path, told.append).stage("ranker", 0, 1, "logloss")
    for step, loss in ((1, 3.0), (2, 2.0), (2, 1.5)):
        report("epoch", 0.5, step=step, loss=loss)
    with (tmp_path / progress.CURVES).open("ab") as file:
        file.write(b'{"stage": "rank')  # killed in the midst of a line
    points = progress.curves(tmp_path)["ranker"]
    assert [(point.step, point.loss) for point in points] == [(1, 3.0), (2, 1.5)]
    assert progress.curves(tmp_path / "nowhere") == {}


def test_what_is_not_a_number_travels_as_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Journal(tmp_path, child.tell).stage("ranker", 0, 1)("epoch 1", 1.0, step=1, loss=math.nan)
    assert msgspec.json.decode(capsys.readouterr().out, type=News).loss is None


@pytest.mark.tensorflow
def test_tensorboard_reads_the_same(tmp_path: Path) -> None:
    import tensorflow as tf
    from tensorflow.core.util import event_pb2

    report = Journal(tmp_path, lambda news: None).stage("retriever", 0, 1, "ndcg_at_10")
    report("epoch 1", 1.0, step=7, loss=2.5, metric=0.5)
    (path,) = (tmp_path / progress.TENSORBOARD / "retriever").glob("events.*")
    events = [event_pb2.Event.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]
    found = {
        value.tag: (event.step, float(tf.make_ndarray(value.tensor)))
        for event in events
        for value in event.summary.value
    }
    assert found == {"loss": (7, 2.5), "ndcg_at_10": (7, 0.5)}
    assert events[-1].summary.value[0].metadata.plugin_data.plugin_name == "scalars"
