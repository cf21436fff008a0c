"""What a world is made from; its hash is the seal that is shown before anything runs."""

import hashlib
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


class HouseRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop was promised: checked at the phones, from the outside. Local times as "HH:MM"."""

    quiet_start: str = "21:30"
    quiet_end: str = "08:00"
    cap_day: int = 3
    cap_week: int = 10
    repeat_days: int = 7  # before the same item is pushed again: kept by all who send in forks

    def quiet_until_ms(self, at_ms: int, timezone: str) -> int | None:
        """End of the quiet span that holds `at_ms` (ms, UTC); None when it is not quiet."""
        start, end = time.fromisoformat(self.quiet_start), time.fromisoformat(self.quiet_end)
        local = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(timezone))
        now = local.time().replace(second=local.second, microsecond=local.microsecond)
        if start == end:
            return None
        quiet = start <= now < end if start < end else (now >= start or now < end)
        if not quiet:
            return None
        last = local.date() + timedelta(days=1 if now >= end else 0)
        return round(datetime.combine(last, end, ZoneInfo(timezone)).timestamp() * 1000)


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """Seed, size and the marginals that public figures give. `start` is an ISO date, midnight UTC.

    `salt` changes nothing but the seal: without one, small seeds could be found by trying.
    """

    seed: int
    users: int
    items: int
    locales: tuple[str, ...] = ("zh-CN", "en")
    start: str = "2026-03-02"
    rules: HouseRules = HouseRules()
    arrivals_share: float = 0.3  # items that come later, as a share of those there at the start
    consent_shares: tuple[float, float, float] = (0.67, 0.56, 0.45)  # Android, iOS, web
    annoyed_share: float = 0.15
    bot_share: float = 0.005
    visits_per_day: float = 0.42
    open_floor: float = 0.028
    open_fitting: float = 0.46
    opt_out: float = 0.0005
    fatigue_push: float = 0.16
    fatigue_recovery: float = 0.72
    habit_recovery: float = 0.85
    lost_receipts: float = 0.03
    doubled_receipts: float = 0.02
    doubled_events: float = 0.005
    margin: float = 0.25
    salt: str = ""

    @property
    def start_ms(self) -> int:
        """Midnight UTC of the first day, ms since the epoch."""
        return (date.fromisoformat(self.start) - date(1970, 1, 1)).days * DAY_MS

    @property
    def seal(self) -> str:
        """SHA-256 of seed, parameters and salt, in hexadecimal."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()


def checked(parameters: Parameters) -> Parameters:
    """The same parameters. Raises ValueError that names what cannot be."""
    if not 1 <= parameters.users <= 1_000_000:
        raise ValueError("users: must be 1 to 1,000,000")
    if not 24 <= parameters.items <= 50_000:
        raise ValueError("items: must be 24 to 50,000")
    if unknown := sorted(set(parameters.locales) - {"zh-CN", "en"}) or not parameters.locales:
        raise ValueError(f"locales: must be zh-CN, en or both, not {unknown}")
    try:
        date.fromisoformat(parameters.start)
    except ValueError:
        raise ValueError("start: must be a date such as 2026-03-02") from None
    return parameters
