"""Candidates and probabilities between the wire and core."""

from collections.abc import Iterable

from magpie.v1 import candidate_service_pb2 as candidate_pb
from magpie.v1 import ranking_service_pb2 as ranking_pb

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
}
SOURCES = {int(number): name for name, number in SOURCE_NUMBERS.items()}


def sources_to_proto(names: Iterable[str]) -> list[candidate_pb.CandidateSource.ValueType]:
    """Source names as wire numbers."""
    return [SOURCE_NUMBERS[name] for name in names]


def sources_from_proto(numbers: Iterable[int]) -> list[str]:
    """Wire numbers as source names; numbers of a newer contract are left out."""
    return [SOURCES[number] for number in numbers if number in SOURCES]


def probabilities_from_proto(message: ranking_pb.Probabilities) -> list[float]:
    """The four heads in the order of core.features.HEADS."""
    return [message.click, message.purchase, message.dismiss, message.unsubscribe]


def probabilities_to_proto(heads: list[float]) -> ranking_pb.Probabilities | None:
    """Four heads as a message; None where nothing was scored."""
    if len(heads) != 4:
        return None
    click, purchase, dismiss, unsubscribe = heads
    return ranking_pb.Probabilities(click=click, purchase=purchase, dismiss=dismiss, unsubscribe=unsubscribe)
