"""What a platform tells of a passage beyond OpenAI's fields: its page, its headings, how it was ranked.

The embedded platform adds that where it is asked for by a header, under the key "agentkit"; others ignore the header.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ASK_FOR_DETAILS", "PassageDetails", "details_of"]

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
    found = told.get("agentkit") if isinstance(told, Mapping) else getattr(told, "agentkit", None)
    if not isinstance(found, Mapping):
        return PassageDetails()
    heading = found.get("heading")
    return PassageDetails(
        _whole(found.get("position")), _whole(found.get("page")), _whole(found.get("last_page")),
        heading if isinstance(heading, str) and heading else None, _whole(found.get("tokens")),
        _number(found.get("semantic")), _number(found.get("keyword")),
    )  # fmt: skip


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
