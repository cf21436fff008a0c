"""What became of pushes, counted by variant and circumstances, and what that says about clicks.

**What counts.** A push that was sent, and of what came back within `ANSWER_DAYS`: a click is what is learnt
towards; a dismissal counts as `DISMISSED` further pushes without a click, an opt-out as `OPTED_OUT`: a form
that is clicked a little more and drives people away is not the better one. Nothing else speaks of the words.

**What has not answered yet** is a push without a click only as far as clicks come by its age: as the share of
all clicks so far that came as soon, with `_USUAL` imaginary ones half of which come within `_HALF_MINUTES`.
So a form that was just sent to thousands does not look bad before they can have looked, nor good for the
first few who have. After `WAITING_MS` it is taken for one without, until a late click says otherwise.

Counts are sums of integers by name, with nothing of any user, so that they come out the same in any order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from magpie_services.content import choice
from magpie_services.content.learning.features import FACTORS, Codes, codes
from magpie_services.content.learning.regression import Evidence
from magpie_services.core.memory import DAY_MS, HOUR_MS
from magpie_services.core.outcomes import OutcomeKind

ANSWER_DAYS = 7
DISMISSED = 1.0
OPTED_OUT = 20.0
WAITING_MS = 6 * HOUR_MS
BUCKET_MS = 10 * 60_000
MINUTE_MS = 60_000
ANSWERS = frozenset({OutcomeKind.CLICKED, OutcomeKind.DISMISSED, OutcomeKind.UNSUBSCRIBED})
# Delays of clicks are counted up to these many minutes, each twice the last, the first below one.
_EDGES = np.array([float(2**n) for n in range(14)])
_USUAL, _HALF_MINUTES = 20.0, 15.0

# Names of counts, each of which is a hash of fields: COUNTS and WAITING by variant and context, DELAYS by
# bin, and one of totals a locale, see `totals`.
COUNTS, WAITING, DELAYS = "counts", "waiting", "delays"
Increments = dict[tuple[str, str], int]


class Sent(NamedTuple):
    """A push that was sent: the form of its words, where it was chosen, and when it went out."""

    variant_id: str
    context: str
    sent_ms: int


class Answer(NamedTuple):
    """What came back for a push."""

    push: Sent
    kind: OutcomeKind
    at_ms: int


class Statistics(NamedTuple):
    """Of one variant in all circumstances."""

    variant_id: str
    sent: int = 0
    clicked: int = 0
    dismissed: int = 0
    unsubscribed: int = 0


def totals(locale: str) -> str:
    """The name of the counts of a locale, by variant, in all circumstances together."""
    return f"totals:{locale}"


def increments(sent: Iterable[Sent], answers: Iterable[Answer], since_ms: int = 0) -> Increments:
    """What these add, by name and field. Forms that no release ever wrote are not counted.

    Pushes sent before `since_ms` have waited long enough.
    """
    found: Increments = defaultdict(int)
    for push in sent:
        if _count(found, push, "sent") and push.sent_ms >= since_ms:
            found[WAITING, _waiting(push)] += 1
    for answer in answers:
        push, delay_ms = answer.push, answer.at_ms - answer.push.sent_ms
        if answer.kind not in ANSWERS or delay_ms > ANSWER_DAYS * DAY_MS:
            continue
        if not _count(found, push, answer.kind.value):
            continue
        # An opt-out comes together with one of the others.
        if answer.kind is not OutcomeKind.UNSUBSCRIBED and push.sent_ms >= since_ms:
            found[WAITING, _waiting(push)] -= 1
        if answer.kind is OutcomeKind.CLICKED:
            found[DELAYS, str(int(np.searchsorted(_EDGES, max(0, delay_ms) / MINUTE_MS)))] += 1
    return found


def merge(into: Increments, more: Increments) -> None:
    """Adds `more`, in place."""
    for key, by in more.items():
        into[key] = into.get(key, 0) + by


def _count(found: Increments, push: Sent, what: str) -> bool:
    known = choice.parse(push.variant_id)
    if known is None:
        return False
    found[COUNTS, f"{push.variant_id}|{push.context}|{what}"] += 1
    found[totals(known[0]), f"{push.variant_id}|{what}"] += 1
    return True


def _waiting(push: Sent) -> str:
    return f"{push.sent_ms // BUCKET_MS}|{push.variant_id}|{push.context}"


class Tally:
    """All counts of one process. Starts empty or from counts that were stored, by name and field."""

    def __init__(self, stored: Mapping[str, Mapping[str, int]] | None = None) -> None:
        self._cells: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._codes: dict[str, Codes | None] = {}
        self._waiting: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._delays = np.zeros(len(_EDGES) + 1)
        for name, fields in (stored or {}).items():
            self.add({(name, field): count for field, count in fields.items()})

    def add(self, news: Mapping[tuple[str, str], int]) -> None:
        """Takes increments."""
        for (name, field), by in news.items():
            if name == COUNTS:
                cell, _, what = field.rpartition("|")
                self._cells[cell][what] += by
            elif name == WAITING:
                bucket, _, cell = field.partition("|")
                self._waiting[int(bucket)][cell] += by
            elif name == DELAYS:
                self._delays[int(field)] += by

    @property
    def unsettled(self) -> bool:
        """Whether the weight of some pushes changes with time alone."""
        return bool(self._waiting)

    def settled(self, now_ms: int) -> list[str]:
        """Forgets what has waited long enough at `now_ms`; the fields of WAITING that are of no use now."""
        old = [bucket for bucket in self._waiting if bucket * BUCKET_MS < now_ms - WAITING_MS - BUCKET_MS]
        return [f"{bucket}|{cell}" for bucket in old for cell in self._waiting.pop(bucket)]

    def evidence(self, now_ms: int) -> Evidence:
        """What the counts say at `now_ms`, of the forms and circumstances that this release knows."""
        unheard: dict[str, float] = defaultdict(float)
        for bucket, cells in self._waiting.items():
            age_ms = now_ms - bucket * BUCKET_MS - BUCKET_MS / 2
            if age_ms < WAITING_MS:
                left = 1.0 - self._heard(age_ms / MINUTE_MS)
                for cell, count in cells.items():
                    unheard[cell] += left * max(0, count)
        rows, trials, clicks = [], [], []
        for cell, counts in self._cells.items():
            if cell not in self._codes:
                variant_id, _, context = cell.partition("|")
                self._codes[cell] = codes(variant_id, context)
            found = self._codes[cell]
            if found is None:
                continue
            clicked = max(0, counts.get("clicked", 0))
            refused = DISMISSED * counts.get("dismissed", 0) + OPTED_OUT * counts.get("unsubscribed", 0)
            rows.append(found)
            clicks.append(clicked)
            trials.append(max(clicked, counts.get("sent", 0) - unheard.get(cell, 0.0)) + refused)
        codes_of = np.array(rows, np.intp).reshape(len(rows), len(FACTORS))
        return Evidence(codes_of, np.array(trials, float), np.array(clicks, float))

    def _heard(self, minutes: float) -> float:
        """The share of all clicks that come by an age."""
        usual = _USUAL * _EDGES / (_EDGES + _HALF_MINUTES)
        shares = (usual + self._delays[:-1].cumsum()) / (_USUAL + self._delays.sum())
        return float(np.interp(max(0.0, minutes), np.append(0.0, _EDGES), np.append(0.0, shares)))


def statistics(fields: Mapping[str, int]) -> list[Statistics]:
    """The counts of `totals` by variant, in the order of their ids."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for field, count in fields.items():
        variant_id, _, what = field.rpartition("|")
        if what in Statistics._fields:
            found[variant_id][what] = count
    return [Statistics(variant_id, **counts) for variant_id, counts in sorted(found.items())]
