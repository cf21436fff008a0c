"""The texts of a language model that are at hand in this process: composing looks here and never waits."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from magpie_services.content.model.asks import Ask, Demand, Versions
from magpie_services.content.model.personas import Persona, group
from magpie_services.content.model.templates import Template
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait
from magpie_services.kit.clock import Clock

KEPT_SHELVES = 20_000

# Texts by strategy and tone, and when (ms) they end.
_Shelf = dict[tuple[Strategy, Tone], tuple[int, tuple[Template, ...]]]
_EMPTY: _Shelf = {}


class Pool:
    """Keeps texts by the ask that they answer; `demand` is what was asked for and is not here."""

    def __init__(self, clock: Clock) -> None:
        self.demand = Demand()
        self._clock = clock
        self._versions = Versions()
        self._shelves: OrderedDict[tuple[str, str, str, str], _Shelf] = OrderedDict()

    def about(self, item: Item, portrait: Portrait, locale: str, now_ms: int) -> "Texts":
        """The texts about an item for the group that a user is of."""
        version, (price, stage) = self._versions.of(item), group(portrait, now_ms)
        shelf = self._shelves.get((version, locale, price, stage), _EMPTY)
        return Texts(self, shelf, item, version, locale, price, stage)

    def want(self, ask: Ask, item: Item) -> None:
        """Such texts could have been used; asked for where they are not here or have ended."""
        kept = self._shelves.get(_place(ask), _EMPTY).get((ask.strategy, ask.persona.tone))
        if kept is None or kept[0] <= self._clock.now_ms():
            self.demand.add(ask, item)

    def keep(self, ask: Ask, texts: Iterable[Template], end_ms: int) -> None:
        """Has texts at hand, to be looked up anew after their end; they answer the demand."""
        self.demand.drop(ask)
        place = _place(ask)
        self._shelves.setdefault(place, {})[ask.strategy, ask.persona.tone] = (end_ms, tuple(texts))
        self._shelves.move_to_end(place)
        if len(self._shelves) > KEPT_SHELVES:
            self._shelves.popitem(last=False)


class Texts(NamedTuple):
    """The texts for one brief, whatever its strategy and tone will be; `shelf` has them."""

    pool: Pool
    shelf: _Shelf
    item: Item
    version: str
    locale: str
    price: str
    stage: str

    def of(self, strategy: Strategy, tone: Tone) -> tuple[Template, ...]:
        """Those for a strategy and a tone."""
        kept = self.shelf.get((strategy, tone))
        return kept[1] if kept is not None else ()

    def want(self, strategy: Strategy, tone: Tone) -> None:
        """A message speaks so: some for the next one would be good."""
        persona = Persona(tone, self.price, self.stage)
        self.pool.want(Ask(self.version, self.locale, strategy, persona), self.item)


def _place(ask: Ask) -> tuple[str, str, str, str]:
    return ask.version, ask.locale, ask.persona.price, ask.persona.stage
