"""What holds of the verifier for every text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.content.worlds import NOW_MS, holder, shirt

from magpie_services.content.compose import Composer, Draft
from magpie_services.content.limits import NARROWEST
from magpie_services.content.verifier import Dossiers, holds, passed, presentable, verify

COMPOSER = Composer()
HIDDEN = "\u200b\u200c\u2060\u00ad\ufeff\u180e\u2063"
CLAIMS = st.sampled_from(
    (
        "最",
        "好",
        "第一",
        "¥",
        "1,299",
        "4.9 分",
        "折",
        "%",
        "月",
        "日",
        "件",
        "best",
        "only ",
        "left",
        "£",
        "\n",
        " ",
        "。",
    )
)
TEXTS = st.one_of(
    st.text(max_size=80), st.lists(st.one_of(CLAIMS, st.text(max_size=4)), max_size=20).map("".join)
)


@settings(max_examples=300, deadline=None)
@given(title=TEXTS, body=TEXTS, description=TEXTS)
def test_no_text_is_too_strange_and_findings_lie_within_their_part(
    title: str, body: str, description: str
) -> None:
    draft = Draft(title=title, body=body, description=description, item=shirt(), because=holder())
    for one in COMPOSER.verify(draft, NOW_MS):
        assert one.part in ("title", "body", "description")
        assert 0 <= one.start <= one.end <= len(getattr(draft, one.part))


@settings(max_examples=100, deadline=None)
@given(title=st.text(min_size=1, max_size=60), brand=st.text(max_size=20), value=st.text(max_size=30))
def test_no_catalogue_is_too_strange(title: str, brand: str, value: str) -> None:
    item = shirt(title=title, brand=brand, attributes={value: [value], "colour": [value]})
    Composer().verify(Draft(title=title[:20], body=value, item=item), NOW_MS)


@settings(max_examples=200, deadline=None)
@given(
    word=st.sampled_from(("最好", "独一无二", "治疗", "稳赚", "best", "guaranteed", "unbeatable")),
    places=st.lists(st.integers(0, 9), max_size=6),
    marks=st.lists(st.sampled_from(HIDDEN), min_size=1, max_size=6),
)
def test_hidden_characters_never_make_a_banned_word_pass(
    word: str, places: list[int], marks: list[str]
) -> None:
    for place, mark in zip(places, marks, strict=False):
        at = place % (len(word) + 1)
        word = word[:at] + mark + word[at:]
    assert not passed(COMPOSER.verify(Draft(body=f"A {word} one", item=holder()), NOW_MS))


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_holds_says_what_verify_says(text: str) -> None:
    facts = Dossiers(8).facts(shirt(), None, [], Draft(item=shirt()).extra, NOW_MS)
    parts = {"title": "", "body": text}
    assert holds(parts, facts, NARROWEST) is passed(verify(parts, facts, NARROWEST))


@settings(max_examples=200, deadline=None)
@given(text=TEXTS)
def test_whether_words_may_be_shown_can_be_told_of_every_text(text: str) -> None:
    assert presentable(text) in (True, False)


@pytest.mark.parametrize("unit", ["1 ", "最", "¥1 ", "a.", "惊艳"])
def test_findings_of_a_text_without_end_have_one(unit: str) -> None:
    found = COMPOSER.verify(Draft(description=unit * 25_000, item=shirt()), NOW_MS)
    assert not passed(found)
    assert len(found) < 200


@pytest.mark.parametrize("text", ["最好的衬衫", "<b>x</b>", "www.evil.com", "13812345678", "衬\u202e衫"])
def test_words_that_may_not_be_shown(text: str) -> None:
    assert not presentable(text)
