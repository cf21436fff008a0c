"""Candidates and probabilities between the wire and core."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import attrgetter

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import ranking_service_pb2 as ranking_pb
from magpie_services.core.feature_schema import HEADS
from magpie_services.core.feature_schema import SOURCES as FEATURE_SOURCES

# Names of sources inside (features and ledger) and their wire numbers. "caller" is no feature.
SOURCE_NUMBERS = {
    "vector": candidate_pb.CANDIDATE_SOURCE_VECTOR,
    "covisit": candidate_pb.CANDIDATE_SOURCE_COVISIT,
    "popular": candidate_pb.CANDIDATE_SOURCE_POPULAR,
    "new": candidate_pb.CANDIDATE_SOURCE_NEW_ARRIVAL,
    "repeat": candidate_pb.CANDIDATE_SOURCE_REPEAT,
    "cart": candidate_pb.CANDIDATE_SOURCE_CART,
    "random": candidate_pb.CANDIDATE_SOURCE_RANDOM,
    "caller": candidate_pb.CANDIDATE_SOURCE_CALLER,
    "transition": candidate_pb.CANDIDATE_SOURCE_TRANSITION,
}
_heads = attrgetter(*HEADS)
SOURCES = {int(number): name for name, number in SOURCE_NUMBERS.items()}


def sources_to_proto(names: Iterable[str]) -> list[candidate_pb.CandidateSource.ValueType]:
    """Source names as wire numbers."""
    return [SOURCE_NUMBERS[name] for name in names]


def sources_from_proto(numbers: Iterable[int]) -> list[str]:
    """Wire numbers as source names; numbers of a newer contract are left out."""
    return [SOURCES[number] for number in numbers if number in SOURCES]


@lru_cache(maxsize=4_096)  # of the few sets of sources that there are
def source_bits(numbers: tuple[int, ...]) -> int:
    """Wire numbers as bits in the order of `features.SOURCES`; those that are no feature are left out."""
    names = set(sources_from_proto(numbers))
    return sum(1 << at for at, name in enumerate(FEATURE_SOURCES) if name in names)


def probabilities_from_proto(message: ranking_pb.Probabilities) -> list[float]:
    """The heads in the order of core.features.HEADS."""
    return list(_heads(message))


def probabilities_to_proto(heads: list[float]) -> ranking_pb.Probabilities | None:
    """The heads as a message; an older decision has fewer of them. None where nothing was scored."""
    if not heads:
        return None
    message = ranking_pb.Probabilities()
    fill_probabilities(message, heads)
    return message


def fill_probabilities(into: ranking_pb.Probabilities, heads: Sequence[float]) -> None:
    """The same, into a message that is there."""
    if len(heads) < len(HEADS):
        for name, value in zip(HEADS, heads, strict=False):
            setattr(into, name, value)
        return
    # In the order of HEADS, and in half the time.
    into.click, into.purchase, into.dismiss, into.unsubscribe = heads[:4]
    into.purchase_day, into.organic_purchase, into.organic_purchase_day = heads[4:]
