"""Runs and releases as they are kept: plain values of the domain."""

from enum import StrEnum

import msgspec


class RunState(StrEnum):
    """queued → training → evaluating → releasing → released; refused and failed end it early."""

    QUEUED = "queued"
    TRAINING = "training"
    EVALUATING = "evaluating"
    RELEASING = "releasing"
    RELEASED = "released"
    REFUSED = "refused"
    FAILED = "failed"


ENDED = frozenset({RunState.RELEASED, RunState.REFUSED, RunState.FAILED})


class Learning(msgspec.Struct, frozen=True, kw_only=True):
    """How the fit under way gets on: its newest epoch, with the mean loss and the validation metric."""

    stage: str = ""
    step: int = 0
    loss: float | None = None
    metric: float | None = None
    measure: str = ""
    left_seconds: float | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One way from the lake to a model. `fence` grows each time a worker takes it up: only the last may
    write. `tries` counts how often the step it stands at was begun.
    """

    run_id: str
    state: RunState = RunState.QUEUED
    activity: str = ""
    progress: float = 0.0
    metrics: dict[str, float] = {}
    reason: str = ""
    version: int = 0
    as_of_ms: int = 0
    seed: int = 0
    created_ms: int = 0
    updated_ms: int = 0
    fence: int = 0
    tries: int = 0
    learning: Learning | None = None


class ReleaseState(StrEnum):
    """Where a release stands; all but the record itself follows from who serves and who served."""

    STAGED = "staged"
    STABLE = "stable"
    RETIRED = "retired"
    ROLLED_BACK = "rolled_back"


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A retriever and a ranker, published together."""

    version: int
    run_id: str
    parent_version: int
    metrics: dict[str, float]
    schema_hash: str
    window_start_ms: int
    window_end_ms: int
    created_ms: int
    state: ReleaseState = ReleaseState.STAGED
