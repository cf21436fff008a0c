"""Who was in an experiment and what they did, from the lake: imported by the analysing process only."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from magpie_services.core.events import EventKind
from magpie_services.core.memory import DAY_MS
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.lake import readers
from magpie_services.push.experiments.analysis import Users, window_ms
from magpie_services.push.experiments.declared import Experiment, Metric

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

BEFORE_DAYS = 28
_OUTCOMES = {
    OutcomeKind.CLICKED: Metric.CLICKS,
    OutcomeKind.UNSUBSCRIBED: Metric.OPT_OUTS,
    OutcomeKind.DISMISSED: Metric.DISMISSALS,
}
_DECISIONS = ("user_id", "mode", "verdict", "decided_ms", "chosen", "assignments")


def users(folder: str, experiment: Experiment, now_ms: int) -> Users:
    """The users of the experiment with what they did; those who came in after `now_ms` are not there yet."""
    index, arm, entered, crossed = _entries(folder, experiment, now_ms)
    count = len(index)
    values = {metric: np.zeros(count) for metric in Metric}
    before = np.zeros((count, 2))
    if not count:
        return Users(arm, entered, before, values, crossed)

    def count_in(metric: Metric, who: Ints, at_ms: Ints) -> None:
        late = at_ms - entered[who]
        inside = (late >= 0) & (late < window_ms(experiment, metric))
        values[metric] += np.bincount(who[inside], minlength=count)

    first_ms = int(entered.min())
    for day in readers.scan_outcomes(folder, ["user_id", "kind", "occurred_ms"], first_ms, now_ms):
        for kind, metric in _OUTCOMES.items():
            count_in(metric, *_of(day.filter(pc.equal(day["kind"], kind.value)), index, "occurred_ms"))
    for day in readers.scan_decisions(folder, ["user_id", "mode", "verdict", "decided_ms"], first_ms, now_ms):
        sent = pc.and_(pc.equal(day["mode"], "live"), pc.equal(day["verdict"], "sent"))
        count_in(Metric.PUSHES, *_of(day.filter(sent), index, "decided_ms"))
    since_ms = max(0, first_ms - BEFORE_DAYS * DAY_MS)
    for day in readers.scan_events(folder, ["user_id", "kind", "occurred_ms"], since_ms, now_ms):
        for place, event in enumerate((EventKind.PURCHASE, EventKind.VIEW_ITEM)):
            who, at_ms = _of(day.filter(pc.equal(day["kind"], event.value)), index, "occurred_ms")
            if event is EventKind.PURCHASE:
                count_in(Metric.PURCHASES, who, at_ms)
            early = entered[who] - at_ms
            known = (early > 0) & (early <= BEFORE_DAYS * DAY_MS)
            before[:, place] += np.bincount(who[known], minlength=count)
    return Users(arm, entered, before, values, crossed)


def _entries(folder: str, experiment: Experiment, now_ms: int) -> tuple[dict[str, int], Ints, Ints, int]:
    """Users by id in the order in which they came in, their arms, when, and how many changed arms."""
    number = {arm.name: place for place, arm in enumerate(experiment.arms)}
    index: dict[str, int] = {}
    arms: list[int] = []
    entered: list[int] = []
    crossed = set[str]()
    for day in readers.scan_decisions(folder, list(_DECISIONS), experiment.start_ms, now_ms):
        for user_id, at_ms, name in _assigned(day, experiment.experiment_id):
            arm = number.get(name)
            if arm is None:  # an arm that the file has no more
                continue
            if user_id not in index:
                index[user_id] = len(index)
                arms.append(arm)
                entered.append(at_ms)
            elif arms[index[user_id]] != arm:
                crossed.add(user_id)
    return index, np.array(arms, np.int64), np.array(entered, np.int64), len(crossed)


def _assigned(day: pa.Table, experiment_id: str) -> Iterator[tuple[str, int, str]]:
    """(user, time, arm) of the live decisions of an experiment that reached a choice."""
    day = day.filter(pc.and_(pc.equal(day["mode"], "live"), pc.greater_equal(day["chosen"], 0)))
    lists = day["assignments"].combine_chunks()
    if not len(lists):
        return
    owner = pc.list_parent_indices(lists)
    inner = pc.list_flatten(lists)
    ours = pc.equal(pc.struct_field(inner, "experiment_id"), experiment_id)
    rows = day.take(owner.filter(ours))
    names = pc.struct_field(inner, "arm").filter(ours)
    yield from zip(
        rows["user_id"].to_pylist(), rows["decided_ms"].to_pylist(), names.to_pylist(), strict=True
    )


def _of(rows: pa.Table, index: dict[str, int], time: str) -> tuple[Ints, Ints]:
    """Of the rows about users of the index: whose, and when."""
    coded = rows["user_id"].combine_chunks().dictionary_encode()
    table = np.array([index.get(user_id, -1) for user_id in coded.dictionary.to_pylist()] + [-1], np.int64)
    who = table[np.asarray(coded.indices.fill_null(-1))]
    known = who >= 0
    return who[known], np.asarray(rows[time]).astype(np.int64)[known]
