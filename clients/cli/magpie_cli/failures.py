"""How a command ends: exit codes, and every failure in one line on stderr instead of a traceback."""

import asyncio
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, NoReturn

import grpc
import typer

from magpie import problem_of
from magpie_cli.suite import SuiteFailed


class Exit(IntEnum):
    """What the exit code says."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    FAULT = 70  # as sysexits.h has it: the software itself is wrong
    INTERRUPTED = 130


class BadInput(Exception):
    """What was given on the command line or in a file is faulty; the text names the option, row or column."""


class CommandFailed(Exception):
    """The command did not do what was asked; the text says why."""


_BAD_INPUT = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE}
_REFUSED_AT = re.compile(r"ipv[46]:(\S+): Failed to connect")  # in what gRPC says of a connection
_UNREACHABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def run(work: Coroutine[Any, Any, None], *, as_json: bool = False) -> None:
    """Runs the body of a command; turns what goes wrong into one line and an exit code.

    SIGTERM ends it as Ctrl-C does: contexts are left in order, and a suite is stopped. A fault of its own is
    one line too, unless MAGPIE_TRACEBACK is set.
    """
    try:
        asyncio.run(_until_told(work))
    except typer.Exit:
        raise
    except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:
        code, text = _verdict(_first(error))
        if code is Exit.FAULT and os.environ.get("MAGPIE_TRACEBACK"):
            raise
        _end(code, text, as_json)


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.current_task()
    if task is not None and threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await work


def _first(error: BaseException) -> BaseException:
    """What happened, where several things failed together because of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _verdict(error: BaseException) -> tuple[Exit, str]:
    match error:
        case BadInput():
            return Exit.BAD_INPUT, str(error)
        case CommandFailed() | SuiteFailed():
            return Exit.FAILED, str(error)
        case grpc.aio.AioRpcError():
            problem = problem_of(error)
            if problem.code in _UNREACHABLE:
                return Exit.UNREACHABLE, _silence(str(problem))
            code = Exit.BAD_INPUT if problem.code in _BAD_INPUT else Exit.FAILED
            return code, f"{problem.code.name}: {problem}"
        case KeyboardInterrupt() | asyncio.CancelledError():
            return Exit.INTERRUPTED, "interrupted"
        case _:
            text = f"a fault of its own: {type(error).__name__}; MAGPIE_TRACEBACK=1 shows where"
            return Exit.FAULT, text


def _silence(text: str) -> str:
    """What to say where nobody answers, and what to do about it where nobody is there."""
    if refused := _REFUSED_AT.search(text):
        return (
            f"a service does not answer: nothing listens at {refused[1]}; `magpie up` starts the suite, "
            "`magpie doctor` looks at all of it"
        )
    return f"a service does not answer: {text}"


def give_up(error: BadInput | CommandFailed, *, reported: bool) -> NoReturn:
    """Raises `error`; where the JSON that was printed says it already, ends with its exit code alone."""
    if reported:
        raise typer.Exit(_verdict(error)[0])
    raise error


def _end(code: Exit, text: str, as_json: bool) -> NoReturn:
    if as_json:
        print(json.dumps({"error": text, "exit_code": int(code)}))
    else:
        print(f"magpie: {text}", file=sys.stderr)
    raise typer.Exit(code)
