from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentkit import SQLiteSession
from agentkit.extensions.memory import SQLAlchemySession
from agentkit.sessions import CompactingSession
from agentkit.testing.sessions import SESSION_CHECKS, Open


@pytest.fixture(params=["file", "memory", "compacting", "sqlalchemy"])
def open_session(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    kept: dict[str, Any] = {}

    def in_file(session_id: str) -> Any:
        return SQLiteSession(session_id, tmp_path / "sessions.sqlite")

    def in_memory(session_id: str) -> Any:
        return kept.setdefault(session_id, SQLiteSession(session_id))

    def in_database(session_id: str) -> Any:
        url = f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}"
        if session_id not in kept:
            kept[session_id] = SQLAlchemySession.from_url(session_id, url=url, create_tables=True)
        return kept[session_id]

    kinds = {
        "file": in_file,
        "memory": in_memory,
        "compacting": lambda session_id: CompactingSession(in_memory(session_id)),
        "sqlalchemy": in_database,
    }
    yield kinds[request.param]


@pytest.fixture(autouse=True)
async def closed_engines(request: pytest.FixtureRequest, open_session: Open) -> Any:
    yield
    for cell in open_session.__closure__ or ():
        if isinstance(cell.cell_contents, dict):
            for session in cell.cell_contents.values():
                if isinstance(session, SQLAlchemySession):
                    await session.engine.dispose()


@pytest.mark.parametrize("check", SESSION_CHECKS, ids=lambda check: check.__name__)
async def test_a_session(check: Any, open_session: Open) -> None:
    await check(open_session)
