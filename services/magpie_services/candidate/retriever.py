"""The retrieval model: follows its releases, fetches item vectors, asks for user vectors of one version."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from magpie_services.candidate.release import Release, UserVectors
from magpie_services.candidate.vector_index import Floats, Kind, build
from magpie_services.core import features, item_codes
from magpie_services.core.buckets import READERS, padded
from magpie_services.core.items import Item
from magpie_services.core.portraits import Portrait
from magpie_services.kit import metrics
from magpie_services.kit.breaker import CircuitBreaker, State
from magpie_services.kit.errors import MagpieError, NotFound, Unavailable
from magpie_services.kit.prediction import Prediction, Signature, TensorSpec, unfit
from magpie_services.kit.refreshing import Refresher

log = structlog.get_logger()

MODEL = "retriever"
PAGE = 512  # rows; a server that batches takes no more in a call (deploy/tf_serving/batching.txt)
PAGE_SECONDS = 10.0
SECONDS_A_USER = 0.003
_HISTORY = (-1, features.SEQUENCE_LENGTH)
# What a release must answer to be taken, and what it must answer to describe items that it has not seen.
WANTED = {
    "retrieve": Signature(
        {
            "items": TensorSpec("int32", _HISTORY),
            "kinds": TensorSpec("int32", _HISTORY),
            "gaps": TensorSpec("float32", _HISTORY),
        },
        {"vector": TensorSpec("float32", ())},
    ),
    "item_vectors": Signature(
        {"rows": TensorSpec("int32", (-1,))},
        {"ids": TensorSpec("string", ()), "vectors": TensorSpec("float32", ())},
    ),
}
DESCRIBES = {
    "describe": Signature(
        {
            "tags": TensorSpec("int32", (-1, item_codes.TAGS)),
            "brands": TensorSpec("int32", (-1,)),
            "bands": TensorSpec("int32", (-1,)),
            "words": TensorSpec("int32", (-1, item_codes.WORDS)),
            "pictures": TensorSpec("float32", (-1, item_codes.PICTURE)),
        },
        {"vectors": TensorSpec("float32", ())},
    )
}
LENGTHS = (0.99, 1.01)  # of a unit vector


class Unfit(Exception):
    """A version that must not be taken; the text says why."""


class Retriever:
    """Keeps `release` the newest available version; `run` follows the model server."""

    def __init__(
        self,
        prediction: Prediction,
        breaker: CircuitBreaker,
        kind: Kind,
        *,
        timeout_seconds: float,
        poll_seconds: float,
    ) -> None:
        self.release: Release | None = None
        self.missing = False  # a version is served and could not be taken, or nobody can tell
        self._prediction = prediction
        self._breaker = breaker
        self._kind = kind
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
            self.release = await self._fetch(newest)
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
        items, kinds, gaps = _sequences(release, portraits, now_ms)
        known = np.asarray((items > 0).any(axis=1), dtype=np.bool_)
        vectors = np.zeros((len(portraits), release.vectors.shape[1]), dtype=np.float32)
        if known.any():
            inputs = {"items": items[known], "kinds": kinds[known], "gaps": gaps[known]}
            try:
                vectors[known] = await self._retrieve(release, inputs)
            except NotFound:
                # The server has let go of this version: take its next one at once, and ask that.
                await self._refresher.soon()
                if self.release is release:
                    raise Unavailable("the retrieval model is gone") from None
                return await self.user_vectors(portraits, now_ms)
        return UserVectors(release, vectors, known)

    async def describe(self, release: Release, items: Sequence[Item]) -> Floats:
        """Unit vectors float32 [m, d] of at most 512 items that the release has not seen, by what they are.

        Raises Unavailable, DeadlineExceeded, NotFound.
        """
        empty = [Item(item_id="")] * (padded(len(items), READERS) - len(items))
        told = [*items, *empty]
        inputs = {
            "tags": np.array([item_codes.tags(item) for item in told], dtype=np.int32),
            "brands": np.array([item_codes.brand(item) for item in told], dtype=np.int32),
            "bands": np.array([item_codes.band(item) for item in told], dtype=np.int32),
            "words": np.array([item_codes.words(item) for item in told], dtype=np.int32),
            "pictures": np.array([item_codes.picture(item) for item in told], dtype=np.float32),
        }
        outputs, _ = await self._prediction.predict(
            MODEL, "describe", inputs, version=release.version, timeout_seconds=PAGE_SECONDS
        )
        vectors: Floats = outputs.get("vectors", np.empty(0))[: len(items)]
        if vectors.shape != (len(items), release.vectors.shape[1]) or not np.isfinite(vectors).all():
            raise Unavailable("the retrieval model describes items by no vectors like those it has")
        return vectors

    async def _retrieve(self, release: Release, inputs: Mapping[str, NDArray[Any]]) -> Floats:
        if not self._breaker.allow():
            raise Unavailable("the retrieval model is resting")
        size = len(inputs["items"])
        extra = padded(size, READERS) - size
        started, ok = time.monotonic(), False
        try:
            outputs, _ = await self._prediction.predict(
                MODEL,
                "retrieve",
                {name: np.pad(array, ((0, extra), (0, 0))) for name, array in inputs.items()},
                version=release.version,
                timeout_seconds=self._timeout + SECONDS_A_USER * size,
            )
            vectors: Floats = outputs.get("vector", np.empty(0))[:size]
            if vectors.shape != (size, release.vectors.shape[1]) or not np.isfinite(vectors).all():
                raise Unavailable("the retrieval model answers with no vectors like those of its items")
            ok = True
            return vectors
        except NotFound:
            ok = True  # the server is well, it only moved on
            raise
        finally:
            self._breaker.record(ok=ok, seconds=time.monotonic() - started)
            metrics.BREAKER_OPEN.labels(MODEL).set(self._breaker.state is not State.CLOSED)

    async def _fetch(self, version: int) -> Release:
        """Raises Unfit, Unavailable, DeadlineExceeded, NotFound."""
        signatures, _ = await self._prediction.metadata(MODEL, version=version)
        if reason := unfit(signatures, WANTED):
            raise Unfit(reason)
        ids: list[str] = []
        pages: list[Floats] = []
        total = 1
        while len(ids) < total:
            outputs, _ = await self._prediction.predict(
                MODEL,
                "item_vectors",
                {"rows": np.arange(len(ids), len(ids) + PAGE, dtype=np.int32)},
                version=version,
                timeout_seconds=PAGE_SECONDS,
            )
            try:
                page, names, total = outputs["vectors"], outputs["ids"], int(outputs["total"][0])
            except (KeyError, IndexError) as error:
                raise Unfit("it lacks its item vectors") from error
            width = pages[0].shape[1:] if pages else page.shape[1:2]
            if len(names) != PAGE or page.shape != (PAGE, *width) or page.ndim != 2:
                raise Unfit("its item vectors end early")
            left = total - len(ids)  # rows beyond the table come as padding
            ids += [name.decode() if isinstance(name, bytes) else str(name) for name in names[:left]]
            pages.append(page[:left].astype(np.float32))
        vectors = np.concatenate(pages)
        if reason := _wrong(ids, vectors):
            raise Unfit(reason)
        index = await asyncio.to_thread(build, vectors, self._kind)
        return Release(version, ids, index, describes=not unfit(signatures, DESCRIBES))


def _wrong(ids: Sequence[str], vectors: Floats) -> str:
    """Why these cannot be a vocabulary and its vectors float32 [n, d]; "" where they can."""
    if ids[0] or not all(ids[1:]) or len(set(ids)) != len(ids):
        return "its vocabulary names an item twice, or not at all"
    lengths = np.linalg.norm(vectors[1:], axis=1)
    if not np.isfinite(vectors).all():
        return "its item vectors are not finite"
    if len(lengths) and not LENGTHS[0] <= lengths.min() <= lengths.max() <= LENGTHS[1]:
        return "its item vectors are not of length 1"
    return ""


def _sequences(
    release: Release, portraits: Sequence[Portrait], now_ms: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], Floats]:
    """Model inputs int32, int32, float32, each [B, 50]; items that the release does not know are left out."""
    read = [features.sequence(portrait, now_ms) for portrait in portraits]
    items = np.array([[release.reads(one) for one in ids] for ids, _, _ in read], dtype=np.int32)
    kinds = np.array([kinds for _, kinds, _ in read], dtype=np.int32)
    gaps = np.array([gaps for _, _, gaps in read], dtype=np.float32)
    # As in training there are no holes: what is known moves to the right, padding to the left.
    order = np.argsort(items > 0, axis=1, kind="stable")
    items = np.take_along_axis(items, order, axis=1)
    kinds = np.take_along_axis(kinds, order, axis=1) * (items > 0)
    return items, kinds, np.take_along_axis(gaps, order, axis=1) * (items > 0)
