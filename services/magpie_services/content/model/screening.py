"""What the words between the slots may be: nothing that claims anything, and nothing out of the item's texts.

A template is held against no facts at all: a word that needs one belongs into a slot, where the fact is
looked up anew each time. And words of a title, a brand or a description cannot come back as words of ours,
whatever a title tells the model to write.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache

from magpie_services.content import seasons, slots
from magpie_services.content.compose import Composer, Draft
from magpie_services.content.facts.extra import Extra
from magpie_services.content.grammar.notation import Choice, Sequence, Slot, Text
from magpie_services.content.grammar.packs import grammar
from magpie_services.content.model.prompt import about
from magpie_services.content.model.templates import Refused, Template
from magpie_services.content.scripts import simplified
from magpie_services.core.items import Item
from magpie_services.core.money import Money

# Words of a name that a text may have only in a slot: Latin ones from this length on, pairs of Han.
MIN_LETTERS = 3
# A run of as many words (of Chinese, characters) of a longer text is a quotation.
RUN_WORDS, RUN_HAN = 3, 4
# Any moment, and an offer that ends long after. As the figures below, no words can mean them by chance.
_NOW_MS, _ENDS = 1_800_000_000_000, date(2027, 4, 19)
# Whatever fact a numeral may happen to agree with: facts come by slots.
_NUMERALS = re.compile(
    r"\b(?:half|halves|twice|thrice|double[ds]?|triple[ds]?|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|twenty|thirty|fifty|dozens?|hundreds?|thousands?|millions?|first|second|third|zero|percent)\b"
    "|[二三四五六七八九十百千万亿两半倍]|一[成折]"
)
_READER = re.compile(
    r"\byou(?:['’](?:ve|re|d)\b| (?:have|had|are|were|did|love|like|want|wish|need|left|bought|look))"
    r"|\bmiss(?:ed|es)? you|\bwelcome back|\bbeen away|\bfriends?\b"
    "|[你您](?:最近|曾|之前|上次|喜欢|爱|看过|买过|想要|没来|是|已)|好久不见|想[你您]|朋友"
)
# Of the words for a piece of evidence, one of these has to be among them.
TELLING: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    language: {slot: re.compile(pattern) for slot, pattern in patterns.items()}
    for language, patterns in {
        "en": {
            "drop": r"\b(?:price|cheaper|less|drop|down|low|cut|reduc|off\b|fell|fallen|eased)",
            "few": r"\b(?:few|left|low\b|last|remain|scarce)",
            "popular": r"\b(?:popular|view|look|cho[os]|pick|many|people|crowd|demand|attention|interest)",
            "again": r"\b(?:again|more|once|before|last|usual|refill|reorder|restock|replenish|another)",
            "cart": r"\b(?:cart|basket|bag|saved|waiting|put|kept|added)",
            "back": r"\b(?:back|again|return|restock|available)",
            "new": r"\b(?:new|fresh|just|arriv|added|landed|joined)",
            "viewed": r"\b(?:look|view|see|saw|brows|eye|visit|check)",
            "bought": r"\b(?:bought|buy|order|own|have|purchas|cho[os]|pick|got)",
        },
        "zh": {
            "drop": "降|减|便宜|低|省|少|优惠|折",
            "few": "少|不多|剩|紧|最后",
            "popular": "热|多人|人气|受欢迎|关注|都在|抢手",
            "again": "再|又|续|补|回购|老",
            "cart": "购物车|车里|加购|挑好|放着|留着|等你",
            "back": "回|到货|补货|有货|再",
            "new": "新|刚|初|上架",
            "viewed": "看|逛|浏览|瞧|留意|关注",
            "bought": "买|下单|入手|订|选",
        },
    }.items()
}
_LATIN = re.compile("[a-z0-9]+(?:['’][a-z]+)?")
_HAN = re.compile("[\u3400-\u9fff]+")


def screen(template: Template, item: Item, locale: str, composer: Composer) -> None:
    """Lets a template pass or raises Refused.

    Reasons: "season", "numeral", "reader" (words about what the reader is, did or has), "says_nothing" (words
    for evidence that do not tell it), "copied", and the names of the verifier's checks.
    """
    title, body = _words(template.title), _words(template.body)
    said = f"{title}\n{body}"
    if seasons.told(said) is not None:
        raise Refused("season")
    if _NUMERALS.search(_folded(said)):
        raise Refused("numeral")
    if any(_READER.search(_folded(leaf.text)) for leaf in template.leaves() if isinstance(leaf, Text)):
        raise Refused("reader")
    telling = TELLING[locale.partition("-")[0]]
    if not all(telling[leaf.name].search(_folded(leaf.words)) for leaf in _evidence(template)):
        raise Refused("says_nothing")
    if _copied(said, item, vocabulary(locale, composer.pack)):
        raise Refused("copied")
    findings = composer.verify(_unsupported(title, body, template.needs), _NOW_MS)
    if findings:
        raise Refused(findings[0].check)


def _evidence(template: Template) -> Iterator[Slot]:
    return (leaf for leaf in template.leaves() if isinstance(leaf, Slot) and leaf.words)


def _folded(text: str) -> str:
    return simplified(text).casefold()


def _words(leaves: Iterable[Text | Slot]) -> str:
    """A part without its facts, each a break."""
    return "".join(leaf.text if isinstance(leaf, Text) else leaf.words or "\n" for leaf in leaves)


def _unsupported(title: str, body: str, needs: int) -> Draft:
    """The words beside facts of an item that has none but those that let the words of its slots be said."""

    def has(*names: str) -> bool:
        return bool(needs & slots.mask(*names))

    item = Item(
        item_id="none",
        price=Money("XXX", 9_973),
        list_price=Money("XXX", 10_007) if has("drop", "off", "zhe", "saved", "was") else None,
        stock=7 if has("few", "stock") else None,
        rating=4.37 if has("rating", "ratings") else 0.0,
        rating_count=1_237 if has("rating", "ratings") else 0,
    )
    extra = Extra(
        was_out_of_stock=has("back"),
        in_cart=has("cart"),
        viewed=has("viewed"),
        bought=has("bought", "again", "days"),
        is_new=has("new"),
        popular_rank=97 if has("popular", "rank") else 0,
        offer_ends=_ENDS if has("ends") else None,
    )
    return Draft(title=title, body=body, item=item, channel="email", extra=extra)


def _copied(said: str, item: Item, ours: frozenset[str]) -> bool:
    """Whether a text has a word of a name that the model was shown, or a run of words of anything."""
    shown = about(item)
    names = [shown["title"], shown["brand"], *shown["categories"]]
    for values in shown["attributes"].values():
        names += values
    told = frozenset(word for text in names for word in tokens(text))
    if told.intersection(tokens(said)) - ours:
        return True
    runs = frozenset(_runs(said))
    return any(not runs.isdisjoint(_runs(text)) for text in (*names, shown["description"]))


def tokens(text: str) -> Iterator[str]:
    """The words of a text by which it can be known again: Latin ones, and pairs of simplified Han."""
    for word in _LATIN.findall(text.casefold()):
        if len(word) >= MIN_LETTERS:
            yield word
    for run in _HAN.findall(simplified(text)):
        for at in range(len(run) - 1):
            yield run[at : at + 2]


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = _LATIN.findall(text.casefold())
    yield from zip(*(words[at:] for at in range(RUN_WORDS)), strict=False)
    for run in _HAN.findall(simplified(text)):
        yield from ((run[at : at + RUN_HAN],) for at in range(len(run) - RUN_HAN + 1))


@cache
def vocabulary(locale: str, pack: str) -> frozenset[str]:
    """The tokens of our own grammar: words as common as these are nobody's."""
    found: set[str] = set()

    def walk(sequence: Sequence) -> None:
        for node in sequence:
            match node:
                case Text():
                    found.update(tokens(node.text))
                case Slot():
                    found.update(tokens(node.words))
                case Choice():
                    for option in node.options:
                        walk(option)

    for lines in grammar(locale, pack).sections.values():
        for line in lines:
            walk(line.sequence)
    return frozenset(found)
