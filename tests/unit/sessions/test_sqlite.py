import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from agentkit import Session, SessionSettings, SQLiteSession, UserError


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def texts(session: SQLiteSession) -> list[str]:
    return [item["content"] for item in await session.get_items()]


async def test_a_file_remembers_beyond_the_object(tmp_path: Path) -> None:
    await SQLiteSession("a", tmp_path / "x" / "s.sqlite").add_items([said("one")])
    assert await texts(SQLiteSession("a", tmp_path / "x" / "s.sqlite")) == ["one"]


async def test_the_file_is_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    await SQLiteSession("a", path).add_items([said("one")])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_two_sessions_in_memory_are_two(tmp_path: Path) -> None:
    one, two = SQLiteSession("a"), SQLiteSession("a")
    await one.add_items([said("one")])
    assert await two.get_items() == []


def test_it_is_a_session_and_says_which() -> None:
    session = SQLiteSession("a", "s.sqlite")
    assert isinstance(session, Session)
    assert repr(session) == "SQLiteSession('a', 's.sqlite')"


async def test_the_limit_of_the_settings_is_read(tmp_path: Path) -> None:
    session = SQLiteSession("a", session_settings=SessionSettings(limit=1))
    await session.add_items([said("one"), said("two")])
    assert (await texts(session), len(await session.get_items(limit=5))) == (["two"], 2)


async def test_a_branch_takes_the_conversation_up_to_an_item() -> None:
    session = SQLiteSession("a")
    await session.add_items([said("one"), {**said("two"), "id": "msg_2"}, said("three")])
    by_index, by_id, whole = await session.branch(0), await session.branch("msg_2", "b"), await session.branch()
    await by_id.add_items([said("other")])
    assert [await texts(each) for each in (by_index, by_id, whole, session)] == [
        ["one"], ["one", "two", "other"], ["one", "two", "three"], ["one", "two", "three"],
    ]  # fmt: skip
    assert by_id.session_id == "b"


@pytest.mark.parametrize(
    ("at", "session_id", "problem"),
    [
        (3, None, "The conversation has 1 items: there is no item 3"),
        (-2, None, "there is no item -2"),
        ("msg_9", None, "No item of the conversation has the id 'msg_9'"),
        (0, "a", "There is a session 'a' already"),
    ],
)
async def test_a_branch_that_cannot_be_is_refused(at: Any, session_id: str | None, problem: str) -> None:
    session = SQLiteSession("a")
    await session.add_items([said("one")])
    with pytest.raises(UserError, match=problem):
        await session.branch(at, session_id)


async def test_the_conversations_of_a_file_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    assert await SQLiteSession.sessions(path) == []
    await SQLiteSession("a", path).add_items([{"role": "system", "content": "x"}, said("What is\nthe  weather?" * 9)])
    await SQLiteSession("b", path).add_items([{"role": "user", "content": [{"type": "input_text", "text": "Look"}]}])
    listed = {info.session_id: (info.items, info.started_with) for info in await SQLiteSession.sessions(path)}
    assert listed == {"a": (2, "What is the weather?What is the weather?What is the weather…"), "b": (1, "Look")}


@pytest.mark.parametrize("session_id", ["", " ", 7, b"a"])
def test_an_id_that_is_none_is_refused(session_id: Any) -> None:
    with pytest.raises(UserError, match="A session's id has to be text"):
        SQLiteSession(session_id)


def test_a_tables_name_is_no_sql() -> None:
    with pytest.raises(UserError, match="A table can't be named"):
        SQLiteSession("a", messages_table="x; DROP TABLE y")


@pytest.mark.parametrize("limit", [-1, 1.5, True])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(UserError, match="A session's limit has to be a number of items"):
        SessionSettings(limit=limit)


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database " * 100)
    with pytest.raises(UserError, match=r"can't be kept in .*notes.txt: file is not a database"):
        await SQLiteSession("a", path).get_items()


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be made: "):
        await SQLiteSession("a", tmp_path / "file" / "s.sqlite").add_items([said("one")])


async def test_an_item_that_is_no_json_is_refused() -> None:
    session = SQLiteSession("a")
    with pytest.raises(UserError, match="is no JSON"):
        await session.add_items([said("one"), {"content": object()}])
    with pytest.raises(UserError, match="is a JSON object, not str"):
        await session.add_items(["Hi"])  # type: ignore[list-item]


async def test_a_cancelled_write_is_done_whole_or_not_at_all(tmp_path: Path) -> None:
    session = SQLiteSession("a", tmp_path / "s.sqlite")
    await session.get_items()
    for steps in range(4):
        task = asyncio.ensure_future(session.add_items([said(str(number)) for number in range(500)]))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert len(await session.get_items()) in (0, 500)
        await session.clear_session()


async def test_a_failed_write_leaves_nothing_and_no_lock(tmp_path: Path) -> None:
    session = SQLiteSession("a", tmp_path / "s.sqlite")
    await session.get_items()
    with sqlite3.connect(tmp_path / "s.sqlite") as other:
        other.execute("CREATE TRIGGER no BEFORE INSERT ON agent_messages WHEN NEW.message_data LIKE '%bad%'"
                      " BEGIN SELECT RAISE(ABORT, 'no'); END")  # fmt: skip
    other.close()
    with pytest.raises(UserError, match="can't be kept"):
        await session.add_items([said("good"), said("bad")])
    await session.add_items([said("better")])
    assert await texts(session) == ["better"]


def test_it_serves_threads_and_event_loops_at_once(tmp_path: Path) -> None:
    session = SQLiteSession("a", tmp_path / "s.sqlite")

    def work(name: str) -> None:
        async def add() -> None:
            for number in range(10):
                await session.add_items([said(f"{name}{number}"), said(f"{name}{number}")])

        asyncio.run(add())

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = asyncio.run(texts(session))
    assert len(items) == 80
    assert items[::2] == items[1::2]


WRITER = """
import asyncio, sys
from agentkit import SQLiteSession
async def main():
    session = SQLiteSession("a", sys.argv[1])
    for number in range(20):
        await session.add_items([{"role": "user", "content": sys.argv[2]}] * 2)
asyncio.run(main())
"""


def test_it_serves_processes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    writers = [subprocess.Popen([sys.executable, "-W", "error", "-c", WRITER, str(path), name]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    items = asyncio.run(texts(SQLiteSession("a", path)))
    assert (len(items), items[::2] == items[1::2]) == (120, True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
async def test_a_forked_child_opens_the_file_anew(tmp_path: Path) -> None:
    session = SQLiteSession("a", tmp_path / "s.sqlite")
    await session.add_items([said("parent")])
    pid = os.fork()
    if pid == 0:
        asyncio.run(SQLiteSession("a", tmp_path / "s.sqlite").add_items([said("child")]))
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert await texts(session) == ["parent", "child"]


async def test_closing_is_no_end(tmp_path: Path) -> None:
    session = SQLiteSession("a", tmp_path / "s.sqlite")
    await session.add_items([said("one")])
    session.close()
    session.close()
    assert await texts(session) == ["one"]
