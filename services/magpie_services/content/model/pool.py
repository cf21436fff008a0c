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

KEPT_ASKS = 50_000


class Pool:
    """Keeps texts by the ask that they answer; `demand` is what was asked for and is not here."""

    def __init__(self, clock: Clock) -> None:
        self.demand = Demand()
        self._clock = clock
        self._versions = Versions()
        self._kept: OrderedDict[Ask, tuple[int, tuple[Template, ...]]] = OrderedDict()

    def about(self, item: Item, portrait: Portrait, locale: str, now_ms: int) -> "Texts":
        """The texts about an item for the group that a user is of."""
        return Texts(self, item, self._versions.of(item), locale, *group(portrait, now_ms))

    def get(self, ask: Ask) -> tuple[Template, ...]:
        """The texts at hand, none where there are none."""
        kept = self._kept.get(ask)
        return kept[1] if kept is not None else ()

    def want(self, ask: Ask, item: Item) -> None:
        """Such texts could have been used; asked for where they are not here or have ended."""
        kept = self._kept.get(ask)
        if kept is None or kept[0] <= self._clock.now_ms():
            self.demand.add(ask, item)

    def keep(self, ask: Ask, texts: Iterable[Template], end_ms: int) -> None:
        """Has texts at hand, to be looked up anew after their end; they answer the demand."""
        self.demand.drop(ask)
        self._kept[ask] = (end_ms, tuple(texts))
        self._kept.move_to_end(ask)
        if len(self._kept) > KEPT_ASKS:
            self._kept.popitem(last=False)


class Texts(NamedTuple):
    """The texts for one brief, whatever its strategy and tone will be."""

    pool: Pool
    item: Item
    version: str
    locale: str
    price: str
    stage: str

    def of(self, strategy: Strategy, tone: Tone) -> tuple[Template, ...]:
        """Those for a strategy and a tone."""
        return self.pool.get(self._ask(strategy, tone))

    def want(self, strategy: Strategy, tone: Tone) -> None:
        """A message speaks so: some for the next one would be good."""
        self.pool.want(self._ask(strategy, tone), self.item)

    def _ask(self, strategy: Strategy, tone: Tone) -> Ask:
        return Ask(self.version, self.locale, strategy, Persona(tone, self.price, self.stage))
