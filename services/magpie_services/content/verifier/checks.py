"""All checks of one text, in order, and the places of what they find."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from magpie_services.content.limits import Limits, columns
from magpie_services.content.verifier import amounts, disguise, hygiene, moment, views, words
from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.findings import Finding, Severity
from magpie_services.content.verifier.lexicon import cleared, lexicon

# What is longer is too long for every channel, and is found to be: the rest of it need not be read.
READ_CHARS = 4_000
# More of one text help nobody, and each has to be traced back to its place.
MAX_FINDINGS = 64


def verify(parts: Mapping[str, str], facts: Facts, limits: Limits) -> list[Finding]:
    """What is wrong with the title, body and description of one message (any of them may be empty).

    At most some MAX_FINDINGS warnings and as many others.
    """
    found = list(_too_long(parts, limits))
    if reason := moment.problem(facts):
        part = next((part for part, text in parts.items() if text), "title")
        found.append(Finding(Severity.BLOCK, "reason_gone", part, 0, len(parts.get(part, "")), reason))
    warnings = 0
    for finding in _findings(_read(parts), facts, Severity.WARN):
        warnings += finding.severity is Severity.WARN
        if finding.severity is not Severity.WARN or warnings <= MAX_FINDINGS:
            found.append(_placed(finding, parts))
        if len(found) - warnings > MAX_FINDINGS:
            break
    return found


def holds(parts: Mapping[str, str], facts: Facts, limits: Limits) -> bool:
    """Whether `passed(verify(...))`, found out sooner: the first finding that matters ends the search."""
    if moment.problem(facts) or any(_too_long(parts, limits)):
        return False
    return not any(_findings(_read(parts), facts, Severity.NEEDS_EVIDENCE))


@lru_cache(maxsize=32_768)
def presentable(text: str) -> bool:
    """Whether a fact's words may be shown at all: nothing blocked, no link, no personal data."""
    plain, squeezed, spaced = views.plain(text), views.squeezed(text), views.spaced(text)
    if hygiene.markup(text) or hygiene.formula(text):
        return False
    if any(hygiene.links(plain)) or any(hygiene.personal(plain)):
        return False
    known = lexicon()
    return not any(
        hit.entry.level is Severity.BLOCK and not hit.entry.unless
        for hit in (*words.whole(known.han(squeezed), text, squeezed), *cleared(known.latin(spaced)))
    )


def _read(parts: Mapping[str, str]) -> str:
    return "\n".join(text[:READ_CHARS] for text in parts.values())


def _findings(text: str, facts: Facts, least: Severity) -> Iterator[Finding]:
    """Findings of a level or above it, in a text of all parts, one a line."""
    plain = views.plain(text)
    squeezed, spaced = views.squeezed(text) if views.has_han(plain) else "", views.spaced(text)
    yield from hygiene.findings(text, plain)
    for start, end, verdict in amounts.unsupported(plain, facts):
        place = views.plain_origin(text, start, end)
        yield Finding(Severity.NEEDS_EVIDENCE, verdict.check, "", *place, verdict.reason)
    yield from words.findings(text, squeezed, spaced, facts, least)
    yield from disguise.findings(text, plain, squeezed, facts)


def _too_long(parts: Mapping[str, str], limits: Limits) -> Iterator[Finding]:
    rooms = {
        "title": (limits.title_columns, limits.title_bytes),
        "body": (limits.body_columns, limits.body_bytes),
    }
    for part, (wide, heavy) in rooms.items():
        text = parts.get(part, "")
        if columns(text) > wide or len(text.encode(errors="replace")) > heavy:
            reason = f"takes more than {wide} columns or {heavy} bytes"
            yield Finding(Severity.BLOCK, "too_long", part, 0, len(text), reason)
    description = parts.get("description", "")
    if len(description) > limits.description_chars:
        reason = f"has more than {limits.description_chars} characters"
        yield Finding(
            Severity.BLOCK, "too_long", "description", limits.description_chars, len(description), reason
        )


def _placed(finding: Finding, parts: Mapping[str, str]) -> Finding:
    """The finding in its own part; one that reaches over a border is cut there."""
    start = finding.start
    for part, text in parts.items():
        if start < min(len(text), READ_CHARS) or (start == len(text) and finding.end - finding.start == 0):
            end = min(finding.end - (finding.start - start), len(text))
            return msgspec.structs.replace(finding, part=part, start=start, end=end)
        start -= min(len(text), READ_CHARS) + 1
    return finding
