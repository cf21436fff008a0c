"""Promises of the English copy: it agrees, reads cleanly, claims nothing, and says one thing in many ways."""

import re
from collections.abc import Iterator
from importlib import resources

import msgspec
import pytest
from tests.unit.content.worlds import NOW_MS, holder, person

from magpie_services.content import verifier
from magpie_services.content.compose import Brief, Composer
from magpie_services.content.dice import Dice
from magpie_services.content.facts.extra import Extra
from magpie_services.content.grammar.notation import FactClause
from magpie_services.content.grammar.packs import PACKS, grammar
from magpie_services.content.grammar.ways import Ways
from magpie_services.content.limits import Limits
from magpie_services.content.strategies import RULES, Strategy, Tone
from magpie_services.content.writer import Writer
from magpie_services.core.decisions import Copy
from magpie_services.core.items import Item
from magpie_services.core.memory import Decayed
from magpie_services.core.money import Money

FILES = resources.files("magpie_services.content.grammar.en")
WIDE = Limits(title_columns=500, body_columns=500, title_bytes=5_000, body_bytes=5_000)
EVERYTHING = Extra(
    was_out_of_stock=True,
    in_cart=True,
    viewed=True,
    bought=True,
    is_new=True,
    popular_rank=7,
    trend_category="Candle holders",
    bought_days_ago=40,
)
# Half of what could be known; a word of the other half would be a claim without a fact.
HALVES = (
    msgspec.structs.replace(EVERYTHING, is_new=False, in_cart=False, popular_rank=0),
    Extra(is_new=True, in_cart=True, popular_rank=7, trend_category="Candle holders"),
)
TABLE = holder(
    item_id="table", title="Oak Side Table", brand="Weft", attributes={}, categories=["Home", "Tables"]
)
LOAFERS = holder(
    item_id="loafers",
    title="minimalist loafers in teal",
    attributes={"style": ["minimalist", "artsy"], "colour": ["teal"], "material": ["suede"]},
    categories=["Home", "Shoes"],
    stock=2,
)
PLAINEST = Item(item_id="pen", version=1, title="PEN", locale="en", price=Money("GBP", 100))
_SINGULAR = re.compile(r"is|are|was|were|has|have|does|do|isn't|aren't|wasn't|[a-z]+[^s'\W]s")
_NO_VERBS = {
    "this",
    "us",
    "as",
    "plus",
    "yes",
    "less",
    "towards",
    "ours",
    "yours",
    "perhaps",
    "others",
    "always",
    "besides",
    "days",
}
_NAME = re.compile(r"\{(?:the )?(?:item|because)\} ((?:\{\w+\||\()?[^{}.,:;!?]*)")


def messages(
    item: Item, pack: str = "shop", strategy: Strategy | None = None, count: int = 60
) -> Iterator[Copy]:
    """What an app of that kind writes about an item to somebody of whom everything is known."""
    composer = Composer(pack=pack)
    for seed in range(count):
        portrait = person(("practical", "loves travel")[seed % 2], item=item, because=TABLE)
        portrait.categories[item.category] = Decayed(9.0, NOW_MS)
        brief = Brief(
            item=item,
            portrait=portrait,
            strategy=strategy,
            locale="en",
            because=TABLE if seed % 3 else None,
            seed=seed,
            extra=EVERYTHING,
        )
        yield composer.compose(brief, NOW_MS).messages[0]


@pytest.mark.parametrize("name", ["common", *PACKS])
def test_no_verb_agrees_with_a_name_that_may_be_singular_or_plural(name: str) -> None:
    for line in FILES.joinpath(f"{name}.grammar").read_text("utf-8").splitlines():
        for match in _NAME.finditer(line):
            for words in match[1].split("|"):
                first = words.strip("{( ").partition(" ")[0]
                assert first in _NO_VERBS or not _SINGULAR.fullmatch(first), line


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("item", [holder(), LOAFERS, PLAINEST], ids=lambda item: item.item_id)
def test_texts_are_clean_sentences(pack: str, item: Item) -> None:
    for message in messages(item, pack):
        for text in (message.title, message.body):
            assert not re.search(r"  |\s[.,:;!?]|[.,:;]{2}|[!?][.,:;]|^[^\w“£]|\s$", text), text
            assert not re.search(r"\b(the the|a the|the a|the an)\b", text, re.IGNORECASE), text
            assert not re.search(r"\ba [aeio]|\ban (?!hour)[^aeiou]", text.replace("a one", "")), text
            assert not re.search(r"\b1 (places|seats|people|ratings|reviews|days|votes)\b", text), text
        for sentence in re.split(r"(?<=[.!?]) ", message.body):
            assert not sentence.lstrip("“")[0].islower(), message.body
        assert message.body.rstrip("”")[-1] in ".!?", message.body
        assert not message.title[0].islower() or message.title.startswith(item.title), message.title


@pytest.mark.parametrize("pack", PACKS)
def test_every_strategy_of_a_pack_speaks_english(pack: str) -> None:
    item = holder(brand="Weft", restock_ms=NOW_MS - 1)
    for strategy in RULES:
        if grammar("zh-CN", pack).speaks(strategy):
            assert grammar("en", pack).speaks(strategy), strategy
            written = [
                message for message in messages(item, pack, strategy, 16) if message.strategy == strategy
            ]
            assert len({(message.title, message.body) for message in written}) >= 8, strategy


@pytest.mark.parametrize("pack", PACKS)
def test_no_line_claims_what_no_fact_supports(pack: str) -> None:
    words, composer = grammar("en", pack), Composer(pack=pack)
    bare = holder(
        brand="", attributes={}, categories=[], list_price=None, stock=None, rating_count=0, published_ms=0
    )
    dull = holder(list_price=None, stock=80, rating_count=0, published_ms=0)
    cases = [(holder(), EVERYTHING), (bare, Extra()), (dull, HALVES[0]), (holder(published_ms=0), HALVES[1])]
    for number, (item, extra) in enumerate(cases):
        known = () if extra == Extra() else ("practical",)
        brief = Brief(
            item=item,
            portrait=person(*known, because=TABLE if known else None),
            because=TABLE if known else None,
            locale="en",
            extra=extra,
        )
        work = composer.work(brief, NOW_MS)
        told = work.known.told(Strategy.PREMIUM, Dice(number))
        for section, tone in ((section, tone) for section in words.sections for tone in Tone):
            if section == "description" or section.endswith(".emoji"):
                continue
            for way in words.ways(section, tone, told.filled).ways:
                leaves = Ways((way,)).draw(Dice(number))
                text = Writer("body", "en")
                text.write(
                    (leaf for leaf in leaves if type(leaf) is not FactClause), told.phrases, told.names[0]
                )
                findings = verifier.verify({"body": text.text}, work.held, WIDE)
                assert verifier.passed(findings), (section, text.text, findings)


def test_a_thousand_different_messages_about_one_item() -> None:
    texts = {(message.title, message.body) for message in messages(holder(), count=1_100)}
    assert len(texts) >= 1_000


def test_what_the_title_says_is_not_said_again() -> None:
    for message in messages(holder(), strategy=Strategy.PRICE_DROP, count=120):
        amounts = re.findall(r"£[\d.]+\d", f"{message.title} {message.body}")
        assert len(amounts) - len(set(amounts)) <= 0, (message.title, message.body)


def test_health_says_nothing_of_its_reader() -> None:
    for message in messages(holder(), "health", count=120):
        assert not re.search(
            r"practical|travel|Oak Side Table|you (looked|viewed|bought|ordered)", message.body
        )


@pytest.mark.parametrize(("described", "able"), [(["minimalist"], False), (["minimalist", "artsy"], True)])
def test_a_message_about_describing_words_needs_two_of_them(described: list[str], able: bool) -> None:
    item = holder(attributes={"style": described})
    found = Composer().compose(Brief(item=item, portrait=person("practical"), locale="en"), NOW_MS)
    assert (Strategy.PREMIUM in found.eligible) is able
