"""ExperimentService over gRPC: messages in, messages out."""

from typing import Any

import grpc

from magpie.v1 import experiment_service_pb2 as experiment_pb
from magpie.v1 import experiment_service_pb2_grpc as experiment_grpc
from magpie_services.kit.clock import Clock
from magpie_services.kit.errors import NotFound
from magpie_services.push import validation
from magpie_services.push.experiments import page
from magpie_services.push.experiments.analysis import Analysis, Reading, Verdict
from magpie_services.push.experiments.declared import Experiment, Experiments, Metric
from magpie_services.push.experiments.stops import Stops
from magpie_services.push.experiments.watch import Watch
from magpie_services.wire import values

Context = grpc.aio.ServicerContext[Any, Any]

DEFAULT_REASON = "stopped by hand"
MAX_REASON_CHARS = 256
_VERDICTS = values.numbers(Verdict, "EXPERIMENT_VERDICT", dict(experiment_pb.ExperimentVerdict.items()))
_METRICS = values.numbers(Metric, "EXPERIMENT_METRIC", dict(experiment_pb.ExperimentMetric.items()))


class ExperimentServicer(experiment_grpc.ExperimentServiceServicer):
    """Experiments are declared in a file; what is asked here is how they stand."""

    def __init__(self, experiments: Experiments, stops: Stops, watch: Watch, clock: Clock) -> None:
        self._experiments, self._stops, self._watch, self._clock = experiments, stops, watch, clock

    async def ListExperiments(
        self, request: experiment_pb.ListExperimentsRequest, context: Context
    ) -> experiment_pb.ListExperimentsResponse:
        stopped = await self._stops.all()
        return experiment_pb.ListExperimentsResponse(
            experiments=[self._to_proto(one, stopped) for one in self._experiments.known.values()]
        )

    async def GetExperimentReport(
        self, request: experiment_pb.GetExperimentReportRequest, context: Context
    ) -> experiment_pb.GetExperimentReportResponse:
        experiment = self._find(request.experiment_id)
        found, stopped = await self._watch.analysis(experiment.experiment_id), await self._stops.all()
        reason = stopped.get(experiment.experiment_id, "")
        return experiment_pb.GetExperimentReportResponse(
            experiment=self._to_proto(experiment, stopped),
            verdict=experiment_pb.ExperimentVerdict.ValueType(_VERDICTS[found.verdict]),
            summary=found.lines,
            arms=_arms(found),
            sample_ratio_p=found.mismatch,
            crossed_count=found.crossed,
            readings=[_reading(one) for one in found.readings],
            html=page.render(experiment, found, reason),
        )

    async def StopExperiment(
        self, request: experiment_pb.StopExperimentRequest, context: Context
    ) -> experiment_pb.StopExperimentResponse:
        experiment = self._find(request.experiment_id)
        reason = request.reason.strip()[:MAX_REASON_CHARS] or DEFAULT_REASON
        await self._stops.stop(experiment.experiment_id, reason)
        return experiment_pb.StopExperimentResponse(
            experiment=self._to_proto(experiment, await self._stops.all())
        )

    def _find(self, experiment_id: str) -> Experiment:
        name = validation.identifier_of("experiment_id", experiment_id)
        if name not in self._experiments.known:
            raise NotFound(f"experiment {name} is not in the file of experiments")
        return self._experiments.known[name]

    def _to_proto(self, one: Experiment, stopped: dict[str, str]) -> experiment_pb.Experiment:
        reason = stopped.get(one.experiment_id, "")
        return experiment_pb.Experiment(
            experiment_id=one.experiment_id,
            layer=one.layer,
            first=one.first,
            share=one.share,
            start_time=values.timestamp(one.start_ms),
            end_time=values.timestamp(one.end_ms),
            arms=[arm.name for arm in one.arms],
            metric=experiment_pb.ExperimentMetric.ValueType(_METRICS[one.metric]),
            running=not reason and one.running(self._clock.now_ms()),
            stop_reason=reason,
        )


def _arms(found: Analysis) -> list[experiment_pb.ExperimentArm]:
    return [
        experiment_pb.ExperimentArm(name=name, user_count=users, whole_count=whole)
        for name, users, whole in zip(found.arms, found.users, found.whole, strict=True)
    ]


def _reading(one: Reading) -> experiment_pb.ExperimentReading:
    return experiment_pb.ExperimentReading(
        arm=one.arm,
        metric=experiment_pb.ExperimentMetric.ValueType(_METRICS[one.metric]),
        control_mean=one.control,
        arm_mean=one.treatment,
        difference=one.now.value,
        low=one.now.low,
        high=one.now.high,
        p=one.p,
        variance_explained=one.explained,
    )
