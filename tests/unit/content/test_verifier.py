"""What the verifier catches, and what it leaves alone."""

import re

import pytest
from tests.unit.content.worlds import NOW_MS, holder, shirt

from magpie_services.content.compose import Composer, Draft
from magpie_services.content.facts import Extra
from magpie_services.content.verifier import passed


def checks(text: str, **changes: object) -> set[str]:
    item = shirt() if re.search("[一-鿿]", text) else holder()
    draft = Draft(title="", body=text, item=item, **changes)  # type: ignore[arg-type]
    findings = Composer().verify(draft, NOW_MS)
    assert all(
        finding.part == "body" and 0 <= finding.start < finding.end <= len(text) for finding in findings
    )
    return set() if passed(findings) else {finding.check for finding in findings if finding.severity > 1}


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("真丝衬衫现价 ¥1,199", "unsupported_price"),
        ("真丝衬衫只要 99 元", "unsupported_price"),
        ("真丝衬衫立减 ¥500", "unsupported_price"),
        ("真丝衬衫，7 折", "unsupported_percent"),
        ("真丝衬衫，五折", "unsupported_percent"),
        ("真丝衬衫半价", "unsupported_percent"),
        ("真丝衬衫直降 50%", "unsupported_percent"),
        ("真丝衬衫评分 4.9", "unsupported_rating"),
        ("9,999 条评分", "unsupported_count"),
        ("只剩 1 件", "unsupported_stock"),
        ("红色真丝衬衫", "unsupported_colour"),
        ("纯棉衬衫", "unsupported_material"),
        ("耐克真丝衬衫", "unsupported_brand"),
        ("11月30日截止", "unsupported_date"),
        ("三件一起买", "unsupported_number"),
        ("全网最低价", "banned_word"),
        ("全網最低價", "banned_word"),
        ("最.低.价", "banned_word"),
        ("最 佳 选择", "banned_word"),
        ("最\u200b好的衬衫", "banned_word"),
        ("ｔｏｐ１衬衫", "banned_word"),
        ("不二选择", "banned_word"),
        ("品质卓越", "unsupported_claim"),
        ("限时抢购", "urgency"),
        ("购物车里的衬衫", "unsupported_cart"),
        ("热门衬衫", "unsupported_popular"),
        ("到货了", "unsupported_back"),
        ("文艺的你", "unsupported_trait"),
        ("看看 www.evil.com 衬衫", "link"),
        ("加微信 abcdefg", "personal_data"),
        ("联系 13812345678 衬衫", "personal_data"),
        ("<b>衬衫</b>", "markup"),
        ("{{name}}衬衫", "markup"),
        ("写给糖尿病的你", "sensitive"),
        ("Now just $9.99", "unsupported_price"),
        ("Now \u00a31.99", "unsupported_price"),
        ("Save 80% today", "unsupported_percent"),
        ("The best holder", "superlative"),
        ("The b.e.s.t holder", "superlative"),
        ("Guaranteed for life", "guarantee"),
        ("Only 5 left", "unsupported_stock"),
        ("Rated 4.9 out of 5", "unsupported_rating"),
        ("A red holder", "unsupported_colour"),
        ("Premium quality holder", "unsupported_claim"),
        ("In your cart", "unsupported_cart"),
        ("Hurry, act now", "urgency"),
        ("Set of 12 holders", "unsupported_number"),
    ],
)
def test_an_unsupported_claim_is_found(text: str, check: str) -> None:
    assert check in checks(text)


@pytest.mark.parametrize(
    "text",
    [
        "真丝衬衫现价 ¥1,299，原价 1599 元，省 300 元",
        "真丝衬衫 8.2 折",
        "只剩 3 件，最近浏览过的人可以来看看",
        "第一时间告诉你，时尚、简约、蓝色",
        "评分 4.7（满分 5 分），1,234 条评分",
        "新上架，降价了，库存不多",
        "White Hanging Heart T-Light Holder, was \u00a33.99, now \u00a32.55. That saves you \u00a31.44.",
        "36% off, 1 left, rated 4.7 out of 5 in 321 ratings",
        "Modern, simple and white. New from Fern & Co.",
    ],
)
def test_what_the_facts_say_passes(text: str) -> None:
    assert set() == checks(text, extra=Extra(viewed=True))


def test_words_of_the_catalogue_are_no_claims_of_ours() -> None:
    item = holder(title="World's Best Dad Mug 350ml", attributes={"care": ["dishwasher safe"]})
    draft = Draft(title="World's Best Dad Mug 350ml", body="Dishwasher safe.", item=item)
    assert passed(Composer().verify(draft, NOW_MS))


def test_facts_of_the_request_support_claims() -> None:
    extra = Extra(in_cart=True, popular_rank=3, was_out_of_stock=True)
    draft = Draft(title="购物车里的热门衬衫到货了", body="人气第 3 位", item=shirt(), extra=extra)
    assert passed(Composer().verify(draft, NOW_MS))


def test_a_text_wider_than_its_channel_is_found() -> None:
    draft = Draft(title="衬" * 21, body="衫" * 51, item=shirt())
    assert [finding.check for finding in Composer().verify(draft, NOW_MS)] == ["too_long", "too_long"]
