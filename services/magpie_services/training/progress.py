"""What a fit says of itself while it learns, and what follows from it: JSON lines, TensorBoard logs, curves.

A fit is told a `Report` and calls it; it knows nothing of who listens. `Journal` makes the reports of a run:
each word goes to the worker as a line on stdout with the time that is left, each figure to a file of curves
for the training report, and to TensorBoard's event files where TensorFlow is there.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from magpie_services.training.tensorboard import EventFiles

CURVES = "curves.jsonl"
TENSORBOARD = "tensorboard"
# The first per cent says nothing about the rest.
_MIN_SHARE = 0.02


class Report(Protocol):
    """What a fit calls, at least after every epoch."""

    def __call__(
        self,
        activity: str,
        share: float,
        *,
        step: int | None = None,
        loss: float | None = None,
        metric: float | None = None,
    ) -> None:
        """`activity` in words and the `share` of this fit that is done; at the end of an epoch also its
        number, its mean loss and the validation metric. May raise to stop the fit.
        """


def silent(
    activity: str,
    share: float,
    *,
    step: int | None = None,
    loss: float | None = None,
    metric: float | None = None,
) -> None:
    """A report to nobody."""


class News(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line from the child to its worker; `left_seconds` are those until the child ends, as far as is
    known. `stage` names the fit that `step`, `loss` and `metric` are from.
    """

    activity: str = ""
    progress: float = 0.0
    stage: str = ""
    step: int = 0
    loss: float | None = None
    metric: float | None = None
    measure: str = ""
    left_seconds: float | None = None
    problem: str = ""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """An epoch of a fit, as the curves keep it; `seconds` since the journal was opened."""

    stage: str
    step: int
    measure: str = ""
    loss: float | None = None
    metric: float | None = None
    seconds: float = 0.0


class Journal:
    """The reports of one child process. `low` to `high` is the part of the run that it does."""

    def __init__(
        self, folder: Path, tell: Callable[[News], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder = folder
        self._tell = tell
        self._clock = clock
        self._begun = clock()
        self._from: float | None = None
        self._events = EventFiles(folder / TENSORBOARD)

    def say(self, activity: str, progress: float) -> None:
        """A word between fits."""
        self._tell(News(activity=activity, progress=round(progress, 4), left_seconds=self._left(progress)))

    def stage(self, name: str, low: float, high: float, measure: str = "") -> Report:
        """The report of one fit that is the part `low` to `high` of the whole; `measure` names its metric."""

        def report(
            activity: str,
            share: float,
            *,
            step: int | None = None,
            loss: float | None = None,
            metric: float | None = None,
        ) -> None:
            progress = low + (high - low) * min(max(share, 0.0), 1.0)
            self._tell(
                News(
                    activity=activity,
                    progress=round(progress, 4),
                    stage=name,
                    step=step or 0,
                    loss=loss,
                    metric=metric,
                    measure=measure,
                    left_seconds=self._left(progress),
                )
            )
            if step is not None:
                self._keep(name, step, measure, loss, metric)

        return report

    def close(self) -> None:
        """Ends the event files."""
        self._events.close()

    def _left(self, progress: float) -> float | None:
        """From the pace since the first word: a run that was taken up again begins in the middle."""
        if self._from is None:
            self._from = progress
        done = progress - self._from
        if done < _MIN_SHARE:
            return None
        return round((self._clock() - self._begun) * (1 - progress) / done, 1)

    def _keep(self, stage: str, step: int, measure: str, loss: float | None, metric: float | None) -> None:
        seconds = round(self._clock() - self._begun, 3)
        point = Point(stage=stage, step=step, measure=measure, loss=loss, metric=metric, seconds=seconds)
        with (self._folder / CURVES).open("ab") as file:
            file.write(msgspec.json.encode(point) + b"\n")
        figures = {"loss": loss, measure or "metric": metric}
        self._events.add(stage, step, {name: value for name, value in figures.items() if value is not None})


def curves(folder: Path) -> dict[str, list[Point]]:
    """The curves of a run by stage, in order of steps; of an epoch done twice the later one."""
    found: dict[str, dict[int, Point]] = {}
    try:
        lines = (folder / CURVES).read_bytes().splitlines()
    except OSError:
        return {}
    for line in lines:
        try:
            point = msgspec.json.decode(line, type=Point)
        except msgspec.DecodeError:  # cut short when the child was killed
            continue
        found.setdefault(point.stage, {})[point.step] = point
    return {stage: [points[step] for step in sorted(points)] for stage, points in found.items()}


@contextmanager
def journal(folder: Path, tell: Callable[[News], None]) -> Iterator[Journal]:
    """A journal that is closed at the end."""
    opened = Journal(folder, tell)
    try:
        yield opened
    finally:
        opened.close()
