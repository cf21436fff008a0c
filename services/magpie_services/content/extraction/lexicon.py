"""The lexicon: which words say which value of which attribute, and how sure that is."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from magpie_services.content.attributes import Kind, kind_of
from magpie_services.content.extraction import seeds
from magpie_services.content.extraction.aliases import learn_aliases
from magpie_services.content.extraction.folding import fold
from magpie_services.content.extraction.forms import forms
from magpie_services.content.extraction.matching import Matcher
from magpie_services.content.extraction.samples import Sample, Value
from magpie_services.content.extraction.seeds import BLOCKERS

MOST_WORDS = 20_000
LEAST_ITEMS = 3  # with the words, before the catalogue counts as knowing them
LEAST_CONFIDENCE = 0.6
# Items that weigh as much as what is known of a word anywhere, in a category; as much as trust.
_CATEGORY_PRIOR = 4.0
_TRUST = 2.0


class Entry(NamedTuple):
    """What words say: the value, how sure that is overall and in categories that differ from it."""

    value: Value
    confidence: float
    by_category: dict[str, float]

    def confidence_in(self, category: str) -> float:
        """How sure it is in an item of that category."""
        return self.by_category.get(category, self.confidence)


class Lexicon:
    """Words (folded) and what they say. `single` names the attributes of which an item has one value only."""

    def __init__(self, entries: dict[str, Entry], single: frozenset[str] = frozenset()) -> None:
        self.entries = entries
        self.single = single
        self.matcher = Matcher(entries, BLOCKERS)


def seed_lexicon() -> Lexicon:
    """What is known without a catalogue."""
    return learn([])


def learn(samples: Sequence[Sample]) -> Lexicon:
    """The lexicon of a catalogue. Takes seconds for tens of thousands of items: not for the event loop."""
    support = Counter(value for one in samples for value in one.values)
    candidates: dict[str, Value] = {}
    trusted: set[str] = set()
    others: dict[str, str] = {}
    for value, count in support.most_common(MOST_WORDS):
        own, *spellings = list(forms(value.name, value.value)) or [""]
        for form in [own, *spellings] if own else []:
            candidates.setdefault(form, value)
        others |= {form: own for form in spellings if candidates[form] is value}
        if count >= LEAST_ITEMS:
            trusted.add(own)
    for word, value in learn_aliases(samples, support, candidates).items():
        candidates.setdefault(word, value)
    for word, value in _seeds(support):
        candidates.setdefault(word, value)
        trusted.add(word)
    counts = _Counts(candidates, samples)
    entries = {}
    for word, value in candidates.items():
        entry = counts.entry(word, value, trusted=word in trusted)
        if entry is not None:
            entries[word] = entry
    for word, own in others.items():
        # Another spelling that texts do not use stands for the usual one.
        if word not in entries and own in entries and not counts.known(word):
            entries[word] = entries[own]
    return Lexicon(entries, _single(samples))


class _Counts:
    """How many items have the words, and how many of them the value; all and by category.

    Only items count that give a value of the attribute at all: of the others nobody knows.
    """

    def __init__(self, candidates: dict[str, Value], samples: Iterable[Sample]) -> None:
        self._said: Counter[tuple[str, str]] = Counter()
        self._true: Counter[tuple[str, str]] = Counter()
        matcher = Matcher(candidates, BLOCKERS)
        for one in samples:
            names = {value.name for value in one.values}
            for word in {found.word for found in matcher.find(one.text)}:
                value = candidates[word]
                if value.name in names:
                    for category in ("", one.category) if one.category else ("",):
                        self._said[word, category] += 1
                        self._true[word, category] += value in one.values
        self._categories: dict[str, list[str]] = defaultdict(list)
        for word, category in self._said:
            if category:
                self._categories[word].append(category)

    def known(self, word: str) -> bool:
        """Whether enough items have the words to tell what they mean."""
        return self._said[word, ""] >= LEAST_ITEMS

    def entry(self, word: str, value: Value, *, trusted: bool) -> Entry | None:
        """What the counts say of a word, None where that is too little or too unsure.

        A trusted word (a seed, a value that several items have) means what it says till texts tell otherwise.
        """
        said, true = self._said[word, ""], self._true[word, ""]
        if self.known(word):
            overall = true / said
        elif trusted:
            overall = (true + _TRUST * seeds.CONFIDENCE) / (said + _TRUST)
        else:
            return None
        by_category = {
            category: (self._true[word, category] + _CATEGORY_PRIOR * overall)
            / (self._said[word, category] + _CATEGORY_PRIOR)
            for category in self._categories[word]
        }
        if max(overall, *by_category.values(), 0.0) < LEAST_CONFIDENCE:
            return None
        telling = {
            category: share
            for category, share in by_category.items()
            if (share >= LEAST_CONFIDENCE) is not (overall >= LEAST_CONFIDENCE) or abs(share - overall) > 0.05
        }
        return Entry(value, overall, telling)


def _seeds(support: Counter[Value]) -> Iterator[tuple[str, Value]]:
    """Words known everywhere, under the names that the catalogue has for their kinds."""
    named: dict[Kind, Counter[str]] = defaultdict(Counter)
    for value, count in support.items():
        named[kind_of(value.name, "")][value.name] += count
    for kind, words in seeds.WORDS.items():
        name = named[kind].most_common(1)[0][0] if named[kind] else kind.value
        for word in words:
            yield fold(word), Value(name, word)


def _single(samples: Iterable[Sample]) -> frozenset[str]:
    """The attributes of which hardly any item has two values in one script; colour and material, where the
    catalogue does not tell."""
    items: Counter[str] = Counter()
    several: Counter[str] = Counter()
    for one in samples:
        scripts = Counter((value.name, value.value.isascii()) for value in one.values)
        names = {name for name, _ in scripts}
        items.update(names)
        several.update({name for (name, _), count in scripts.items() if count > 1} & names)
    single = {name for name, count in items.items() if several[name] <= count / 20}
    return frozenset(single | {kind.value for kind in (Kind.COLOUR, Kind.MATERIAL)} - items.keys())
