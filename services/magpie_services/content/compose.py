"""Writes messages: what may be said, a variant chosen among those possible, its words, each verified."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from magpie_services.content import attributes, choice, strategies, verifier
from magpie_services.content.choice import MODEL_ENDING, Chooser, Menu, PriorChooser, Variant
from magpie_services.content.dice import Dice
from magpie_services.content.facts.extra import NO_EXTRA, Extra
from magpie_services.content.grammar.packs import CALLS, OPENERS, Grammar, grammar, resolve
from magpie_services.content.knowledge import CACHED_ITEMS, Extractor, Knowledge, Known
from magpie_services.content.learning.habit import HABIT
from magpie_services.content.likeness import alike, shingles
from magpie_services.content.limits import Limits, limits_for
from magpie_services.content.model.pool import Pool, Texts
from magpie_services.content.model.templates import Template
from magpie_services.content.realiser import Realiser
from magpie_services.content.strategies import Strategy, Tone
from magpie_services.content.verifier import Dossiers, Facts
from magpie_services.content.writer import Writer
from magpie_services.core.decisions import Copy
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait
from magpie_services.core.untrusted import safe_image, safe_link

_IMPERSONAL = tuple(opener for opener in OPENERS if opener != "personal")
MAX_TRIES = 6
# How often a variant is written anew where its words fail or repeat an earlier message.
MAX_WORDINGS = 4


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
    strategy: Strategy | None = None


class Composer:
    """Composes and verifies, in one pack."""

    def __init__(
        self,
        default_locale: str = "zh-CN",
        cached_items: int = CACHED_ITEMS,
        *,
        pack: str = "shop",
        chooser: Chooser | None = None,
        extractor: Extractor | None = None,
        pool: Pool | None = None,
    ) -> None:
        self.pack = pack
        self._default_locale = default_locale
        self._pool = pool
        self._chooser = chooser or PriorChooser()
        self._knowledge = Knowledge(verifier.presentable, pack, cached_items, extractor)
        self._dossiers = Dossiers(cached_items)

    def compose(
        self, brief: Brief, now_ms: int, *, variants: int = 1, with_description: bool = False
    ) -> Composition:
        """Up to `variants` different messages, at least one: the safe template when nothing else passes."""
        work = self.work(brief, now_ms)
        description = work.description() if with_description else Writer("description", work.words.language)
        circumstances = choice.circumstances(brief.portrait, now_ms)
        taken = [
            known[1]
            for known in map(choice.parse, brief.excluded)
            if known is not None and known[0] == work.words.locale
        ]
        messages: list[Copy] = []
        seen: list[frozenset[tuple[str, ...]]] = []
        for _ in range(variants + MAX_TRIES if work.menu.strategies else 0):
            drawn = self._chooser.draw(work.menu, circumstances, work.dice, taken)
            if drawn is None:
                break
            variant, chance = drawn
            if work.texts is not None and not messages:
                work.texts.want(variant.strategy, variant.tone)
            taken.append(variant)
            written = work.write(variant, seen)
            if written is None:
                continue
            messages.append(
                _copy(
                    brief,
                    work.words.locale,
                    [*written, description],
                    strategy=variant.strategy.value,
                    tone=variant.tone.value,
                    variant_id=variant.variant_id(work.words.locale),
                    propensity=chance,
                    context=HABIT.context(circumstances, variant, work.words.locale),
                    writer="model" if variant[2:] == MODEL_ENDING else "grammar",
                )
            )
            if len(messages) == variants:
                break
        if not messages:
            messages.append(
                _copy(
                    brief,
                    work.words.locale,
                    [*work.safe(), description],
                    strategy=Strategy.PLAIN.value,
                    tone=Tone.PLAIN.value,
                    variant_id=f"{work.words.locale}:safe",
                    writer="grammar",
                    safe_template=True,
                )
            )
        return Composition(messages, work.able)

    def forget(self) -> None:
        """Forgets what was worked out of items: for when the extractor reads in another way."""
        self._knowledge.forget()

    def verify(self, draft: Draft, now_ms: int) -> list[verifier.Finding]:
        """What is wrong with a text, and with the reason that it gives, now."""
        held = self._dossiers.facts(
            draft.item, draft.because, draft.traits, draft.extra, now_ms, strategy=draft.strategy or ""
        )
        parts = {"title": draft.title, "body": draft.body, "description": draft.description}
        return verifier.verify(parts, held, limits_for(draft.channel))

    def work(self, brief: Brief, now_ms: int) -> "Work":
        """What there is to write about and with."""
        item, portrait = brief.item, brief.portrait
        # Where nobody asked for a language the default decides; for one unknown, the item's own.
        tail = item.locale if brief.locale or portrait.locale else self._default_locale
        words = grammar(resolve(brief.locale, portrait.locale, tail) or "en", self.pack)
        known = self._knowledge.of(item, brief.because, portrait, brief.extra, words.locale, now_ms)
        able = [one for one in strategies.eligible(known.filled, item) if words.speaks(one)]
        pool = self._pool
        texts = None if pool is None else pool.about(item, portrait, words.locale, now_ms)
        return Work(
            words,
            known,
            able,
            _menu(brief, words, known, able, texts),
            limits_for(brief.channel),
            self._held(brief, known, now_ms),
            Dice(zlib.crc32(f"{portrait.user_id}/{item.item_id}".encode()) << 32 ^ brief.seed),
            texts,
        )

    def _held(self, brief: Brief, known: Known, now_ms: int) -> Facts:
        """What the verifier may hold the text against: the caller's facts and those of the portrait."""
        extra = msgspec.structs.replace(
            brief.extra,
            in_cart="cart" in known.moment,
            bought="bought" in known.moment or "again" in known.moment,
            viewed="viewed" in known.moment or "seen" in known.moment,
            liked_category=brief.item.category if "liked" in known.moment else "",
            bought_days_ago=known.moment["days"].number if "days" in known.moment else 0,
        )
        traits = [trait for trait in brief.portrait.traits if not attributes.SENSITIVE.search(trait)]
        return self._dossiers.facts(brief.item, brief.because, traits, extra, now_ms)


class Work(NamedTuple):
    """One brief on the bench."""

    words: Grammar
    known: Known
    able: list[Strategy]
    menu: Menu
    limits: Limits
    held: Facts
    dice: Dice
    texts: Texts | None

    def write(self, variant: Variant, seen: list[frozenset[tuple[str, ...]]]) -> tuple[Writer, Writer] | None:
        """Title and body of a variant that pass and are unlike those `seen`, which they join."""
        for written in self._written(variant):
            if self._holds(*written):
                runs = shingles(f"{written[0].text} {written[1].text}")
                if not any(alike(runs, other) for other in seen):
                    seen.append(runs)
                    return written
        return None

    def fill(self, template: Template, strategy: Strategy, tone: Tone) -> tuple[Writer, Writer] | None:
        """A model's text with the facts of this moment; None where one is not there, or no room."""
        told = self.known.told(strategy, self.dice)
        realiser = Realiser(self.words, tone, told, self.limits, self.dice)
        return realiser.fill(template.title, template.body)

    def _written(self, variant: Variant) -> Iterator[tuple[Writer, Writer]]:
        """Wordings of a variant, not yet verified."""
        if variant[2:] == MODEL_ENDING and self.texts is not None:
            for template in self.dice.shuffled(self.texts.of(variant.strategy, variant.tone)):
                written = self.fill(template, variant.strategy, variant.tone)
                if written is not None:
                    yield written
            return
        told = self.known.told(variant.strategy, self.dice)
        realiser = Realiser(self.words, variant.tone, told, self.limits, self.dice)
        for _ in range(MAX_WORDINGS):
            written = realiser.write(variant.strategy, variant.opener, variant.call)
            if written is None:
                return
            yield written

    def description(self) -> Writer:
        """The long text: everything known of the item, in sentences; empty where none pass."""
        told = self.known.told(Strategy.PREMIUM, self.dice)
        for tone in (Tone.PLAIN, Tone.PREMIUM):
            text = Realiser(self.words, tone, told, self.limits, self.dice).describe()
            if self._holds(text):
                return text
        return Writer("description", self.words.language)

    def safe(self) -> tuple[Writer, Writer]:
        """The first safe template that passes; the last one says nothing that could be wrong."""
        told = self.known.told(Strategy.PLAIN, self.dice)
        written = None
        for written in Realiser(self.words, Tone.PLAIN, told, self.limits, self.dice).safe():
            if self._holds(*written):
                break
        assert written is not None  # noqa: S101 - every grammar has a template without slots
        return written

    def _holds(self, *texts: Writer) -> bool:
        return verifier.holds({text.part: text.text for text in texts}, self.held, self.limits)

    def findings(self, *texts: Writer) -> list[verifier.Finding]:
        """What is wrong with a text at this moment."""
        return verifier.verify({text.part: text.text for text in texts}, self.held, self.limits)


def _menu(brief: Brief, words: Grammar, known: Known, able: list[Strategy], texts: Texts | None) -> Menu:
    """What is possible: the strategies that are able (or the one asked for), without what is excluded."""
    excluded = set(brief.excluded)

    def open_(strategy: Strategy) -> bool:
        return strategy.value not in excluded and f"{words.locale}:{strategy}" not in excluded

    if brief.strategy in able:
        wanted = [brief.strategy]
    elif brief.strategy is not None:
        wanted = [one for one in able if one is Strategy.PLAIN]  # its facts are not there: say what is there
    else:
        wanted = [one for one in able if open_(one)] or able
    tones = {strategy: _tones(brief, words.locale, strategy, excluded) for strategy in wanted}
    filled = known.personal()
    personal = bool(filled) and all(words.ways("opener.personal", tone, filled) for tone in Tone)
    weights = {one: strategies.weight(one, brief.portrait, brief.item) for one in wanted}
    return Menu(
        words.locale,
        weights,
        tones,
        OPENERS if personal else _IMPERSONAL,
        CALLS,
        _models(known, tones, texts) if texts is not None and texts.shelf else frozenset(),
    )


def _models(
    known: Known, tones: Mapping[Strategy, Mapping[Tone, float]], texts: Texts
) -> frozenset[tuple[Strategy, Tone]]:
    """The strategies and tones of which a text by a language model can be written now."""
    return frozenset(
        (strategy, tone)
        for strategy, chances in tones.items()
        # A choice piece is written about to a person, where anything is known of them.
        if not (strategy is Strategy.PREMIUM and known.traits)
        for tone in chances
        if any(not template.needs & ~known.filled for template in texts.of(strategy, tone))
    )


def _tones(brief: Brief, locale: str, strategy: Strategy, excluded: set[str]) -> Mapping[Tone, float]:
    """Chances of the tones that are not excluded; of all where nothing would be left."""
    if brief.tone is not None:
        return {brief.tone: 1.0}
    chances = strategies.tones(strategy, brief.portrait)
    if not excluded:
        return chances
    left = {
        tone: chance
        for tone, chance in chances.items()
        if excluded.isdisjoint((tone.value, f"{locale}:{strategy}:{tone}"))
    }
    return left or chances


def _copy(brief: Brief, locale: str, texts: Sequence[Writer], **about: object) -> Copy:
    parts: dict[str, object] = {text.part: text.text for text in texts}
    return Copy(
        **parts,  # type: ignore[arg-type]
        spans=[span for text in texts for span in text.spans],
        locale=locale,
        image_uri=safe_image(brief.item.image_uri),
        link=safe_link(brief.item.link),
        **about,  # type: ignore[arg-type]
    )
