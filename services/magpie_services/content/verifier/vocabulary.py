"""Brands that the catalogue taught: those of other items, which a text about this one must not speak of."""

import re

import ahocorasick
from pypinyin.constants import PHRASES_DICT

from magpie_services.content.verifier import views

MAX_BRANDS = 50_000
# The automaton is built anew when so many brands wait, or a tenth more than it holds.
_BATCH = 64
_PARTS = re.compile(r"[㐀-鿿]+|[A-Za-z][A-Za-z '&.-]*[A-Za-z]")
_SPOKEN_OF = re.compile(r"(?:来自|出自|品牌|牌子|选自|\bby|\bfrom)[\s:：「“\"]*$", re.IGNORECASE)
_ITS_OWN = re.compile(r"[\s」”\"]*(?:出品|家的|家出|品牌|的新|新作|新品|官方|made|'s|’s)")
_IN_A_SENTENCE = re.compile(r"[a-z0-9,] $")


class Vocabulary:
    """Brands seen in items: Chinese ones as squeezed, others as spaced. Learning makes a verdict stricter."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._waiting: list[str] = []
        self._automaton: ahocorasick.Automaton | None = None

    def learn(self, brand: str) -> None:
        """Adds a brand as the catalogue writes it, and its Latin and its Chinese part where it has both.

        Those too short to be told from other words are left out, and all above MAX_BRANDS.
        """
        for part in {brand.strip(), *(part.strip() for part in _PARTS.findall(brand))}:
            han = views.has_han(part)
            view = views.squeezed(part) if han else views.spaced(part)
            if len(view) < (2 if han else 5) or view in self._known or len(self._known) >= MAX_BRANDS:
                continue
            self._known[view] = part
            self._waiting.append(view)
        if len(self._waiting) > max(_BATCH, len(self._known) // 10):
            self._build()

    def found(self, text: str, squeezed: str, spaced: str) -> list[tuple[int, int, str]]:
        """(start, end, brand as its view shows it) in a text for each known brand that its words name."""
        named = []
        for view in (squeezed, spaced):
            for at, brand in self._hits(view):
                if view is squeezed:
                    start, end = views.squeezed_origin(text, at, at + len(brand))
                else:
                    start, end = views.spaced_origin(text, at + 1, at + len(brand) - 1)
                if self._is_named(text, start, end, brand):
                    named.append((start, end, brand.strip()))
        return named

    def _hits(self, view: str) -> list[tuple[int, str]]:
        hits = [(view.find(brand), brand) for brand in self._waiting if brand in view]
        if self._automaton is not None:
            hits += [(last - len(brand) + 1, brand) for last, brand in self._automaton.iter(view)]
        return hits

    def _is_named(self, text: str, start: int, end: int, brand: str) -> bool:
        if "\n" in text[start:end]:
            return False
        if _SPOKEN_OF.search(text, max(0, start - 12), start) or _ITS_OWN.match(text, end):
            return True
        if brand[0] != " ":
            return brand not in PHRASES_DICT
        # An English brand may be a word like any other: it counts where it is written as a name.
        written = self._known[brand]
        if " " in written or not written.isalpha():
            return True
        if text[start:end] != written or written == written.lower():
            return False
        return views.has_han(text) or bool(_IN_A_SENTENCE.search(text[:start]))

    def _build(self) -> None:
        automaton = ahocorasick.Automaton()
        for brand in self._known:
            automaton.add_word(brand, brand)
        automaton.make_automaton()
        self._automaton = automaton
        self._waiting.clear()
