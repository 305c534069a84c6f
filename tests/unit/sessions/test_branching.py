"""Branching, listing, deleting and replacing, in all stores that can."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agentkit import (
    CompactingSession,
    OpenAIResponsesCompactionSession,
    SessionABC,
    SessionSettings,
    SQLiteSession,
    UserError,
)
from agentkit.extensions.memory import AdvancedSQLiteSession, SQLAlchemySession
from agentkit.testing import ScriptedModel

CALL = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "1"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}
ANSWER = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


class Own(SessionABC):
    """A session of a user's own, in lists."""

    def __init__(self, session_id: str, store: dict[str, list[Any]]) -> None:
        self.session_id = session_id
        self.store = store

    async def get_items(self, limit: int | None = None) -> list[Any]:
        items = self.store.get(self.session_id, [])
        return list(items if limit is None else items[-limit:])

    async def add_items(self, items: list[Any]) -> None:
        if said("refused") in items:
            raise ValueError("no")
        self.store.setdefault(self.session_id, []).extend(items)

    async def pop_item(self) -> Any:
        return self.store[self.session_id].pop()

    async def clear_session(self) -> None:
        self.store.pop(self.session_id, None)

    def with_id(self, session_id: str) -> "Own":
        return Own(session_id, self.store)


@pytest.fixture(params=["sqlite", "own", "advanced", "sqlalchemy", "compacting", "compacted"])
async def session(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}"
    makes = {
        "sqlite": lambda: SQLiteSession("a"),
        "own": lambda: Own("a", {}),
        "advanced": lambda: AdvancedSQLiteSession(session_id="a", create_tables=True),
        "sqlalchemy": lambda: SQLAlchemySession.from_url("a", url=url, create_tables=True),
        "compacting": lambda: CompactingSession(SQLiteSession("a"), model=ScriptedModel()),
        "compacted": lambda: OpenAIResponsesCompactionSession("a", SQLiteSession("a")),
    }
    yield makes[request.param]()


@pytest.mark.parametrize(
    ("at", "taken"),
    [
        (-1, [said("one"), REASONING, CALL, OUTPUT, ANSWER, said("two")]),
        (0, [said("one")]),
        (1, [said("one")]),
        (2, [said("one")]),
        (3, [said("one"), REASONING, CALL, OUTPUT]),
        (-2, [said("one"), REASONING, CALL, OUTPUT, ANSWER]),
        ("msg_1", [said("one"), REASONING, CALL, OUTPUT, ANSWER]),
        ("c", [said("one"), REASONING, CALL, OUTPUT]),
        ("fc_1", [said("one")]),
    ],
)
async def test_a_branch_has_what_was_said_up_to_an_item_and_nothing_halved(session: Any, at: Any, taken: Any) -> None:
    items = [said("one"), REASONING, CALL, OUTPUT, ANSWER, said("two")]
    await session.add_items(items)
    branch = await session.branch(at, "b")
    assert (branch.session_id, type(branch)) == ("b", type(session))
    assert await branch.get_items() == taken
    await branch.add_items([said("other")])
    assert await session.get_items() == items
    assert await session.with_id("b").get_items() == [*taken, said("other")]


@pytest.mark.parametrize(
    ("at", "session_id", "problem"),
    [
        (1, None, "The conversation has 1 items: there is no item 1"),
        (-2, None, "there is no item -2"),
        ("msg_9", None, "No item of the conversation has the id 'msg_9'"),
        (0, "a", "There is a session 'a' already"),
        (0, "", "A session's id has to be text, not ''"),
    ],
)
async def test_a_branch_that_cannot_be_is_refused(session: Any, at: Any, session_id: Any, problem: str) -> None:
    await session.add_items([said("one")])
    with pytest.raises(UserError, match=problem):
        await session.branch(at, session_id)


async def test_a_branch_gets_an_id_of_its_own(session: Any) -> None:
    await session.add_items([said("one")])
    ids = {(await session.branch()).session_id for _ in range(2)}
    assert len(ids) == 2


async def test_items_are_replaced_and_what_was_added_meanwhile_stays(session: Any) -> None:
    await session.add_items([said("one"), said("two"), said("three")])
    assert await session.replace_items([said("sum")], expected=[said("one"), said("two")]) is True
    assert await session.get_items() == [said("sum"), said("three")]


async def test_items_are_not_replaced_when_others_are_there(session: Any) -> None:
    await session.add_items([said("one"), said("two")])
    assert await session.replace_items([said("sum")], expected=[said("two")]) is False
    assert await session.get_items() == [said("one"), said("two")]


async def test_the_whole_conversation_is_replaced(session: Any) -> None:
    await session.add_items([said("one"), said("two")])
    assert await session.replace_items([said("sum"), said("more"), said("yet more")]) is True
    assert await session.get_items() == [said("sum"), said("more"), said("yet more")]


async def test_a_limit_of_the_settings_leaves_branches_whole() -> None:
    session = SQLiteSession("a", session_settings={"limit": 1})
    await session.add_items([said("one"), said("two")])
    assert len(await session.get_items()) == 1
    branch = await session.branch()
    assert (await branch.get_items(limit=9), branch.session_settings) == (
        [said("one"), said("two")], SessionSettings(limit=1),
    )  # fmt: skip


async def test_a_replacement_that_fails_puts_back_what_was_there() -> None:
    session = Own("a", {})
    await session.add_items([said("one")])
    with pytest.raises(ValueError, match="no"):
        await session.replace_items([said("refused")])
    assert await session.get_items() == [said("one")]


async def test_a_session_that_does_not_say_how_cannot_branch() -> None:
    class Plain(Own):
        with_id = SessionABC.with_id  # type: ignore[assignment]

    with pytest.raises(UserError, match="Plain can't branch: .* Give the class a method with_id"):
        await Plain("a", {}).branch()


async def test_conversations_of_a_file_are_listed_and_deleted(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    assert await SQLiteSession.sessions(path) == []
    assert await SQLiteSession.delete_session(path, "a") is False
    assert not path.exists()
    await SQLiteSession("a", path).add_items([ANSWER, said("Hello   there " + "x" * 80)])
    await SQLiteSession("b", path).add_items([{"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}])
    listed = await SQLiteSession.sessions(path)
    assert [(each.session_id, each.items, each.started_with) for each in listed] == [
        ("b", 1, "Hi"), ("a", 2, "Hello there " + "x" * 47 + "…"),
    ]  # fmt: skip
    assert await SQLiteSession.delete_session(path, "b") is True
    assert [each.session_id for each in await SQLiteSession.sessions(path)] == ["a"]


async def test_conversations_of_a_database_are_listed(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}"
    session = SQLAlchemySession.from_url("a", url=url, create_tables=True, ensure_ascii=True)
    await session.add_items([ANSWER, said("Grüße")])
    await session.with_id("b").add_items([ANSWER])
    listed = await session.sessions()
    assert [(each.session_id, each.items, each.started_with) for each in listed] == [("b", 1, ""), ("a", 2, "Grüße")]
    assert listed[0].created_at <= listed[0].updated_at
    assert await SQLAlchemySession.from_url("a", url=url).get_items() == [ANSWER, said("Grüße")]


def test_a_database_file_needs_no_closing(tmp_path: Path) -> None:
    session = SQLAlchemySession.from_url("a", url=f"sqlite+aiosqlite:///{tmp_path / 'a.sqlite'}", create_tables=True)
    for text in ("one", "two"):
        asyncio.run(session.add_items([said(text)]))
    assert len(asyncio.run(session.get_items())) == 2
    assert session.engine.pool.status() == "NullPool"


@pytest.mark.parametrize("url", ["nonsense", "nodb://me:secret@host/db"])
def test_a_url_that_cannot_be_used_is_told_without_its_password(url: str) -> None:
    with pytest.raises(UserError, match="No engine can be made for ") as caught:
        SQLAlchemySession.from_url("a", url=url)
    assert "secret" not in str(caught.value)


def test_a_setting_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="A session has no setting 'limits'. It has: limit"):
        SQLiteSession("a", session_settings={"limits": 1})
