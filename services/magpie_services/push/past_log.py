"""Decisions and outcomes that the lake has taken over, by its readers: imported by the replaying process
only.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.lake import readers
from magpie_services.push.replay import Span

_COLUMNS = ("decision_id", "user_id", "mode", "verdict", "decided_ms", "seed", "chosen")
_ARM = ("item_id", "probabilities", "propensity", "price")
_KINDS = {kind.value: kind for kind in OutcomeKind}


def decisions(folder: str, span: Span, but: Sequence[str]) -> Iterator[Decision]:
    """The newest decisions of a span that had arms, `but` for some ids, as far as they are weighed.

    What a newer release wrote and this one cannot read is left out.
    """
    until_ms = span.end_ms or None
    for batch in readers.newest_decisions(
        folder, _COLUMNS, span.start_ms, until_ms, span.limit, arms=_ARM, but=but
    ):
        yield from _decisions(batch)


def outcomes(folder: str, decision_ids: Sequence[str], since_ms: int) -> dict[str, set[OutcomeKind]]:
    """What has come of these decisions; outcomes may bear the time of a clock that is a day slow."""
    found: dict[str, set[OutcomeKind]] = {}
    for batch in readers.outcomes_of(folder, decision_ids, max(0, since_ms - readers.DAY_MS)):
        for decision_id, kind in zip(
            batch["decision_id"].to_pylist(), batch["kind"].to_pylist(), strict=True
        ):
            if kind in _KINDS:
                found.setdefault(decision_id, set()).add(_KINDS[kind])
    return found


def _decisions(batch: pa.RecordBatch) -> Iterator[Decision]:
    arms = batch["arms"]
    starts = arms.offsets.to_pylist()
    inner = arms.values
    names, chances, propensities, prices = (_part(inner, name) for name in _ARM)
    plain = [batch[name].to_pylist() for name in _COLUMNS]
    for number, (identity, user, mode, verdict, decided_ms, seed, chosen) in enumerate(
        zip(*plain, strict=True)
    ):
        if mode not in set(Mode) or verdict not in set(DecisionVerdict):
            continue
        yield Decision(
            decision_id=identity,
            user_id=user,
            mode=Mode(mode),
            verdict=DecisionVerdict(verdict),
            decided_ms=decided_ms,
            seed=int(seed),
            chosen=chosen,
            arms=[
                Arm(
                    item_id=names[at] or "",
                    probabilities=chances[at] or [],
                    propensity=propensities[at] or 0.0,
                    price=prices[at] or 0.0,
                )
                for at in range(starts[number], starts[number + 1])
            ],
        )


def _part(arms: pa.StructArray, name: str) -> list[Any]:
    """One part of all arms; nulls where the file is of before it."""
    if arms.type.get_field_index(name) < 0:
        return [None] * len(arms)
    return list(arms.field(name).to_pylist())
