"""Conversations in any database that has an asyncio engine in SQLAlchemy: PostgreSQL, MySQL, SQLite and others."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from agentkit import _json
from agentkit._install import install_command
from agentkit.exceptions import UserError
from agentkit.extensions.memory.sqlalchemy_tables import Engines, SQLAlchemyTables
from agentkit.sessions import SessionABC, SessionInfo, SessionSettings
from agentkit.sessions.finishing import finish
from agentkit.sessions.session import Item, check_session_id, effective_limit, encoded_item

try:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
except ImportError as error:
    raise UserError("SQLAlchemySession needs SQLAlchemy.", hint=install_command("sqlalchemy")) from error

__all__ = ["SQLAlchemySession"]

T = TypeVar("T")


class SQLAlchemySession(SessionABC):
    """A conversation in a database.

    Args:
        session_id: Names the conversation.
        engine: The asyncio engine. Its connections belong to the event loop they were made in: a notebook has two, so
            that `from_url`, which makes an engine for each, is the better choice there.
        create_tables: Whether to make the tables where they are missing.
        sessions_table: Name of the table of conversations.
        messages_table: Name of the table of their items.
        session_settings: Such as how many items a run reads.
        ensure_ascii: Whether to write characters beyond ASCII as escapes, for databases that are not in Unicode.

    Raises:
        UserError: The id can't be used.
    """

    def __init__(
        self,
        session_id: str,
        *,
        engine: AsyncEngine,
        create_tables: bool = False,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | Mapping[str, Any] | None = None,
        ensure_ascii: bool = False,
    ) -> None:
        self.session_id = check_session_id(session_id)
        self.session_settings = SessionSettings.of(session_settings)
        self._engine_for: Callable[[], AsyncEngine] = lambda: engine
        self._tables = SQLAlchemyTables(sessions_table, messages_table)
        self._create_tables = create_tables
        self._ensure_ascii = ensure_ascii

    @classmethod
    def from_url(
        cls,
        session_id: str,
        *,
        url: str,
        engine_kwargs: dict[str, Any] | None = None,
        session_settings: SessionSettings | Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> SQLAlchemySession:
        """Return a session in the database at `url`.

        It may be used in several event loops: each gets an engine of its own. `close` lets go of that of the running
        loop. A SQLite file is opened for each use, so that there is nothing to close.

        Args:
            session_id: Names the conversation.
            url: Such as `postgresql+asyncpg://user@host/database` or `sqlite+aiosqlite:///file.db`.
            engine_kwargs: Arguments of `create_async_engine`.
            session_settings: Such as how many items a run reads.
            kwargs: `create_tables`, `sessions_table`, `messages_table` and `ensure_ascii`, as for the class.

        Raises:
            UserError: The URL can't be used, or its driver isn't installed.
        """
        try:
            engines = Engines(url, engine_kwargs or {})
        except (SQLAlchemyError, ImportError) as error:
            raise UserError(f"No engine can be made for {_without_password(url)}: {error}.") from error
        session = cls(session_id, engine=engines.first, session_settings=session_settings, **kwargs)
        session._engine_for = engines.of_loop
        return session

    @property
    def engine(self) -> AsyncEngine:
        """The engine for the running event loop."""
        return self._engine_for()

    async def close(self) -> None:
        """Let go of the connections of the running event loop. They are made again when it is used again."""
        await self.engine.dispose()

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first.

        Args:
            limit: Latest items wanted; that of `session_settings` when None. A call is never cut from its output, nor
                reasoning from what it led to, so that there may be fewer.

        Raises:
            UserError: The limit is negative, or the database can't be used.
        """
        limit = effective_limit(limit, self.session_settings)
        async with self._begin() as connection:
            return await self._tables.read(connection, self.session_id, limit)

    async def add_items(self, items: list[Item]) -> None:
        """Append items, all of them or none. Cancelling waits until that is done.

        Raises:
            UserError: An item is no JSON object, or the database can't be used.
        """
        if items:
            rows = [self._encoded(item) for item in items]
            await self._change(lambda connection: self._tables.append(connection, self.session_id, rows))

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        return await self._change(lambda connection: self._tables.pop(connection, self.session_id))

    async def clear_session(self) -> None:
        """Take all items away."""
        await self._change(lambda connection: self._tables.delete(connection, self.session_id))

    async def replace_items(self, items: list[Item], *, expected: list[Item] | None = None) -> bool:
        """Put `items` in place of the conversation, in one transaction. See `SessionABC.replace_items`."""
        rows = [self._encoded(item) for item in items]
        return await self._change(lambda connection: self._tables.replace(connection, self.session_id, rows, expected))

    def with_id(self, session_id: str) -> SQLAlchemySession:
        """Return the conversation of another id in the same database."""
        new = SQLAlchemySession(
            session_id,
            engine=self.engine,
            create_tables=self._create_tables,
            session_settings=self.session_settings,
            ensure_ascii=self._ensure_ascii,
        )
        new._engine_for, new._tables = self._engine_for, self._tables
        return new

    async def branch(self, at: int | str = -1, session_id: str | None = None) -> SQLAlchemySession:
        """Return a new conversation that begins with this one up to an item. This one stays as it is.

        Args:
            at: Index of the last item that it takes with it, from the end where negative; or that item's id, or the id
                of a call for its output. What the cut halves, such as a call without its output, is left out.
            session_id: Id of the new conversation; made up when None.

        Raises:
            UserError: There is no such item, or the id is taken.
        """
        new = self.with_id(check_session_id(session_id, made_up=True))
        await self._change(lambda connection: self._tables.copy(connection, self.session_id, new.session_id, at))
        return new

    async def sessions(self) -> list[SessionInfo]:
        """Return all conversations of the database, that used last first."""
        async with self._begin() as connection:
            return await self._tables.listed(connection)

    async def _change(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return what `work` gives, done in a transaction. Cancelling waits for its end."""

        async def whole() -> T:
            async with self._begin() as connection:
                return await work(connection)

        return await finish(whole())

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is kept whole or not at all.

        Raises:
            UserError: The database can't be used.
        """
        try:
            if self._create_tables:
                await self._tables.create(self.engine)
            async with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            hint = None if self._create_tables else "Pass create_tables=True to have the tables made."
            said = str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
            raise UserError(f"The session can't be kept in the database: {said}.", hint=hint) from error
        except OSError as error:
            raise UserError(f"The session's database can't be reached: {error}.") from error

    def _encoded(self, item: Item) -> str:
        text = encoded_item(item)
        return text if text.isascii() or not self._ensure_ascii else json.dumps(_json.loads(text))

    def __repr__(self) -> str:
        return f"SQLAlchemySession({self.session_id!r}, {_without_password(self.engine.url)})"


def _without_password(url: Any) -> str:  # text, or a URL of SQLAlchemy
    try:
        return repr(make_url(url).render_as_string(hide_password=True).replace("%3Amemory%3A", ":memory:"))
    except SQLAlchemyError:
        return repr(str(url).rpartition("@")[2])
