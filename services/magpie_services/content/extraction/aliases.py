"""Other words for a value, learnt from items that have it: a brand's name in Chinese, "blue" for 蓝色.

A word is taken for another name of a value only where the two go together both ways, in several categories.
One way alone is a habit of the shop: all its thermoses may be of steel, and "thermos" does not say so.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise

from magpie_services.content.extraction.samples import Sample, Value

MOST_VALUES = 2_000
_LEAST_ITEMS = 5
_LOOKED_AT = 200  # items of each value
_LEAST_CATEGORIES = 2
_LEAST_IN_CATEGORY = 2
_SHARE_OF_VALUE = 0.5
_SHARE_OF_WORD = 0.9
_LATIN = re.compile(r"[a-zà-ɏ]{2,}(?:[-'][a-zà-ɏ]+)*")
_HAN_RUN = re.compile("[㐀-鿿]{2,}")
_HAN_WORDS = (2, 3, 4)


def learn_aliases(
    samples: Sequence[Sample], support: Mapping[Value, int], known: Collection[str]
) -> dict[str, Value]:
    """Words that are not `known` yet and go with one value as its own name would."""
    often = [value for value, count in support.items() if count >= _LEAST_ITEMS]
    wanted = frozenset(sorted(often, key=lambda value: (-support[value], value))[:MOST_VALUES])
    holders: dict[Value, list[Sample]] = defaultdict(list)
    for one in samples:
        for value in one.values & wanted:
            if len(holders[value]) < _LOOKED_AT:
                holders[value].append(one)
    proposed = {value: words for value in sorted(wanted) if (words := _common(holders[value], known))}
    total: Counter[str] = Counter()
    together: Counter[tuple[Value, str]] = Counter()
    asked = frozenset(word for words in proposed.values() for word in words)
    for one in samples if asked else ():
        words = _words(one) & asked
        total.update(words)
        together.update((value, word) for value in one.values if value in proposed for word in words)
    claims: dict[str, list[Value]] = defaultdict(list)
    for value, words in proposed.items():
        sure = {word for word in words if together[value, word] >= _SHARE_OF_WORD * total[word]}
        for word in sure:
            if not any(word != other and word in other for other in sure):
                claims[word].append(value)
    # What two values claim names neither.
    return {word: values[0] for word, values in claims.items() if len(values) == 1}


def _common(holders: list[Sample], known: Collection[str]) -> frozenset[str]:
    """The words of most of these items, whichever of their categories one looks at."""
    categories: dict[str, list[Sample]] = defaultdict(list)
    for one in holders:
        categories[one.category].append(one)
    several = [group for group in categories.values() if len(group) >= _LEAST_IN_CATEGORY]
    if len(several) < _LEAST_CATEGORIES:
        return frozenset()
    common: frozenset[str] | None = None
    for group in several:
        counts = Counter(word for one in group for word in _words(one))
        most = frozenset(word for word, count in counts.items() if count >= _SHARE_OF_VALUE * len(group))
        common = most if common is None else common & most
        if not common:
            return frozenset()
    return frozenset(word for word in common or () if word not in known)


def _words(one: Sample) -> frozenset[str]:
    """The words of the titles: Latin ones and pairs of them, and runs of two to four Han characters."""
    found: set[str] = set()
    for title in one.titles:
        latin = _LATIN.findall(title)
        found.update(latin)
        found.update(f"{left} {right}" for left, right in pairwise(latin))
        for run in _HAN_RUN.findall(title):
            for size in _HAN_WORDS:
                found.update(run[at : at + size] for at in range(len(run) - size + 1))
    return frozenset(found)
