from magpie.v1 import portrait_pb2 as _portrait_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CandidateSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANDIDATE_SOURCE_UNSPECIFIED: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_VECTOR: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_COVISIT: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_POPULAR: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_NEW_ARRIVAL: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_REPEAT: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_CART: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_RANDOM: _ClassVar[CandidateSource]
    CANDIDATE_SOURCE_CALLER: _ClassVar[CandidateSource]
CANDIDATE_SOURCE_UNSPECIFIED: CandidateSource
CANDIDATE_SOURCE_VECTOR: CandidateSource
CANDIDATE_SOURCE_COVISIT: CandidateSource
CANDIDATE_SOURCE_POPULAR: CandidateSource
CANDIDATE_SOURCE_NEW_ARRIVAL: CandidateSource
CANDIDATE_SOURCE_REPEAT: CandidateSource
CANDIDATE_SOURCE_CART: CandidateSource
CANDIDATE_SOURCE_RANDOM: CandidateSource
CANDIDATE_SOURCE_CALLER: CandidateSource

class CatalogFilter(_message.Message):
    __slots__ = ("item_ids", "excluded_item_ids", "categories", "brands", "vendors", "min_discount")
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    BRANDS_FIELD_NUMBER: _ClassVar[int]
    VENDORS_FIELD_NUMBER: _ClassVar[int]
    MIN_DISCOUNT_FIELD_NUMBER: _ClassVar[int]
    item_ids: _containers.RepeatedScalarFieldContainer[str]
    excluded_item_ids: _containers.RepeatedScalarFieldContainer[str]
    categories: _containers.RepeatedScalarFieldContainer[str]
    brands: _containers.RepeatedScalarFieldContainer[str]
    vendors: _containers.RepeatedScalarFieldContainer[str]
    min_discount: float
    def __init__(self, item_ids: _Optional[_Iterable[str]] = ..., excluded_item_ids: _Optional[_Iterable[str]] = ..., categories: _Optional[_Iterable[str]] = ..., brands: _Optional[_Iterable[str]] = ..., vendors: _Optional[_Iterable[str]] = ..., min_discount: _Optional[float] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("item_id", "sources", "similarity", "covisit", "because_item_id")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    COVISIT_FIELD_NUMBER: _ClassVar[int]
    BECAUSE_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    sources: _containers.RepeatedScalarFieldContainer[CandidateSource]
    similarity: float
    covisit: float
    because_item_id: str
    def __init__(self, item_id: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[CandidateSource, str]]] = ..., similarity: _Optional[float] = ..., covisit: _Optional[float] = ..., because_item_id: _Optional[str] = ...) -> None: ...

class CandidateList(_message.Message):
    __slots__ = ("user_id", "candidates")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    def __init__(self, user_id: _Optional[str] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ...) -> None: ...

class RetrieveCandidatesRequest(_message.Message):
    __slots__ = ("portraits", "limit", "filter", "sources", "seed")
    PORTRAITS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    portraits: _containers.RepeatedCompositeFieldContainer[_portrait_pb2.Portrait]
    limit: int
    filter: CatalogFilter
    sources: _containers.RepeatedScalarFieldContainer[CandidateSource]
    seed: int
    def __init__(self, portraits: _Optional[_Iterable[_Union[_portrait_pb2.Portrait, _Mapping]]] = ..., limit: _Optional[int] = ..., filter: _Optional[_Union[CatalogFilter, _Mapping]] = ..., sources: _Optional[_Iterable[_Union[CandidateSource, str]]] = ..., seed: _Optional[int] = ...) -> None: ...

class RetrieveCandidatesResponse(_message.Message):
    __slots__ = ("lists", "retriever_version", "degraded", "catalogue_size")
    LISTS_FIELD_NUMBER: _ClassVar[int]
    RETRIEVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    CATALOGUE_SIZE_FIELD_NUMBER: _ClassVar[int]
    lists: _containers.RepeatedCompositeFieldContainer[CandidateList]
    retriever_version: int
    degraded: bool
    catalogue_size: int
    def __init__(self, lists: _Optional[_Iterable[_Union[CandidateList, _Mapping]]] = ..., retriever_version: _Optional[int] = ..., degraded: bool = ..., catalogue_size: _Optional[int] = ...) -> None: ...
