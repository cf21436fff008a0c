"""What is read from a real lake: labels belong to the pushes that were sent, the past to the past."""

import shutil
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from tests.unit.training import worlds

from magpie_services.core import item_codes
from magpie_services.core.columns import bucket
from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.feature_schema import SCHEMA_HASH
from magpie_services.core.items import pictured
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.lake import schemas
from magpie_services.training import dataset, evaluation
from magpie_services.training.dataset import Dataset
from magpie_services.training.plan import Plan, RankerPlan, RetrieverPlan
from magpie_services.training.ranking.rows import (
    CLICK,
    DISMISS,
    ORGANIC,
    ORGANIC_DAY,
    PURCHASE,
    PURCHASE_DAY,
    WIDTH,
)

DECISIONS = 200


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lake")
    worlds.lake(folder, users=60, events=20, items=40, decisions=DECISIONS)
    return folder


def load(lake: Path, **changes: object) -> Dataset:
    return dataset.load(Plan(run_id="r", folder="", lake_folder=str(lake), **changes))  # type: ignore[arg-type]


def test_all_of_it_is_read(lake: Path) -> None:
    data = load(lake)
    assert len(data.vocabulary) == 41
    assert len(data.history) == 60 * 20
    assert len(data.rows) == DECISIONS * 4
    assert np.unique(data.rows.decisions).size == DECISIONS
    assert (data.rows.weights == 2.0).all()  # logged with chance one half
    assert data.start_ms < data.cut_ms < data.end_ms


def test_a_click_is_asked_of_sent_pushes_only(lake: Path) -> None:
    rows = load(lake).rows
    assert rows.sent.sum() == DECISIONS / 2
    assert (rows.known[:, CLICK] <= rows.sent).all()
    assert (rows.known[:, PURCHASE] == rows.sent).all()
    assert (rows.known[:, ORGANIC] == 1 - rows.sent).all()
    assert rows.labels[:, CLICK].sum() > 10
    assert rows.labels[:, DISMISS].sum() == 0


def test_purchases_come_from_the_log(lake: Path) -> None:
    rows = load(lake).rows
    assert 0 < rows.labels[:, [PURCHASE, ORGANIC]].sum() < len(rows) / 4
    assert rows.labels[:, [PURCHASE_DAY, ORGANIC_DAY]].sum() < rows.labels[:, [PURCHASE, ORGANIC]].sum()
    young = rows.decided_ms > rows.decided_ms.max() - 86_400_000
    assert (rows.shares[young, PURCHASE] < 1).all()
    assert rows.shares.max() == 1.0


def test_the_future_is_not_read(lake: Path) -> None:
    as_of_ms = worlds.START_MS + 30 * worlds.DAY_MS
    data = load(lake, as_of_ms=as_of_ms)
    assert data.end_ms == as_of_ms
    assert data.history.at_ms.max() <= as_of_ms
    assert data.rows.decided_ms.max() <= as_of_ms
    clicked = data.rows.labels[:, CLICK].sum()
    assert 0 < clicked < load(lake).rows.labels[:, CLICK].sum()


def test_hashes_and_recent_items_are_those_that_ranking_computes(lake: Path) -> None:
    data = load(lake)
    rows, history = data.rows, data.history
    row = int(np.argmax(rows.decided_ms))
    user = int(rows.groups[row])
    mine = slice(history.offsets[user], history.offsets[user + 1])
    seen = history.items[mine][history.at_ms[mine] <= rows.decided_ms[row]][-20:]
    expected = [bucket("item", data.vocabulary.ids[item]) for item in seen]
    assert rows.recent[row][-len(expected) :].tolist() == expected
    assert not rows.recent[row][: 20 - len(expected)].any()
    groups = {bucket("category", f"c{number}") for number in range(8)}
    assert set(rows.hashes[:, 1].tolist()) <= groups


def test_memory_is_bounded(lake: Path) -> None:
    data = load(lake, retriever=RetrieverPlan(max_events=300), ranker=RankerPlan(max_rows=200))
    assert len(data.history) <= 300
    assert len(data.rows) < 300
    # What was bought before the log begins is not known: decisions of that time teach nothing.
    assert data.rows.decided_ms.min() >= data.start_ms
    assert load(lake, ranker=RankerPlan(max_rows=200)).rows.sent.sum() == DECISIONS / 2


def test_a_campaign_has_one_number_on_all_days_and_pushes_without_one_none(lake: Path) -> None:
    rows = load(lake).rows
    # The lake of the world sends every third decision for one of two campaigns, or for none, in turns.
    count = {number: int((rows.campaigns == number).sum()) for number in np.unique(rows.campaigns).tolist()}
    assert sorted(count) == [-1, 1, 2]
    assert all(held > len(rows) / 4 for held in count.values())


def test_an_empty_lake_is_empty(tmp_path: Path) -> None:
    data = load(tmp_path)
    assert (len(data.vocabulary), len(data.history), len(data.rows)) == (1, 0, 0)


def test_the_exam_asks_what_came_after_the_cut_and_survives_the_disk(lake: Path, tmp_path: Path) -> None:
    data = load(lake)
    exam = evaluation.build(data, 1)
    assert exam.history.at_ms.max() <= data.cut_ms
    assert (exam.rows.decided_ms > data.cut_ms).all()
    assert len(exam.wanted) == len(exam.history.users) > 20
    exam.save(tmp_path / "exam.npz")
    again = evaluation.load(tmp_path / "exam.npz")
    assert again.wanted == exam.wanted
    assert again.ids == exam.ids
    np.testing.assert_array_equal(again.rows.features, exam.rows.features)
    np.testing.assert_array_equal(again.history.at_ms, exam.history.at_ms)


def test_an_outcome_of_a_kind_that_only_a_newer_release_knows_is_left_out_and_counted(
    lake: Path, tmp_path: Path
) -> None:
    usual = load(lake)
    newer = shutil.copytree(lake, tmp_path / "lake")
    spec = schemas.OUTCOMES
    strange = [
        Outcome(outcome_id=f"s{n}", decision_id=f"d{n}", kind="teleported", occurred_ms=worlds.END_MS)  # type: ignore[arg-type]
        for n in range(3)
    ]
    write_deltalake(str(newer / spec.name), pa.table(spec.batch(strange, range(3))), mode="append")
    found = load(newer)
    assert (usual.unknown_outcomes, found.unknown_outcomes) == (0, 3)
    np.testing.assert_array_equal(found.rows.labels, usual.rows.labels)


def test_outcomes_from_before_a_log_that_was_cut_short_are_not_held(lake: Path, tmp_path: Path) -> None:
    older = shutil.copytree(lake, tmp_path / "lake")
    spec, at_ms = schemas.OUTCOMES, worlds.START_MS
    strange = Outcome(outcome_id="s", decision_id="d0", kind="teleported", occurred_ms=at_ms)  # type: ignore[arg-type]
    write_deltalake(str(older / spec.name), pa.table(spec.batch([strange], [0])), mode="append")
    cut = load(older, retriever=RetrieverPlan(max_events=300))
    assert cut.start_ms > at_ms + worlds.DAY_MS
    assert (cut.unknown_outcomes, load(older).unknown_outcomes) == (0, 1)
    assert cut.rows.labels[:, CLICK].sum() > 0


def test_shadows_beside_live_pushes_do_not_make_a_channel_one_that_never_tells(tmp_path: Path) -> None:
    worlds.lake(tmp_path, users=60, events=20, items=40, decisions=0)
    features = np.zeros(WIDTH, "<f4").tobytes()
    at_ms = worlds.START_MS + 10 * worlds.DAY_MS
    made = [
        Decision(
            decision_id=f"t{number}",
            user_id=f"u{number:04d}",
            mode=Mode.LIVE if number < 4 else Mode.SHADOW,
            verdict=DecisionVerdict.SENT,
            decided_ms=at_ms,
            arms=[Arm(item_id="i0001", features=features, propensity=0.5), Arm()],
            chosen=0,
            channel="fcm",
            schema_hash=SCHEMA_HASH,
        )
        for number in range(30)
    ]
    arrived = [
        Outcome(outcome_id=f"a{n}", decision_id=f"t{n}", kind=OutcomeKind.DELIVERED, occurred_ms=at_ms + 1)
        for n in range(3)
    ]
    for spec, several in ((schemas.DECISIONS, made), (schemas.OUTCOMES, arrived)):
        write_deltalake(
            str(tmp_path / spec.name), pa.table(spec.batch(several, range(len(several)))), mode="append"
        )
    found = load(tmp_path).rows
    assert found.known[found.sent > 0, CLICK].tolist() == [1, 1, 1, 0], "silence of the fourth is no answer"


def test_pictures_come_from_the_newest_version_of_an_item(lake: Path, tmp_path: Path) -> None:
    assert load(lake).vocabulary.pictures.shape[1] == 0
    shown = shutil.copytree(lake, tmp_path / "lake")
    item = msgspec.structs.replace(
        worlds.catalogue(1)[0], version=2, updated_ms=worlds.END_MS, picture_vector=pictured([3.0, -4.0])
    )
    spec = schemas.ITEMS
    write_deltalake(str(shown / spec.name), pa.table(spec.batch([item], [9])), mode="append")
    known = load(shown).vocabulary
    assert known.pictures.any(axis=1).sum() == 1
    np.testing.assert_array_equal(known.pictures[known.index[item.item_id]], item_codes.picture(item))
