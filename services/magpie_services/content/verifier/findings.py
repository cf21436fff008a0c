"""What a check says of a text."""

from collections.abc import Iterable
from enum import IntEnum

import msgspec


class Severity(IntEnum):
    """How bad a finding is; the numbers are the wire's."""

    WARN = 1
    NEEDS_EVIDENCE = 2
    BLOCK = 3


class Finding(msgspec.Struct, frozen=True):
    """Something wrong at characters [start, end) of `part`, counted in code points of the text as written."""

    severity: Severity
    check: str
    part: str
    start: int
    end: int
    reason: str


def passed(findings: Iterable[Finding]) -> bool:
    """Whether nothing blocks the text and no evidence is missing."""
    return all(finding.severity is Severity.WARN for finding in findings)
