"""Searches and their trials as they are kept."""

from enum import StrEnum
from pathlib import Path

import msgspec

from magpie_services.kit.errors import Invalid
from magpie_services.training import whole

#: What the child of a trial is told in its folder, and what it leaves there: a Task, a Trial.
TASK, ENDED = "trial.json", "ended.json"


class TrialState(StrEnum):
    """running → finished, pruned or failed."""

    RUNNING = "running"
    FINISHED = "finished"
    PRUNED = "pruned"
    FAILED = "failed"


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One set of settings. `tries` counts how often a worker began it."""

    number: int
    state: TrialState = TrialState.RUNNING
    score: float | None = None
    settings: dict[str, str | int | float | bool] = {}
    reason: str = ""
    tries: int = 0

    @property
    def ended(self) -> bool:
        return self.state != TrialState.RUNNING


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, and the trials that were begun, by number."""

    search_id: str
    model: str
    wanted: int
    as_of_ms: int
    seed: int
    created_ms: int
    trials: dict[int, Trial] = {}

    @property
    def done(self) -> bool:
        return sum(trial.ended for trial in self.trials.values()) >= self.wanted

    def best(self, higher_is_better: bool) -> Trial | None:
        """The best of the finished trials."""
        found = [
            trial
            for trial in self.trials.values()
            if trial.state == TrialState.FINISHED and trial.score is not None
        ]
        sign = 1 if higher_is_better else -1
        return max(found, key=lambda trial: sign * (trial.score or 0.0), default=None)


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A trial that has not ended and that no worker is at; `run_id` is "<search>/<number>"."""

    run_id: str
    state: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the child of a trial is told beside its plan."""

    search_id: str
    model: str
    number: int

    def save(self, folder: Path) -> None:
        """Writes `trial.json`."""
        whole.write(folder / TASK, msgspec.json.encode(self))


def task(folder: Path) -> Task:
    """What the child of a trial was told. Raises Invalid where there is nothing that can be read."""
    try:
        return msgspec.json.decode((folder / TASK).read_bytes(), type=Task)
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid("trial", f"has no readable {TASK}") from error


def ended(folder: Path) -> Trial | None:
    """What the child of a trial left; None where it has not, or nothing that can be read."""
    try:
        return msgspec.json.decode((folder / ENDED).read_bytes(), type=Trial)
    except (OSError, msgspec.DecodeError):
        return None
