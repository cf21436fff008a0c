"""Writes messages: facts, then a plan of what can be said, then words, each verified before it is given."""

import zlib
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from magpie_services.content import attributes, evidence, facts, strategies, verifier
from magpie_services.content.cleaning import safe_image, safe_link
from magpie_services.content.dice import Dice
from magpie_services.content.evidence import Evidence, Source
from magpie_services.content.facts import NO_EXTRA, Extra, ItemFacts, Phrase, Slots
from magpie_services.content.grammar import Grammar, grammar_for
from magpie_services.content.limits import Limits, limits_for
from magpie_services.content.measures import measure
from magpie_services.content.plan import Form, Plan, parse_variant
from magpie_services.content.realiser import Writer
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.core.decisions import Copy, Span
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait

MAX_TRIES = 6
BECAUSE_COLUMNS = 24
CACHED_ITEMS = 20_000


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What to write about, for whom; None and "" leave the choice to the composer."""

    item: Item
    portrait: Portrait
    strategy: Strategy | None = None
    tone: Tone | None = None
    locale: str = ""
    channel: str = ""
    because: Item | None = None
    excluded: Sequence[str] = ()
    seed: int = 0
    extra: Extra = NO_EXTRA


class Composition(msgspec.Struct, frozen=True):
    """The messages for one brief, best first, and the strategies whose facts are there."""

    messages: list[Copy]
    eligible: list[Strategy]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A text by anybody and the facts to hold it against."""

    title: str = ""
    body: str = ""
    description: str = ""
    item: Item
    because: Item | None = None
    channel: str = ""
    traits: list[str] = []
    extra: Extra = NO_EXTRA


class _Known(msgspec.Struct, frozen=True):
    """What was worked out of one version of an item in one language."""

    item: Item
    facts: ItemFacts
    source: Source


class Composer:
    """Composes and verifies. Keeps what it worked out of items, never anything of users."""

    def __init__(self, default_locale: str = "zh-CN", cached_items: int = CACHED_ITEMS) -> None:
        self._default_locale = default_locale
        self._cached_items = cached_items
        self._known: OrderedDict[tuple[str, int, str], _Known] = OrderedDict()

    def compose(
        self, brief: Brief, now_ms: int, *, variants: int = 1, with_description: bool = False
    ) -> Composition:
        """Up to `variants` different messages, at least one: the safe template when nothing else passes."""
        item, portrait = brief.item, brief.portrait
        grammar = grammar_for(brief.locale, portrait.locale, *self._tail_locales(brief))
        known = self._know(item, grammar)
        slots = self._slots(brief, grammar, known, now_ms)
        held = self._evidence(brief, known, slots, grammar, now_ms)
        limits = limits_for(brief.channel)
        able = strategies.eligible(slots, item)
        plan = self._plan(brief, grammar, slots, known, limits, able)
        description = self._description(grammar, slots, known, held, limits) if with_description else None
        parsed = (parse_variant(variant, grammar.locale) for variant in brief.excluded)
        taken = [form for form in parsed if form is not None]
        dice = Dice(zlib.crc32(f"{portrait.user_id}/{item.item_id}".encode()) << 32 ^ brief.seed)
        messages: list[Copy] = []
        tries = 0
        while len(messages) < variants and tries < variants + MAX_TRIES:
            tries += 1
            drawn = plan.draw(dice, taken)
            if drawn is None:
                break
            form, chance = drawn
            taken.append(form)
            title, body = self._write(form, grammar, slots, plan, limits)
            if verifier.passed(verifier.verify({"title": title.text, "body": body.text}, held, limits)):
                copy = _copy(brief, grammar, title, body, description)
                messages.append(
                    msgspec.structs.replace(
                        copy,
                        strategy=form.strategy.value,
                        tone=form.tone.value,
                        variant_id=form.variant_id(grammar.locale),
                        propensity=chance,
                    )
                )
        if not messages:
            messages.append(self._safe(brief, grammar, slots, plan, held, limits, description))
        return Composition(messages, able)

    def verify(self, draft: Draft, now_ms: int) -> list[verifier.Finding]:
        """What is wrong with a text."""
        sources: tuple[Source, ...] = (evidence.source_of(draft.item),)
        if draft.because is not None:
            sources = (*sources, evidence.source_of(draft.because))
        held = evidence.gather(draft.item, draft.because, draft.traits, draft.extra, now_ms, sources)
        parts = {"title": draft.title, "body": draft.body, "description": draft.description}
        return verifier.verify(parts, held, limits_for(draft.channel))

    def _tail_locales(self, brief: Brief) -> tuple[str, ...]:
        """Where nobody asked for a language the default decides; for one unknown, the item's own."""
        asked = brief.locale or brief.portrait.locale
        return (brief.item.locale,) if asked else (self._default_locale,)

    def _know(self, item: Item, grammar: Grammar) -> _Known:
        key = (item.item_id, item.version, grammar.locale)
        known = self._known.get(key)
        # The version alone is the caller's word; the contents decide.
        if known is None or known.item != item:
            found = facts.item_facts(item, grammar.language, verifier.presentable)
            known = _Known(item, found, evidence.source_of(item))
            self._known[key] = known
            if len(self._known) > self._cached_items:
                self._known.popitem(last=False)
        return known

    def _slots(self, brief: Brief, grammar: Grammar, known: _Known, now_ms: int) -> Slots:
        item, portrait, language = brief.item, brief.portrait, grammar.language
        slots = dict(known.facts.slots)
        if known.facts.names:
            slots["item"] = known.facts.names[0]
        slots |= facts.portrait_slots(portrait, item, language, now_ms, verifier.presentable)
        slots |= facts.moment_slots(item, brief.because, portrait, brief.extra, language, now_ms)
        if "category" in slots:
            slots.setdefault("topic", slots["category"])
        if brief.because is not None:
            names = self._know(brief.because, grammar).facts.names
            short = next((name for name in names if name.columns <= BECAUSE_COLUMNS), None)
            if short is not None:
                named = short.fact._replace(field=f"because_{short.fact.field}")
                slots["because"] = Phrase(named)
        if language == "zh":
            slots["mw"] = Phrase(measure(item.title, item.category))
        return slots

    def _evidence(self, brief: Brief, known: _Known, slots: Slots, grammar: Grammar, now_ms: int) -> Evidence:
        extra = msgspec.structs.replace(
            brief.extra,
            in_cart="cart" in slots,
            bought="bought" in slots or "again" in slots,
            viewed="viewed" in slots,
        )
        sources: tuple[Source, ...] = (known.source,)
        if brief.because is not None:
            sources = (*sources, self._know(brief.because, grammar).source)
        traits = [trait for trait in brief.portrait.traits if not attributes.SENSITIVE.search(trait)]
        return evidence.gather(brief.item, brief.because, traits, extra, now_ms, sources)

    def _plan(
        self,
        brief: Brief,
        grammar: Grammar,
        slots: Slots,
        known: _Known,
        limits: Limits,
        able: list[Strategy],
    ) -> Plan:
        excluded = set(brief.excluded)

        def open_(strategy: Strategy) -> bool:
            return strategy.value not in excluded and f"{grammar.locale}:{strategy}" not in excluded

        if brief.strategy in able:
            wanted = [brief.strategy]
        elif brief.strategy is not None:
            wanted = [Strategy.PLAIN]  # its facts are not there: say what is there
        else:
            wanted = [strategy for strategy in able if open_(strategy)] or able
        weights = {one: strategies.weight(one, brief.portrait, brief.item) for one in wanted if one in able}
        tones = {}
        for strategy in weights:
            chances = strategies.tones(strategy, brief.portrait)
            if brief.tone is not None:
                chances = {brief.tone: 1.0}
            prefix = f"{grammar.locale}:{strategy}"
            left = {
                t: p
                for t, p in chances.items()
                if t.value not in excluded and f"{prefix}:{t}" not in excluded
            }
            tones[strategy] = left or chances
        return Plan(grammar, slots, known.facts.names, limits, weights, tones)

    def _write(
        self, form: Form, grammar: Grammar, slots: Slots, plan: Plan, limits: Limits
    ) -> tuple[Writer, Writer]:
        forms = grammar.strategies[form.strategy]
        title, body = Writer("title", grammar.language), Writer("body", grammar.language)
        pattern = forms.titles[form.title]
        title.write(pattern, slots, plan.name_for(pattern, limits.title_columns))
        if form.emoji:
            title.text += f" {forms.emoji[form.emoji - 1]}"
        if form.opener:
            body.write(grammar.openers[form.opener], slots, None)
            body.space()
        pattern = forms.bodies[form.body]
        body.write(pattern, slots, plan.name_for(pattern, limits.body_columns))
        if form.call:
            body.space()
            body.write(grammar.calls[form.call], slots, None)
        return title, body

    def _description(
        self, grammar: Grammar, slots: Slots, known: _Known, held: Evidence, limits: Limits
    ) -> Writer:
        """Sentences about what the catalogue holds, each fact said once."""
        text = Writer("description", grammar.language)
        said: set[str] = set()
        for pattern in grammar.descriptions:
            if (
                pattern.needs <= slots.keys()
                and not pattern.needs & said
                and (known.facts.names or pattern.needs)
            ):
                text.space()
                text.write(pattern, slots, known.facts.names[0] if known.facts.names else None)
                said |= pattern.needs
        if verifier.passed(verifier.verify({"description": text.text}, held, limits)):
            return text
        return Writer("description", grammar.language)

    def _safe(
        self,
        brief: Brief,
        grammar: Grammar,
        slots: Slots,
        plan: Plan,
        held: Evidence,
        limits: Limits,
        description: Writer | None,
    ) -> Copy:
        """The first safe template that passes; the last one says nothing that could be wrong."""
        title, body = Writer("title", grammar.language), Writer("body", grammar.language)
        variant = f"{grammar.locale}:safe"
        for place, (head, text) in enumerate(grammar.safe):
            if not plan.fits(head, limits.title_columns) or not plan.fits(text, limits.body_columns):
                continue
            title, body = Writer("title", grammar.language), Writer("body", grammar.language)
            title.write(head, slots, plan.name_for(head, limits.title_columns))
            body.write(text, slots, plan.name_for(text, limits.body_columns))
            variant = f"{grammar.locale}:safe:{place}"
            if verifier.passed(verifier.verify({"title": title.text, "body": body.text}, held, limits)):
                break
        return msgspec.structs.replace(
            _copy(brief, grammar, title, body, description),
            strategy=Strategy.PLAIN.value,
            tone=Tone.PLAIN.value,
            variant_id=variant,
            propensity=1.0,
            safe_template=True,
        )


def _copy(brief: Brief, grammar: Grammar, title: Writer, body: Writer, description: Writer | None) -> Copy:
    spans: list[Span] = [*title.spans, *body.spans]
    return Copy(
        title=title.text,
        body=body.text,
        description=description.text if description else "",
        spans=[*spans, *(description.spans if description else [])],
        locale=grammar.locale,
        image_uri=safe_image(brief.item.image_uri),
        link=safe_link(brief.item.link),
    )
