"""What a model that keeps to its rules would write passes, whatever the reason."""

import pytest
from tests.unit.content.model.test_templates import CHINESE, ENGLISH, Stage

from magpie_services.content.strategies import Strategy

IN_ENGLISH = {
    Strategy.PLAIN: [
        ("have a look at {item}", "a small find for a slow afternoon. {price}"),
        ("{item} is on our shelf", "{attrs}, for {price}. take your time"),
    ],
    Strategy.BACK_IN_STOCK: [
        ("{item} is {back|back in stock}", "it is {back|available again} for {price}"),
        ("good news: {item}", "{back|it has returned}, at {price}"),
    ],
    Strategy.LOW_STOCK: [
        ("{few|a few left}: {item}", "{stock} of them remain at {price}"),
    ],
    Strategy.CART_REMINDER: [
        ("{item} is still {cart|in your cart}", "it is {price} now. shall we carry on?"),
        ("{cart|your basket} holds {item}", "have another look whenever it suits"),
    ],
    Strategy.BECAUSE_YOU_VIEWED: [
        ("a companion for {the because}", "{viewed|seen before}, and now {item}"),
    ],
    Strategy.COMPLEMENT: [
        ("{item}, a match for {because}", "something to go with what you {bought|bought}"),
    ],
    Strategy.REPLENISH: [
        ("time for {item} {again|again}?", "your last order was {days} days ago. it is {price}"),
    ],
    Strategy.NEW_FROM_BRAND: [
        ("{new|new} from {brand}: {item}", "have a look, it is {price}"),
        ("{brand} has something {new|new}", "meet {the item}, {price}"),
    ],
    Strategy.TRENDING: [
        ("{popular|many are looking} at {item}", "see what it is about. {price}"),
        ("{item} is {popular|popular now}", "have a look for yourself"),
    ],
    Strategy.WELL_REVIEWED: [
        ("{item}, rated {rating}", "{ratings} people have rated it. see for yourself"),
    ],
    Strategy.SEASONAL: [
        ("{season} and {item}", "a good moment for it, {price}"),
        ("{item} for {season}", "have a look at it, {price}"),
    ],
    Strategy.PREMIUM: [
        ("quietly made for you: {item}", "{attrs}. that is all it needs"),
    ],
    Strategy.NEW_ARRIVAL: [
        ("{new|just in}: {item}", "have a look, {price}"),
        ("say hello to {item}", "it has {new|just arrived}, and is {price}"),
    ],
}
IN_CHINESE = {
    Strategy.PLAIN: [
        ("看看{item}", "闲下来的时候，翻一翻，{price}"),
        ("{item}在等你", "{attrs}，慢慢挑"),
    ],
    Strategy.BACK_IN_STOCK: [
        ("{item}{back|到货了}", "这回{price}，去看看吧"),
        ("{back|又有货了}：{item}", "想看的话，现在就能看"),
    ],
    Strategy.LOW_STOCK: [
        ("{item}{few|剩得不多了}", "还有{stock}，看看吧"),
    ],
    Strategy.CART_REMINDER: [
        ("{item}还在{cart|购物车里}", "现在{price}，要不要接着看看"),
        ("{cart|购物车}里的{item}", "有空再看一眼"),
    ],
    Strategy.BECAUSE_YOU_VIEWED: [
        ("{viewed|看过}{because}，再看看{item}", "放在一起，应该挺搭"),
        ("和{because}做伴的{item}", "{viewed|逛过}的那件，配它正好"),
    ],
    Strategy.COMPLEMENT: [
        ("{bought|买过}{because}，看看{item}", "放在一起用，{price}"),
    ],
    Strategy.REPLENISH: [
        ("{item}该{again|补一补}了吗", "上次是{days}天前，现在{price}"),
        ("{again|再来一份}{item}", "需要的时候，{price}"),
    ],
    Strategy.NEW_FROM_BRAND: [
        ("{brand}{new|上新}：{item}", "去看看吧，{price}"),
    ],
    Strategy.TRENDING: [
        ("{item}最近{popular|有人气}", "看看大家在看什么"),
        ("{popular|很多人在看}{item}", "去瞧瞧，{price}"),
    ],
    Strategy.WELL_REVIEWED: [
        ("{item}，评分{rating}", "{ratings}个人打过分，看看他们怎么说"),
        ("{rating}分的{item}", "来自{ratings}份评价"),
    ],
    Strategy.SEASONAL: [
        ("{season}，看看{item}", "应景的小东西，{price}"),
        ("{season}里的{item}", "慢慢挑，{price}"),
    ],
    Strategy.PREMIUM: [
        ("给自己的{item}", "{attrs}，刚刚好"),
    ],
    Strategy.NEW_ARRIVAL: [
        ("{new|新到}：{item}", "去看看吧，{price}"),
        ("{item}{new|刚上架}", "先看一眼，{price}"),
    ],
}
CASES = [
    (stage, strategy, pair)
    for stage, texts in ((ENGLISH, IN_ENGLISH), (CHINESE, IN_CHINESE))
    for strategy, pairs in texts.items()
    for pair in pairs
]


@pytest.mark.parametrize(("stage", "strategy", "pair"), CASES)
def test_an_ordinary_text_passes(stage: Stage, strategy: Strategy, pair: tuple[str, str]) -> None:
    assert Stage(stage.locale, stage.item, strategy).reason(*pair) == ""


def test_every_strategy_is_among_them() -> None:
    for texts in (IN_ENGLISH, IN_CHINESE):
        assert texts.keys() | {Strategy.PRICE_DROP} == set(Strategy)
