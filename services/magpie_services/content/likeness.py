"""How alike two texts are, so that variants asked for together differ in more than a comma."""

import re

_TOKEN = re.compile("[\u3400-\u9fff]|[a-z']+|[0-9.,]+")
# From this share of common runs of three words on, a text is a repetition.
TOO_ALIKE = 0.6


def shingles(text: str) -> frozenset[tuple[str, ...]]:
    """The runs of three words (of Chinese, characters) of a text."""
    tokens = _TOKEN.findall(text.casefold())
    return frozenset(zip(tokens, tokens[1:], tokens[2:], strict=False)) or frozenset([tuple(tokens)])


def alike(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    """Whether two texts share so many runs (Jaccard) that one is enough."""
    return len(one & other) >= TOO_ALIKE * len(one | other)
