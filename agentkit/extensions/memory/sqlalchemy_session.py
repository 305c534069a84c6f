"""Conversations in any database that has an asyncio engine in SQLAlchemy: PostgreSQL, MySQL, SQLite and others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.sessions import SessionABC, SessionSettings, whole_items
from agentkit.sessions.session import Item, branch_point, check_session_id, encoded_item

try:
    import sqlalchemy as sa
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
except ImportError as error:
    raise UserError("SQLAlchemySession needs SQLAlchemy.", hint='pip install "agentkit[sqlalchemy]"') from error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SQLAlchemySession"]


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
    """

    def __init__(
        self,
        session_id: str,
        *,
        engine: AsyncEngine,
        create_tables: bool = False,
        sessions_table: str = "agent_sessions",
        messages_table: str = "agent_messages",
        session_settings: SessionSettings | None = None,
    ) -> None:
        self.session_id = check_session_id(session_id)
        self.session_settings = session_settings
        self._engine_for: Callable[[], AsyncEngine] = lambda: engine
        self._tables = _Tables(sessions_table, messages_table)
        self._missing = create_tables

    @classmethod
    def from_url(
        cls,
        session_id: str,
        *,
        url: str,
        engine_kwargs: dict[str, Any] | None = None,
        session_settings: SessionSettings | None = None,
        **kwargs: Any,
    ) -> SQLAlchemySession:
        """Return a session in the database at `url`.

        Args:
            session_id: Names the conversation.
            url: Such as `postgresql+asyncpg://user@host/database` or `sqlite+aiosqlite:///file.db`.
            engine_kwargs: Arguments of `create_async_engine`.
            session_settings: Such as how many items a run reads.
            kwargs: `create_tables`, `sessions_table` and `messages_table`, as for the class.

        Raises:
            UserError: The URL can't be used, or its driver isn't installed.
        """
        try:
            engines = _Engines(url, engine_kwargs or {})
        except (SQLAlchemyError, ImportError) as error:
            raise UserError(f"No engine can be made for {url.partition('@')[2] or url!r}: {error}.") from error
        session = cls(session_id, engine=engines.first, session_settings=session_settings, **kwargs)
        session._engine_for = engines.of_loop
        return session

    @property
    def engine(self) -> AsyncEngine:
        """The engine for the running event loop."""
        return self._engine_for()

    async def get_items(self, limit: int | None = None) -> list[Item]:
        """Return the conversation, oldest first; of a longer one than `limit` the latest items, no pair cut."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        async with self._begin() as connection:
            items = await self._read(connection, limit)
        return items if limit is None else whole_items(items)

    async def add_items(self, items: list[Item]) -> None:
        """Append items, all of them or none."""
        if items:
            rows = [encoded_item(item) for item in items]
            async with self._begin() as connection:
                await self._append(connection, self.session_id, rows)

    async def pop_item(self) -> Item | None:
        """Take the latest item away and return it; None where there is none."""
        messages = self._tables.messages
        async with self._begin() as connection:
            await self._lock(connection, self.session_id)
            latest = sa.select(messages).where(messages.c.session_id == self.session_id).order_by(messages.c.id.desc())
            row = (await connection.execute(latest.limit(1))).first()
            if row is None:
                return None
            await connection.execute(sa.delete(messages).where(messages.c.id == row.id))
        item: Item = _json.loads(row.message_data)
        return item

    async def clear_session(self) -> None:
        """Take all items away."""
        messages, sessions = self._tables.messages, self._tables.sessions
        async with self._begin() as connection:
            await connection.execute(sa.delete(messages).where(messages.c.session_id == self.session_id))
            await connection.execute(sa.delete(sessions).where(sessions.c.session_id == self.session_id))

    async def replace_items(self, items: list[Item]) -> None:
        """Put `items` in place of the whole conversation, in one transaction."""
        messages = self._tables.messages
        rows = [encoded_item(item) for item in items]
        async with self._begin() as connection:
            await self._lock(connection, self.session_id)
            await connection.execute(sa.delete(messages).where(messages.c.session_id == self.session_id))
            await self._append(connection, self.session_id, rows)

    async def branch(self, at: int | str = -1, session_id: str | None = None) -> SQLAlchemySession:
        """Return a new conversation that begins with this one up to an item. This one stays as it is.

        Args:
            at: Index of the last item that it takes with it, from the end where negative; or that item's id.
            session_id: Id of the new conversation; made up when None.

        Raises:
            UserError: There is no such item, or the id is taken.
        """
        new = SQLAlchemySession(
            check_session_id(session_id), engine=self.engine, session_settings=self.session_settings
        )
        new._engine_for, new._tables, new._missing = self._engine_for, self._tables, self._missing
        messages = self._tables.messages
        async with self._begin() as connection:
            items = await self._read(connection, None)
            taken = sa.select(sa.func.count()).where(messages.c.session_id == new.session_id)
            if (await connection.execute(taken)).scalar_one():
                hint = "Give the branch another id."
                raise UserError(f"There is a session {new.session_id!r} already.", hint=hint)
            kept = items[: branch_point(items, at)]
            await self._append(connection, new.session_id, [encoded_item(item) for item in kept])
        return new

    async def _read(self, connection: AsyncConnection, limit: int | None) -> list[Item]:
        messages = self._tables.messages
        latest = (
            sa.select(messages.c.message_data)
            .where(messages.c.session_id == self.session_id)
            .order_by(messages.c.id.desc())
            .limit(limit)
        )
        return [_json.loads(row.message_data) for row in await connection.execute(latest)][::-1]

    async def _append(self, connection: AsyncConnection, session_id: str, rows: list[str]) -> None:
        await self._lock(connection, session_id)
        if rows:
            values = [{"session_id": session_id, "message_data": row} for row in rows]
            await connection.execute(sa.insert(self._tables.messages), values)

    async def _lock(self, connection: AsyncConnection, session_id: str) -> None:
        """Hold the conversation's row until the transaction ends: two writers' items never mix."""
        sessions = self._tables.sessions
        touch = sa.update(sessions).where(sessions.c.session_id == session_id).values(updated_at=sa.func.now())
        if (await connection.execute(touch)).rowcount:
            return
        try:
            async with connection.begin_nested():
                await connection.execute(sa.insert(sessions).values(session_id=session_id))
        except sa.exc.IntegrityError:  # another has made it meanwhile
            await connection.execute(touch)

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that is kept whole or not at all."""
        try:
            async with self.engine.begin() as connection:
                if self._missing:
                    await connection.run_sync(self._tables.metadata.create_all)
                yield connection
            self._missing = False
        except SQLAlchemyError as error:
            hint = "Pass create_tables=True to have the tables made." if not self._missing else None
            said = str(getattr(error, "orig", None) or error).splitlines()[0].rstrip(".")
            raise UserError(f"The session can't be kept in the database: {said}.", hint=hint) from error
        except OSError as error:
            raise UserError(f"The session's database can't be reached: {error}.") from error

    def __repr__(self) -> str:
        return f"SQLAlchemySession({self.session_id!r}, {self.engine.url.render_as_string(hide_password=True)!r})"


class _Tables:
    def __init__(self, sessions: str, messages: str) -> None:
        self.metadata = sa.MetaData()
        now = sa.func.now()
        self.sessions = sa.Table(
            sessions,
            self.metadata,
            sa.Column("session_id", sa.String(255), primary_key=True),
            sa.Column("created_at", sa.DateTime, server_default=now, nullable=False),
            sa.Column("updated_at", sa.DateTime, server_default=now, nullable=False),
        )
        self.messages = sa.Table(
            messages,
            self.metadata,
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("session_id", sa.String(255), nullable=False),
            sa.Column("message_data", sa.Text, nullable=False),
            sa.Column("created_at", sa.DateTime, server_default=now, nullable=False),
            sa.Index(f"idx_{messages}_session", "session_id", "id"),
        )


class _Engines:
    """An engine for each event loop: a pool's connections can't be used in another than theirs."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        self._url = url
        self._options = options
        self._of_loops: dict[asyncio.AbstractEventLoop, AsyncEngine] = {}
        self.first = create_async_engine(url, **options)

    def of_loop(self) -> AsyncEngine:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self.first
        if loop not in self._of_loops:
            self._of_loops = {known: engine for known, engine in self._of_loops.items() if not known.is_closed()}
            fresh = self.first not in self._of_loops.values()
            self._of_loops[loop] = self.first if fresh else create_async_engine(self._url, **self._options)
        return self._of_loops[loop]
