"""What is kept of one user: portrait, answers on consent, devices; and how each of the last two changes."""

from enum import StrEnum

import msgspec

from magpie_services.core import checks
from magpie_services.core.checks import Violation
from magpie_services.core.portraits import Portrait

MAX_DEVICES = 20
MAX_ADDRESS_CHARS = 4_096
MAX_PLATFORM_CHARS = 32
MAX_TEXT_VERSION_CHARS = 128
MAX_SOURCE_CHARS = 64


class Purpose(StrEnum):
    """What a consent is for."""

    MARKETING_PUSH = "marketing_push"
    PERSONALISATION = "personalisation"
    MODEL_TRAINING = "model_training"


class Channel(StrEnum):
    """A way to reach a device."""

    CONSOLE = "console"
    WEBHOOK = "webhook"
    FCM = "fcm"
    APNS = "apns"
    WEB_PUSH = "web_push"
    HUAWEI = "huawei"
    HONOR = "honor"
    OPPO = "oppo"
    VIVO = "vivo"
    XIAOMI = "xiaomi"
    IN_APP = "in_app"
    EMAIL = "email"


# These need no address: the console is the service's own, a webhook's is in the settings of push.
WITHOUT_ADDRESS = frozenset({Channel.CONSOLE, Channel.WEBHOOK})


class Consent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer about one purpose, given at `at_ms`."""

    purpose: Purpose
    granted: bool
    at_ms: int
    text_version: str = ""
    source: str = ""


class Device(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One address of a user, last registered at `updated_ms`."""

    device_id: str
    channel: Channel
    address: str = ""
    platform: str = ""
    locale: str = ""
    timezone: str = ""
    updated_ms: int = 0


class UserState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One user. `devices` has the newest first; `linked` the identities that were folded into this one."""

    portrait: Portrait
    consents: dict[Purpose, Consent] = {}
    devices: list[Device] = []
    linked: list[str] = []

    @property
    def reachable(self) -> bool:
        """Has a device and said yes to pushes that advertise."""
        answer = self.consents.get(Purpose.MARKETING_PUSH)
        return bool(self.devices) and answer is not None and answer.granted

    def answer(self, consent: Consent) -> bool:
        """Takes an answer; False where a newer one about the purpose stands. Of one moment, the last word."""
        held = self.consents.get(consent.purpose)
        if held is not None and held.at_ms > consent.at_ms:
            return False
        self.consents[consent.purpose] = consent
        return True

    def register(self, device: Device) -> None:
        """Adds or refreshes a device; beyond the limit, the one refreshed longest ago goes."""
        others = [held for held in self.devices if held.device_id != device.device_id]
        self.devices = sorted([device, *others], key=lambda held: -held.updated_ms)[:MAX_DEVICES]

    def remove(self, device_id: str, unless_updated_since_ms: int = 0) -> bool:
        """Removes a device; False where there was none or it was registered again since."""
        for position, held in enumerate(self.devices):
            if held.device_id == device_id:
                if unless_updated_since_ms and held.updated_ms > unless_updated_since_ms:
                    return False
                del self.devices[position]
                return True
        return False


def consent_violations(field: str, consent: Consent, now_ms: int) -> list[Violation]:
    """Everything that is wrong with an answer as it came in."""
    return [
        *checks.moment(f"{field}.time", consent.at_ms, now_ms),
        *checks.text(f"{field}.text_version", consent.text_version, MAX_TEXT_VERSION_CHARS),
        *checks.text(f"{field}.source", consent.source, MAX_SOURCE_CHARS),
    ]


def device_violations(field: str, device: Device) -> list[Violation]:
    """Everything that is wrong with a device as it came in."""
    found = [
        *checks.identifier(f"{field}.device_id", device.device_id),
        *checks.text(f"{field}.address", device.address, MAX_ADDRESS_CHARS),
        *checks.text(f"{field}.platform", device.platform, MAX_PLATFORM_CHARS),
        *checks.identifier(f"{field}.locale", device.locale, required=False),
        *checks.identifier(f"{field}.timezone", device.timezone, required=False),
    ]
    if not device.address and device.channel not in WITHOUT_ADDRESS:
        found.append(Violation(f"{field}.address", f"is required for {device.channel}"))
    return found
