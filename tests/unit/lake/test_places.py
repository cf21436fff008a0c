"""A place is an id of Redis as one number that grows with it."""

from hypothesis import given
from hypothesis import strategies as st

from magpie_services.kit.redis import PARTITIONS
from magpie_services.lake import places

IDS = st.tuples(st.integers(0, 2**42), st.integers(0, 2**20 - 1))


@given(IDS, IDS)
def test_places_are_ordered_as_ids_are(one: tuple[int, int], other: tuple[int, int]) -> None:
    first, second = (places.place_of(f"{ms}-{n}".encode()) for ms, n in (one, other))
    assert (first < second) == (one < other)
    assert places.entry_id(first) == f"{one[0]}-{one[1]}"
    assert first < 2**63


def test_every_stream_of_every_partition_is_followed_and_the_feed_left_whole() -> None:
    names = [name for group in places.streams() for name in group]
    assert len(names) == len(set(names)) == 3 * PARTITIONS + 1
    assert [name for name in names if not places.trimmed(name)] == ["magpie:{items}:feed"]
    assert places.dead_letters("magpie:{p03}:events") == "magpie:{p03}:dead"
