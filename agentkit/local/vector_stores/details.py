"""What the embedded platform knows of a passage beyond OpenAI's fields: where it stands, and how it was ranked.

It is added where a request has the header `x-agentkit-details: true`, under the key `agentkit`; other clients get
OpenAI's fields alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from agentkit.local.vector_stores.passages import Chunk, Found

if TYPE_CHECKING:
    from agentkit.local.embedding.embedder import Embedder

__all__ = ["DETAILS_HEADER", "details_of", "place_of", "wants_details", "with_ranking"]

DETAILS_HEADER = "x-agentkit-details"


def wants_details(http: Request) -> bool:
    """Return whether a request asks for what OpenAI's answers don't have."""
    return http.headers.get(DETAILS_HEADER, "").lower() in ("1", "true")


def place_of(chunk: Chunk) -> dict[str, Any]:
    """Return where a passage stands in its file."""
    return {
        "position": chunk.position,
        "start": chunk.start,
        "end": chunk.end,
        "tokens": chunk.tokens,
        "page": chunk.page,
        "last_page": chunk.last_page,
        "heading": chunk.heading,
    }


def details_of(found: Found) -> dict[str, Any]:
    """Return where a passage that was found stands, and its scores in the two rankings."""
    return {"agentkit": {**place_of(found.chunk), "semantic": found.semantic, "keyword": found.keyword}}


def with_ranking(http: Request, told: dict[str, Any], embedder: Callable[[], Embedder | None]) -> dict[str, Any]:
    """Return a store, or a page of stores, with how passages are ranked, where the request asks for details.

    Args:
        http: The request.
        told: What is answered.
        embedder: Gives what makes vectors; it may raise `EmbedderError`, whose text is then the reason.
    """
    if not wants_details(http):
        return told
    from agentkit.local.embedding import EmbedderError, why_none

    try:
        found = embedder()
        ranking = {"embedder": None if found is None else found.name, "why_words_only": why_none() if not found else ""}
    except EmbedderError as error:
        ranking = {"embedder": None, "why_words_only": str(error)}
    if told.get("object") == "list":
        return {**told, "data": [{**each, "agentkit": ranking} for each in told["data"]]}
    return {**told, "agentkit": ranking}
