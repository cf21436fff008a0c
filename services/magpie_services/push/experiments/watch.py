"""Looks at experiments: when asked, and at their guardrails all the time."""

import asyncio

import structlog

from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import MagpieError, NotAllowed, NotFound
from magpie_services.kit.lease import Lease
from magpie_services.push import child
from magpie_services.push.experiments import process
from magpie_services.push.experiments.analysis import Analysis, Verdict
from magpie_services.push.experiments.declared import Experiment, Experiments
from magpie_services.push.experiments.stops import Stops

log = structlog.get_logger()


class Watch:
    """`folder` is the lake's; without one nothing can be analysed. One process at a time looks by itself."""

    def __init__(
        self,
        experiments: Experiments,
        stops: Stops,
        lease: Lease,
        clock: Clock,
        *,
        folder: str,
        every_seconds: float,
    ) -> None:
        self._experiments, self._stops, self._lease, self._clock = experiments, stops, lease, clock
        self._folder, self._every_seconds = folder, every_seconds
        self._one = asyncio.Semaphore(1)

    async def analysis(self, experiment_id: str) -> Analysis:
        """How an experiment stands. Raises NotFound, NotAllowed without a lake, Unavailable."""
        experiment = self._experiments.known.get(experiment_id)
        if experiment is None:
            raise NotFound(f"experiment {experiment_id} is not in the file of experiments")
        if not self._folder:
            raise NotAllowed("the service was not told the lake's folder (MAGPIE_PUSH_LAKE_FOLDER)")
        job = process.Job(experiment=experiment, folder=self._folder, now_ms=self._clock.now_ms())
        async with self._one:
            return await child.run(process.__name__, job, Analysis)

    async def look(self) -> list[str]:
        """Stops what does harm or cannot be trusted; answers the ids of those that it stopped."""
        stopped = []
        for experiment_id, experiment in self._experiments.known.items():
            if not self._goes_on(experiment):
                continue
            found = await self.analysis(experiment_id)
            if found.verdict in (Verdict.HARMFUL, Verdict.INVALID):
                await self._stops.stop(experiment_id, found.lines[0])
                log.warning("experiment.stopped", experiment=experiment_id, verdict=found.verdict.value)
                stopped.append(experiment_id)
        return stopped

    async def run(self) -> None:
        """Looks until cancelled, where there is anything to look at."""
        if not (self._folder and self._every_seconds and self._experiments.known):
            return
        while True:
            await asyncio.sleep(self._every_seconds)
            try:
                if await self._lease.acquire():
                    await self.look()
            except MagpieError as error:
                log.warning("experiments.unwatched", error=error.reason)

    def _goes_on(self, experiment: Experiment) -> bool:
        stopped = experiment.experiment_id in self._experiments.stopped
        return not stopped and experiment.running(self._clock.now_ms())
