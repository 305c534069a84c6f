"""What every session has to do, checked for each kind."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from agentkit import OpenAIConversationsSession, OpenAIResponsesCompactionSession, SQLiteSession
from agentkit.extensions.memory import AdvancedSQLiteSession, SQLAlchemySession
from agentkit.sessions import CompactingSession
from agentkit.testing.sessions import SESSION_CHECKS, Open

from .conversations import Conversations


class AsGiven(OpenAIConversationsSession):
    """Without the ids that the platform gives to items that have none."""

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return [_without_id(item) for item in await super().get_items(limit)]

    async def pop_item(self) -> Any:
        item = await super().pop_item()
        return None if item is None else _without_id(item)


def _without_id(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "id" or not str(value).startswith("item_")}


def _advanced(session_id: str, path: Path) -> AdvancedSQLiteSession:
    return AdvancedSQLiteSession(session_id=session_id, db_path=path, create_tables=True)


def _in_database(session_id: str, path: Path) -> SQLAlchemySession:
    return SQLAlchemySession.from_url(session_id, url=f"sqlite+aiosqlite:///{path}", create_tables=True)


KINDS: dict[str, Callable[[str, Path], Any]] = {
    "file": SQLiteSession,
    "advanced": _advanced,
    "compacting": lambda session_id, path: CompactingSession(SQLiteSession(session_id, path)),
    "compacted by the platform": lambda session_id, path: OpenAIResponsesCompactionSession(
        session_id, SQLiteSession(session_id, path)
    ),
    "sqlalchemy": _in_database,
}
"""Kinds whose sessions are in a file."""


@pytest.fixture(params=[*KINDS, "memory", "advanced in memory", "conversations"])
async def open_session(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    kept: dict[str, Any] = {}
    platform = Conversations()
    others: dict[str, Callable[[str], Any]] = {
        "memory": SQLiteSession,
        "advanced in memory": lambda session_id: AdvancedSQLiteSession(session_id=session_id, create_tables=True),
        "conversations": lambda session_id: AsGiven(openai_client=platform.client()),
    }

    def opened(session_id: str) -> Any:
        if request.param in KINDS:
            return KINDS[request.param](session_id, tmp_path / "s.sqlite")
        if session_id not in kept:
            kept[session_id] = others[request.param](session_id)
        return kept[session_id]

    yield opened


@pytest.mark.parametrize("check", SESSION_CHECKS, ids=lambda check: check.__name__)
async def test_a_session(check: Any, open_session: Open) -> None:
    await check(open_session)
