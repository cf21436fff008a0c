"""Checks a text, whoever wrote it, against the facts of its items. Independent of the realiser.

Levels: block (must not be sent), needs_evidence (allowed only with a fact that is not there), warn.
"""

import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import lru_cache
from types import ModuleType

import msgspec

from magpie_services.content import attributes, numbers, views
from magpie_services.content.evidence import Evidence
from magpie_services.content.lexicon import en, zh
from magpie_services.content.limits import Limits, columns


class Severity(IntEnum):
    """How bad a finding is; the numbers are the wire's."""

    WARN = 1
    NEEDS_EVIDENCE = 2
    BLOCK = 3


class Finding(msgspec.Struct, frozen=True):
    """Something wrong at characters [start, end) of `part`."""

    severity: Severity
    check: str
    part: str
    start: int
    end: int
    reason: str


class _Lexicon(msgspec.Struct, frozen=True):
    """The compiled words of a language. `squeeze`: matched on squeezed text, which has no word borders."""

    squeeze: bool
    block: re.Pattern[str]
    superlative: re.Pattern[str]
    needs_evidence: re.Pattern[str]
    warn: re.Pattern[str]
    legal: re.Pattern[str]
    scarce: re.Pattern[str]
    things: tuple[tuple[str, re.Pattern[str]], ...]
    claims: tuple[tuple[str, re.Pattern[str]], ...]


def _han(words: str) -> re.Pattern[str]:
    return re.compile(words)


def _latin(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9])(?:{words})(?![a-z0-9])")


def _lexicon(words: ModuleType, compiled: Callable[[str], re.Pattern[str]], *, squeeze: bool) -> _Lexicon:
    things = (("colour", words.COLOURS), ("material", words.MATERIALS), ("brand", words.BRANDS))
    return _Lexicon(
        squeeze,
        compiled(words.BLOCK),
        compiled(words.SUPERLATIVE),
        compiled(words.NEEDS_EVIDENCE),
        compiled(words.WARN),
        compiled(words.LEGAL),
        compiled(words.SCARCE),
        tuple((kind, compiled(pattern)) for kind, pattern in things),
        tuple((flag, compiled(pattern)) for flag, pattern in words.CLAIMS),
    )


_ZH = _lexicon(zh, _han, squeeze=True)
_EN = _lexicon(en, _latin, squeeze=False)
_TRAIT = re.compile(rf"({zh.TRAITS})(?=的你|的您)")
_LETTERS = re.compile(r"[a-z]{2}|[a-z0-9][.*_\- ·•][a-z0-9]|#1")
_HAS_HAN = re.compile(r"[\u3400-\u9fff]")
_HIDDEN = re.compile(
    r"[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_MARKUP = re.compile(r"</?[a-zA-Z!][^<>]*>?|\{\{|\}\}|[$#]\{|\{%|&(?:lt|gt|amp|#\d+);")
_LINK = re.compile(
    r"[a-z][a-z0-9+.-]*://\S+|www\.\S+|(?:javascript|vbscript|data):\S|[a-z0-9-]+\.(?:com|cn|net|org|io|top|xyz|shop|vip|cc|me|ly)(?![a-z])"
)
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|(?<!\d)(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?!\d)|(?<!\d)\d{17}[\dx](?!\d)|"
    r"(?<!\d)(?:\d{4}[ -]?){3}\d{4}(?!\d)|(?:微信|wechat|qq) ?[:：号]? ?[a-z0-9_-]{5,}"
)


@lru_cache(maxsize=32_768)
def presentable(text: str) -> bool:
    """Whether a fact's words may be shown at all: nothing blocked, no link, no personal data."""
    view, squeezed = views.plain(text), views.squeezed(text)
    if _MARKUP.search(text) or _LINK.search(view) or _PERSONAL.search(view):
        return False
    return not any(True for _ in _hits(_ZH.block, squeezed, _ZH)) and not any(
        True for _ in _hits(_EN.block, views.unspelt(view), _EN)
    )


def verify(parts: dict[str, str], evidence: Evidence, limits: Limits) -> list[Finding]:
    """All that is wrong with the title, body and description of one message (any of them may be empty)."""
    found = list(_too_long(parts, limits))
    whole = "\n".join(parts.values())
    for finding in _findings(whole, evidence):
        found.append(_placed(finding, parts))
    return found


def passed(findings: list[Finding]) -> bool:
    """Whether nothing blocks the text and no evidence is missing."""
    return all(finding.severity is Severity.WARN for finding in findings)


def _findings(text: str, evidence: Evidence) -> Iterator[Finding]:
    view = views.plain(text)

    def at(start: int, end: int, squeeze: bool = False) -> tuple[int, int]:
        return views.origin(text, start, end, squeeze=squeeze)

    for match in _HIDDEN.finditer(text):
        yield Finding(
            Severity.BLOCK, "hidden_characters", "", *match.span(), "has characters that cannot be seen"
        )
    for match in _MARKUP.finditer(text):
        yield Finding(Severity.BLOCK, "markup", "", *match.span(), "looks like markup or a template")
    for match in _LINK.finditer(view):
        yield Finding(Severity.BLOCK, "link", "", *at(*match.span()), "links belong into the link field")
    for match in _PERSONAL.finditer(view):
        yield Finding(Severity.BLOCK, "personal_data", "", *at(*match.span()), "looks like personal data")
    for match in attributes.SENSITIVE.finditer(view):
        level = Severity.WARN if evidence.says(match[0]) else Severity.BLOCK
        yield Finding(level, "sensitive", "", *at(*match.span()), "touches a sensitive matter")
    for start, end, check, reason in numbers.unsupported(view, evidence):
        yield Finding(Severity.NEEDS_EVIDENCE, check, "", *at(start, end), reason)
    if _HAS_HAN.search(view):
        squeezed = views.squeezed(text)
        for finding in _words(squeezed, _ZH, evidence):
            yield msgspec.structs.replace(finding, **_range(at(finding.start, finding.end, True)))
        for match in _TRAIT.finditer(squeezed):
            if not evidence.says_squeezed(match[1]):
                yield Finding(
                    Severity.NEEDS_EVIDENCE,
                    "unsupported_trait",
                    "",
                    *at(*match.span(), True),
                    f"nobody declared {match[1]}",
                )
    if _LETTERS.search(view):
        for finding in _words(views.unspelt(view), _EN, evidence):
            yield msgspec.structs.replace(finding, **_range(at(finding.start, finding.end)))


def _range(found: tuple[int, int]) -> dict[str, int]:
    return {"start": found[0], "end": found[1]}


def _words(view: str, words: _Lexicon, evidence: Evidence) -> Iterator[Finding]:
    says = evidence.says_squeezed if words.squeeze else evidence.says
    for match in _hits(words.block, view, words):
        yield Finding(
            Severity.BLOCK, "banned_word", "", *match.span(), f"advertising must not say {match[0]}"
        )
    for match in _hits(words.superlative, view, words):
        # Part of the item's own name, not a claim of ours.
        level = Severity.WARN if says(match[0]) else Severity.BLOCK
        yield Finding(level, "superlative", "", *match.span(), f"{match[0]} is a superlative")
    for match in _hits(words.needs_evidence, view, words):
        if not says(match[0]):
            yield Finding(
                Severity.NEEDS_EVIDENCE, "unsupported_claim", "", *match.span(), f"no fact says {match[0]}"
            )
    for match in _hits(words.warn, view, words):
        if not says(match[0]):
            yield Finding(Severity.WARN, "empty_praise", "", *match.span(), f"{match[0]} says nothing")
    if "scarce" not in evidence.flags:
        for match in words.scarce.finditer(view):
            if not says(match[0]):
                yield Finding(
                    Severity.NEEDS_EVIDENCE, "scarcity", "", *match.span(), "the stock does not support this"
                )
    for flag, finder in words.claims:
        if flag not in evidence.flags:
            for match in finder.finditer(view):
                if not says(match[0]):
                    yield Finding(
                        Severity.NEEDS_EVIDENCE,
                        f"unsupported_{flag}",
                        "",
                        *match.span(),
                        f"no fact supports {match[0]}",
                    )
    for kind, finder in words.things:
        for match in finder.finditer(view):
            if not says(match[0]):
                yield Finding(
                    Severity.NEEDS_EVIDENCE,
                    f"unsupported_{kind}",
                    "",
                    *match.span(),
                    f"no fact names the {kind} {match[0]}",
                )


def _hits(finder: re.Pattern[str], view: str, words: _Lexicon) -> Iterator[re.Match[str]]:
    """Matches outside the contexts in which the words are harmless."""
    for match in finder.finditer(view):
        start, end = match.span()
        if not any(legal.start() <= start and end <= legal.end() for legal in words.legal.finditer(view)):
            yield match


def _too_long(parts: dict[str, str], limits: Limits) -> Iterator[Finding]:
    rooms = {
        "title": (limits.title_columns, limits.title_bytes),
        "body": (limits.body_columns, limits.body_bytes),
    }
    for part, (wide, heavy) in rooms.items():
        text = parts.get(part, "")
        if columns(text) > wide or len(text.encode()) > heavy:
            reason = f"takes more than {wide} columns or {heavy} bytes"
            yield Finding(Severity.BLOCK, "too_long", part, 0, len(text), reason)
    description = parts.get("description", "")
    if len(description) > limits.description_chars:
        reason = f"has more than {limits.description_chars} characters"
        yield Finding(
            Severity.BLOCK, "too_long", "description", limits.description_chars, len(description), reason
        )


def _placed(finding: Finding, parts: dict[str, str]) -> Finding:
    """The finding in its own part; one that reaches over a border is cut there."""
    start = finding.start
    for part, text in parts.items():
        if start <= len(text):
            end = min(finding.end - (finding.start - start), len(text))
            return msgspec.structs.replace(finding, part=part, start=start, end=max(start, end))
        start -= len(text) + 1
    return finding
