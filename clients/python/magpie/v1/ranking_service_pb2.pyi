from magpie.v1 import candidate_service_pb2 as _candidate_service_pb2
from magpie.v1 import portrait_pb2 as _portrait_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Probabilities(_message.Message):
    __slots__ = ("click", "purchase", "dismiss", "unsubscribe", "organic_purchase")
    CLICK_FIELD_NUMBER: _ClassVar[int]
    PURCHASE_FIELD_NUMBER: _ClassVar[int]
    DISMISS_FIELD_NUMBER: _ClassVar[int]
    UNSUBSCRIBE_FIELD_NUMBER: _ClassVar[int]
    ORGANIC_PURCHASE_FIELD_NUMBER: _ClassVar[int]
    click: float
    purchase: float
    dismiss: float
    unsubscribe: float
    organic_purchase: float
    def __init__(self, click: _Optional[float] = ..., purchase: _Optional[float] = ..., dismiss: _Optional[float] = ..., unsubscribe: _Optional[float] = ..., organic_purchase: _Optional[float] = ...) -> None: ...

class RankedCandidate(_message.Message):
    __slots__ = ("candidate", "probabilities", "features", "feature_inclusion")
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    FEATURE_INCLUSION_FIELD_NUMBER: _ClassVar[int]
    candidate: _candidate_service_pb2.Candidate
    probabilities: Probabilities
    features: bytes
    feature_inclusion: float
    def __init__(self, candidate: _Optional[_Union[_candidate_service_pb2.Candidate, _Mapping]] = ..., probabilities: _Optional[_Union[Probabilities, _Mapping]] = ..., features: _Optional[bytes] = ..., feature_inclusion: _Optional[float] = ...) -> None: ...

class RankedList(_message.Message):
    __slots__ = ("user_id", "candidates")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    candidates: _containers.RepeatedCompositeFieldContainer[RankedCandidate]
    def __init__(self, user_id: _Optional[str] = ..., candidates: _Optional[_Iterable[_Union[RankedCandidate, _Mapping]]] = ...) -> None: ...

class RankCandidatesRequest(_message.Message):
    __slots__ = ("portraits", "lists", "features_of_best", "features_of_rest", "seed", "ranker_version")
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_OF_BEST_FIELD_NUMBER: _ClassVar[int]
    FEATURES_OF_REST_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    portraits: _containers.RepeatedCompositeFieldContainer[_portrait_pb2.Portrait]
    lists: _containers.RepeatedCompositeFieldContainer[_candidate_service_pb2.CandidateList]
    features_of_best: int
    features_of_rest: int
    seed: int
    ranker_version: int
    def __init__(self, portraits: _Optional[_Iterable[_Union[_portrait_pb2.Portrait, _Mapping]]] = ..., lists: _Optional[_Iterable[_Union[_candidate_service_pb2.CandidateList, _Mapping]]] = ..., features_of_best: _Optional[int] = ..., features_of_rest: _Optional[int] = ..., seed: _Optional[int] = ..., ranker_version: _Optional[int] = ...) -> None: ...

class RankCandidatesResponse(_message.Message):
    __slots__ = ("lists", "ranker_version", "fallback", "schema_hash")
    LISTS_FIELD_NUMBER: _ClassVar[int]
    RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_HASH_FIELD_NUMBER: _ClassVar[int]
    lists: _containers.RepeatedCompositeFieldContainer[RankedList]
    ranker_version: int
    fallback: bool
    schema_hash: str
    def __init__(self, lists: _Optional[_Iterable[_Union[RankedList, _Mapping]]] = ..., ranker_version: _Optional[int] = ..., fallback: bool = ..., schema_hash: _Optional[str] = ...) -> None: ...

class ExplainScoresRequest(_message.Message):
    __slots__ = ("portrait", "candidates")
    PORTRAIT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    portrait: _portrait_pb2.Portrait
    candidates: _containers.RepeatedCompositeFieldContainer[_candidate_service_pb2.Candidate]
    def __init__(self, portrait: _Optional[_Union[_portrait_pb2.Portrait, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[_candidate_service_pb2.Candidate, _Mapping]]] = ...) -> None: ...

class Contribution(_message.Message):
    __slots__ = ("cause", "is_item", "purchase", "click")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    IS_ITEM_FIELD_NUMBER: _ClassVar[int]
    PURCHASE_FIELD_NUMBER: _ClassVar[int]
    CLICK_FIELD_NUMBER: _ClassVar[int]
    cause: str
    is_item: bool
    purchase: float
    click: float
    def __init__(self, cause: _Optional[str] = ..., is_item: bool = ..., purchase: _Optional[float] = ..., click: _Optional[float] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("item_id", "probabilities", "contributions")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    probabilities: Probabilities
    contributions: _containers.RepeatedCompositeFieldContainer[Contribution]
    def __init__(self, item_id: _Optional[str] = ..., probabilities: _Optional[_Union[Probabilities, _Mapping]] = ..., contributions: _Optional[_Iterable[_Union[Contribution, _Mapping]]] = ...) -> None: ...

class ExplainScoresResponse(_message.Message):
    __slots__ = ("explanations", "ranker_version", "fallback")
    EXPLANATIONS_FIELD_NUMBER: _ClassVar[int]
    RANKER_VERSION_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    explanations: _containers.RepeatedCompositeFieldContainer[Explanation]
    ranker_version: int
    fallback: bool
    def __init__(self, explanations: _Optional[_Iterable[_Union[Explanation, _Mapping]]] = ..., ranker_version: _Optional[int] = ..., fallback: bool = ...) -> None: ...
