"""Facts that a caller gives beside the item: what only the caller knows at this moment."""

import re
from collections.abc import Mapping
from datetime import date

import msgspec

from magpie_services.core.untrusted import clean


class Extra(msgspec.Struct, frozen=True, kw_only=True):
    """Facts beyond the items' own, by their keys in a brief.

    was_out_of_stock, in_cart, viewed, bought, is_new: "true" or "false". popular_rank (from 1) with
    trend_category; bought_days_ago (whole days); liked_category, one that the user often visits; offer_ends
    (ISO date). Other keys are ignored.
    """

    was_out_of_stock: bool = False
    in_cart: bool = False
    viewed: bool = False
    bought: bool = False
    is_new: bool = False
    popular_rank: int = 0
    trend_category: str = ""
    liked_category: str = ""
    bought_days_ago: int = 0
    offer_ends: date | None = None


NO_EXTRA = Extra()


def extra_facts(raw: Mapping[str, str]) -> Extra:
    """The known keys of a brief's facts, parsed. Raises ValueError(key, problem) for a malformed one."""
    if not raw:
        return NO_EXTRA
    parsed: dict[str, bool | int | str | date] = {}
    for key in raw.keys() & Extra.__struct_fields__:
        value = raw[key].strip()
        if key in ("trend_category", "liked_category"):
            parsed[key] = clean(value)
        elif key == "offer_ends":
            try:
                parsed[key] = date.fromisoformat(value)
            except ValueError:
                raise ValueError(key, "must be a date such as 2026-11-30") from None
        elif key in ("popular_rank", "bought_days_ago"):
            if not re.fullmatch("[0-9]{1,9}", value):
                raise ValueError(key, "must be a whole number")
            parsed[key] = int(value)
        elif value.casefold() not in ("true", "false", "1", "0"):
            raise ValueError(key, 'must be "true" or "false"')
        else:
            parsed[key] = value.casefold() in ("true", "1")
    return Extra(**parsed)  # type: ignore[arg-type]
