"""What `magpie doctor` looks at: each check answers whether all is well and says what it found."""

import asyncio
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import grpc

from magpie import Endpoints, Magpie, problem_of
from magpie.v1 import catalog_service_pb2, feedback_service_pb2, release_service_pb2
from magpie_cli.suite import health
from magpie_cli.suite.redis import answers

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
LEAST_FREE_BYTES = 2 << 30
TABLES = ("events", "items", "decisions", "outcomes")
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
LIST_SERVICES = b"\x3a\x00"  # ServerReflectionRequest{list_services: ""}
PROBE_SECONDS = 3.0
SERVICES = {
    "profile": ("ProfileService",),
    "candidate": ("CatalogService", "CandidateService"),
    "ranking": ("RankingService",),
    "content": ("ContentService",),
    "push": ("PushService", "CampaignService"),
    "feedback": ("FeedbackService",),
    "training": ("ReleaseService",),
}


@dataclass(frozen=True)
class Finding:
    """One check: `ok` None means that it is worth knowing rather than wrong."""

    name: str
    ok: bool | None
    text: str
    reachable: bool = True


async def examine(endpoints: Endpoints, state: Path, redis_url: str) -> list[Finding]:
    """Every finding, in a fixed order."""
    services = await asyncio.gather(
        *(_service(field.name, getattr(endpoints, field.name)) for field in fields(endpoints))
    )
    found = [_python(), _disk(state), *services]
    if redis_url:
        ok = await answers(redis_url)
        found.append(Finding("redis", ok, redis_url if ok else f"does not answer at {redis_url}", ok))
    found += [_lake(state)]
    async with Magpie(endpoints, timeout_seconds=PROBE_SECONDS) as magpie:
        for name, check in (("catalogue", _catalogue), ("models", _models), ("pushes", _pushes)):
            found.append(await _call(name, magpie, check))
    return found


def _python() -> Finding:
    ok = OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON
    return Finding("python", ok, ".".join(map(str, sys.version_info[:3])))


def _disk(state: Path) -> Finding:
    place = state if state.exists() else Path()
    free = shutil.disk_usage(place).free
    return Finding("disk", free >= LEAST_FREE_BYTES, f"{free / 2**30:.1f} GiB free for {state}")


def _lake(state: Path) -> Finding:
    folder = state / "lake"
    if not folder.exists():
        return Finding("lake", None, f"no folder {folder}; it may be elsewhere")
    there = [name for name in TABLES if (folder / name / "_delta_log").is_dir()]
    missing = sorted(set(TABLES) - set(there))
    return Finding("lake", True if not missing else None, f"tables {', '.join(there) or 'none yet'}")


async def _service(room: str, address: str) -> Finding:
    names = tuple(f"magpie.v1.{name}" for name in SERVICES[room])
    if not await health.is_serving(address, ("",)):
        return Finding(room, False, f"does not answer at {address}", reachable=False)
    if not await health.is_serving(address, names):
        return Finding(room, False, f"lives at {address} but is not ready")
    listed = await _reflected(address)
    if missing := [name for name in names if name.encode() not in listed]:
        return Finding(room, None, f"ready at {address}; reflection lacks {', '.join(missing)}")
    return Finding(room, True, f"ready at {address}, reflection on")


async def _reflected(address: str) -> bytes:
    """The services that reflection names, as sent; empty where it is off."""
    async with grpc.aio.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        reflect: Any = channel.stream_stream(REFLECTION)
        call = reflect(iter([LIST_SERVICES]), timeout=PROBE_SECONDS)
        try:
            async for answer in call:
                return bytes(answer)
        except grpc.aio.AioRpcError:
            pass
    return b""


async def _call(name: str, magpie: Magpie, check: Callable[[Magpie], Awaitable[Finding]]) -> Finding:
    try:
        return await check(magpie)
    except grpc.aio.AioRpcError as error:
        problem = problem_of(error)
        gone = problem.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        return Finding(name, False, "cannot be asked" if gone else str(problem), reachable=not gone)


async def _catalogue(magpie: Magpie) -> Finding:
    answer = await magpie.catalog.ListItems(catalog_service_pb2.ListItemsRequest(page_size=1))
    return Finding("catalogue", True if answer.total_count else None, f"{answer.total_count} items")


async def _models(magpie: Magpie) -> Finding:
    answer = await magpie.releases.ListReleases(release_service_pb2.ListReleasesRequest())
    stable = release_service_pb2.RELEASE_STATE_STABLE
    serving = [release.version for release in answer.releases if release.state == stable]
    if not serving:
        return Finding("models", None, "none released yet: `magpie train --wait` makes the first")
    return Finding("models", True, f"version {serving[0]} serves, {len(answer.releases)} known")


async def _pushes(magpie: Magpie) -> Finding:
    answer = await magpie.feedback.GetMetrics(feedback_service_pb2.GetMetricsRequest())
    sent = sum(row.sent_count for row in answer.rows)
    return Finding("pushes", True, f"{sent} sent in the last day")
