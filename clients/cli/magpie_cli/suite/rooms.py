"""Which processes make up the suite: how each is started, with which variables, and in which wave."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from magpie_cli.suite.options import SuiteOptions
from magpie_cli.suite.ports import GRPC, HOST

API = "magpie.v1."
GRACE_SECONDS = 4
WORKER = "worker"

# Room, the services that must say SERVING ("" is the process: a model server without models will do),
# and the wave in which it starts. Each wave stands on the ones before it.
_SERVICES: Mapping[str, tuple[tuple[str, ...], int]] = {
    "model_server": (("",), 0),
    "profile": ((API + "ProfileService",), 0),
    "candidate": ((API + "CandidateService",), 0),
    "ranking": ((API + "RankingService",), 1),
    "content": ((API + "ContentService",), 1),
    "training": ((API + "ReleaseService",), 1),
    "lake": (("",), 1),
    "feedback": ((API + "FeedbackService",), 2),
    "push": ((API + "PushService",), 2),
    WORKER: ((), 2),
}
ROOMS = tuple(_SERVICES)

# A library's thread pool a process would take memory and, on few cores, time from the others.
_FRUGAL = {
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONUNBUFFERED": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


@dataclass(frozen=True)
class Room:
    """One process to start. `probe` is the address to ask for health, empty for one that only has to live."""

    name: str
    wave: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    services: tuple[str, ...]
    probe: str
    grace_seconds: float


def plan(
    options: SuiteOptions, ports: Mapping[str, int], redis_url: str, secrets: Mapping[str, str]
) -> list[Room]:
    """The rooms to start, in order."""
    names = [name for name in ROOMS if not options.rooms or name in options.rooms]
    if not options.worker and WORKER in names:
        names.remove(WORKER)
    shared = _shared(options, ports, redis_url, secrets)
    return [_room(name, options, ports, shared) for name in names]


def _room(
    name: str, options: SuiteOptions, ports: Mapping[str, int], shared: Mapping[str, Mapping[str, str]]
) -> Room:
    services, wave = _SERVICES[name]
    package = "training" if name == WORKER else name
    variables = {f"MAGPIE_{package.upper()}_{key}": value for key, value in shared[package].items()}
    if name == WORKER:
        variables.pop("MAGPIE_TRAINING_METRICS_LISTEN")  # the service beside it has that port
    command = _worker() if name == WORKER else (sys.executable, "-m", f"magpie_services.{name}")
    return Room(
        name=name,
        wave=wave,
        command=command,
        environment={**os.environ, **_FRUGAL, **variables, **options.environment},
        services=services,
        probe=f"{HOST}:{ports[name]}" if services else "",
        grace_seconds=GRACE_SECONDS + 2,
    )


def _worker() -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "celery", "-A", "magpie_services.training.app", "worker"),
        *("--queues", "train,publish,search", "--concurrency", "1", "--without-gossip", "--without-mingle"),
    )


def _shared(
    options: SuiteOptions, ports: Mapping[str, int], redis_url: str, secrets: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Variables by room, without their prefix. Every room is told every address and takes those it knows."""
    state = options.state.resolve()
    addresses = {f"{peer.upper()}_ADDRESS": f"dns:///{HOST}:{ports[peer]}" for peer in GRPC}
    everywhere = {
        **addresses,
        "REDIS_URL": redis_url,
        "SANDBOX": "true" if options.sandbox else "false",
        "GRACE_SECONDS": str(GRACE_SECONDS),
    }
    result = {}
    for name in GRPC:
        own = {
            "LISTEN": f"{HOST}:{ports[name]}",
            "METRICS_LISTEN": f"{HOST}:{ports[f'{name}.metrics']}",
        }
        result[name] = everywhere | own | _particular(name, options, state, secrets)
    return result


def _particular(name: str, options: SuiteOptions, state: Path, secrets: Mapping[str, str]) -> dict[str, str]:
    match name:
        case "profile":
            return {"KEY": secrets["profile_key"]}
        case "push":
            return {
                "ATTRIBUTION_SECRET": secrets["attribution_secret"],
                "WEBHOOK_SECRET": secrets["webhook_secret"],
                "WEBHOOK_URL": options.webhook,
                "LAKE_FOLDER": str(lake_folder(state)),
            }
        case "feedback":
            return {"ATTRIBUTION_SECRET": secrets["attribution_secret"]}
        case "model_server":
            return {"MODEL_CONFIG_FILE": str(models_folder(state) / "models.config")}
        case "training":
            return {"LAKE_FOLDER": str(lake_folder(state)), "MODEL_FOLDER": str(models_folder(state))}
        case "content":
            return {"LAKE_FOLDER": str(lake_folder(state))}
        case "lake":
            return {"FOLDER": str(lake_folder(state))}
        case _:
            return {}


def lake_folder(state: Path) -> Path:
    """Where the lake's tables are."""
    return state / "lake"


def models_folder(state: Path) -> Path:
    """Where models are released to and served from."""
    return state / "models"
