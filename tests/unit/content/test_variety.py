"""The worked example, and how many ways there are to say one thing."""

import re

from tests.unit.content.worlds import NOW_MS, person, shirt

from magpie_services.content.compose import Brief, Composer
from magpie_services.content.facts.extra import Extra
from magpie_services.content.likeness import alike, shingles
from magpie_services.content.strategies import Strategy


def test_the_worked_example_names_all_three_attributes_and_speaks_to_that_person() -> None:
    composer, texts = Composer(), set()
    for seed in range(300):
        brief = Brief(
            item=shirt(),
            portrait=person("年轻", "时尚", "注重品质"),
            strategy=Strategy.PREMIUM,
            locale="zh-CN",
            seed=seed,
        )
        (message,) = composer.compose(brief, NOW_MS).messages
        text = f"{message.title}\n{message.body}"
        assert message.strategy == "premium"
        assert all(word in text for word in ("时尚", "简约", "蓝色")), text
        assert re.search("(年轻|时尚|注重品质)的你", text), text
        assert text.count("的你") == 1, text
        assert not re.search("卓越|合理|不二|最|第一|唯一|优惠|完美|极致|顶级|首选", text), text
        assert {"item.attributes.style", "item.attributes.colour", "portrait.traits", "item.title"} <= {
            span.field for span in message.spans
        }
        texts.add(text)
    assert len(texts) > 280


def test_a_thousand_different_messages_about_one_item() -> None:
    composer, texts = Composer(), set()
    extra = Extra(was_out_of_stock=True, in_cart=True, popular_rank=3, bought_days_ago=40)
    for seed in range(1_100):
        brief = Brief(item=shirt(), portrait=person("注重品质"), locale="zh-CN", seed=seed, extra=extra)
        (message,) = composer.compose(brief, NOW_MS).messages
        texts.add((message.title, message.body))
    assert len(texts) >= 1_000


def test_variants_asked_for_together_are_unlike_each_other() -> None:
    brief = Brief(item=shirt(), portrait=person("注重品质"), strategy=Strategy.PREMIUM, locale="zh-CN")
    messages = Composer().compose(brief, NOW_MS, variants=16).messages
    runs = [shingles(f"{message.title} {message.body}") for message in messages]
    assert len(messages) >= 12
    assert not any(alike(one, other) for at, one in enumerate(runs) for other in runs[:at])


def test_texts_that_share_most_of_their_words_are_alike() -> None:
    assert alike(shingles("时尚的真丝衬衫，现价 99"), shingles("时尚的真丝衬衫！现价 99"))
    assert not alike(shingles("时尚的真丝衬衫"), shingles("看看这件蓝色外套"))
