"""A template tried out before it may be used: in a moment in which all that it could need is so."""

from collections.abc import Mapping
from datetime import UTC, datetime

from magpie_services.content import slots
from magpie_services.content.compose import Brief, Composer
from magpie_services.content.facts.extra import Extra
from magpie_services.content.model.asks import Ask
from magpie_services.content.model.templates import Refused, Template, allowed
from magpie_services.content.strategies import RULES
from magpie_services.content.verifier import passed
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait

# Drawn anew as often: whether a name says a describing word that the template says too is a matter of chance.
TRIES = 4
_OTHERS = {"en": "notebook", "zh-CN": "笔记本", "zh-TW": "筆記本"}


class Rehearsal:
    """The stage for one ask. No user is on it: a portrait of nobody, and an item that nobody sells."""

    def __init__(self, composer: Composer, ask: Ask, item: Item, now_ms: int) -> None:
        self.ask, self.item = ask, item
        brief = Brief(
            item=item,
            portrait=Portrait(user_id=""),
            strategy=ask.strategy,
            tone=ask.persona.tone,
            locale=ask.locale,
            because=Item(item_id="", title=_OTHERS[ask.locale], locale=ask.locale),
            extra=Extra(
                was_out_of_stock=True,
                in_cart=True,
                viewed=True,
                bought=True,
                is_new=True,
                popular_rank=3,
                bought_days_ago=30,
                offer_ends=datetime.fromtimestamp(now_ms / 1_000, UTC).date(),
            ),
        )
        self._work = composer.work(brief, now_ms)

    def offers(self) -> Mapping[str, str]:
        """The slots that a template may have, with an example each ("" for evidence); none where the
        strategy has not what it needs."""
        strategy = self.ask.strategy
        known = self._work.known
        if RULES[strategy].needs & ~known.filled:
            return {}
        phrases = {**known.told(strategy, self._work.dice).phrases}
        phrases |= known.item.phrases | known.item.described(known.item.words, loosely=False)
        return {
            name: "" if name in slots.EVIDENCE else phrases[name].text
            for name in slots.named(allowed(strategy, self.ask.locale) & known.filled)
            if name in phrases
        }

    def play(self, template: Template) -> None:
        """Raises Refused: "unfit" where it cannot be written in the narrowest room, or the name of the
        verifier's check where it is written and does not pass."""
        reason = "unfit"
        for _ in range(TRIES):
            written = self._work.fill(template, self.ask.strategy, self.ask.persona.tone)
            if written is None:
                continue
            findings = self._work.findings(*written)
            if passed(findings):
                return
            reason = next(one.check for one in findings if not passed([one]))
        raise Refused(reason)
