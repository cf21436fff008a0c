"""What texts are asked for, and how often: the language model writes what is wanted most."""

import hashlib
from collections import OrderedDict
from typing import NamedTuple

import msgspec

from magpie_services.content.model.personas import Persona
from magpie_services.content.strategies import Strategy
from magpie_services.core.items import Item

KEPT_ITEMS = 20_000
MAX_ASKS = 4_096


class Ask(NamedTuple):
    """Texts for an item (by the `version` of its words), a strategy, a persona and a locale."""

    version: str
    locale: str
    strategy: Strategy
    persona: Persona

    @property
    def key(self) -> str:
        """Its name in the store."""
        return ":".join((self.version, self.locale, self.strategy, *self.persona))


class Versions:
    """The version of an item's words: the same while its words stay, whatever its price and stock do."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], tuple[Item, str]] = OrderedDict()

    def of(self, item: Item) -> str:
        """A digest of the item's id and of all its words that a text may use or a model may read."""
        key = (item.item_id, item.version)
        kept = self._kept.get(key)
        if kept is not None and (kept[0] is item or kept[0] == item):
            return kept[1]
        words = (
            item.item_id,
            item.title,
            item.description,
            item.locale,
            item.translations,
            item.categories,
            item.brand,
            item.attributes,
        )
        version = hashlib.blake2b(msgspec.json.encode(words), digest_size=12).hexdigest()
        self._kept[key] = (item, version)
        if len(self._kept) > KEPT_ITEMS:
            self._kept.popitem(last=False)
        return version


class Demand:
    """Counts asks, at most MAX_ASKS different ones; of more, those wanted least are forgotten."""

    def __init__(self) -> None:
        self._counts: dict[Ask, int] = {}
        self._items: dict[Ask, Item] = {}

    def add(self, ask: Ask, item: Item) -> None:
        """One more message that a text of the model could have been."""
        if ask not in self._counts and len(self._counts) >= MAX_ASKS:
            self._halve()
        self._counts[ask] = self._counts.get(ask, 0) + 1
        self._items[ask] = item

    def most(self, limit: int) -> list[tuple[Ask, Item]]:
        """The asks wanted most, most first."""
        wanted = sorted(self._counts, key=self._counts.__getitem__, reverse=True)[:limit]
        return [(ask, self._items[ask]) for ask in wanted]

    def drop(self, ask: Ask) -> None:
        """It is answered."""
        self._counts.pop(ask, None)
        self._items.pop(ask, None)

    def _halve(self) -> None:
        """Forgets the half wanted least, and half of the rest's count, so that what is new has its chance."""
        kept = self.most(MAX_ASKS // 2)
        self._counts = {ask: (self._counts[ask] + 1) // 2 for ask, _ in kept}
        self._items = dict(kept)
