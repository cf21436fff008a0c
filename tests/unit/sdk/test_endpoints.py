"""The file that says where the services are."""

from pathlib import Path

import pytest

from magpie import Endpoints


def test_addresses_survive_the_file_and_leave_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    Endpoints(push="push:1").save(path)
    Endpoints(push="push:2", training="dns:///t:3").save(path)
    assert Endpoints.load(path) == Endpoints(push="push:2", training="dns:///t:3")
    assert list(tmp_path.iterdir()) == [path]


def test_services_that_the_file_leaves_out_keep_their_defaults(tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.write_text('{"push": "push:1"}')
    assert Endpoints.load(path) == Endpoints(push="push:1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"{", "JSON|Expecting"),
        (b"\xff", "JSON|decode"),
        (b"[]", "object of addresses"),
        (b'{"push": 7005}', "object of addresses"),
        (b'{"pusher": "a:1", "mailer": "b:1"}', "unknown services mailer, pusher"),
    ],
)
def test_a_faulty_file_is_a_value_error_that_says_why(tmp_path: Path, text: bytes, says: str) -> None:
    path = tmp_path / "endpoints.json"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=says):
        Endpoints.load(path)


def test_an_absent_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="endpoints"):
        Endpoints.load(tmp_path / "endpoints.json")
