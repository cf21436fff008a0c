"""What of a portrait may be said aloud: words that its app declared, and a category that the user visits."""

from functools import lru_cache

from magpie_services.content import attributes
from magpie_services.content.attributes import Kind
from magpie_services.content.facts.items import MAX_VALUE_COLUMNS, Accepts
from magpie_services.content.facts.phrases import Maker, Phrase, Phrases, joined
from magpie_services.content.limits import columns
from magpie_services.content.scripts import simplified, written
from magpie_services.core.portraits import CATEGORY_HALF_LIFE_DAYS, Portrait
from magpie_services.core.untrusted import clean

OFTEN = 3.0  # decayed visits from which a category counts as liked
MAX_ADDRESS_COLUMNS = 24


def portrait_phrases(
    portrait: Portrait, category: str, locale: str, now_ms: int, accepts: Accepts
) -> Phrases:
    """The slots that a portrait fills for an item of a category."""
    phrases: Phrases = {}
    make = Maker("portrait", "portrait", portrait.version)
    if portrait.traits:
        phrases |= _address(portrait.traits, locale, make, accepts)
    visits = portrait.categories.get(category) if category else None
    if visits is not None and visits.at(now_ms, CATEGORY_HALF_LIFE_DAYS) >= OFTEN:
        text = _category(category, locale, accepts)
        if text:
            phrases["liked"] = Phrase(make(Kind.CATEGORY, text, "categories", category))
    return phrases


def _address(raw_traits: list[str], locale: str, make: Maker, accepts: Accepts) -> Phrases:
    spoken = []
    for raw in raw_traits:
        form, text = _trait(raw, locale, accepts)
        if form:
            spoken.append((form, make(Kind.TRAIT, text, "traits", raw)))
    if not spoken:
        return {}
    # Quality first: it is what the premium strategy stands on.
    form, fact = next((one for one in spoken if attributes.minds_quality([one[1].value])), spoken[-1])
    if locale == "en":
        return {"someone": Phrase("someone who " if form == "verb" else "someone ", fact)}
    phrases = {"you": Phrase(fact, "的你")}
    everything = Phrase(*joined([one for _, one in spoken][:3], "zh").pieces, "的你")
    phrases["all_you"] = everything if everything.columns <= MAX_ADDRESS_COLUMNS else phrases["you"]
    return phrases


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
