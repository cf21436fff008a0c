"""`magpie doctor`: looks at everything that must be well, and says what is not."""

import json
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from magpie_cli.checks import Finding, examine
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, endpoints_of
from magpie_cli.failures import Exit, run
from magpie_cli.render import print_json, wide_console

_MARKS = {True: ("ok", "green"), None: ("note", "yellow"), False: ("bad", "red")}


def doctor(
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    redis: Annotated[str, typer.Option(help="Redis to look at; the suite's own otherwise.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check this machine and the suite. Exit code 1: something is bad; 3: a service does not answer."""

    async def work() -> None:
        found = await examine(endpoints_of(state, endpoints), state, redis or _own_redis(state))
        code = exit_code(found)
        if as_json:
            checks = [{"check": one.name, "ok": one.ok, "found": one.text} for one in found]
            print_json({"checks": checks, "exit_code": int(code)})
        else:
            _show(found)
        if code:
            raise typer.Exit(code)

    run(work(), as_json=as_json)


def exit_code(found: list[Finding]) -> Exit:
    """What the findings come to."""
    if any(not one.reachable for one in found):
        return Exit.UNREACHABLE
    return Exit.FAILED if any(one.ok is False for one in found) else Exit.OK


def _own_redis(state: "State") -> str:
    """The address that a running suite wrote down; empty where there is none."""
    try:
        return str(json.loads((state / "suite.json").read_text("utf-8"))["redis_url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _show(found: list[Finding]) -> None:
    table = Table(title="magpie doctor")
    for title in ("check", "", "found"):
        table.add_column(title)
    for one in found:
        table.add_row(one.name, Text(*_MARKS[one.ok]), Text(one.text))
    wide_console().print(table)
