"""Gathers what may be said for one brief: the item's phrases, worked out once a version, and the user's."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from magpie_services.content import attributes, slots
from magpie_services.content.dice import Dice
from magpie_services.content.facts.extra import Extra
from magpie_services.content.facts.items import Accepts, Extracted, ItemFacts, item_facts
from magpie_services.content.facts.moments import moment_phrases
from magpie_services.content.facts.people import Trait, address, liked, traits
from magpie_services.content.facts.phrases import Phrase, Phrases, filled
from magpie_services.content.limits import ELLIPSIS, columns
from magpie_services.content.realiser import MAX_PERSONAL_COLUMNS, Told
from magpie_services.content.strategies import RULES, Strategy
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait

# Room for the name of the item that a message comes from; English names are longer.
BECAUSE_COLUMNS = {"zh": 14, "en": 28}
BECAUSE_LATIN_COLUMNS = 24  # of an English name in Chinese words
CACHED_ITEMS = 20_000
BARE = 0.8
SAID_BESIDE = 2
ENOUGH_WORDS = 2  # of which a message about them says more than a fragment
_ATTRIBUTES = slots.mask("attrs")
# What a message about health may not tell whoever sees the screen.
_PRIVATE = slots.mask("liked", "because", "viewed", "bought", "seen")

Extractor = Callable[[Item], Sequence[Extracted]]


class Known(NamedTuple):
    """All that may be said for one brief: of the item, and of this user now."""

    locale: str
    item: ItemFacts
    moment: Phrases
    traits: tuple[Trait, ...]
    filled: int

    def told(self, strategy: Strategy, dice: Dice) -> Told:
        """What a strategy may say, nothing that the item's name says already.

        In most messages the name stands without its describing words, which may then be said of it.
        """
        item, needs = self.item, RULES[strategy].needs
        about = bool(needs & _ATTRIBUTES)
        # A message about them leaves none of them out.
        names, words = item.telling if about else item.names, item.unsaid
        if item.bare and (dice.roll() < BARE or (about and len(words) < ENOUGH_WORDS)):
            names, words = item.bare, item.words
        elif about and not words:
            words = item.words
        phrases = item.phrases | self.moment | address(self.traits, self.locale, dice)
        name = names[0].text.casefold() if names else ""
        for slot in ("brand", "category"):
            if not needs & slots.BITS[slot] and slot in phrases and phrases[slot].text.casefold() in name:
                del phrases[slot]
        if len(words) > SAID_BESIDE and not about:
            # They are not what it is about: not all of them.
            words = tuple(dice.shuffled(words)[:SAID_BESIDE])
        if words:
            phrases |= item.described(tuple(dice.shuffled(words)), loosely=dice.roll() < 0.5)
        return Told(phrases, filled(phrases), names)

    def personal(self) -> int:
        """The slots that a personal opener is sure to have room for."""
        found = 0
        often = self.moment.get("liked")
        if often is not None and often.columns <= MAX_PERSONAL_COLUMNS:
            found |= slots.BITS["liked"]
        widest = max((columns(trait.fact.text) for trait in self.traits), default=MAX_PERSONAL_COLUMNS)
        around = (
            6 if self.locale != "en" else 12 if all(one.form == "adjective" for one in self.traits) else 16
        )
        if widest + around <= MAX_PERSONAL_COLUMNS:
            found |= slots.mask("someone") if self.locale == "en" else slots.mask("you")
        return found


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
        often = liked(portrait, item.category, locale, now_ms, self._accepts)
        if often is not None:
            moment["liked"] = often
        if because is not None:
            room = BECAUSE_COLUMNS[locale.partition("-")[0]]
            theirs = self.item(because, locale)
            if (
                room < BECAUSE_LATIN_COLUMNS
                and theirs.names
                and not attributes.HAN.search(theirs.names[0].text)
            ):
                room = BECAUSE_LATIN_COLUMNS
            short = _short(theirs, known, room, locale)
            if short is not None:
                moment["because"] = Phrase(short.fact._replace(field=f"because_{short.fact.field}"))
        spoken = traits(portrait, locale, self._accepts) if portrait.traits else ()
        if self._private:
            moment = {name: phrase for name, phrase in moment.items() if not slots.BITS[name] & self._private}
            spoken = ()
        return Known(locale, known, moment, spoken, known.filled | filled(moment))

    def forget(self) -> None:
        """Works everything out anew: the extractor reads in another way now."""
        self._items.clear()

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


def _short(because: ItemFacts, item: ItemFacts, room: int, locale: str) -> Phrase | None:
    """The longest name that fits: of whole ones if there are any; in English of those that only name it, but
    never one that is the item's own too ("You looked at the dress. How about the dress?").
    """
    language = locale.partition("-")[0]
    fitting = [name for name in because.names if name.columns <= room]
    whole = [name for name in fitting if not name.text.endswith(ELLIPSIS)]
    own = {name.text.casefold() for name in item.names}
    bare = [name for name in whole if name in because.bare] if language == "en" else []
    for names in (bare, whole):
        apart = next((name for name in names if name.text.casefold() not in own), None)
        if apart is not None:
            return apart
    return None if language == "en" and whole else next(iter(fitting), None)


def _unrevealing(presentable: Accepts) -> Accepts:
    def accepts(text: str) -> bool:
        return presentable(text) and not attributes.SENSITIVE.search(text)

    return accepts
