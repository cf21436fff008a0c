"""Words that are always there, and reasons fit for a person."""

import msgspec
import pytest

from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode, Stage, Verdict
from magpie_services.core.items import Item, Text
from magpie_services.push import explain, words

KETTLE = Item(
    item_id="k", version=3, title="蓝色水壶", locale="zh-CN", translations={"en": Text(title="Blue kettle")}
)


@pytest.mark.parametrize(
    ("locale", "title", "body"),
    [
        ("zh-CN", "蓝色水壶", "点开看看详情。"),
        ("en-GB", "Blue kettle", "Tap to see the details."),
        ("", "蓝色水壶", "点开看看详情。"),
        ("fr", "蓝色水壶", "Tap to see the details."),
    ],
)
def test_safe_words_are_the_title_and_claim_nothing(locale: str, title: str, body: str) -> None:
    copy = words.safe(KETTLE, locale)
    assert (copy.title, copy.body, copy.safe_template) == (title, body, True)
    (span,) = copy.spans
    assert (span.value, span.source, span.version) == (title, "k", 3)


def test_a_long_title_is_shortened_by_the_columns_that_it_takes() -> None:
    copy = words.safe(Item(item_id="k", title="x" * 5_000), "en")
    assert copy.title == "x" * 38 + "…"
    assert copy.spans[0].end == 39
    assert words.safe(Item(item_id="k", title="蓝" * 30), "zh-TW").title == "蓝" * 19 + "…"
    assert words.safe(Item(item_id="k", title="蓝" * 20), "zh-TW").title == "蓝" * 20


def test_hostile_items_get_harmless_words() -> None:
    hostile = Item(
        item_id="k",
        title="<b>\u202eKettle</b> {{7*7}} javascript:x",
        link="javascript:alert(1)",
        image_uri="../x",
    )
    copy = words.safe(hostile, "en")
    assert (copy.title, copy.link, copy.image_uri) == ("Kettle", "", "")
    copy = words.safe(Item(item_id="k", title="<script>x</script>"), "zh-TW")
    assert (copy.title, copy.body, copy.spans) == ("給你看一款", "點開看看詳情。", [])


def arms() -> list[Arm]:
    shown = [
        Arm(item_id=f"i{n}", probabilities=[c, 0, 0, 0], value=c, propensity=0.4)
        for n, c in ((1, 0.2), (2, 0.1))
    ]
    return [*shown, Arm(propensity=0.2)]


def decision(
    verdict: DecisionVerdict, chosen: int = -1, *reasons: Verdict, explored: bool = False
) -> Decision:
    return Decision(
        decision_id="d",
        user_id="u",
        mode=Mode.LIVE,
        verdict=verdict,
        decided_ms=0,
        arms=arms() if chosen >= 0 else [],
        chosen=chosen,
        reasons=list(reasons),
        explored=explored,
    )


def said_no(predicate: str, reason: str, stage: Stage = Stage.TARGET) -> Verdict:
    return Verdict(predicate=predicate, passed=False, stage=stage, reason=reason)


def told(
    verdict: DecisionVerdict, chosen: int = -1, *reasons: Verdict, explored: bool = False
) -> explain.Explanation:
    one = decision(verdict, chosen, *reasons, explored=explored)
    return explain.Explanation(one, {"i1": "Blue kettle"})


def test_a_push_is_explained_with_what_would_have_come_next() -> None:
    passed = Verdict(predicate="consent", passed=True, stage=Stage.TARGET)
    sent = told(DecisionVerdict.SENT, 0, passed)
    assert sent.summary() == "Sent “Blue kettle” (i1): of the items for this user, it is worth most."
    assert sent.why() == [
        "“Blue kettle” (i1) is worth 0.2 (chance of a click 20.00%)",
        "The next best is item i2, worth 0.1 (chance of a click 10.00%)",
        "Chosen so in 40.0% of such cases; the rest is drawn to learn",
    ]
    assert sent.counterfactuals() == [
        ("Had the bar for a push been above 0.2, nothing would have been sent", "no_send"),
        ("Had “Blue kettle” (i1) been out of stock, item i2 would have been next", "sent"),
    ]


def test_titles_are_those_of_the_words() -> None:
    copy = words.safe(KETTLE, "en")
    sent = msgspec.structs.replace(decision(DecisionVerdict.SENT, 0), copy=copy)
    assert explain.titles(sent) == {"k": "Blue kettle"}


def test_a_block_names_the_rule_its_figures_and_what_would_lift_it() -> None:
    blocked = told(DecisionVerdict.BLOCKED, -1, said_no("minimum_gap", "last push 1.0 h ago"))
    assert blocked.summary() == "Not sent, by the rule minimum gap: last push 1.0 h ago."
    (what_if,) = blocked.counterfactuals()
    assert what_if.change.startswith("Had more time passed since the last push")


def test_what_waits_says_for_what() -> None:
    wait = Verdict(predicate="quiet_hours", passed=True, stage=Stage.TARGET, reason="quiet until 08:00")
    queued = told(DecisionVerdict.QUEUED, 0, wait)
    assert queued.summary() == "Waits to send “Blue kettle” (i1): quiet until 08:00."
    assert queued.counterfactuals()[0].verdict is DecisionVerdict.SENT


def test_nothing_sent_tells_a_draw_from_a_judgement() -> None:
    judged = told(DecisionVerdict.NO_SEND, 2, said_no("value", "too little", Stage.RANK))
    (what_if,) = judged.counterfactuals()
    assert what_if == (
        "Had the bar for a push been below 0.2, “Blue kettle” (i1) would have been sent",
        "sent",
    )
    drawn = told(DecisionVerdict.NO_SEND, 2, said_no("value", "drawn", Stage.RANK), explored=True)
    (what_if,) = drawn.counterfactuals()
    assert what_if.change == "Without the draw, “Blue kettle” (i1) would have been chosen"


@pytest.mark.parametrize("verdict", list(DecisionVerdict))
def test_every_verdict_has_a_line(verdict: DecisionVerdict) -> None:
    assert told(verdict).summary().endswith(".")
