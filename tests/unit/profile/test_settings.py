"""The profile process says in one line what is wrong with its key, never the key itself."""

import base64

import pytest

from magpie_services.kit.errors import CannotStart
from magpie_services.profile.settings import ProfileSettings


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (None, "MAGPIE_PROFILE_KEY: is required"),
        ("not base64!", "MAGPIE_PROFILE_KEY: Value error, is not base64"),
        (base64.b64encode(b"short").decode(), "MAGPIE_PROFILE_KEY: Value error, must be 32 bytes, not 5"),
    ],
)
def test_a_bad_key_is_told(monkeypatch: pytest.MonkeyPatch, value: str | None, complaint: str) -> None:
    monkeypatch.delenv("MAGPIE_PROFILE_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("MAGPIE_PROFILE_KEY", value)
    with pytest.raises(CannotStart) as caught:
        ProfileSettings.load()
    assert str(caught.value) == complaint


def test_a_good_key_is_read_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    key = bytes(range(32))
    monkeypatch.setenv("MAGPIE_PROFILE_KEY", base64.b64encode(key).decode())
    settings = ProfileSettings.load()
    assert settings.key_bytes == key
    assert "AAEC" not in repr(settings)
