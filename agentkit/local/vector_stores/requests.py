"""What requests for vector stores, their files and searches may hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from agentkit.local.checking import Shape, by_type, text_or_list
from agentkit.local.errors import ApiError
from agentkit.local.requests.fields import Metadata
from agentkit.local.vector_stores.passages import Chunking

__all__ = [
    "AttributesRequest",
    "BatchRequest",
    "FileListQuery",
    "FileRequest",
    "ListQuery",
    "RankingOptions",
    "SearchRequest",
    "StoreRequest",
    "StoreUpdate",
    "check_weights",
    "chunking_of",
    "each_file",
]


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def _check_attribute(value: Any) -> Any:
    if isinstance(value, str):
        if len(value) > 512:
            limit = "Expected a string with maximum length 512, but got one of"
            raise PydanticCustomError(
                "attribute", "string too long. {limit} {size} instead", {"limit": limit, "size": len(value)}
            )
    elif not isinstance(value, bool | int | float) or not _is_finite(value):
        raise PydanticCustomError("attribute", "expected a string, a finite number or a boolean")
    return value


FileAttributes = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[Any, AfterValidator(_check_attribute)]],
    Field(max_length=16),
]
"""At most 16 pairs, keys up to 64 characters; texts up to 512, numbers, booleans."""


class StaticChunking(Shape):
    """Sizes of chunks."""

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0, le=2048)]


class StaticStrategy(Shape):
    """Chunks of given sizes."""

    type: Literal["static"]
    static: StaticChunking


class AutoStrategy(Shape):
    """Chunks of the default sizes."""

    type: Literal["auto"]


ChunkingStrategy = Annotated[
    Annotated[StaticStrategy, Tag("<static>")] | Annotated[AutoStrategy, Tag("<auto>")], Discriminator(by_type)
]


class StoreExpiry(Shape):
    """When a store goes."""

    anchor: Literal["last_active_at"]
    days: Annotated[int, Field(ge=1, le=365)]


_Id = Annotated[str, Field(max_length=512)]
_Name = Annotated[str, Field(max_length=256)]
_Description = Annotated[str, Field(max_length=512)]


class StoreRequest(Shape):
    """The body of `POST /v1/vector_stores`."""

    name: _Name | None = None
    description: _Description | None = None
    file_ids: Annotated[list[_Id], Field(max_length=500)] | None = None
    chunking_strategy: ChunkingStrategy | None = None
    expires_after: StoreExpiry | None = None
    metadata: Metadata | None = None


class StoreUpdate(Shape):
    """The body of `POST /v1/vector_stores/{id}`. What is not given stays; null clears it."""

    name: _Name | None = None
    description: _Description | None = None
    expires_after: StoreExpiry | None = None
    metadata: Metadata | None = None


class FileRequest(Shape):
    """The body of `POST /v1/vector_stores/{id}/files`, and a file of a batch."""

    file_id: _Id
    attributes: FileAttributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class AttributesRequest(Shape):
    """The body of `POST /v1/vector_stores/{id}/files/{file_id}`."""

    attributes: FileAttributes | None


class BatchRequest(Shape):
    """The body of `POST /v1/vector_stores/{id}/file_batches`."""

    file_ids: Annotated[list[_Id], Field(min_length=1, max_length=2000)] | None = None
    files: Annotated[list[FileRequest], Field(min_length=1, max_length=2000)] | None = None
    attributes: FileAttributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class HybridSearch(Shape):
    """How much ranking by meaning and ranking by words count in their fusion."""

    embedding_weight: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    text_weight: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class RankingOptions(Shape):
    """How results are ranked, and which of them are good enough."""

    ranker: Literal["none", "auto", "default-2024-11-15"] | None = None
    score_threshold: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    hybrid_search: HybridSearch | None = None


_Query = Annotated[str, Field(min_length=1, max_length=4096)]


class SearchRequest(Shape):
    """The body of `POST /v1/vector_stores/{id}/search`."""

    query: Annotated[
        Annotated[_Query, Tag("<text>")]
        | Annotated[Annotated[list[_Query], Field(min_length=1, max_length=32)], Tag("<list>")],
        Discriminator(text_or_list),
    ]
    filters: dict[str, Any] | None = None
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    ranking_options: RankingOptions | None = None
    rewrite_query: bool | None = None
    page: str | None = None


class ListQuery(BaseModel):
    """The query of a list; its values arrive as text."""

    model_config = ConfigDict(extra="ignore")

    after: str | None = None
    before: str | None = None
    limit: int = Field(20, ge=1, le=100)
    order: Literal["asc", "desc"] = "desc"


class FileListQuery(ListQuery):
    """The query of a list of files."""

    filter: Literal["in_progress", "completed", "failed", "cancelled"] | None = None


def each_file(
    file_ids: Sequence[str],
    strategy: StaticStrategy | AutoStrategy | None,
    attributes: FileAttributes | None = None,
) -> list[FileRequest]:
    """Return what a request says of each file that it names by its id alone; one named twice counts once."""
    return [
        FileRequest.model_construct(file_id=file_id, attributes=attributes, chunking_strategy=strategy)
        for file_id in dict.fromkeys(file_ids)
    ]


def chunking_of(
    strategy: StaticStrategy | AutoStrategy | None, param: str = "chunking_strategy"
) -> tuple[Chunking, bool]:
    """Return the sizes of chunks, and whether they were left to the platform.

    Raises:
        ApiError: The chunks overlap by more than half.
    """
    if not isinstance(strategy, StaticStrategy):
        return Chunking(), True
    sizes = strategy.static
    if sizes.chunk_overlap_tokens * 2 > sizes.max_chunk_size_tokens:
        place = f"{param}.static.chunk_overlap_tokens"
        message = (
            f"Invalid '{place}': {sizes.chunk_overlap_tokens} exceeds half of max_chunk_size_tokens "
            f"({sizes.max_chunk_size_tokens})."
        )
        raise ApiError(message, param=place, code="invalid_value")
    return Chunking(sizes.max_chunk_size_tokens, sizes.chunk_overlap_tokens), False


def check_weights(options: dict[str, Any] | None, param: str = "ranking_options") -> None:
    """Check that at least one of the two rankings of a hybrid search counts.

    Raises:
        ApiError: Both weights are 0.
    """
    hybrid = (options or {}).get("hybrid_search")
    if hybrid is not None and hybrid["embedding_weight"] <= 0 and hybrid["text_weight"] <= 0:
        place = f"{param}.hybrid_search"
        message = f"Invalid '{place}': at least one of embedding_weight and text_weight must be greater than 0."
        raise ApiError(message, param=place, code="invalid_value")
