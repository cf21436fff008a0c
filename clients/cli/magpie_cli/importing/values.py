"""Cells to values of the API: times, money, numbers. A ValueError's text says what is wrong with the cell."""

import math
import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from magpie.v1 import event_pb2, money_pb2

LARGEST = 2**31 - 1
LARGEST_PRICE_DIGITS = 14  # of whole units: in minor ones it still fits 64 bits
LATEST_SECONDS = 10_000_000_000  # larger numbers of an epoch are milliseconds
# Digits after the point where they are not two (ISO 4217).
_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_EXPONENTS = dict.fromkeys(_WHOLE.split(), 0) | dict.fromkeys(_THOUSANDTHS.split(), 3)
_KINDS = {name.removeprefix("EVENT_KIND_").lower(): value for name, value in event_pb2.EventKind.items()}
# What files of other shops call the same things.
_ALIASES = {
    "view": "view_item",
    "click": "view_item",
    "pv": "view_item",
    "cart": "add_to_cart",
    "addtocart": "add_to_cart",
    "wishlist": "add_to_wishlist",
    "fav": "add_to_wishlist",
    "buy": "purchase",
    "order": "purchase",
    "transaction": "purchase",
    "return": "return_item",
    "rating": "review",
}


def time_ms(text: str, form: str, zone: tzinfo) -> int:
    """Milliseconds since 1970 of a time; without an offset of its own it is in `zone`."""
    text = text.strip()
    try:
        if form:
            moment = datetime.strptime(text, form)
        elif re.fullmatch(r"\d{9,13}(\.\d+)?", text):
            seconds = float(text)
            return int(seconds if seconds > LATEST_SECONDS else seconds * 1000)
        else:
            moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        wanted = f"a time in the form {form}" if form else "a time (ISO 8601, or seconds since 1970)"
        raise ValueError(f"must be {wanted}, not {text!r}") from None


def timestamp(at_ms: int) -> Timestamp:
    """The message for milliseconds since 1970."""
    return Timestamp(seconds=at_ms // 1000, nanos=at_ms % 1000 * 1_000_000)


def moment(at_ms: int) -> datetime:
    """The same as a datetime in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def money(text: str, currency: str) -> money_pb2.Money:
    """A price, never negative, in minor units of its currency."""
    code = currency.strip().upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise ValueError(f"currency must be three letters, not {currency!r}")
    try:
        amount = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"must be a price, not {text!r}") from None
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"must be a price of 0 or more, not {text!r}")
    if amount.adjusted() > LARGEST_PRICE_DIGITS:
        raise ValueError(f"must be a price, not {text!r}: it is too large")
    return money_pb2.Money(
        currency=code, minor_units=int((amount * 10 ** _EXPONENTS.get(code, 2)).to_integral_value())
    )


def whole(text: str) -> int:
    """A whole number of 0 to LARGEST."""
    value = number(text)
    if value != int(value) or not 0 <= value <= LARGEST:
        raise ValueError(f"must be a whole number from 0 to {LARGEST:,}, not {text!r}")
    return int(value)


def number(text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"must be a number, not {text!r}")
    return value


def numbers(text: str) -> list[float]:
    """Finite numbers between spaces, commas or semicolons, in brackets or not."""
    return [number(part) for part in re.split(r"[\s,;]+", text.strip("[] ")) if part]


def seconds(text: str) -> Duration:
    """A span of time, never negative."""
    value = number(text)
    if not 0 <= value <= LARGEST:
        raise ValueError(f"must be seconds, 0 or more, not {text!r}")
    return Duration(seconds=int(value), nanos=int(value % 1 * 1e9))


def event_kind(text: str) -> "event_pb2.EventKind.ValueType":
    """What happened, by our name for it or a usual other one."""
    name = text.strip().lower().replace("-", "_").replace(" ", "_")
    kind = _KINDS.get(_ALIASES.get(name, name))
    if not kind:
        raise ValueError(f"{text!r} is no kind of event; there are {', '.join(list(_KINDS)[1:11])}")
    return kind
