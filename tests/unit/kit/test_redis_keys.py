from collections import Counter

from magpie_services.kit.redis import PARTITIONS, partition, partitions, stream_key, user_key


def test_partitions_are_stable_and_all_used() -> None:
    assert partition("user-1") == "p04"  # part of every key: a change loses every user
    seen = Counter(partition(f"user-{n}") for n in range(4_000))
    assert sorted(seen) == partitions()
    assert len(seen) == PARTITIONS
    assert max(seen.values()) < 2 * min(seen.values())


def test_a_users_keys_share_a_slot_with_the_stream() -> None:
    part = partition("u1")
    assert user_key("portrait", "u1") == f"magpie:{{{part}}}:portrait:u1"
    assert stream_key("events", part) == f"magpie:{{{part}}}:events"
