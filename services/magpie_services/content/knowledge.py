"""Gathers what may be said for one brief: the item's phrases, worked out once a version, and the user's."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from magpie_services.content import attributes, slots
from magpie_services.content.facts.extra import Extra
from magpie_services.content.facts.items import Accepts, Extracted, ItemFacts, item_facts
from magpie_services.content.facts.moments import moment_phrases
from magpie_services.content.facts.people import portrait_phrases
from magpie_services.content.facts.phrases import Phrase, Phrases, filled
from magpie_services.content.realiser import Told
from magpie_services.content.strategies import RULES, Strategy
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait

BECAUSE_COLUMNS = 20
CACHED_ITEMS = 20_000
_DESCRIBING = slots.mask("attrs", "brand")
# What a message about health may not tell whoever sees the screen.
_PRIVATE = slots.ADDRESS | slots.mask("liked", "because", "viewed", "bought")

Extractor = Callable[[Item], Sequence[Extracted]]


class Known(NamedTuple):
    """All that may be said for one brief: of the item, and of this user now."""

    item: ItemFacts
    moment: Phrases
    filled: int

    def told(self, strategy: Strategy) -> Told:
        """What a strategy may say: what the item's name says already only where the strategy is about it."""
        whole = bool(RULES[strategy].needs & _DESCRIBING)
        phrases = self.item.whole if whole else self.item.beside
        mask = self.item.whole_mask if whole else self.item.beside_mask
        return Told(phrases | self.moment, mask | filled(self.moment), self.item.names)


class Knowledge:
    """Keeps what it worked out of items, never anything of users."""

    def __init__(
        self,
        presentable: Accepts,
        pack: str,
        cached_items: int = CACHED_ITEMS,
        extractor: Extractor | None = None,
    ) -> None:
        self._accepts = _unrevealing(presentable) if pack == "health" else presentable
        self._private = _PRIVATE if pack == "health" else 0
        self._pack = pack
        self._cached_items = cached_items
        self._extractor = extractor
        self._items: OrderedDict[tuple[str, int, str], tuple[Item, ItemFacts]] = OrderedDict()

    def of(
        self, item: Item, because: Item | None, portrait: Portrait, extra: Extra, locale: str, now_ms: int
    ) -> Known:
        """What may be said of an item to somebody now."""
        if because is not None and because.item_id == item.item_id:
            because = None  # nothing speaks for itself
        known = self.item(item, locale)
        moment = moment_phrases(item, known, because, portrait, extra, locale, now_ms)
        moment |= portrait_phrases(portrait, item.category, locale, now_ms, self._accepts)
        if because is not None:
            names = self.item(because, locale).names
            short = next((name for name in names if name.columns <= BECAUSE_COLUMNS), None)
            if short is not None:
                moment["because"] = Phrase(short.fact._replace(field=f"because_{short.fact.field}"))
        if self._private:
            moment = {name: phrase for name, phrase in moment.items() if not slots.BITS[name] & self._private}
        return Known(known, moment, known.whole_mask | filled(moment))

    def item(self, item: Item, locale: str) -> ItemFacts:
        """What one version of an item offers in a locale."""
        key = (item.item_id, item.version, locale)
        kept = self._items.get(key)
        # The version alone is the caller's word; the contents decide.
        if kept is not None and (kept[0] is item or kept[0] == item):
            return kept[1]
        extracted = self._extractor(item) if self._extractor is not None else ()
        found = item_facts(item, locale, self._pack, self._accepts, extracted)
        self._items[key] = (item, found)
        if len(self._items) > self._cached_items:
            self._items.popitem(last=False)
        return found


def _unrevealing(presentable: Accepts) -> Accepts:
    def accepts(text: str) -> bool:
        return presentable(text) and not attributes.SENSITIVE.search(text)

    return accepts
