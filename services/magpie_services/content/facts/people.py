"""What of a portrait may be said aloud: words that its app declared, and a category that the user visits."""

from functools import lru_cache
from typing import NamedTuple

from magpie_services.content import attributes
from magpie_services.content.attributes import Kind
from magpie_services.content.dice import Dice
from magpie_services.content.facts.items import MAX_VALUE_COLUMNS, Accepts
from magpie_services.content.facts.phrases import Fact, Maker, Phrase, Phrases, joined
from magpie_services.content.limits import columns
from magpie_services.content.scripts import simplified, written
from magpie_services.core.portraits import CATEGORY_HALF_LIFE_DAYS, Portrait
from magpie_services.core.untrusted import clean

OFTEN = 3.0  # decayed visits from which a category counts as liked
MAX_ADDRESS_COLUMNS = 24
_WHO = ("someone", "somebody")
_SELF = ("side", "streak", "self", "spirit")


class Trait(NamedTuple):
    """A word of a user that may be spoken: `form` is "adjective" or "verb"."""

    form: str
    fact: Fact


def liked(portrait: Portrait, category: str, locale: str, now_ms: int, accepts: Accepts) -> Phrase | None:
    """The category, where the user visits it often."""
    visits = portrait.categories.get(category) if category else None
    if visits is None or visits.at(now_ms, CATEGORY_HALF_LIFE_DAYS) < OFTEN:
        return None
    text = _category(category, locale, accepts)
    make = Maker("portrait", "portrait", portrait.version)
    return Phrase(make(Kind.CATEGORY, text, "categories", category)) if text else None


def traits(portrait: Portrait, locale: str, accepts: Accepts) -> tuple[Trait, ...]:
    """The words of a user that may be spoken."""
    make = Maker("portrait", "portrait", portrait.version)
    found = []
    for raw in portrait.traits:
        form, text = _trait(raw, locale, accepts)
        if form:
            found.append(Trait(form, make(Kind.TRAIT, text, "traits", raw)))
    return tuple(found)


def address(known: tuple[Trait, ...], locale: str, dice: Dice) -> Phrases:
    """The slots that speak to the user: by the trait of quality in half of the cases, else by any."""
    if not known:
        return {}
    trait = next((one for one in known if attributes.minds_quality([one.fact.value])), known[-1])
    if len(known) > 1 and dice.roll() < 0.5:
        trait = known[dice.below(len(known))]
    if locale == "en":
        return _english(trait, dice)
    phrases = {"you": Phrase(trait.fact, "的你")}
    everything = Phrase(*joined([one.fact for one in known[:3]], "zh").pieces, "的你")
    phrases["all_you"] = everything if everything.columns <= MAX_ADDRESS_COLUMNS else phrases["you"]
    return phrases


def _english(trait: Trait, dice: Dice) -> Phrases:
    """ "someone practical", "your practical side" or "someone as practical as you"."""
    if trait.form == "verb":
        who = _WHO[dice.below(len(_WHO))]
        return {
            "someone": Phrase(f"{who} who ", trait.fact),
            "you": Phrase("the part of you that ", trait.fact),
        }
    article = "an" if trait.fact.text[0] in "aeiou" else "a"
    before, after = (
        (f"{_WHO[0]} ", ""),
        (f"{_WHO[1]} ", ""),
        (f"{article} ", " soul"),
        (f"{article} ", " person"),
    )[dice.below(4)]
    return {
        "someone": Phrase(before, trait.fact, after),
        "you": Phrase("your ", trait.fact, f" {_SELF[dice.below(len(_SELF))]}"),
        "all_you": Phrase("someone as ", trait.fact, " as you"),
    }


@lru_cache(maxsize=16_384)
def _trait(raw: str, locale: str, accepts: Accepts) -> tuple[str, str]:
    """How a trait may be spoken ("" for not at all), and its words."""
    text = written(clean(raw), locale)
    form = attributes.trait_form(locale.partition("-")[0], simplified(text)) if text else ""
    return (form, text) if form and accepts(text) else ("", "")


@lru_cache(maxsize=16_384)
def _category(raw: str, locale: str, accepts: Accepts) -> str:
    text = written(clean(raw), locale)
    fits = columns(text) <= MAX_VALUE_COLUMNS and attributes.speaks(locale.partition("-")[0], text)
    return text if text and fits and accepts(text) else ""
