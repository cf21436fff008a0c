"""How a command ends: exit codes, and every failure in one line on stderr instead of a traceback."""

import asyncio
import json
import sys
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
    INTERRUPTED = 130


class BadInput(Exception):
    """What was given on the command line or in a file is faulty; the text names the option, row or column."""


class CommandFailed(Exception):
    """The command did not do what was asked; the text says why."""


_BAD_INPUT = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE}
_UNREACHABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def run(work: Coroutine[Any, Any, None], *, as_json: bool = False) -> None:
    """Runs the body of a command; turns what goes wrong into one line and an exit code."""
    try:
        asyncio.run(work)
    except BadInput as error:
        _end(Exit.BAD_INPUT, str(error), as_json)
    except (CommandFailed, SuiteFailed) as error:
        _end(Exit.FAILED, str(error), as_json)
    except grpc.aio.AioRpcError as error:
        problem = problem_of(error)
        if problem.code in _UNREACHABLE:
            _end(Exit.UNREACHABLE, f"a service does not answer: {problem}", as_json)
        code = Exit.BAD_INPUT if problem.code in _BAD_INPUT else Exit.FAILED
        _end(code, f"{problem.code.name}: {problem}", as_json)
    except KeyboardInterrupt:
        _end(Exit.INTERRUPTED, "interrupted", as_json)


def _end(code: Exit, text: str, as_json: bool) -> NoReturn:
    if as_json:
        print(json.dumps({"error": text, "exit_code": int(code)}))
    else:
        print(f"magpie: {text}", file=sys.stderr)
    raise typer.Exit(code)
