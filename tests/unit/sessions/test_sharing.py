"""Many sessions, threads, event loops and processes on one SQLite file."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from agentkit import SQLiteSession, UserError


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def texts(session: Any) -> list[str]:
    return [item["content"] for item in await session.get_items()]


def open_files(path: Path) -> int:
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return sum(os.path.realpath(link) == str(path) for link in links if os.path.exists(link))


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="open files are counted in /proc")
async def test_many_sessions_in_a_file_open_it_once_and_let_go_of_it(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"

    async def use() -> int:
        sessions = [SQLiteSession(str(number), path) for number in range(50)]
        await asyncio.gather(*(session.add_items([said(session.session_id)]) for session in sessions))
        for session in sessions:
            assert await texts(session) == [session.session_id]
        return open_files(path)

    assert await use() == 1
    await asyncio.get_running_loop().shutdown_default_executor()  # a thread may hold its last work a moment longer
    gc.collect()
    assert open_files(path) == 0


async def test_a_file_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    session = SQLiteSession("a", path)
    await session.add_items([said("one")])
    for file in tmp_path.iterdir():
        file.unlink()
    await session.add_items([said("two")])
    assert await texts(SQLiteSession("a", path)) == ["two"]


async def test_closing_one_session_leaves_the_others_at_work(tmp_path: Path) -> None:
    one, two = SQLiteSession("a", tmp_path / "s.sqlite"), SQLiteSession("a", tmp_path / "s.sqlite")
    await one.add_items([said("one")])
    await two.add_items([said("two")])
    one.close()
    assert await texts(two) == ["one", "two"]


async def test_what_was_in_memory_is_gone_with_the_closing() -> None:
    session = SQLiteSession("a")
    await session.add_items([said("one")])
    session.close()
    assert await session.get_items() == []


async def test_cancelling_a_write_waits_until_it_is_done(tmp_path: Path) -> None:
    session = SQLiteSession("a", tmp_path / "s.sqlite")
    go_on, begun = threading.Event(), threading.Event()

    def slow(connection: Any) -> None:
        begun.set()
        go_on.wait(30)
        session._tables.append(connection, "a", ['{"role":"user","content":"one"}'] * 3)

    task = asyncio.ensure_future(session._change(slow))
    await asyncio.to_thread(begun.wait, 30)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await texts(session) == ["one"] * 3


async def test_the_event_loop_goes_on_while_the_file_is_used(tmp_path: Path) -> None:
    session = SQLiteSession("a", tmp_path / "s.sqlite")
    go_on = threading.Event()
    task = asyncio.ensure_future(session._do(lambda connection: go_on.wait(30)))
    await asyncio.sleep(0)  # were the loop blocked, this would not be reached
    go_on.set()
    assert await task is True


OPENER = """
import asyncio, sys
from agentkit import SQLiteSession
sys.stdin.readline()
asyncio.run(SQLiteSession(sys.argv[2], sys.argv[1]).add_items([{"role": "user", "content": sys.argv[2]}]))
"""


def test_processes_that_make_the_file_at_once_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    command = [sys.executable, "-W", "error", "-c", OPENER, str(path)]
    openers = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, text=True) for name in "abcd"]
    for opener in openers:
        assert opener.stdin is not None
        opener.stdin.write("go\n")
        opener.stdin.close()
    assert [opener.wait(60) for opener in openers] == [0, 0, 0, 0]
    assert sorted(info.session_id for info in asyncio.run(SQLiteSession.sessions(path))) == list("abcd")


async def test_a_lock_that_another_program_keeps_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    monkeypatch.setattr("agentkit.sessions.sqlite_file._BUSY_S", 0.01)  # not ten seconds of the tests' time
    path = tmp_path / "s.sqlite"
    session = SQLiteSession("a", path)
    await session.get_items()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UserError, match="database is locked. Another program has been writing to it"):
        await session.add_items([said("one")])
    other.execute("ROLLBACK")
    other.close()
    await session.add_items([said("two")])
    assert await texts(session) == ["two"]


@pytest.mark.parametrize("session_id", ["", "  ", None, 3])
def test_an_id_that_is_none_is_refused(session_id: Any) -> None:
    with pytest.raises(UserError, match="A session's id has to be text"):
        SQLiteSession(session_id)


def test_an_empty_path_is_refused() -> None:
    with pytest.raises(UserError, match="db_path is empty"):
        SQLiteSession("a", "")


async def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be kept in .*unable to open database file"):
        await SQLiteSession("a", tmp_path).get_items()


@pytest.mark.parametrize("limit", [-1, True, "3"])
async def test_a_limit_that_is_no_number_of_items_is_refused(limit: Any) -> None:
    with pytest.raises(UserError, match="limit has to be a number of items, 0 or more"):
        await SQLiteSession("a").get_items(limit=limit)
