"""The replay as a job: decisions of the streams and of the lake, each once, under another policy."""

from collections.abc import Iterator

import msgspec

from magpie_services.core import codec
from magpie_services.core.decisions import Decision
from magpie_services.core.outcomes import OutcomeKind
from magpie_services.push import child, replay
from magpie_services.push.policy import Policy
from magpie_services.push.replay import Comparison, Span

_PAGE = 4_000


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to replay: `recent` decisions (by `core.codec`) with their `outcomes` are from the streams, the
    rest of the span is read from the lake in `folder`, if there is one.
    """

    span: Span
    policy: Policy
    recent: list[bytes]
    outcomes: dict[str, set[OutcomeKind]]
    folder: str = ""


def run(job: Job) -> Comparison:
    """The comparison of a job, in this process."""
    recent = [codec.decode(Decision, blob) for blob in job.recent]
    known = [decision.decision_id for decision in recent]
    if not job.folder or len(recent) >= job.span.limit:
        return replay.compare(recent, lambda decision_id: job.outcomes.get(decision_id, ()), job.policy)
    from magpie_services.push import (
        past_log,
    )  # half a second and 100 MB that a replay of streams does not need

    rest = job.span._replace(limit=job.span.limit - len(recent))
    outcomes, waiting = dict(job.outcomes), list[Decision]()

    def decisions() -> Iterator[Decision]:
        yield from recent
        for decision in past_log.decisions(job.folder, rest, known):
            waiting.append(decision)
            if len(waiting) >= _PAGE:
                yield from settled()
        yield from settled()

    def settled() -> Iterator[Decision]:
        ids = [decision.decision_id for decision in waiting]
        for decision_id, kinds in past_log.outcomes(job.folder, ids, job.span.start_ms).items():
            outcomes[decision_id] = outcomes.get(decision_id, set()) | kinds
        yield from waiting
        waiting.clear()

    return replay.compare(decisions(), lambda decision_id: outcomes.get(decision_id, ()), job.policy)


if __name__ == "__main__":
    child.serve(Job, run)
