"""How different texts are from one another: distinct-n (Li et al. 2016) and self-BLEU (Zhu et al. 2018)."""

import math
import re
from collections import Counter
from collections.abc import Sequence

import rjieba

_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*|\d+(?:[.,]\d+)*%?|[\u3400-\u9fff]+")
_EPSILON = (
    0.1  # what a count of nothing becomes: smoothing method 1 of Chen & Cherry 2014, as Texygen uses it
)

Tokens = list[str]


def tokens(text: str) -> Tokens:
    """Words in lower case and numbers, without punctuation; Chinese is cut into words by jieba."""
    found: Tokens = []
    for piece in _WORD.findall(text.lower()):
        found += rjieba.cut(piece) if "\u3400" <= piece[0] <= "\u9fff" else [piece]
    return found


def distinct(texts: Sequence[Tokens], n: int) -> float:
    """Different n-grams over all n-grams."""
    grams = [gram for text in texts for gram in _grams(text, n)]
    return len(set(grams)) / max(1, len(grams))


def self_bleu(texts: Sequence[Tokens], n: int = 4) -> float:
    """Mean BLEU of each text against all others, 1 where all are alike."""
    counted = [[Counter(_grams(text, size)) for size in range(1, n + 1)] for text in texts]
    # The highest count of each n-gram in any text, in which text, and the next highest in another.
    tops: list[dict[tuple[str, ...], tuple[int, int, int]]] = [{} for _ in range(n)]
    for number, sizes in enumerate(counted):
        for top, counts in zip(tops, sizes, strict=True):
            for gram, count in counts.items():
                most, holder, second = top.get(gram, (0, -1, 0))
                top[gram] = (count, number, most) if count > most else (most, holder, max(second, count))
    lengths = Counter(len(text) for text in texts)
    scores = []
    for number, (text, sizes) in enumerate(zip(texts, counted, strict=True)):
        logs = 0.0
        for size, (top, counts) in enumerate(zip(tops, sizes, strict=True), 1):
            total = max(1, len(text) - size + 1)
            hits = 0
            for gram, count in counts.items():
                most, holder, second = top[gram]
                hits += min(count, second if holder == number else most)
            logs += math.log((hits or _EPSILON) / total) / n
        scores.append(math.exp(logs) * _brevity(len(text), lengths))
    return sum(scores) / len(scores)


def _brevity(length: int, lengths: Counter[int]) -> float:
    others = [one for one, count in lengths.items() if one != length or count > 1]
    closest = min(others, key=lambda one: (abs(one - length), one))
    return 1.0 if length > closest else math.exp(1 - closest / max(1, length))


def _grams(text: Tokens, n: int) -> list[tuple[str, ...]]:
    return [tuple(text[at : at + n]) for at in range(len(text) - n + 1)]
