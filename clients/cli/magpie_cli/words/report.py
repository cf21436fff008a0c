"""Words with what they stand on, and what is wrong with them, as tables."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from magpie.v1 import content_service_pb2 as content
from magpie_cli.words.choices import word
from magpie_cli.words.preview import visible

_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_PARTS = {
    content.MESSAGE_PART_TITLE: "title",
    content.MESSAGE_PART_BODY: "body",
    content.MESSAGE_PART_DESCRIPTION: "description",
}
_STYLES = {
    content.SEVERITY_WARN: "yellow",
    content.SEVERITY_NEEDS_EVIDENCE: "red",
    content.SEVERITY_BLOCK: "bold red",
}


def show_spans(console: Console, message: content.Message) -> None:
    """The text with its claims underlined and numbered, then the fact behind each."""
    numbered = list(enumerate(message.spans, 1))
    for part, text in _parts(message.title, message.body, message.description):
        claims = [(number, span) for number, span in numbered if span.part == part]
        console.print(Text(f"{_PARTS[part]}: ", style="dim") + _marked(text, claims))
    if not numbered:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("", "words", "field", "value", "source", "version"):
        table.add_column(title, overflow="fold")
    texts = dict(_parts(message.title, message.body, message.description))
    for number, span in numbered:
        words = visible(texts.get(span.part, "")[span.start : span.end])
        value, source = visible(span.value), visible(span.source)
        row = (str(number), words, visible(span.field), value, source, str(span.version))
        table.add_row(*map(Text, row))
    console.print(table)


def show_verdict(console: Console, verdict: content.Verdict, texts: dict[int, str]) -> None:
    """Passed or not, and every finding with the words that it is about; `texts` by part."""
    style = "bold green" if verdict.passed else "bold red"
    console.print(Text("verified: every claim has its fact" if verdict.passed else "must not be sent", style))
    if not verdict.findings:
        return
    table = Table(box=None, pad_edge=False)
    for title in ("severity", "check", "where", "words", "reason"):
        table.add_column(title, overflow="fold")
    for found in verdict.findings:
        words = visible(texts.get(found.part, "")[found.start : found.end])
        table.add_row(
            Text(word(content.Severity.Name(found.severity)), _STYLES.get(found.severity, "")),
            Text(found.check.replace("_", " ")),
            Text(_PARTS.get(found.part, "")),
            Text(words),
            Text(visible(found.reason)),
        )
    console.print(table)


def show_form(console: Console, message: content.Message, eligible: Sequence[int]) -> None:
    """How it speaks and why so."""
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {
        "strategy": word(content.Strategy.Name(message.strategy)),
        "tone": word(content.Tone.Name(message.tone)),
        "form": message.variant_id,
        "propensity": f"{message.propensity:.4g}",
        "circumstances": message.context,
        "written by": "safe template" if message.safe_template else _writer(message.writer),
        "possible": ", ".join(
            word(content.Strategy.Name(content.Strategy.ValueType(one))) for one in eligible
        ),
    }
    for name, value in rows.items():
        if value:
            table.add_row(Text(name, style="dim"), Text(visible(value)))
    console.print(table)


def _writer(number: content.Writer.ValueType) -> str:
    return word(content.Writer.Name(number)) if number else ""


def texts_of(title: str, body: str, description: str) -> dict[int, str]:
    """The texts by their part."""
    return dict(_parts(title, body, description))


def _parts(title: str, body: str, description: str) -> list[tuple[content.MessagePart.ValueType, str]]:
    parts = (
        (content.MESSAGE_PART_TITLE, title),
        (content.MESSAGE_PART_BODY, body),
        (content.MESSAGE_PART_DESCRIPTION, description),
    )
    return [(part, text) for part, text in parts if text]


def _marked(text: str, claims: Sequence[tuple[int, content.Span]]) -> Text:
    """The text with each claim underlined and its number after it."""
    marked, at = Text(), 0
    for end in sorted({len(text), *(span.end for _, span in claims)}):
        if end > len(text):
            break
        for place in range(at, end):
            inside = any(span.start <= place < span.end for _, span in claims)
            marked.append(visible(text[place]), "underline" if inside else "")
        numbers = [str(number) for number, span in claims if span.end == end]
        marked.append(" ".join(numbers).translate(_SUPERSCRIPTS), "cyan")
        at = end
    return marked
