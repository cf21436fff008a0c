"""A job in a process of its own: `python -m MODULE` reads the job from its input and writes the answer.

What takes seconds of Python and, from the lake, Arrow with its memory, does not belong into the process that
decides about people meanwhile.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import TypeVar

import msgspec
import structlog

from magpie_services.core import codec
from magpie_services.kit.errors import Unavailable

log = structlog.get_logger()

Job = TypeVar("Job", bound=msgspec.Struct)
Answer = TypeVar("Answer", bound=msgspec.Struct)


async def run(module: str, job: msgspec.Struct, answer: type[Answer]) -> Answer:
    """The answer of the module to a job; cancelled, the process is killed. Raises Unavailable."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        written, _ = await process.communicate(codec.encode(job))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        log.error("child.failed", module=module, code=process.returncode)
        raise Unavailable("the work did not finish: of less it may")
    return codec.decode(answer, written)


def serve(job: type[Job], work: Callable[[Job], msgspec.Struct]) -> None:
    """The other end: what `__main__` of the module does."""
    sys.stdout.buffer.write(codec.encode(work(codec.decode(job, sys.stdin.buffer.read()))))
