"""Writes docs/settings.md from the settings classes; `--check` only tells whether it is fresh."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from magpie_services.kit.settings import ServiceSettings

PAGE = Path(__file__).with_name("settings.md")
ROOMS = (
    "profile",
    "candidate",
    "ranking",
    "content",
    "push",
    "feedback",
    "training",
    "model_server",
    "lake",
)
INTRODUCTION = """# Settings

Every service reads its settings from the environment once, at its start. A variable is named after the
service: `MAGPIE_PUSH_LISTEN` is `listen` of `push`. Durations are in seconds. Every setting works on a laptop
as it is, except secrets, which have no default. A variable with a bad value keeps the service from starting
and is named in one line.

This page is made from the code: `.venv/bin/python docs/generate_settings.py`.
"""


def settings_class(room: str) -> type[ServiceSettings]:
    """The settings class of a room. Raises LookupError where its settings module has not exactly one."""
    module = import_module(f"magpie_services.{room}.settings")
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, ServiceSettings)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise LookupError(f"{module.__name__} has {len(found)} settings classes")
    return found[0]


def page() -> str:
    """The whole page."""
    shared = ServiceSettings.model_fields
    parts = [
        INTRODUCTION,
        "## Every service\n\nWith the service's own prefix.\n",
        _table("MAGPIE_<SERVICE>_", shared),
    ]
    for room in ROOMS:
        settings = settings_class(room)
        own = {
            name: field for name, field in settings.model_fields.items() if not _same(field, shared.get(name))
        }
        parts += [f"## {room}\n", _table(settings.model_config.get("env_prefix", ""), own)]
    return "\n".join(parts)


def _same(field: FieldInfo, other: FieldInfo | None) -> bool:
    return other is not None and (field.default, field.description) == (other.default, other.description)


def _table(prefix: str, fields: dict[str, FieldInfo]) -> str:
    rows = [
        f"| `{prefix}{name.upper()}` | {_default(field)} | {_cell(field.description or '')} |"
        for name, field in fields.items()
    ]
    return "\n".join(["| variable | default | what |", "|---|---|---|", *rows, ""])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = str(value).lower()
    return "" if value is None or value == "" else f"`{_cell(str(value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Exit status 1 when asked to check and the page is stale."""
    wanted = page()
    if "--check" not in arguments:
        PAGE.write_text(wanted, "utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text("utf-8") == wanted:
        return 0
    sys.stderr.write(f"{PAGE} is stale: run {Path(__file__).name} without --check\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
