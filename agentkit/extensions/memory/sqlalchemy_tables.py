"""The two tables that conversations are kept in, as SQLAlchemy knows them, and the statements on them."""

from __future__ import annotations

import asyncio
import weakref
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.sessions.session import Item, branch_index
from agentkit.sessions.sqlite_tables import SessionInfo, session_info
from agentkit.sessions.whole import latest_whole, whole_items

__all__ = ["Engines", "SQLAlchemyTables"]

_BEYOND = 64
"""Items read beyond a limit, to see whether it cuts an answer from its reasoning. Answers have fewer."""

_FIRST = 8
"""Items of a conversation among which the user's first message is looked for."""


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _time_column(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime, server_default=sa.func.now(), nullable=False, default=_now)


def _number_in(group: sa.Column[Any], order: sa.Column[Any]) -> sa.Label[int]:
    return sa.func.row_number().over(partition_by=group, order_by=order).label("number")


class SQLAlchemyTables:
    """The tables, by their names. Their columns are those of the SDK's SQLAlchemySession."""

    def __init__(self, sessions: str, messages: str) -> None:
        self.metadata = sa.MetaData()
        self._made_in: weakref.WeakSet[AsyncEngine] = weakref.WeakSet()
        self.sessions = sa.Table(
            sessions,
            self.metadata,
            sa.Column("session_id", sa.String(255), primary_key=True),
            _time_column("created_at"),
            _time_column("updated_at"),
        )
        self.messages = sa.Table(
            messages,
            self.metadata,
            sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("session_id", sa.ForeignKey(f"{sessions}.session_id", ondelete="CASCADE"), nullable=False),
            sa.Column("message_data", sa.Text, nullable=False),
            _time_column("created_at"),
            sa.Index(f"idx_{messages}_session", "session_id", "id"),
            sqlite_autoincrement=True,
        )

    async def create(self, engine: AsyncEngine) -> None:
        """Make the tables where they are missing."""
        if engine in self._made_in:
            return
        for last in (False, False, True):
            try:
                async with engine.begin() as connection:
                    await connection.run_sync(self.metadata.create_all)
                break
            except SQLAlchemyError:  # another may have been making them
                if last:
                    raise
        self._made_in.add(engine)

    async def read(self, connection: AsyncConnection, session_id: str, limit: int | None) -> list[Item]:
        """Return the conversation, oldest first; the latest whole items up to a limit."""
        latest = self._of(session_id, self.messages.c.message_data).order_by(self.messages.c.id.desc())
        if limit is not None:
            latest = latest.limit(limit + _BEYOND)
        items = [_json.loads(row.message_data) for row in await connection.execute(latest)]
        return items[::-1] if limit is None else latest_whole(items, limit)

    async def append(
        self, connection: AsyncConnection, session_id: str, rows: list[str], at: datetime | None = None
    ) -> None:
        """Add items, given as JSON."""
        await self.lock(connection, session_id)
        if rows:
            values = [{"session_id": session_id, "message_data": row, "created_at": at or _now()} for row in rows]
            await connection.execute(sa.insert(self.messages), values)

    async def pop(self, connection: AsyncConnection, session_id: str) -> Item | None:
        """Take the latest item away and return it."""
        id_, data = self.messages.c.id, self.messages.c.message_data
        if not await self._touch(connection, session_id):
            return None
        row = (await connection.execute(self._of(session_id, id_, data).order_by(id_.desc()).limit(1))).first()
        if row is None:
            return None
        await connection.execute(sa.delete(self.messages).where(id_ == row.id))
        item: Item = _json.loads(row.message_data)
        return item

    async def delete(self, connection: AsyncConnection, session_id: str) -> None:
        """Delete the conversation."""
        await self._touch(connection, session_id)
        await connection.execute(sa.delete(self.messages).where(self.messages.c.session_id == session_id))
        await connection.execute(sa.delete(self.sessions).where(self.sessions.c.session_id == session_id))

    async def replace(
        self, connection: AsyncConnection, session_id: str, rows: list[str], expected: list[Item] | None
    ) -> bool:
        """Put `rows` in place of the conversation, or of its beginning if that is `expected`; return whether it was."""
        columns = self.messages.c
        await self.lock(connection, session_id)
        found = self._of(session_id, columns.message_data, columns.created_at).order_by(columns.id)
        here = (await connection.execute(found)).all()
        replaced = len(here) if expected is None else len(expected)
        if expected is not None and [_json.loads(row.message_data) for row in here[:replaced]] != expected:
            return False
        await connection.execute(sa.delete(self.messages).where(columns.session_id == session_id))
        # not later than what follows: the SDK's class orders by time
        await self.append(connection, session_id, rows, here[replaced - 1].created_at if replaced else None)
        if rest := [{"session_id": session_id, **row._mapping} for row in here[replaced:]]:
            await connection.execute(sa.insert(self.messages), rest)
        return True

    async def copy(self, connection: AsyncConnection, source: str, target: str, at: int | str) -> None:
        """Make `target` the conversation `source` up to an item, but for what the cut would halve.

        Raises:
            UserError: There is no such item, or `target` has items.
        """
        columns = self.messages.c
        await self.lock(connection, target)
        if (await connection.execute(self._of(target, columns.id).limit(1))).first():
            raise UserError(f"There is a session {target!r} already.", hint="Give the branch another id.")
        last = await self._place(connection, source, at)
        halved = await self._halved_by(connection, source, last)
        kept = self._of(source, sa.literal(target), columns.message_data, columns.created_at)
        kept = kept.where(columns.id <= last, columns.id.not_in(halved)).order_by(columns.id)
        into = sa.insert(self.messages).from_select(["session_id", "message_data", "created_at"], kept)
        await connection.execute(into)

    async def listed(self, connection: AsyncConnection) -> list[SessionInfo]:
        """Return the conversations, that used last first."""
        columns, sessions = self.messages.c, self.sessions.c
        numbered = sa.select(
            columns.session_id, columns.message_data, _number_in(columns.session_id, columns.id)
        ).subquery()
        first: dict[str, str] = {}
        for session_id, data, _ in await connection.execute(
            sa.select(numbered).where(numbered.c.number <= _FIRST).order_by(numbered.c.number)
        ):
            if session_id not in first and _json.loads(data).get("role") == "user":
                first[session_id] = data
        counted = sa.select(sa.func.count()).where(columns.session_id == sessions.session_id).scalar_subquery()
        rows = await connection.execute(
            sa.select(sessions.session_id, counted, sessions.created_at, sessions.updated_at).order_by(
                sessions.updated_at.desc(), sessions.session_id
            )
        )
        return [session_info(name, count, first.get(name), made, changed) for name, count, made, changed in rows]

    async def lock(self, connection: AsyncConnection, session_id: str) -> None:
        """Hold the conversation's row until the transaction ends: two writers' items never mix."""
        if await self._touch(connection, session_id):
            return
        try:
            async with connection.begin_nested():
                await connection.execute(sa.insert(self.sessions).values(session_id=session_id))
        except IntegrityError:  # another has made it meanwhile
            await self._touch(connection, session_id)

    async def _touch(self, connection: AsyncConnection, session_id: str) -> bool:
        found = sa.update(self.sessions).where(self.sessions.c.session_id == session_id).values(updated_at=_now())
        return bool((await connection.execute(found)).rowcount)

    async def _place(self, connection: AsyncConnection, session_id: str, at: int | str) -> int:
        """Return the row of an item. Databases differ in how they look into JSON: an id is looked for here."""
        columns = self.messages.c
        if isinstance(at, str):
            likely = columns.message_data.contains(_json.dumps(at).decode().strip('"'), autoescape=True)
            latest = self._of(session_id, columns.id, columns.message_data).order_by(columns.id.desc())
            for row in await connection.execute(latest.where(likely) if at.isascii() and at.isprintable() else latest):
                item = _json.loads(row.message_data)
                if at in (item.get("id"), item.get("call_id")):
                    return int(row.id)
            raise UserError(f"No item of the conversation has the id {at!r}.")
        count = (await connection.execute(self._of(session_id, sa.func.count()))).scalar_one()
        nth = self._of(session_id, columns.id).order_by(columns.id).limit(1).offset(branch_index(count, at))
        return int((await connection.execute(nth)).scalar_one())

    async def _halved_by(self, connection: AsyncConnection, session_id: str, last: int) -> list[int]:
        """Return the rows that a cut after `last` halves. They are within the turn that it cuts."""
        columns = self.messages.c
        backwards = self._of(session_id, columns.id, columns.message_data).where(columns.id <= last)
        turn: list[tuple[int, Item]] = []
        for row in await connection.execute(backwards.order_by(columns.id.desc())):
            turn.append((row.id, _json.loads(row.message_data)))
            if turn[-1][1].get("role") == "user":
                break
        whole = {id(item) for item in whole_items([item for _, item in reversed(turn)])}
        return [number for number, item in turn if id(item) not in whole]

    def _of(self, session_id: str, *columns: Any) -> sa.Select[Any]:  # columns, or what is made of them
        return sa.select(*columns).where(self.messages.c.session_id == session_id)


class Engines:
    """An engine for each event loop: a pool's connections can't be used in another than theirs.

    Args:
        url: The database.
        options: Arguments of `create_async_engine`.
    """

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        self._url = url
        self._options = dict(options)
        place = sa.make_url(url)
        self._one = place.get_backend_name() == "sqlite" and place.database in (None, "", ":memory:")
        if place.get_backend_name() == "sqlite" and not self._one:
            self._options.setdefault("poolclass", NullPool)  # nothing stays open, so nothing has to be closed
        self._of_loops: dict[asyncio.AbstractEventLoop, AsyncEngine] = {}
        self.first = create_async_engine(url, **self._options)
        self._unused: AsyncEngine | None = self.first

    def of_loop(self) -> AsyncEngine:
        """Return the engine for the running event loop; always the same for a database in memory."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self.first
        if self._one:
            return self.first
        if loop not in self._of_loops:
            self._of_loops = {known: engine for known, engine in self._of_loops.items() if not known.is_closed()}
            self._of_loops[loop] = self._unused or create_async_engine(self._url, **self._options)
            self._unused = None
        return self._of_loops[loop]
