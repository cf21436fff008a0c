"""Words that are always there, and reasons fit for a person."""

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


def test_a_long_title_is_shortened() -> None:
    copy = words.safe(Item(item_id="k", title="x" * 100), "en")
    assert len(copy.title) == 40
    assert copy.spans[0].end == 40


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


def test_a_push_is_explained_with_what_would_have_come_next() -> None:
    sent = decision(DecisionVerdict.SENT, 0)
    assert explain.summary(sent) == "Was sent item i1, the best of the items."
    assert any(line.startswith("next best was i2") for line in explain.why(sent))
    assert [what_if.verdict for what_if in explain.counterfactuals(sent)] == [
        DecisionVerdict.NO_SEND,
        DecisionVerdict.SENT,
        DecisionVerdict.BLOCKED,
    ]


def test_a_block_names_the_rule_its_figures_and_what_would_lift_it() -> None:
    blocked = decision(DecisionVerdict.BLOCKED, -1, said_no("minimum_gap", "last push 1.0 h ago"))
    assert explain.summary(blocked) == "Stopped by the rule minimum_gap: last push 1.0 h ago."
    (what_if,) = explain.counterfactuals(blocked)
    assert what_if.change.startswith("Had more time passed since the last push")


def test_nothing_sent_tells_a_draw_from_a_judgement() -> None:
    judged = decision(DecisionVerdict.NO_SEND, 2, said_no("value", "too little", Stage.RANK))
    (what_if,) = explain.counterfactuals(judged)
    assert what_if == (
        "Were a push worth sending from a value of 0.2 down, item i1 would have been sent",
        "sent",
    )
    drawn = decision(DecisionVerdict.NO_SEND, 2, said_no("value", "drawn", Stage.RANK), explored=True)
    (what_if,) = explain.counterfactuals(drawn)
    assert what_if.change == "Without the draw, item i1 would have been weighed"


@pytest.mark.parametrize("verdict", list(DecisionVerdict))
def test_every_verdict_has_a_line(verdict: DecisionVerdict) -> None:
    assert explain.summary(decision(verdict)).endswith(".")
