"""What a platform tells beyond OpenAI's fields: of a passage its page, headings and ranking; of a batch how far it is.

The embedded platform adds that where it is asked for by a header, under the key "agentkit"; others ignore the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ASK_FOR_DETAILS", "BatchDetails", "PassageDetails", "batch_details_of", "details_of"]

ASK_FOR_DETAILS: Final = {"x-agentkit-details": "true"}
"""The header that asks for them."""


@dataclass(frozen=True, slots=True)
class PassageDetails:
    """Where a passage stands, and how it was ranked; None for what isn't told."""

    chunk: int | None = None
    """Which of the file's passages it is, from 0."""
    page: int | None = None
    """The page or slide that it begins on, from 1."""
    last_page: int | None = None
    """The page that it ends on."""
    heading: str | None = None
    """The headings that it stands under, outermost first."""
    tokens: int | None = None
    """Its length."""
    semantic_score: float | None = None
    """The cosine between query and passage."""
    keyword_score: float | None = None
    """The score of its words, BM25."""


def details_of(told: Any) -> PassageDetails:
    """Return the details of a passage.

    Args:
        told: The client's object, or the JSON, of a passage.
    """
    found = _told(told)
    heading = found.get("heading")
    return PassageDetails(
        _whole(found.get("position")), _whole(found.get("page")), _whole(found.get("last_page")),
        heading if isinstance(heading, str) and heading else None, _whole(found.get("tokens")),
        _number(found.get("semantic")), _number(found.get("keyword")),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchDetails:
    """How far the files of a batch are; None for what isn't told."""

    parsing: int | None = None
    """Files that are still to be parsed and cut."""
    passages: int | None = None
    """Passages of those that have been."""
    ready: int | None = None
    """How many of these have vectors, or need none."""


def batch_details_of(told: Any) -> BatchDetails:
    """Return the details of a batch of files.

    Args:
        told: The client's object of it.
    """
    found = _told(told)
    return BatchDetails(_whole(found.get("unread")), _whole(found.get("chunks")), _whole(found.get("ready")))


def _told(told: Any) -> Mapping[str, Any]:
    found = told.get("agentkit") if isinstance(told, Mapping) else getattr(told, "agentkit", None)
    return found if isinstance(found, Mapping) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
