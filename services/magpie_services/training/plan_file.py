"""The plan file: how the models learn where it shall differ from the settings, as a TOML file with the tables
`retriever` and `ranker`.
"""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from magpie_services.kit.errors import CannotStart, Invalid
from magpie_services.training.plan import RankerPlan, RetrieverPlan

_TABLES: dict[str, type[RetrieverPlan] | type[RankerPlan]] = {
    "retriever": RetrieverPlan,
    "ranker": RankerPlan,
}
# Set elsewhere, so that nobody spends a budget by a line in a file.
_ELSEWHERE = {"ranker.privacy": "MAGPIE_TRAINING_PRIVACY"}


class PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of the plans by name, checked, of the type that the plans want."""

    retriever: dict[str, Any] = {}
    ranker: dict[str, Any] = {}


def read(path: Path) -> PlanFile:
    """What a plan file says. Raises CannotStart naming the file and the key at fault, all of them at once."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CannotStart(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CannotStart(f"{path}: is no TOML: {error}") from None
    found: dict[str, dict[str, Any]] = {}
    faults = []
    for table, values in tables.items():
        if table not in _TABLES:
            faults.append(f"{table}: is no table of a plan; there are {', '.join(_TABLES)}")
        elif not isinstance(values, dict):
            faults.append(f"{table}: must be a table")
        else:
            found[table] = {}
            for name, value in values.items():
                try:
                    found[table][name] = _checked(table, name, value)
                except Invalid as error:
                    faults.append(error.message)
    if faults:
        raise CannotStart("\n".join(f"{path}: {fault}" for fault in faults))
    return PlanFile(**found)


def _checked(table: str, name: str, value: object) -> Any:
    """The value as the plan holds it. Raises Invalid naming the key."""
    key, plan = f"{table}.{name}", _TABLES[table]
    if key in _ELSEWHERE:
        raise Invalid(key, f"is set by {_ELSEWHERE[key]}")
    if name not in plan.__struct_fields__:
        raise Invalid(key, f"is unknown; there are {', '.join(plan.__struct_fields__)}")
    try:
        return getattr(msgspec.convert({name: value}, plan), name)
    except msgspec.ValidationError as error:
        raise Invalid(key, str(error).partition(" - at ")[0]) from None
