"""Pages of lists that the storage reads."""

from __future__ import annotations

from typing import Any

from agentkit.local.vector_stores.requests import ListQuery
from agentkit.local.vector_stores.storage import Page

__all__ = ["page_object", "page_of"]


def page_of(query: ListQuery) -> Page:
    """Return the part of a list that a query asks for."""
    return Page(query.limit, query.after, query.before, query.order == "asc")


def page_object(data: list[dict[str, Any]], has_more: bool) -> dict[str, Any]:
    """Return a page as the API gives it."""
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }
