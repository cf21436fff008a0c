"""The retrieval model: follows its releases, asks for user vectors and followers of one version."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import structlog
from numpy.typing import NDArray

from magpie_services.candidate import description
from magpie_services.candidate.fetching import MODEL, PAGE_SECONDS, Unfit, fetch, first
from magpie_services.candidate.release import Followers, Release, UserVectors
from magpie_services.candidate.vector_index import Floats, Kind
from magpie_services.core import features
from magpie_services.core.buckets import READERS, padded
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait
from magpie_services.core.reading import closed
from magpie_services.kit import metrics
from magpie_services.kit.breaker import CircuitBreaker, State
from magpie_services.kit.errors import DeadlineExceeded, MagpieError, NotFound, Unavailable
from magpie_services.kit.prediction import Prediction
from magpie_services.kit.refreshing import Refresher

log = structlog.get_logger()

TRANSITIONS = "transitions"
FOLLOWERS = ("rows", "scores", "weight", "steps")
SECONDS_A_USER = 0.003

Answer = TypeVar("Answer")
Arrays = Mapping[str, NDArray[Any]]


class Retriever:
    """Keeps `release` the newest available version; `run` follows the model server.

    Vectors and transitions rest apart, each by a breaker of its own: vectors are of use without transitions.
    """

    def __init__(
        self,
        prediction: Prediction,
        breaker: Callable[[], CircuitBreaker],
        kind: Kind,
        *,
        lift: float = 0.0,
        timeout_seconds: float,
        poll_seconds: float,
    ) -> None:
        self.release: Release | None = None
        self.missing = False  # a version is served and could not be taken, or nobody can tell
        self._prediction = prediction
        self._breakers = {MODEL: breaker(), TRANSITIONS: breaker()}
        self._kind = kind
        self._lift = lift
        self._refused: set[int] = set()
        self._timeout = timeout_seconds
        self._refresher = Refresher(MODEL, self.refresh, poll_seconds=poll_seconds)

    async def run(self) -> None:
        """Look for a newer version every few seconds until cancelled."""
        await self._refresher.run()

    async def refresh(self) -> None:
        """Take the newest version that fits. Raises Unavailable, DeadlineExceeded; what was held stays."""
        try:
            states = await self._prediction.status(MODEL)
        except NotFound:
            states = []
        except MagpieError:
            self.missing = self.release is None
            raise
        available = {version for version, state in states if state == "AVAILABLE"}
        newest = max(available - self._refused, default=0)
        self.missing = self.release is None and bool(available)
        if not newest or (self.release and self.release.version == newest):
            return
        try:
            self.release = await fetch(self._prediction, newest, self._kind, self._lift)
        except Unfit as error:
            self._refused.add(newest)
            metrics.MODELS_REFUSED.labels(MODEL).inc()
            log.error("retriever.refused", version=newest, reason=str(error))
            return
        self.missing = False
        log.info("retriever.release", version=self.release.version, items=len(self.release.ids))

    async def user_vectors(self, portraits: Sequence[Portrait], now_ms: int) -> UserVectors | None:
        """Vectors of users by the release held, None when there is none.

        A user without interactions that the release knows gets none. Raises Unavailable (also while the
        breaker is open) and DeadlineExceeded.
        """
        release = self.release
        if release is None:
            return None
        items, kinds, gaps = sequences(release, portraits, now_ms)
        known = np.asarray((items > 0).any(axis=1), dtype=np.bool_)
        vectors = np.zeros((len(portraits), release.vectors.shape[1]), dtype=np.float32)
        if not known.any():
            return UserVectors(release, vectors, known)
        inputs: Arrays = {"items": items[known], "kinds": kinds[known], "gaps": gaps[known]}
        try:
            vectors[known], followers = await asyncio.gather(
                self._retrieve(release, inputs), self._followers(release, items[known])
            )
        except NotFound:
            # The server has let go of this version: take its next one at once, and ask that.
            await self._refresher.soon()
            if self.release is release:
                raise Unavailable("the retrieval model is gone") from None
            return await self.user_vectors(portraits, now_ms)
        return UserVectors(release, vectors, known, _spread(followers, known) if followers else None)

    async def describe(self, release: Release, items: Sequence[Item]) -> Floats:
        """Unit vectors float32 [m, d] of at most 512 items that the release has not seen, by what they are;
        zeros where it finds none.

        Raises Unavailable, DeadlineExceeded, NotFound.
        """
        empty = [Item(item_id="")] * (padded(len(items), READERS) - len(items))
        outputs, _ = await self._prediction.predict(
            MODEL,
            "describe",
            description.inputs([*items, *empty]),
            version=release.version,
            timeout_seconds=PAGE_SECONDS,
        )
        vectors: Floats = first(outputs, "vectors", len(items))
        if vectors.shape != (len(items), release.vectors.shape[1]):
            raise Unavailable("the retrieval model describes items by no vectors like those it has")
        sound = description.of_length_1(vectors)
        if not (sound | ~vectors.any(axis=1)).all():
            metrics.DEGRADED.labels("describe").inc()
            log.error("retriever.described_badly", version=release.version, items=int((~sound).sum()))
        return np.where(sound[:, None], vectors, np.float32(0))

    async def _retrieve(self, release: Release, inputs: Arrays) -> Floats:
        def read(outputs: Arrays, size: int) -> Floats:
            vectors: Floats = first(outputs, "vector", size)
            if vectors.shape != (size, release.vectors.shape[1]) or not np.isfinite(vectors).all():
                raise Unavailable("the retrieval model answers with no vectors like those of its items")
            return vectors

        return await self._ask(release, "retrieve", inputs, self._breakers[MODEL], read)

    async def _followers(self, release: Release, items: NDArray[np.int32]) -> Followers | None:
        """What follows the newest of items [B, 50], None where nobody can tell. Raises NotFound."""
        if not release.follows:
            return None

        def read(outputs: Arrays, size: int) -> Followers:
            rows, scores, weight, steps = (first(outputs, name, size) for name in FOLLOWERS)
            return _checked(release, items, rows, scores, weight, steps)

        try:
            return await self._ask(
                release, "transitions", {"items": items}, self._breakers[TRANSITIONS], read
            )
        except (DeadlineExceeded, Unavailable):
            metrics.DEGRADED.labels(TRANSITIONS).inc()
            return None

    async def _ask(
        self,
        release: Release,
        signature: str,
        inputs: Arrays,
        breaker: CircuitBreaker,
        read: Callable[[Arrays, int], Answer],
    ) -> Answer:
        """What `read` makes of an answer for the users of `inputs`; raises Unavailable where it is none."""
        resting = MODEL if breaker is self._breakers[MODEL] else TRANSITIONS
        if not breaker.allow():
            raise Unavailable(f"{resting} is resting")
        size = len(inputs["items"])
        extra = padded(size, READERS) - size
        started, ok = time.monotonic(), False
        try:
            outputs, _ = await self._prediction.predict(
                MODEL,
                signature,
                {name: np.pad(array, ((0, extra), (0, 0))) for name, array in inputs.items()},
                version=release.version,
                timeout_seconds=self._timeout + SECONDS_A_USER * size,
            )
            answer = read(outputs, size)
            ok = True
            return answer
        except NotFound:
            ok = True  # the server is well, it only moved on
            raise
        finally:
            breaker.record(ok=ok, seconds=time.monotonic() - started)
            metrics.BREAKER_OPEN.labels(resting).set(breaker.state is not State.CLOSED)


def sequences(
    release: Release, portraits: Sequence[Portrait], now_ms: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
    """Model inputs int32, int32, float32, each [B, 50]; items that the release does not know are left out."""
    read = [features.sequence(portrait, now_ms) for portrait in portraits]
    items = np.array([[release.reads(one) for one in ids] for ids, _, _ in read], dtype=np.int32)
    kinds = np.array([kinds for _, kinds, _ in read], dtype=np.int32)
    gaps = np.array([gaps for _, _, gaps in read], dtype=np.float32)
    return closed(items, kinds, gaps)


def _checked(
    release: Release,
    items: NDArray[np.int32],
    rows: NDArray[np.int32],
    scores: Floats,
    weight: Floats,
    steps: NDArray[np.int32],
) -> Followers:
    """An answer as followers of items [B, 50]. Raises Unavailable where it cannot be one."""
    users, most = items.shape
    sound = (
        rows.ndim == 2
        and rows.shape == scores.shape
        and len(rows) == users
        and weight.shape == steps.shape == (users,)
        and 0 < steps[0] <= most
        and rows.shape[1] % steps[0] == 0
        and ((rows >= 0) & (rows < release.vocabulary)).all()
    )
    with np.errstate(over="ignore", invalid="ignore"):
        added = scores * weight[:, None] if sound else scores
    if not sound or not np.isfinite(added).all():
        raise Unavailable("the retrieval model answers with transitions to no items of its own")
    return Followers(rows, added, items[:, ::-1][:, : steps[0]])


def _spread(followers: Followers, known: NDArray[np.bool_]) -> Followers:
    """Followers of the known users alone as those of a whole batch."""

    def whole(part: NDArray[Any]) -> NDArray[Any]:
        spread = np.zeros((len(known), part.shape[1]), dtype=part.dtype)
        spread[known] = part
        return spread

    return Followers(whole(followers.codes), whole(followers.scores), whole(followers.after))
