"""The templates that a language model may write: words, and typed slots for every fact.

The notation is that of the grammar files without choices and references: "{item} now costs {price}",
"{drop|price drop}: {item}". Only words go between slots: no digit, no link, no markup, no capital letter of a
name, nothing of another script. So a template cannot hold a price or a name, and a mark that could be
mistaken for something else has no place in it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from magpie_services.content import slots
from magpie_services.content.grammar.notation import Slot, Text, parse_line, plain_text
from magpie_services.content.limits import columns
from magpie_services.content.scripts import written
from magpie_services.content.strategies import RULES, Strategy

MAX_SOURCE_CHARS = 300
MAX_LEAVES = 12
MAX_EVIDENCE_COLUMNS = 24
MIN_WORDS_COLUMNS = 6
# Of the item itself: any strategy may name them.
_COMMON = slots.mask("item", "brand", "category", "price", "colour", "material", "attrs", "rating", "ratings")
# What is known of a user has no place in a text that many users get; the rest needs the grammar's care.
_UNSPOKEN = slots.mask(
    "liked", "you", "all_you", "someone", "mw", "topic", "style", "styles", "look", "several"
)
_CHINESE_ONLY = slots.mask("zhe")
_WORDS = {
    "en": re.compile("[A-Za-z ,.!?'’:;–—…-]*"),
    "zh": re.compile("[\u4e00-\u9fff，。！？、：；…—～ ]*"),
}
_SENTENCES = re.compile(r"(?<=[.!?] )(?=\S)")
_ARTICLE = re.compile(r"(?:^|\s)(?:an?|the)\s+$")


class Refused(Exception):
    """A template that cannot be used: `reason` is one lower-case word or two, a label of the metric."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Template(NamedTuple):
    """A text of the model: `needs` are the slots that it fills, `source` what the model wrote."""

    title: tuple[Text | Slot, ...]
    body: tuple[Text | Slot, ...]
    needs: int
    source: tuple[str, str]

    @property
    def id(self) -> str:
        """Its name, the same wherever it is read again."""
        return hashlib.blake2b("\n".join(self.source).encode(), digest_size=6).hexdigest()

    def leaves(self) -> Iterator[Text | Slot]:
        """Of title and body."""
        yield from self.title
        yield from self.body


@cache
def allowed(strategy: Strategy, locale: str) -> int:
    """The slots that a text for a strategy may have."""
    rule = RULES[strategy]
    found = _COMMON | rule.needs | slots.mask("ends")
    for says in rule.says:
        found |= says
    found &= ~_UNSPOKEN
    return found & ~_CHINESE_ONLY if locale == "en" else found


def parse(title: str, body: str, strategy: Strategy, locale: str) -> Template:
    """The template that a title and a body are. Raises Refused."""
    language = locale.partition("-")[0]
    parts = []
    for source in (title, body):
        if not source.strip() or len(source) > MAX_SOURCE_CHARS or "\n" in source or "\\" in source:
            raise Refused("shape")
        try:
            sequence = parse_line(source.strip())
        except ValueError:
            raise Refused("notation") from None
        leaves = tuple(_leaf(node, allowed(strategy, locale), language) for node in sequence)
        if len(leaves) > MAX_LEAVES:
            raise Refused("shape")
        parts.append(tuple(_told(leaves, locale)))
    found = Template(parts[0], parts[1], _needs(parts), (title.strip(), body.strip()))
    if not all(must & found.needs for must in (slots.BITS["item"], *RULES[strategy].says)):
        raise Refused("no_reason")
    if sum(leaf.columns for leaf in found.leaves() if isinstance(leaf, Text)) < MIN_WORDS_COLUMNS:
        raise Refused("no_words")
    return found


def _leaf(node: object, allowed: int, language: str) -> Text | Slot:
    """A node that a template may have. Raises Refused."""
    if isinstance(node, Text):
        if not _WORDS[language].fullmatch(node.text):
            raise Refused("characters")
        return node
    if not isinstance(node, Slot):
        raise Refused("notation")
    if not node.bit & allowed:
        raise Refused("slot")
    if node.nouns or (node.article and language != "en") or (node.words and node.name not in slots.EVIDENCE):
        raise Refused("notation")
    if not _WORDS[language].fullmatch(node.words):
        raise Refused("characters")
    if columns(node.words) > MAX_EVIDENCE_COLUMNS:
        raise Refused("shape")
    return node


def _told(leaves: Iterable[Text | Slot], locale: str) -> Iterator[Text | Slot]:
    """The leaves in the characters of the locale, each English sentence a leaf that starts in lower case.

    Capitals are set where the text is written; one anywhere else is a name. Raises Refused.
    """
    starts, before = True, ""

    def spoken(words: str) -> str:
        text = written(words, locale)
        if starts:
            text = text[:1].lower() + text[1:]
        if text != text.lower():
            raise Refused("capitals")
        return text

    for leaf in leaves:
        if isinstance(leaf, Slot):
            if _ARTICLE.search(before):
                raise Refused("article")
            yield leaf._replace(words=spoken(leaf.words))
            starts, before = False, ""
            continue
        for sentence in _SENTENCES.split(leaf.text):
            before = spoken(sentence)
            yield plain_text(before)
            starts = before.endswith((". ", "! ", "? "))


def _needs(parts: Iterable[Iterable[Text | Slot]]) -> int:
    """The slots of a text that says each thing once, and the item's name once a part. Raises Refused."""
    needs = said = 0
    for leaves in parts:
        here = 0
        for leaf in leaves:
            if isinstance(leaf, Slot):
                if (said | here) & leaf.bit:
                    raise Refused("repeats")
                said |= leaf.says
                here |= leaf.bit
        needs |= here
    return needs
