import grpc
import pytest

from magpie_services.kit import status
from magpie_services.kit.errors import (
    AlreadyExists,
    Conflict,
    DeadlineExceeded,
    Invalid,
    MagpieError,
    NotAllowed,
    NotFound,
    TooMany,
    Unavailable,
    Unimplemented,
)

ALL: list[MagpieError] = [
    Invalid.many([("events[0].item_id", "is required"), ("user_id", "is too long")]),
    NotFound("no campaign c1"),
    AlreadyExists("campaign c1 exists"),
    NotAllowed("the user has opted out", reason="CONSENT_MISSING"),
    Conflict("the portrait changed"),
    TooMany("the cap is used up", retry_after_ms=1500),
    Unavailable("the store is unavailable"),
    DeadlineExceeded(),
    Unimplemented("not served yet"),
]


def over_the_wire(error: MagpieError) -> MagpieError:
    code, text, details = status.encode(error, "r1")
    trailing = grpc.aio.Metadata((status.DETAILS_KEY, details))
    return status.translate(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, text))


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_survives_the_wire(error: MagpieError) -> None:
    seen = over_the_wire(error)
    assert (type(error), error.message, error.reason) == (type(seen), seen.message, seen.reason)
    assert getattr(error, "violations", None) == getattr(seen, "violations", None)
    assert getattr(error, "retry_after_ms", None) == getattr(seen, "retry_after_ms", None)


def test_every_error_has_a_place_in_the_table() -> None:
    assert set(MagpieError.__subclasses__()) == set(status.CODES)


def test_a_subclass_has_the_status_of_its_parent() -> None:
    class Gone(NotFound):
        pass

    assert grpc.StatusCode.NOT_FOUND is status.code_of(Gone("gone"))


def test_the_text_of_a_foreign_server_is_not_repeated() -> None:
    foreign = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(),
        "10.0.0.7:5432 refused user=bob",
    )
    assert "10.0.0.7" not in str(status.translate(foreign))


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED]
)
def test_an_unplanned_failure_of_a_dependency_is_unavailable(code: grpc.StatusCode) -> None:
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "boom")
    assert isinstance(status.translate(error), Unavailable)


def test_details_that_are_no_status_are_ignored() -> None:
    trailing = grpc.aio.Metadata((status.DETAILS_KEY, b"\xff\xff\xff"))
    error = grpc.aio.AioRpcError(grpc.StatusCode.INVALID_ARGUMENT, grpc.aio.Metadata(), trailing, "?")
    assert isinstance(status.translate(error), Invalid)
