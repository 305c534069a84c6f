"""What a session is: anything that gives and takes the items of one conversation."""

from __future__ import annotations

import abc
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol, runtime_checkable

from agentkit import _json
from agentkit._repr import fields_repr
from agentkit.exceptions import UserError
from agentkit.sessions.finishing import finish
from agentkit.sessions.whole import whole_items

__all__ = [
    "Item",
    "Session",
    "SessionABC",
    "SessionSettings",
    "all_items",
    "branch_index",
    "check_session_id",
    "effective_limit",
    "encoded_item",
    "items_up_to",
    "replace_items",
]

Item = dict[str, Any]
"""An item of the conversation, in the shape of the Responses API."""


@dataclass
class SessionSettings:
    """Settings of a session."""

    __repr__ = fields_repr

    limit: int | None = None
    """Latest items that are read; all when None."""

    def __post_init__(self) -> None:
        """Check the limit.

        Raises:
            UserError: It is no number of items.
        """
        _check_limit(self.limit)

    @classmethod
    def of(cls, given: SessionSettings | Mapping[str, Any] | None) -> SessionSettings | None:
        """Return settings that may be given by their names and values.

        Raises:
            UserError: There is no setting of such a name.
        """
        if not isinstance(given, Mapping):
            return given
        if unknown := set(given) - {"limit"}:
            raise UserError(f"A session has no setting {sorted(unknown)[0]!r}.", hint="It has: limit.")
        return cls(**given)

    def resolve(self, override: SessionSettings | Mapping[str, Any] | None) -> SessionSettings:
        """Return these settings with those of `override` that are not None put over them."""
        override = self.of(override)
        if override is None or override.limit is None:
            return self
        return replace(self, limit=override.limit)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings by their names."""
        return asdict(self)


@runtime_checkable
class Session(Protocol):
    """Where a conversation is remembered. Any object with these is one; nothing has to be inherited.

    A run reads it once, at its start, and adds a turn's items in one call.
    """

    @property
    def session_id(self) -> str:
        """Names the conversation."""
        ...

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

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, 'session_id', None)!r})"

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

    async def replace_items(self, items: list[Item], *, expected: list[Item] | None = None) -> bool:
        """Put `items` in place of the whole conversation, or of its beginning.

        This is made of the methods above: should it fail half-way, it puts back what was there. A store that has
        transactions does better with its own.

        Args:
            items: What takes the place.
            expected: How the conversation begins. Only that is replaced, and what follows it stays; nothing is
                replaced where it doesn't begin so any more.

        Returns:
            Whether it was replaced.
        """
        return await finish(_replace(self, items, expected))

    def with_id(self, session_id: str) -> SessionABC:
        """Return the conversation of another id in the same store. For branches; a session of your own has to say how.

        Raises:
            UserError: This kind of session can't.
        """
        raise UserError(
            f"{type(self).__name__} can't branch: it doesn't say how another conversation of its store is opened.",
            hint="Give the class a method with_id(session_id) that returns it.",
        )

    async def branch(self, at: int | str = -1, session_id: str | None = None) -> SessionABC:
        """Return a new conversation that begins with this one up to an item. This one stays as it is.

        Args:
            at: Index of the last item that it takes with it, from the end where negative; or that item's id, or the id
                of a call for its output. What the cut halves, such as a call without its output, is left out.
            session_id: Id of the new conversation; made up when None.

        Raises:
            UserError: There is no such item, the id is taken, or this kind of session can't branch.
        """
        new = self.with_id(check_session_id(session_id, made_up=True))
        items = await all_items(self)
        kept = items_up_to(items, at)
        if await new.get_items(limit=1):
            raise UserError(f"There is a session {new.session_id!r} already.", hint="Give the branch another id.")
        await new.add_items(kept)
        return new


async def all_items(session: Session) -> list[Item]:
    """Return a session's whole conversation, whatever the limit of its settings."""
    limited = getattr(getattr(session, "session_settings", None), "limit", None) is not None
    return list(await (session.get_items(limit=2**31 - 1) if limited else session.get_items()))


async def replace_items(session: Any, items: list[Item], *, expected: list[Item]) -> bool:  # a Session of any make
    """Put `items` in place of the beginning of a session, by its own method where it has one."""
    if isinstance(session, SessionABC):
        return await session.replace_items(items, expected=expected)
    return await finish(_replace(session, items, expected))


async def _replace(session: Session, items: list[Item], expected: list[Item] | None) -> bool:
    here = await all_items(session)
    replaced = len(here) if expected is None else len(expected)
    if expected is not None and here[:replaced] != expected:
        return False
    await session.clear_session()
    try:
        await session.add_items([*items, *here[replaced:]])
    except BaseException:
        await session.clear_session()  # it may have taken some
        await session.add_items(here)
        raise
    return True


def effective_limit(limit: int | None, settings: SessionSettings | None) -> int | None:
    """Return how many items to read: the limit that was asked for, or that of the settings, or None for all.

    Raises:
        UserError: It is no number of items.
    """
    _check_limit(limit)
    return settings.limit if limit is None and settings is not None else limit


def _check_limit(limit: Any) -> None:
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 0):
        raise UserError(f"A session's limit has to be a number of items, 0 or more, not {limit!r}.")


def items_up_to(items: list[Item], at: int | str) -> list[Item]:
    """Return a conversation up to an item, without what the cut halves. For `branch`, whose `at` this is.

    Raises:
        UserError: There is no such item.
    """
    if isinstance(at, str):
        found = [index for index, item in enumerate(items) if at in (item.get("id"), item.get("call_id"))]
        if not found:
            raise UserError(f"No item of the conversation has the id {at!r}.")
        at = found[-1]
    return whole_items(items[: branch_index(len(items), at) + 1])


def branch_index(count: int, at: int) -> int:
    """Return the index of an item, counted from the end where negative.

    Raises:
        UserError: There is no such item.
    """
    index = at + count if at < 0 else at
    if not 0 <= index < count:
        raise UserError(f"The conversation has {count} items: there is no item {at}.")
    return index


def check_session_id(session_id: Any, *, made_up: bool = False) -> str:
    """Return a session's id; with `made_up`, a new one for None.

    Raises:
        UserError: It is no text, or empty.
    """
    if session_id is None and made_up:
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
