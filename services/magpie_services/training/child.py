"""The two ends of a training child: the task starts it with limits and follows its lines; the child says
them.
"""

import argparse
import asyncio
import fcntl
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from magpie_services.kit.errors import CannotStart, MagpieError
from magpie_services.training import orphan, whole
from magpie_services.training import plan as plans
from magpie_services.training.plan import Plan
from magpie_services.training.progress import News

Progress = Callable[[News], Awaitable[None]]

REFUSED = 3
OUT_OF_MEMORY = 4
TICK_SECONDS = 10.0
MAX_LINE_BYTES = 1 << 20


class ChildFailed(Exception):
    """The child ended without finishing; the text is fit for a person. `final` when another try would fail
    too.
    """

    def __init__(self, text: str, *, final: bool) -> None:
        super().__init__(text)
        self.final = final


async def run(module: str, plan: Plan, progress: Progress, *, memory_mb: int, timeout_seconds: float) -> None:
    """Runs `python -m module --run FOLDER` to its end; its stderr goes to `<module>.log` in the folder.

    `progress` is called with each line and at least every 10 s; what it raises kills the child.
    Raises ChildFailed.
    """
    limits = ["--memory-mb", str(memory_mb), "--parent", str(os.getpid())]
    command = [sys.executable, "-m", module, "--run", plan.folder, *limits]
    with (plan.path / f"{module.rpartition('.')[2]}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=_environment(plan.threads),
            limit=MAX_LINE_BYTES,
        )
    try:
        async with asyncio.timeout(timeout_seconds):
            problem = await _follow(process, progress)
            code = await process.wait()
    except TimeoutError:
        raise ChildFailed(f"took longer than {timeout_seconds:.0f} s", final=True) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code == REFUSED:
        raise ChildFailed(problem or "was refused", final=True)
    if code in (OUT_OF_MEMORY, -9):
        raise ChildFailed(f"ran out of memory (limit {memory_mb} MB)", final=code == OUT_OF_MEMORY)
    if code:
        raise ChildFailed(
            f"the training process ended with code {code}; its log is beside the run", final=False
        )


async def _follow(process: asyncio.subprocess.Process, progress: Progress) -> str:
    """Passes lines on; answers the problem that the child named, if any."""
    assert process.stdout is not None  # noqa: S101 - asked for above
    latest = News(activity="starting")
    while True:
        try:
            line = await asyncio.wait_for(process.stdout.readline(), TICK_SECONDS)
        except TimeoutError:
            await progress(latest)
            continue
        if not line:
            return latest.problem
        try:
            latest = msgspec.json.decode(line, type=News)
        except msgspec.DecodeError:
            continue  # a library that prints
        await progress(latest)


def _environment(threads: int) -> dict[str, str]:
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow", "PYTHONUNBUFFERED": "1"}
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {**os.environ, **quiet, **dict.fromkeys(names, str(threads))}


def tell(news: News) -> None:
    """In the child: one line to the worker."""
    sys.stdout.write(msgspec.json.encode(news).decode() + "\n")
    sys.stdout.flush()


def say(activity: str, progress: float) -> None:
    """In the child: one line of progress (0 to 1)."""
    tell(News(activity=activity, progress=round(progress, 4)))


def leave(path: Path, result: msgspec.Struct) -> None:
    """In the child: writes a result that is there whole or not at all."""
    whole.write(path, msgspec.json.encode(result))


def main(work: Callable[[Plan], None]) -> None:
    """The body of a child's `__main__`: limits, plan, work; typed errors are told on stdout, all others in
    the log.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True, type=Path, help="work folder of the run, with its plan.json")
    parser.add_argument("--memory-mb", type=int, default=0, help="limit of private memory; 0: none")
    parser.add_argument("--parent", type=int, default=0, help="process to end with; 0: none")
    told = parser.parse_args()
    if told.parent:
        orphan.die_with(told.parent)
    if told.memory_mb:
        limit = told.memory_mb << 20
        # Private memory, not address space: TensorFlow reserves far more of the latter than it uses.
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        plan = plans.load(told.run)
        with (told.run / "lock").open("w") as lock:
            # A worker that was killed may have left a child behind, which ends within a second.
            fcntl.flock(lock, fcntl.LOCK_EX)
            work(plan)
    except (MagpieError, CannotStart) as error:
        tell(News(problem=str(error)))
        sys.exit(REFUSED)
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
