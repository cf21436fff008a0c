import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.errors import CannotStart
from magpie_services.kit.settings import ServiceSettings


class RoomSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="MAGPIE_ROOM_")

    listen: str = "127.0.0.1:7999"
    secret: SecretStr


def test_the_environment_sets_and_the_rest_has_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGPIE_ROOM_SECRET", "s")
    monkeypatch.setenv("MAGPIE_ROOM_SANDBOX", "true")
    settings = RoomSettings.load()
    assert (settings.listen, settings.sandbox, settings.log_level) == ("127.0.0.1:7999", True, "info")


def test_each_bad_variable_is_named_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGPIE_ROOM_MAX_CALL_SECONDS", "soon")
    monkeypatch.setenv("MAGPIE_ROOM_LOG_LEVEL", "loud-and-private")
    with pytest.raises(CannotStart) as caught:
        RoomSettings.load()
    lines = sorted(str(caught.value).splitlines())
    assert [line.partition(":")[0] for line in lines] == [
        "MAGPIE_ROOM_LOG_LEVEL",
        "MAGPIE_ROOM_MAX_CALL_SECONDS",
        "MAGPIE_ROOM_SECRET",
    ]
    assert "loud-and-private" not in str(caught.value)


def test_settings_do_not_change() -> None:
    settings = RoomSettings(secret=SecretStr("s"))
    with pytest.raises(ValidationError):
        settings.listen = "elsewhere"  # type: ignore[misc]
