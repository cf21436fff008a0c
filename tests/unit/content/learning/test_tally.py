"""What counts, and what it says."""

import random
from collections import defaultdict

import numpy as np
import pytest

from magpie_services.content.learning import tally
from magpie_services.content.learning.features import codes
from magpie_services.content.learning.tally import (
    BUCKET_MS,
    MINUTE_MS,
    OPTED_OUT,
    WAITING_MS,
    Answer,
    Increments,
    Sent,
    Statistics,
    Tally,
    increments,
    statistics,
)
from magpie_services.core.memory import DAY_MS
from magpie_services.core.outcomes import OutcomeKind

NOW_MS = 1_790_000_000_000 // BUCKET_MS * BUCKET_MS
HERE = "active.bargain.evening"
FORM, OTHER = "en:plain:plain:none:look", "en:price_drop:plain:none:look"
OLD = Sent(FORM, HERE, NOW_MS - 30 * DAY_MS)


def answered(push: Sent, kind: OutcomeKind = OutcomeKind.CLICKED, minutes: float = 5.0) -> Answer:
    return Answer(push, kind, push.sent_ms + int(minutes * MINUTE_MS))


def evidence(held: Tally, now_ms: int = NOW_MS) -> dict[tuple[int, ...], tuple[float, float]]:
    rows, trials, clicks = held.evidence(now_ms)
    return {tuple(row): (n, k) for row, n, k in zip(rows.tolist(), trials, clicks, strict=True)}


def counted(sent: list[Sent], answers: list[Answer]) -> Tally:
    held = Tally()
    held.add(increments(sent, answers))
    return held


def test_a_click_is_a_success_and_nothing_a_trial() -> None:
    held = counted([OLD] * 10, [answered(OLD)] * 3)
    assert evidence(held) == {codes(FORM, HERE): (10.0, 3.0)}


def test_refusals_are_further_trials_and_an_opt_out_many() -> None:
    dismissed = counted([OLD] * 10, [answered(OLD, OutcomeKind.DISMISSED)])
    gone = counted([OLD] * 10, [answered(OLD, OutcomeKind.UNSUBSCRIBED)])
    assert evidence(dismissed) == {codes(FORM, HERE): (11.0, 0.0)}
    assert evidence(gone) == {codes(FORM, HERE): (10.0 + OPTED_OUT, 0.0)}


def test_other_outcomes_and_answers_after_a_week_say_nothing() -> None:
    late = [answered(OLD, minutes=8 * 1_440.0), answered(OLD, OutcomeKind.DELIVERED)]
    assert evidence(counted([OLD], late)) == {codes(FORM, HERE): (1.0, 0.0)}


def test_words_that_nobody_chose_by_learning_are_not_counted() -> None:
    for name in ("", "builtin/safe", "en:safe", "en:nonsense:plain:none:look"):
        assert increments([Sent(name, HERE, NOW_MS)], [answered(Sent(name, HERE, NOW_MS))]) == {}


def test_a_form_of_another_release_is_counted_and_not_learnt_from() -> None:
    unknown = Sent("en:plain:plain:sung:look", HERE, NOW_MS - DAY_MS)
    found = increments([unknown, OLD], [])
    held = Tally()
    held.add(found)
    assert evidence(held) == {codes(FORM, HERE): (1.0, 0.0)}
    fields = {field: by for (name, field), by in found.items() if name == tally.totals("en")}
    assert statistics(fields) == [Statistics(FORM, 1), Statistics(unknown.variant_id, 1)]


def test_who_has_not_answered_yet_is_no_refusal_until_answers_would_have_come() -> None:
    new = Sent(FORM, HERE, NOW_MS)
    held = counted([new] * 100, [])
    trials = [
        evidence(held, NOW_MS + minutes * MINUTE_MS)[codes(FORM, HERE) or ()][0]
        for minutes in (5, 20, 120, 371)
    ]
    assert trials[0] < 5.0
    assert trials == sorted(trials)
    assert 40.0 < trials[1] < 70.0
    assert trials[3] == 100.0


def test_how_fast_clicks_come_is_learnt() -> None:
    slow = [answered(OLD, minutes=240.0)] * 500
    quick = [answered(OLD, minutes=0.5)] * 500
    new = Sent(OTHER, HERE, NOW_MS)
    trials = [
        evidence(counted([new] * 100 + [OLD] * 500, answers), NOW_MS + 30 * MINUTE_MS)[
            codes(OTHER, HERE) or ()
        ][0]
        for answers in (slow, quick)
    ]
    assert trials[0] < 10.0
    assert trials[1] > 90.0


def test_an_answered_push_does_not_wait() -> None:
    new = Sent(FORM, HERE, NOW_MS)
    held = counted([new], [answered(new)])
    assert evidence(held, NOW_MS + MINUTE_MS) == {codes(FORM, HERE): (1.0, 1.0)}


def test_what_waited_long_enough_is_forgotten_and_its_late_click_still_counts() -> None:
    new = Sent(FORM, HERE, NOW_MS)
    held = counted([new, OLD], [])
    later = NOW_MS + WAITING_MS + 2 * BUCKET_MS
    assert len(held.settled(later)) == 2
    assert not held.unsettled
    held.add(increments([], [answered(new, minutes=1_000)], since_ms=later - WAITING_MS))
    assert not held.unsettled
    assert evidence(held, later) == {codes(FORM, HERE): (2.0, 1.0)}


def test_counts_come_out_the_same_in_any_order_and_from_store() -> None:
    dice = random.Random(1)
    sent = [Sent(dice.choice((FORM, OTHER)), HERE, NOW_MS - dice.randrange(DAY_MS)) for _ in range(200)]
    answers = [answered(push, dice.choice(list(tally.ANSWERS))) for push in dice.sample(sent, 50)]
    whole = increments(sent, answers)
    steps: list[Increments] = [increments([push], []) for push in sent]
    steps += [increments([], [answer]) for answer in answers]
    dice.shuffle(steps)
    stored: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    live = Tally()
    for step in steps:
        live.add(step)
        for (name, field), by in step.items():
            stored[name][field] += by
    assert {(n, f): by for n, fields in stored.items() for f, by in fields.items() if by} == {
        key: by for key, by in whole.items() if by
    }
    again = Tally(stored)
    for other in (evidence(again), evidence(counted(sent, answers))):
        assert evidence(live).keys() == other.keys()
        for cell, found in evidence(live).items():
            assert found == pytest.approx(other[cell])


def test_nothing_counted_is_no_evidence() -> None:
    rows, trials, clicks = Tally().evidence(NOW_MS)
    assert rows.shape == (0, 9)
    assert np.size(trials) == np.size(clicks) == 0


def test_what_somebody_was_tired_of_is_counted_apart() -> None:
    tired = OLD._replace(context=f"{HERE}.tired3")
    found = evidence(counted([OLD, tired, tired], [answered(tired)]))
    assert found == {codes(FORM, HERE): (1.0, 0.0), codes(FORM, tired.context): (2.0, 1.0)}
