"""Pages of lists that the storage reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from agentkit.local.errors import ApiError
from agentkit.local.vector_stores.requests import ListQuery
from agentkit.local.vector_stores.storage import Page

__all__ = ["answer_page"]

Record = TypeVar("Record")


def answer_page(
    kind: str, query: ListQuery, read: Callable[[Page], list[Record]], shown: Callable[[Record], dict[str, Any]]
) -> dict[str, Any]:
    """Return a page as the API gives it.

    Args:
        kind: What is listed, for errors.
        query: Which part is asked for.
        read: Reads it from the storage, and one more where there are more.
        shown: Gives a record as the API does.

    Raises:
        ApiError: No object of the list has the cursor's id.
    """
    try:
        found = read(Page(query.limit, query.after, query.before, query.order == "asc"))
    except KeyError as error:
        message = f"No {kind} with id '{error.args[0]}' in this list."
        param = "after" if error.args[0] == query.after else "before"
        raise ApiError(message, param=param, code="invalid_value") from None
    data = [shown(record) for record in found[: query.limit]]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": len(found) > query.limit,
    }
