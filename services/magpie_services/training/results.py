"""What the child processes leave in a run's folder for the worker to read."""

from pathlib import Path
from typing import TypeVar

import msgspec

from magpie_services.kit.errors import Invalid
from magpie_services.training.privacy import Guarantee


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a fit: sizes of the data, how training went, the window learnt from, and what
    privacy the ranker guarantees.
    """

    tensorflow: str
    start_ms: int
    end_ms: int
    metrics: dict[str, float]
    privacy: Guarantee | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's word; `champion` is the version that was compared with, 0 for none."""

    champion: int
    passed: bool
    reasons: list[str]
    metrics: dict[str, float]


T = TypeVar("T")

REPORT, OUTCOME = "report.json", "verdict.json"
#: The folder of what a fit needs to go on: histories of people, which stay no longer than that.
PARTIAL = "partial"


def report(folder: Path) -> Report:
    """What the fit left. Raises Invalid where it has not finished."""
    return _read(folder / REPORT, Report)


def outcome(folder: Path) -> Outcome:
    """What the gate said. Raises Invalid where it has not."""
    return _read(folder / OUTCOME, Outcome)


def judged(folder: Path, champion: int) -> bool:
    """Whether the gate has spoken, about this champion and no other."""
    try:
        return outcome(folder).champion == champion
    except Invalid:
        return False


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid("run", f"has no readable {path.name}") from error
