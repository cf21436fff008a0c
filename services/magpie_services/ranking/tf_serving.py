"""The ranking model on the model server: follows its versions, refuses a foreign schema, scores batches."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from magpie_services.core.features import (
    CROSS_FEATURES,
    HEADS,
    ITEM_FEATURES,
    RECENT_LENGTH,
    SCHEMA_HASH,
    USER_FEATURES,
)
from magpie_services.kit import metrics
from magpie_services.kit.breaker import CircuitBreaker, State
from magpie_services.kit.errors import NotFound, Unavailable
from magpie_services.kit.prediction import Prediction, Signature, TensorSpec, unfit
from magpie_services.kit.refreshing import Refresher
from magpie_services.ranking.batch import Batch
from magpie_services.ranking.light import NAMES, Floats, Light, light
from magpie_services.ranking.light_store import LightStore

log = structlog.get_logger()

MODEL = "ranker"
UNIT = {"unit": np.ones(1, dtype=np.int32)}
SETUP_SECONDS = 5.0
_UNIT = {"unit": TensorSpec("int32", (-1,))}
WANTED = {
    "schema": Signature(_UNIT, {"hash": TensorSpec("string", ())}),
    "light": Signature(_UNIT, {"weights": TensorSpec("float32", ()), "bias": TensorSpec("float32", ())}),
    "rank": Signature(
        {
            "user": TensorSpec("float32", (-1, len(USER_FEATURES))),
            "items": TensorSpec("float32", (-1, -1, len(ITEM_FEATURES))),
            "cross": TensorSpec("float32", (-1, -1, len(CROSS_FEATURES))),
            "hashes": TensorSpec("int32", (-1, -1, 3)),
            "recent": TensorSpec("int32", (-1, RECENT_LENGTH)),
            "mask": TensorSpec("float32", (-1, -1)),
        },
        {"probabilities": TensorSpec("float32", ())},
    ),
}
EXPLAIN_SECONDS = 2.0
SECONDS_A_USER = 0.005
SWAPS = 3  # of versions that one call may meet


class Ranker:
    """`version` is the newest available one of our schema, 0 when none; `light` is its light scorer."""

    def __init__(
        self,
        prediction: Prediction,
        breaker: CircuitBreaker,
        store: LightStore,
        first_light: Light,
        *,
        timeout_seconds: float,
        poll_seconds: float,
    ) -> None:
        self.version = 0
        self.light = first_light
        self._stored_seen = False
        self._prediction = prediction
        self._breaker = breaker
        self._store = store
        self._timeout = timeout_seconds
        self._speaks: dict[int, bool] = {}  # version → has our schema
        self._refresher = Refresher(MODEL, self.refresh, poll_seconds=poll_seconds)

    async def run(self) -> None:
        """Look for a newer version every few seconds until cancelled."""
        await self._refresher.run()

    async def refresh(self) -> None:
        """Take the newest version that fits. Raises Unavailable, DeadlineExceeded; what was held stays."""
        # First what Redis has: it may be all there is for long. Then, and without it, the server.
        self._stored_seen = self._stored_seen or await self._take_stored()
        try:
            states = await self._prediction.status(MODEL)
        except NotFound:
            states = []
        available = sorted((version for version, state in states if state == "AVAILABLE"), reverse=True)
        for version in available:
            if version == self.version:
                return
            if await self._fits(version) and await self._take(version):
                return
        self.version = 0

    async def score(self, batch: Batch, version: int = 0) -> tuple[Floats, int]:
        """Probabilities float32 [B, N, H] and the version that gave them; `version` 0 is the newest.

        Raises Unavailable (no version fits, the breaker is open, the server fails), DeadlineExceeded, and
        NotFound when the version asked for is not served.
        """
        if version and not await self._fits(version):
            raise Unavailable(f"version {version} of the ranking model has another schema")
        for _ in range(SWAPS):
            wanted = version or self.version
            if not wanted:
                raise Unavailable("no ranking model is served")
            if not self._breaker.allow():
                raise Unavailable("the ranking model is resting")
            try:
                return await self._ask(batch, wanted), wanted
            except NotFound:
                if version:
                    raise
            # The server has let go of this version: take its next one at once, and ask that.
            await self._refresher.soon()
            if self.version == wanted:
                break
        raise Unavailable("the ranking model is gone")

    async def explain(self, inputs: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], int]:
        """The outputs of signature `explain`, and the version that gave them.

        Raises NotFound, DeadlineExceeded, and Unavailable, also where the version gives no reasons.
        """
        if not self.version:
            raise Unavailable("no ranking model is served")
        # Rare and large: neither its failures nor its time tell how ranking fares, so no breaker.
        version = self.version
        outputs, _ = await self._prediction.predict(
            MODEL, "explain", inputs, version=version, timeout_seconds=EXPLAIN_SECONDS
        )
        return outputs, version

    async def _ask(self, batch: Batch, version: int) -> Floats:
        started, ok = time.monotonic(), False
        try:
            outputs, _ = await self._prediction.predict(
                MODEL,
                "rank",
                batch.inputs(),
                version=version,
                timeout_seconds=self._timeout + SECONDS_A_USER * len(batch.mask),
            )
            scores: Floats = outputs.get("probabilities", np.empty(0))
            if scores.ndim == 3:
                # A server that batches pads our candidates to those of a call that came beside ours.
                scores = scores[: len(batch.mask), : batch.mask.shape[1]]
            if scores.shape != (*batch.mask.shape, len(HEADS)) or not np.isfinite(scores).all():
                raise Unavailable("the ranking model answers with no probabilities")
            ok = True
            return scores
        except NotFound:
            ok = True  # the server is well, it only moved on
            raise
        finally:
            self._breaker.record(ok=ok, seconds=time.monotonic() - started)
            metrics.BREAKER_OPEN.labels(MODEL).set(self._breaker.state is not State.CLOSED)

    async def _fits(self, version: int) -> bool:
        """Whether the version can be asked, with the features that we compute; looked at once a version."""
        if version not in self._speaks:
            signatures, _ = await self._prediction.metadata(MODEL, version=version)
            if reason := unfit(signatures, WANTED):
                return self._refuse(version, reason)
            outputs, _ = await self._prediction.predict(
                MODEL, "schema", UNIT, version=version, timeout_seconds=SETUP_SECONDS
            )
            told = next(iter(outputs.get("hash", np.empty(0)).ravel().tolist()), b"")
            text = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
            if text != SCHEMA_HASH:
                return self._refuse(version, f"its features are of schema {text[:64]}, ours of {SCHEMA_HASH}")
            self._speaks[version] = True
        return self._speaks[version]

    def _refuse(self, version: int, reason: str) -> bool:
        self._speaks[version] = False
        metrics.MODELS_REFUSED.labels(MODEL).inc()
        log.error("ranker.refused", version=version, reason=reason)
        return False

    async def _take(self, version: int) -> bool:
        """Makes it the version that answers, with its light scorer; refuses it where that is none."""
        outputs, _ = await self._prediction.predict(
            MODEL, "light", UNIT, version=version, timeout_seconds=SETUP_SECONDS
        )
        weights, bias = outputs.get("weights", np.empty(0)), outputs.get("bias", np.empty(0))
        if weights.shape != (1, len(HEADS), len(NAMES)) or bias.shape != (1, len(HEADS)):
            return self._refuse(version, "it lacks its light scorer")
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            return self._refuse(version, "its light scorer is not finite")
        self.version, self.light = version, light(version, weights[0], bias[0])
        log.info("ranker.release", version=version)
        try:
            await self._store.write(self.light)
        except Unavailable:
            log.warning("ranker.light_not_stored", version=version)
        return True

    async def _take_stored(self) -> bool:
        """Whether Redis could tell."""
        try:
            stored = await self._store.read()
        except Unavailable:
            return False
        if stored is not None and stored.version > self.light.version:
            self.light = stored
            log.info("ranker.light_from_store", version=stored.version)
        return True
