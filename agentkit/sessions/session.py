"""What a session is: anything that gives and takes the items of one conversation."""

from __future__ import annotations

import abc
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from agentkit import _json
from agentkit.exceptions import UserError

__all__ = ["Item", "Session", "SessionABC", "SessionSettings", "branch_point", "check_session_id", "encoded_item"]

Item = dict[str, Any]
"""An item of the conversation, in the shape of the Responses API."""


@dataclass
class SessionSettings:
    """Settings of a session."""

    limit: int | None = None
    """Latest items that are read; all when None."""

    def __post_init__(self) -> None:
        if self.limit is not None and (
            isinstance(self.limit, bool) or not isinstance(self.limit, int) or self.limit < 0
        ):
            raise UserError(f"A session's limit has to be a number of items, 0 or more, not {self.limit!r}.")

    def resolve(self, override: SessionSettings | None) -> SessionSettings:
        """Return these settings with those of `override` that are not None put over them."""
        if override is None or override.limit is None:
            return self
        return replace(self, limit=override.limit)


@runtime_checkable
class Session(Protocol):
    """Where a conversation is remembered. Any object with these is one; nothing has to be inherited.

    A run reads it once, at its start, and adds a turn's items in one call.
    """

    session_id: str
    """Names the conversation."""

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first; of a longer one than `limit` the latest items."""
        ...

    async def add_items(self, items: list[Item]) -> None:
        """Append items, all of them or none."""
        ...

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        ...

    async def clear_session(self) -> None:
        """Take all items away."""
        ...


class SessionABC(abc.ABC):
    """Base for sessions of your own: the four methods of `Session`, and what can be made of them."""

    session_id: str
    session_settings: SessionSettings | None = None

    @abc.abstractmethod
    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first; of a longer one than `limit` the latest items."""

    @abc.abstractmethod
    async def add_items(self, items: list[Item]) -> None:
        """Append items, all of them or none."""

    @abc.abstractmethod
    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""

    @abc.abstractmethod
    async def clear_session(self) -> None:
        """Take all items away."""

    async def replace_items(self, items: list[Item]) -> None:
        """Put `items` in place of the whole conversation. In one piece where the store can."""
        await self.clear_session()
        await self.add_items(items)


def branch_point(items: Sequence[Item], at: int | str) -> int:
    """Return how many items a branch takes with it: those up to and including the one named by `at`.

    Args:
        items: The conversation.
        at: Index of the last item of the branch, from the end where negative; or its id.

    Raises:
        UserError: There is no such item.
    """
    if isinstance(at, str):
        for index, item in enumerate(items):
            if at in (item.get("id"), item.get("call_id")):
                return index + 1
        raise UserError(f"No item of the conversation has the id {at!r}.")
    index = at + len(items) if at < 0 else at
    if not 0 <= index < len(items):
        raise UserError(f"The conversation has {len(items)} items: there is no item {at}.")
    return index + 1


def check_session_id(session_id: Any) -> str:
    """Return a session's id, or a new one for None.

    Raises:
        UserError: It is no text, or empty.
    """
    if session_id is None:
        return f"session_{uuid.uuid4().hex}"
    if not isinstance(session_id, str) or not session_id.strip():
        raise UserError(f"A session's id has to be text, not {session_id!r}.")
    return session_id


def encoded_item(item: Any) -> str:
    """Return an item as JSON text.

    Raises:
        UserError: It is no JSON object.
    """
    if not isinstance(item, dict):
        raise UserError(f"An item of a conversation is a JSON object, not {type(item).__name__} {item!r:.60}.")
    try:
        return _json.dumps(item).decode()
    except (TypeError, ValueError) as error:
        raise UserError(f"An item of the conversation is no JSON: {error}. It is {item!r:.80}.") from error
