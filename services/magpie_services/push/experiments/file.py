"""The file of experiments: a TOML array of tables `experiment`, each with its arms as `experiment.arm`."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from magpie_services.kit.errors import CannotStart
from magpie_services.push.experiments.declared import Experiment

_RENAMED = {"id": "experiment_id", "arm": "arms"}
_TIMES = {"start": "start_ms", "end": "end_ms"}


def read(path: Path) -> list[Experiment]:
    """The experiments of a file. Raises CannotStart naming the file and what is wrong in it."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CannotStart(f"{path}: is no TOML: {error}") from None
    listed = tables.pop("experiment", [])
    if tables or not isinstance(listed, list) or not all(isinstance(table, dict) for table in listed):
        raise CannotStart(f"{path}: holds tables [[experiment]] and nothing else")
    return [_one(path, table) for table in listed]


def _one(path: Path, table: dict[str, Any]) -> Experiment:
    name = table.get("id", "without an id")
    fields = {_RENAMED.get(key, key): value for key, value in table.items() if key not in _TIMES}
    try:
        for key in _TIMES.keys() & table.keys():
            fields[_TIMES[key]] = _milliseconds(table[key])
        return msgspec.convert(fields, Experiment)
    except (msgspec.ValidationError, ValueError) as error:
        raise CannotStart(f"{path}: experiment {name}: {error}") from None


def _milliseconds(moment: object) -> int:
    if not isinstance(moment, datetime):
        raise ValueError("start and end are times such as 2026-12-01T00:00:00Z")
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
