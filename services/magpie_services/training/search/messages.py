"""Searches as messages of the API."""

from magpie.v1 import release_service_pb2 as release_pb
from magpie_services.training.search.records import Search, Trial, TrialState
from magpie_services.training.search.space import SPACES
from magpie_services.wire import values

MODELS: dict[int, str] = {release_pb.MODEL_RETRIEVER: "retriever", release_pb.MODEL_RANKER: "ranker"}
NUMBERS = {name: number for number, name in MODELS.items()}
_STATES = values.numbers(TrialState, "TRIAL_STATE", dict(release_pb.TrialState.items()))


def search_to_proto(search: Search) -> release_pb.Search:
    """The search with the trials that were begun."""
    space = SPACES[search.model]
    best = search.best(space.higher_is_better)
    return release_pb.Search(
        search_id=search.search_id,
        model=NUMBERS[search.model],  # type: ignore[arg-type]
        wanted_trials=search.wanted,
        trials=[_trial(trial) for trial in search.trials.values()],
        measure=space.measure,
        best_trial=None if best is None else best.number,
        create_time=values.timestamp(search.created_ms),
        done=search.done,
    )


def texts(settings: dict[str, str | int | float | bool]) -> dict[str, str]:
    """Values of settings for a person."""
    return {
        name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in settings.items()
    }


def _trial(trial: Trial) -> release_pb.Trial:
    return release_pb.Trial(
        number=trial.number,
        state=_STATES[trial.state],  # type: ignore[arg-type]
        score=trial.score,
        settings=texts(trial.settings),
        reason=trial.reason,
    )
