"""What a suite can be told, and how it says that it cannot start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class SuiteFailed(Exception):
    """The suite cannot start or go on; the text is fit for a person."""


@dataclass(frozen=True)
class SuiteOptions:
    """How to run the suite.

    `state` is the folder that holds all of it; `auto_ports` takes free ports in place of the fixed ones;
    `sandbox` lets callers set the time; `webhook` is the address that pushes are posted to (empty: printed);
    `redis_url` names a Redis to use in place of one of its own; `rooms` starts only these (empty: all);
    `environment` adds variables for every process.
    """

    state: Path = Path(".magpie")
    auto_ports: bool = False
    sandbox: bool = False
    webhook: str = ""
    worker: bool = True
    redis_url: str = ""
    rooms: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    start_seconds: float = 240.0
