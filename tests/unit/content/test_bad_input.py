"""Bad input ends in a message that is safe to show: never a crash, never raw markup."""

import re

import pytest
from tests.unit.content.worlds import NOW_MS, person, shirt

from magpie_services.content.compose import Brief, Composer
from magpie_services.content.limits import columns
from magpie_services.content.strategies import Strategy
from magpie_services.core.decisions import Copy
from magpie_services.core.money import Money


def texts(messages: list[Copy]) -> list[str]:
    return [f"{message.title}\n{message.body}" for message in messages]


HOSTILE = [
    "{{user.password}} 衬衫",
    "<script>alert(1)</script>棉麻衬衫",
    "javascript:alert(1) 衬衫",
    '=HYPERLINK("http://evil")衬衫',
    "+1+cmd|' /C calc'!A0",
    "\u202e衫衬丝真\u202c衬衫",
    "衬\u200b衫\u200d真\ufeff丝",
    "<b>Shirt</b> &lt;img src=x onerror=alert(1)&gt;",
    "长" * 5_000,
    "word " * 1_000,
    "e\u0301\u0301\u0301\u0301\u0301\u0301" * 50,
    "👨‍👩‍👧‍👦" * 60,
    "全网最低价 第一名 国家级 真丝衬衫",
    "{{}}",
    "<>",
    "عربي قميص",
    "加微信13812345678领取",
    "Ｃｌｉｃｋ　ｗｗｗ．ｅｖｉｌ．ｃｏｍ　衬衫",
]


@pytest.mark.parametrize("locale", ["zh-CN", "en", "zh-TW", "xx-unknown", "ar"])
@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_title_gives_a_message_that_is_safe_to_show(title: str, locale: str) -> None:
    item = shirt(title=title, brand=title[:128], attributes={"style": [title[:256]], "<b>": ["{{x}}"]},
                 link="javascript:alert(1)", image_uri="../../etc/passwd")  # fmt: skip
    brief = Brief(item=item, portrait=person(title[:64], "注重品质"), locale=locale)
    for message in Composer().compose(brief, NOW_MS, variants=4, with_description=True).messages:
        shown = message.title + message.body + message.description
        assert message.title
        assert message.body
        assert not re.search(
            r"[<>{}\u200b-\u200f\u202a-\u202e]|javascript|https?:|www\.|1381234|最低|第一名|国家级", shown
        )
        assert not shown.startswith(("=", "+", "-", "@"))
        assert columns(message.title) <= 40
        assert columns(message.body) <= 100
        assert "" == message.link == message.image_uri


def test_prices_that_cannot_be_said_are_not() -> None:
    free = shirt(price=Money("CNY", 0))
    mixed = shirt(list_price=Money("USD", 999_900))
    unknown = shirt(price=Money("ZZZ", 100), list_price=Money("ZZZ", 200))
    for item in (free, mixed, unknown):
        brief = Brief(item=item, portrait=person(), locale="zh-CN", strategy=Strategy.PRICE_DROP)
        composition = Composer().compose(brief, NOW_MS, variants=12)
        assert Strategy.PRICE_DROP not in composition.eligible
        assert not any("降" in text or "¥0" in text or "原价" in text for text in texts(composition.messages))


def test_attributes_in_another_language_stay_out() -> None:
    item = shirt(attributes={"style": ["mid-century modern"], "colour": ["蓝色"]})
    for locale, word in (("en", "蓝色"), ("zh-CN", "mid-century")):
        brief = Brief(item=item, portrait=person(), locale=locale)
        assert not any(
            word in text for text in texts(Composer().compose(brief, NOW_MS, variants=16).messages)
        )


def test_sensitive_traits_are_neither_spoken_nor_used() -> None:
    for trait in ("怀孕", "糖尿病患者", "喜欢同性恋酒吧", "单身"):
        brief = Brief(item=shirt(), portrait=person(trait), locale="zh-CN", strategy=Strategy.PREMIUM)
        assert not any(
            trait in text for text in texts(Composer().compose(brief, NOW_MS, variants=16).messages)
        )
