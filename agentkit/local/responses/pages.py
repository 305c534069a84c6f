"""A page of a list, with OpenAI's cursors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agentkit.local.checking import check
from agentkit.local.errors import ApiError

__all__ = ["page_of"]


class _PageQuery(BaseModel):
    """The query of a list; its values arrive as text. `include` is accepted and changes nothing here."""

    model_config = ConfigDict(extra="ignore")

    after: str | None = None
    limit: int = Field(20, ge=1, le=100)
    order: Literal["asc", "desc"] = "desc"


def page_of(items: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """Return the page of `items`, which are oldest first, that a query asks for.

    Raises:
        ApiError: The query isn't usable.
    """
    wanted = check(_PageQuery, dict(query))
    ordered = items if wanted.order == "asc" else items[::-1]
    start = 0
    if wanted.after is not None:
        places = [index for index, item in enumerate(ordered) if item.get("id") == wanted.after]
        if not places:
            raise ApiError(f"No item with id '{wanted.after}' in this list.", param="after", code="invalid_value")
        start = places[0] + 1
    page = ordered[start : start + wanted.limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0].get("id", "") if page else "",
        "last_id": page[-1].get("id", "") if page else "",
        "has_more": start + wanted.limit < len(ordered),
    }
