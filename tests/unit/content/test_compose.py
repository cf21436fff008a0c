"""What a composed message promises: true, fitting, traceable, repeatable, and safe whatever comes in."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.content.worlds import NOW_MS, holder, person, shirt

from magpie_services.content import formats, verifier
from magpie_services.content.compose import Brief, Composer, Draft
from magpie_services.content.facts.extra import Extra
from magpie_services.content.facts.items import raw_money
from magpie_services.content.limits import columns, limits_for
from magpie_services.content.scripts import written
from magpie_services.content.strategies import RULES, Strategy, Tone
from magpie_services.core.decisions import Copy, Span
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.portraits import Portrait
from magpie_services.core.untrusted import clean

ALL_EXTRA = Extra(
    was_out_of_stock=True, in_cart=True, viewed=True, bought=True, popular_rank=3, bought_days_ago=40
)


def texts(messages: list[Copy]) -> list[str]:
    return [f"{message.title}\n{message.body}" for message in messages]


def test_attributes_without_a_telling_name_are_told_apart_by_their_words() -> None:
    item = shirt(attributes={"特点": ["时尚", "简约", "蓝色"]})
    brief = Brief(item=item, portrait=person("注重品质"), strategy=Strategy.PREMIUM, locale="zh-CN")
    for message in Composer().compose(brief, NOW_MS, variants=8).messages:
        assert all(word in message.title + message.body for word in ("时尚", "简约", "蓝色"))


@pytest.mark.parametrize("strategy", RULES)
@pytest.mark.parametrize(
    ("item", "because", "traits"),
    [
        (shirt(), shirt(item_id="scarf", title="羊毛围巾"), ("注重品质",)),
        (holder(), holder(item_id="table", title="Oak Side Table"), ("quality-minded",)),
    ],
)
def test_a_strategy_whose_facts_are_there_is_followed(
    strategy: Strategy, item: Item, because: Item, traits: tuple[str, ...]
) -> None:
    brief = Brief(
        item=item,
        portrait=person(*traits, item=item, because=because),
        strategy=strategy,
        locale=item.locale,
        because=because,
        extra=ALL_EXTRA,
    )
    composition = Composer().compose(brief, NOW_MS, variants=16)
    assert strategy in composition.eligible
    assert 8 <= len(composition.messages) == len(set(texts(composition.messages)))
    assert {strategy.value} == {message.strategy for message in composition.messages}


def test_a_strategy_without_its_facts_gives_way_to_the_plain_one() -> None:
    item = shirt(stock=None, list_price=None, published_ms=0, attributes={"style": ["时尚"]})
    for strategy in (Strategy.LOW_STOCK, Strategy.PRICE_DROP, Strategy.SEASONAL, Strategy.CART_REMINDER):
        brief = Brief(item=item, portrait=person(), strategy=strategy, locale="zh-CN")
        (message,) = Composer().compose(brief, NOW_MS).messages
        assert message.strategy == "plain"
        assert not re.search("降|剩|库存|购物车", message.title + message.body)


def test_the_same_seed_writes_the_same_words_and_propensities_are_shares() -> None:
    def written(seed: int) -> Copy:
        brief = Brief(item=shirt(), portrait=person(), locale="zh-CN", seed=seed)
        return Composer().compose(brief, NOW_MS).messages[0]

    assert written(7) == written(7)
    assert len({written(seed).variant_id for seed in range(60)}) > 30
    assert all(0 < written(seed).propensity <= 1 for seed in range(20))


def test_propensity_is_how_often_a_form_is_drawn() -> None:
    item = shirt(attributes={}, brand="", categories=[], price=None, list_price=None, stock=None, rating=0.0,
                 rating_count=0, published_ms=0)  # fmt: skip
    composer = Composer()
    drawn: dict[str, int] = {}
    chance: dict[str, float] = {}
    rounds = 3_000
    for seed in range(rounds):
        brief = Brief(item=item, portrait=person(), tone=Tone.PREMIUM, locale="zh-CN", seed=seed)
        (message,) = composer.compose(brief, NOW_MS).messages
        drawn[message.variant_id] = drawn.get(message.variant_id, 0) + 1
        chance[message.variant_id] = message.propensity
    assert pytest.approx(sum(chance.values()), abs=0.02) == 1.0
    for variant, often in drawn.items():
        assert often / rounds == pytest.approx(chance[variant], abs=0.03)


def test_excluded_strategies_tones_and_variants_are_not_used() -> None:
    composer, seen = Composer(), set()
    for seed in range(40):
        brief = Brief(
            item=shirt(), portrait=person(), locale="zh-CN", seed=seed, excluded=("price_drop", "playful")
        )
        (message,) = composer.compose(brief, NOW_MS).messages
        assert message.strategy != "price_drop"
        assert message.tone != "playful"
        seen.add(message.variant_id)
    excluded = tuple(sorted(seen))
    for seed in range(40):
        brief = Brief(item=shirt(), portrait=person(), locale="zh-CN", seed=seed, excluded=excluded)
        assert composer.compose(brief, NOW_MS).messages[0].variant_id not in seen


def test_changed_facts_under_an_unchanged_version_are_seen() -> None:
    composer = Composer()
    for minor in (129_900, 99_900):
        item = shirt(price=Money("CNY", minor))
        brief = Brief(item=item, portrait=person(), strategy=Strategy.PRICE_DROP, locale="zh-CN")
        for message in composer.compose(brief, NOW_MS, variants=8).messages:
            prices = {span.value for span in message.spans if span.field == "item.price"}
            assert prices <= {raw_money(Money("CNY", minor))}


WORDS = st.text(
    alphabet=st.sampled_from("蓝红衬衫简约时尚鞋 aeBest最低第一0159%¥$.，（）【】<{\u200b\u202e👗é"),
    min_size=1,
    max_size=40,
)
PRICES = st.none() | st.builds(
    Money, st.sampled_from(["CNY", "USD", "JPY", "KWD", "EUR"]), st.integers(0, 10**9)
)
ITEMS = st.builds(
    Item,
    item_id=st.just("any"),
    version=st.integers(0, 9),
    title=WORDS,
    locale=st.sampled_from(["zh-CN", "en", "", "fr"]),
    brand=WORDS | st.just(""),
    categories=st.lists(WORDS, max_size=2),
    price=PRICES,
    list_price=PRICES,
    stock=st.none() | st.integers(0, 20),
    attributes=st.dictionaries(
        st.sampled_from(["colour", "style", "材质", "size"]), st.lists(WORDS, max_size=3), max_size=3
    ),
    rating=st.floats(1, 5),
    rating_count=st.integers(0, 10**6),
    published_ms=st.sampled_from([0, NOW_MS - 1_000, NOW_MS - 10**10]),
)
EXTRAS = st.builds(
    Extra,
    was_out_of_stock=st.booleans(),
    in_cart=st.booleans(),
    popular_rank=st.integers(0, 120),
    bought_days_ago=st.integers(0, 400),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(item=ITEMS, because=st.none() | ITEMS, extra=EXTRAS, locale=st.sampled_from(["zh-CN", "zh-TW", "en"]),
       channel=st.sampled_from(["", "fcm", "email"]), seed=st.integers(0, 2**64 - 1))  # fmt: skip
def test_whatever_the_facts_words_fit_pass_the_verifier_and_resolve(
    item: Item, because: Item | None, extra: Extra, locale: str, channel: str, seed: int
) -> None:
    composer, limits = Composer(), limits_for(channel)
    portrait = person("注重品质", "quality-minded", "年轻", item=item, because=because)
    brief = Brief(
        item=item, portrait=portrait, locale=locale, because=because, extra=extra, seed=seed, channel=channel
    )
    for message in composer.compose(brief, NOW_MS, variants=3, with_description=True).messages:
        assert columns(message.title) <= limits.title_columns
        assert columns(message.body) <= limits.body_columns
        assert len(message.title.encode()) <= limits.title_bytes
        draft = Draft(
            title=message.title,
            body=message.body,
            description=message.description,
            item=item,
            because=because,
            channel=channel,
            traits=portrait.traits,
            extra=Extra(
                **{name: getattr(extra, name) for name in extra.__struct_fields__}
                | {"bought": True, "viewed": True}
            ),
        )
        assert verifier.passed(composer.verify(draft, NOW_MS)), (message.title, message.body)
        for span in message.spans:
            resolve(message, span, item, because, portrait)


def resolve(message: Copy, span: Span, item: Item, because: Item | None, portrait: Portrait) -> None:
    """The span's value is the source's, and its words are the value's."""
    said, field, value = getattr(message, span.part)[span.start : span.end], span.field, span.value
    spoken = written(clean(value), message.locale).casefold()
    assert said
    if field == "item.title":
        assert value == item.title
        assert said.removesuffix("…").casefold() in spoken
    elif field == "because_item.title":
        assert because is not None
        assert value == because.title
        assert said.removesuffix("…").casefold() in spoken
    elif field.startswith("item.attributes."):
        assert value in item.attributes[field.removeprefix("item.attributes.")]
        assert spoken == said.casefold()
    elif field in ("item.brand", "item.categories"):
        assert value in (item.brand, item.category)
        assert spoken == said.casefold()
    elif field in ("item.price", "item.list_price"):
        price = item.price if field == "item.price" else item.list_price
        assert price is not None
        assert value == raw_money(price)
        assert said == formats.money(price, message.locale)
    elif field == "item.stock":
        assert value == str(item.stock)
    elif field == "item.rating":
        assert float(said) <= item.rating < float(said) + 0.1 + 1e-9
    elif field == "item.rating_count":
        assert int(said.replace(",", "")) == int(value) == item.rating_count
    elif field == "portrait.traits":
        assert value in portrait.traits
        assert spoken == said.casefold()
    else:
        assert field.startswith(("item.", "because_item.", "facts.", "portrait."))
