"""Places in a stream: Redis's own ids as one growing integer, and the streams that the lake follows."""

from magpie_services.kit.redis import items_key, partitions, stream_key
from magpie_services.lake.schemas import DECISIONS, EVENTS, ITEMS, OUTCOMES, TableSpec

_SEQUENCE_BITS = 20


def place_of(entry_id: bytes) -> int:
    """The id "<ms>-<n>" as ms << 20 | n. More than a million entries in a millisecond cannot be."""
    ms, _, number = entry_id.partition(b"-")
    return int(ms) << _SEQUENCE_BITS | int(number)


def entry_id(place: int) -> str:
    """The id at a place."""
    return f"{place >> _SEQUENCE_BITS}-{place & ((1 << _SEQUENCE_BITS) - 1)}"


def time_ms(place: int) -> int:
    """When the entry was written, by Redis's clock."""
    return place >> _SEQUENCE_BITS


def streams() -> list[dict[str, TableSpec]]:
    """All streams with their tables, in groups that share a slot and may be read by one command."""
    users = {"events": EVENTS, "decisions": DECISIONS, "outcomes": OUTCOMES}
    groups = [{stream_key(kind, part): spec for kind, spec in users.items()} for part in partitions()]
    return [*groups, {items_key("feed"): ITEMS}]


def trimmed(stream: str) -> bool:
    """Whether the lake trims the stream: the feed of items belongs to the catalogue."""
    return not stream.startswith(items_key(""))


def dead_letters(stream: str) -> str:
    """Where entries of the stream go that cannot be read."""
    return f"{stream.rpartition(':')[0]}:dead"
