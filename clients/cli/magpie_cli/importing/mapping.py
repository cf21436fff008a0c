"""Which column becomes which field: from a TOML file, or from `--map` and `--set` pairs."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from magpie_cli.failures import BadInput
from magpie_cli.importing.values import time_ms

EVENT_FIELDS = {
    "event_id": False,
    "user_id": True,
    "kind": True,
    "time": True,
    "item_id": False,
    "category": False,
    "query": False,
    "dwell_seconds": False,
    "quantity": False,
    "price": False,
    "currency": False,
    "rating": False,
    "text": False,
    "platform": False,
}
ITEM_FIELDS = {
    "item_id": True,
    "title": True,
    "description": False,
    "locale": False,
    "category": False,
    "brand": False,
    "vendor": False,
    "price": False,
    "list_price": False,
    "currency": False,
    "stock": False,
    "image_uri": False,
    "picture_vector": False,
    "link": False,
    "rating": False,
    "rating_count": False,
    "publish_time": False,
}
FIELDS: Mapping[str, Mapping[str, bool]] = {"events": EVENT_FIELDS, "items": ITEM_FIELDS}
ATTRIBUTE = "attribute."  # attribute.colour=Colour adds the fact "colour"
_SECTIONS = {"columns", "constants", "time_format", "timezone", "category_separator"}


@dataclass(frozen=True)
class ColumnMapping:
    """`columns` and `constants` by field. Times without an offset are in `timezone`; `time_format` is
    strptime's, empty takes ISO 8601 and seconds or milliseconds since 1970."""

    kind: str
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    time_format: str = ""
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    category_separator: str = ">"

    def __post_init__(self) -> None:
        known = FIELDS[self.kind]
        for name in (*self.columns, *self.constants):
            if name not in known and not name.startswith(ATTRIBUTE):
                raise BadInput(f"mapping: {self.kind} have no field {name!r}; they have {', '.join(known)}")
        given = {*self.columns, *self.constants}
        if missing := [name for name, required in known.items() if required and name not in given]:
            raise BadInput(f"mapping: {self.kind} need {', '.join(missing)}; give --map field=column")
        for price in ("price", "list_price"):
            if price in given and "currency" not in given:
                raise BadInput(f"mapping: {price} needs currency too, for example --set currency=EUR")

    def time_ms(self, text: str) -> int:
        """Milliseconds since 1970 of a time as the columns have it. Raises ValueError."""
        return time_ms(text, self.time_format, self.timezone)


def read_mapping(kind: str, path: Path) -> ColumnMapping:
    """A mapping from a TOML file with tables `columns` and `constants`. Raises BadInput."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is no TOML: {error}") from None
    if unknown := sorted(set(values) - _SECTIONS):
        raise BadInput(f"{path}: unknown keys {', '.join(unknown)}; there are {', '.join(sorted(_SECTIONS))}")
    return ColumnMapping(
        kind=kind,
        columns=_texts(path, values, "columns"),
        constants=_texts(path, values, "constants"),
        time_format=str(values.get("time_format", "")),
        timezone=zone(str(values.get("timezone", "UTC"))),
        category_separator=str(values.get("category_separator", ">")),
    )


def parse_pairs(option: str, pairs: Iterable[str]) -> dict[str, str]:
    """`field=value` pairs of a repeated option. Raises BadInput."""
    parsed = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip() or not value:
            raise BadInput(f"{option} {pair!r}: must be field=value")
        parsed[name.strip()] = value
    return parsed


def zone(name: str) -> ZoneInfo:
    """A time zone by its IANA name. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"timezone {name!r} is not an IANA name, for example Europe/London") from None


def _texts(path: Path, values: Mapping[str, Any], section: str) -> dict[str, str]:
    table = values.get(section, {})
    if not isinstance(table, dict):
        raise BadInput(f"{path}: {section} must be a table")
    return {name: str(value) for name, value in table.items()}
