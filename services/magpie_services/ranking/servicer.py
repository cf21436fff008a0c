"""RankingService over gRPC: reads messages, asks the domain, writes messages."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import ranking_service_pb2 as ranking_pb
from magpie.v1 import ranking_service_pb2_grpc as ranking_grpc
from magpie_services.core.features import SCHEMA_HASH
from magpie_services.core.mirror import Mirror
from magpie_services.core.portraits import Portrait
from magpie_services.kit import metrics
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import Invalid, Unavailable
from magpie_services.ranking import explain, scorer
from magpie_services.ranking.batch import MAX_USERS, Batch, Listed, build
from magpie_services.ranking.scorer import Scored
from magpie_services.wire import candidates as wire_candidates
from magpie_services.wire import events as wire_events
from magpie_services.wire import portraits as wire_portraits
from magpie_services.wire import values

MAX_PORTRAITS = 512
MAX_CANDIDATES = 500
MAX_EXPLAINED = 10
MAX_ID_CHARS = 128

Context = grpc.aio.ServicerContext[Any, Any]


class RankingServicer(ranking_grpc.RankingServiceServicer):
    """`ready` says whether the copy of the catalogue is complete."""

    def __init__(
        self, mirror: Mirror, model: explain.Explainable, clock: Clock, *, ready: Callable[[], bool]
    ) -> None:
        self._mirror = mirror
        self._model = model
        self._clock = clock
        self._ready = ready

    async def RankCandidates(
        self, request: ranking_pb.RankCandidatesRequest, context: Context
    ) -> ranking_pb.RankCandidatesResponse:
        _check(request)
        portraits, lists = list[Portrait](), list[Listed]()
        for at, (portrait, given) in enumerate(zip(request.portraits, request.lists, strict=True)):
            portraits.append(wire_portraits.from_proto(portrait, f"portraits[{at}]"))
            lists.append(_listed(given.candidates, f"lists[{at}].candidates"))
            if len(lists) % MAX_USERS == 0:
                await asyncio.sleep(0)  # a long request lets the short ones pass
        self._check_ready()
        batches, scored = await self._score(portraits, lists, request.ranker_version)
        response = ranking_pb.RankCandidatesResponse(schema_hash=SCHEMA_HASH)
        for at, (batch, answer) in enumerate(zip(batches, scored, strict=True)):
            if at:
                await asyncio.sleep(0)
            for user in range(len(batch.mask)):
                place = at * MAX_USERS + user
                ranked = response.lists.add(user_id=portraits[place].user_id)
                _write(ranked, request, request.lists[place], batch, answer, user)
                ranked.prices.extend(self._prices([one.candidate.item_id for one in ranked.candidates]))
        response.ranker_version = scored[0].version
        response.fallback = scored[0].fallback
        if response.fallback:
            metrics.DEGRADED.labels("ranking").inc()
        return response

    async def _score(
        self, portraits: Sequence[Portrait], lists: Sequence[Listed], version: int
    ) -> tuple[list[Batch], list[Scored]]:
        """Batches of at most 32 users, and their scores: all of one version, or all of the light scorer."""
        now_ms, columns = self._clock.now_ms(), self._mirror.columns
        if len(portraits) <= MAX_USERS:
            batch = build(portraits, lists, columns, now_ms)
            return [batch], [await scorer.score(self._model, batch, version)]
        batches, answers = [], []
        for start in range(0, len(portraits), MAX_USERS):
            end = start + MAX_USERS
            batches.append(build(portraits[start:end], lists[start:end], columns, now_ms))
            answers.append(asyncio.ensure_future(scorer.score(self._model, batches[-1], version)))
            await asyncio.sleep(0)  # the call goes out while the next batch is built
        scored = await asyncio.gather(*answers)
        if len({one.version for one in scored}) > 1 or len({one.fallback for one in scored}) > 1:
            # One answer speaks with one voice: the light scorer's when a part could not have the model's.
            scored = [scorer.by_light(self._model.light, batch) for batch in batches]
        return batches, scored

    def _prices(self, item_ids: list[str]) -> list[float]:
        """In the order of the ids; 0 of items that the catalogue does not know."""
        rows = self._mirror.columns.rows(item_ids)
        prices: list[float] = np.where(rows >= 0, self._mirror.columns.at(rows)["price"], 0.0).tolist()
        return prices

    async def ExplainScores(
        self, request: ranking_pb.ExplainScoresRequest, context: Context
    ) -> ranking_pb.ExplainScoresResponse:
        if not request.HasField("portrait"):
            raise Invalid("portrait", "is required")
        if not 1 <= len(request.candidates) <= MAX_EXPLAINED:
            raise Invalid("candidates", f"must have 1 to {MAX_EXPLAINED} entries")
        listed = _listed(request.candidates, "candidates")
        portrait = wire_portraits.from_proto(request.portrait, "portrait")
        self._check_ready()
        asked = explain.variants(portrait, listed, self._mirror.columns, self._clock.now_ms())
        found = await explain.answer(self._model, asked)
        response = ranking_pb.ExplainScoresResponse(ranker_version=found.version, fallback=found.fallback)
        for at, candidate in enumerate(request.candidates):
            response.explanations.append(_explanation(candidate.item_id, asked, found, at))
        return response

    def _check_ready(self) -> None:
        if not self._ready():
            raise Unavailable("the catalogue is still being read")


def _check(request: ranking_pb.RankCandidatesRequest) -> None:
    if not 1 <= len(request.portraits) <= MAX_PORTRAITS:
        raise Invalid("portraits", f"must have 1 to {MAX_PORTRAITS} entries")
    if len(request.lists) != len(request.portraits):
        raise Invalid("lists", "must have one list for each portrait")
    for field in ("features_of_best", "features_of_rest", "ranker_version"):
        if getattr(request, field) < 0:
            raise Invalid(field, "is negative")
    for at, (portrait, given) in enumerate(zip(request.portraits, request.lists, strict=True)):
        if given.user_id and given.user_id != portrait.user_id:
            raise Invalid(f"lists[{at}].user_id", "is not the user of the portrait at this place")


def _listed(candidates: Sequence[candidate_pb.Candidate], field: str) -> Listed:
    if len(candidates) > MAX_CANDIDATES:
        raise Invalid(field, f"has more than {MAX_CANDIDATES} entries")
    candidates = list(candidates)  # once: each pass over a message's own makes a hundred objects
    item_ids = [candidate.item_id for candidate in candidates]
    length = np.array([len(item_id) for item_id in item_ids])
    _check_each(
        (length > 0) & (length <= MAX_ID_CHARS), field, "item_id", f"must be 1 to {MAX_ID_CHARS} characters"
    )
    similarity = np.array([candidate.similarity for candidate in candidates], dtype=np.float64)
    _check_each(np.abs(similarity) <= 1, field, "similarity", "must be between -1 and 1")
    covisit = np.array([candidate.covisit for candidate in candidates], dtype=np.float64)
    _check_each((covisit >= 0) & (covisit <= 1), field, "covisit", "must be between 0 and 1")
    # Sliced, because going through a field of a message one by one takes three times as long.
    sources = [wire_candidates.source_bits(tuple(candidate.sources[:])) for candidate in candidates]
    return Listed(
        item_ids=item_ids,
        similarity=similarity.astype(np.float32),
        covisit=covisit.astype(np.float32),
        sources=np.array(sources, dtype=np.int64),
    )


def _check_each(fit: NDArray[np.bool_], field: str, name: str, problem: str) -> None:
    if not fit.all():
        raise Invalid(f"{field}[{fit.argmin()}].{name}", problem)


def _write(
    into: ranking_pb.RankedList,
    request: ranking_pb.RankCandidatesRequest,
    given: candidate_pb.CandidateList,
    batch: Batch,
    scored: Scored,
    user: int,
) -> None:
    """Fills in the candidates of one user, best first."""
    candidates = list(given.candidates)
    probabilities = scored.probabilities[user, : len(candidates)]
    order = scorer.best_first(probabilities)
    best, rest = request.features_of_best, request.features_of_rest
    asked = best + rest > 0
    drawn, chance = scorer.sample(order, best, rest, request.seed, into.user_id) if asked else ([], 0.0)
    features = dict(zip(drawn, batch.features(user, drawn), strict=True)) if drawn else {}
    # Filled in place: making each message first and copying it in takes twice the time.
    for place, (at, heads) in enumerate(zip(order, probabilities[order].tolist(), strict=True)):
        ranked = into.candidates.add()
        ranked.candidate.CopyFrom(candidates[at])
        wire_candidates.fill_probabilities(ranked.probabilities, heads)
        ranked.feature_inclusion = 1.0 if asked and place < best else chance
        if at in features:
            ranked.features = features[at]


def _explanation(
    item_id: str, asked: explain.Variants, found: explain.Answer, at: int
) -> ranking_pb.Explanation:
    return ranking_pb.Explanation(
        item_id=item_id,
        probabilities=wire_candidates.probabilities_to_proto(found.probabilities[at].tolist()),
        contributions=[
            ranking_pb.Contribution(
                cause=one.cause, is_item=one.is_item, purchase=one.purchase, click=one.click
            )
            for one in explain.causes(asked, found, at)
        ],
        events=[
            ranking_pb.EventContribution(
                item_id=one.cause,
                kind=wire_events.kind_to_proto(one.event.kind),
                occur_time=values.timestamp(one.event.at_ms),
                purchase=one.purchase,
                click=one.click,
            )
            for one in explain.events(asked, found, at)
            if one.event is not None
        ],
        integrated=found.integrated(at),
        completeness_error=0.0 if found.missed is None else float(found.missed[at]),
    )
