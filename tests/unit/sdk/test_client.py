"""The SDK's client against a real server: deadlines, the sandbox's time, retries, failures in plain words."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from magpie import Endpoints, Magpie, Problem, problem_of
from magpie.v1 import profile_service_pb2 as profile_pb
from magpie.v1 import profile_service_pb2_grpc as profile_grpc
from magpie_services.kit import context, deadlines
from magpie_services.kit.clock import RequestClock
from magpie_services.kit.errors import Invalid, TooMany, Unavailable
from magpie_services.kit.serving import running
from magpie_services.kit.settings import ServiceSettings

NOW_MS = 1_760_000_000_000


class Profile(profile_grpc.ProfileServiceServicer):
    """Two methods of the service. Notes what a call brought; fails as told."""

    def __init__(self, error: Exception | None = None, failures: int = 10**6) -> None:
        self.error, self.failures = error, failures
        self.calls = 0
        self.seconds_left = 0.0
        self.now_ms: int | None = None

    def _note(self) -> None:
        self.calls += 1
        self.seconds_left = deadlines.remaining(10**6)
        self.now_ms = context.request_time_ms.get()
        if self.error is not None and self.calls <= self.failures:
            raise self.error

    async def GetPortraits(
        self, request: profile_pb.GetPortraitsRequest, context: Any
    ) -> profile_pb.GetPortraitsResponse:
        self._note()
        return profile_pb.GetPortraitsResponse()

    async def SelectAudience(
        self, request: profile_pb.SelectAudienceRequest, context: Any
    ) -> AsyncIterator[profile_pb.SelectAudienceResponse]:
        self._note()
        yield profile_pb.SelectAudienceResponse(user_ids=["u"])

    def register(self, server: grpc.aio.Server) -> None:
        profile_grpc.add_ProfileServiceServicer_to_server(self, server)


def profile_of(error: Exception | None = None, failures: int = 10**6) -> Profile:
    return Profile(error, failures)  # type: ignore[abstract]


@asynccontextmanager
async def served(profile: Profile, **options: Any) -> AsyncIterator[Magpie]:
    settings, clock = ServiceSettings(sandbox=True), RequestClock()
    async with (
        running(settings, profile.register, clock=clock) as address,
        Magpie(Endpoints(profile=address), **options) as magpie,
    ):
        yield magpie


async def read(magpie: Magpie, **call: Any) -> None:
    await magpie.profile.GetPortraits(profile_pb.GetPortraitsRequest(), **call)


async def stream(magpie: Magpie, **call: Any) -> None:
    pages = magpie.profile.SelectAudience(profile_pb.SelectAudienceRequest(), **call)
    assert [page.user_ids async for page in pages] == [["u"]]


@pytest.mark.parametrize("kind", [read, stream])
async def test_every_call_has_a_deadline_and_a_sandbox_its_time(kind: Any) -> None:
    profile = profile_of()
    async with served(profile, timeout_seconds=77.0, now_ms=lambda: NOW_MS) as magpie:
        await kind(magpie)
        assert 70 < profile.seconds_left < 78
        assert profile.now_ms == NOW_MS
        await kind(magpie, timeout=5)
        assert profile.seconds_left < 6


async def test_a_proxy_of_the_environment_is_not_asked_about_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    profile = profile_of()
    async with served(profile) as magpie:
        await read(magpie, timeout=2)
    assert profile.calls == 1


async def failed(error: Exception) -> Problem:
    async with served(profile_of(error)) as magpie:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await read(magpie)
    return problem_of(caught.value)


async def test_a_refusal_names_its_fields() -> None:
    pairs = (("user_ids[0]", "is required"), ("view", "is not known"))
    problem = await failed(Invalid.many(pairs))
    assert (problem.code, problem.violations) == (grpc.StatusCode.INVALID_ARGUMENT, pairs)
    assert str(problem) == "user_ids[0]: is required; view: is not known"
    assert problem.reason == "INVALID"
    assert len(problem.request_id) == 32


async def test_a_quota_says_when_to_come_back() -> None:
    problem = await failed(TooMany("enough for today", retry_after_ms=1_500))
    assert problem.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (problem.retry_after_seconds, str(problem)) == (1.5, "enough for today")


async def test_what_nobody_planned_for_has_an_id_to_report_and_nothing_else() -> None:
    problem = await failed(RuntimeError("password=hunter2"))
    assert (problem.code, str(problem)) == (grpc.StatusCode.INTERNAL, "internal error")
    assert problem.request_id


async def test_a_server_that_is_not_there_is_a_problem_too() -> None:
    async with Magpie(Endpoints(profile="127.0.0.1:1")) as magpie:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await read(magpie)
    problem = problem_of(caught.value)
    assert problem.code is grpc.StatusCode.UNAVAILABLE
    assert (problem.violations, problem.reason) == ((), "")
    assert str(problem)


@pytest.mark.parametrize("details", [b"\xff\xff\xff", b""])
def test_details_that_are_no_status_leave_the_plain_one(details: bytes) -> None:
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", details))
    error = grpc.aio.AioRpcError(grpc.StatusCode.NOT_FOUND, grpc.aio.Metadata(), trailing, "not here")
    assert problem_of(error) == Problem(grpc.StatusCode.NOT_FOUND, "not here")


async def test_a_service_that_is_away_for_a_moment_is_asked_again() -> None:
    profile = profile_of(Unavailable("away"), failures=2)
    async with served(profile) as magpie:
        await read(magpie)
    assert profile.calls == 3


async def test_a_refusal_is_not_asked_again() -> None:
    profile = profile_of(TooMany("enough", retry_after_ms=1))
    async with served(profile) as magpie:
        with pytest.raises(grpc.aio.AioRpcError):
            await read(magpie)
    assert profile.calls == 1
