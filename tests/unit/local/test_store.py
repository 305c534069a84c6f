"""Stored responses outlive their process and are written by several at once."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agentkit.local.errors import ApiError
from agentkit.local.store import ResponseStore


def response(response_id: str, *, previous: str | None = None, created_at: int | None = None) -> dict[str, Any]:
    return {
        "id": response_id,
        "previous_response_id": previous,
        "created_at": int(time.time()) if created_at is None else created_at,
        "output": [{"type": "message", "id": f"out_{response_id}"}],
        "status": "completed",
    }


def items(response_id: str) -> list[dict[str, Any]]:
    return [{"type": "message", "id": f"in_{response_id}"}]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = ResponseStore(tmp_path / "made" / "on demand")
    yield opened
    opened.close()


async def test_nothing_is_made_before_something_is_stored(store: ResponseStore) -> None:
    assert not store.path.parent.exists()
    await store.put(response("r1"), items("r1"))
    assert store.path.exists()


@pytest.mark.skipif(os.name != "posix", reason="this system has no such modes")
async def test_the_database_and_its_folder_are_the_users_own(store: ResponseStore) -> None:
    await store.put(response("r1"), items("r1"))
    folder = store.path.parent
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in [folder, *folder.iterdir()]}
    files = dict.fromkeys(["platform.sqlite3", "platform.sqlite3-wal", "platform.sqlite3-shm"], "0o600")
    assert modes == {folder.name: "0o700", **files}


@pytest.mark.skipif(os.name != "posix", reason="this system has no such modes")
async def test_a_folder_that_was_there_keeps_its_mode(store: ResponseStore) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.parent.chmod(0o750)
    await store.put(response("r1"), items("r1"))
    assert store.path.parent.stat().st_mode & 0o777 == 0o750


async def test_what_was_put_comes_back_in_the_same_form(store: ResponseStore) -> None:
    await store.put(response("r1"), items("r1"))
    found = await store.get("r1")
    assert found == response("r1", created_at=found["created_at"])  # type: ignore[index]
    assert list(found) == list(response("r1"))  # type: ignore[arg-type]
    assert await store.get("r2") is None


async def test_a_conversation_is_told_from_its_beginning(store: ResponseStore) -> None:
    await store.put(response("r1"), items("r1"))
    await store.put(response("r2", previous="r1"), items("r2"))
    await store.put(response("r3", previous="r2"), items("r3"))
    await store.put(response("other"), items("other"))
    assert [item["id"] for item in await store.conversation("r3")] == [
        "in_r1",
        "out_r1",
        "in_r2",
        "out_r2",
        "in_r3",
        "out_r3",
    ]
    assert [item["id"] for item in await store.input_items("r2")] == ["in_r1", "out_r1", "in_r2"]


async def test_a_gap_in_a_conversation_is_named(store: ResponseStore) -> None:
    await store.put(response("r1"), items("r1"))
    await store.put(response("r2", previous="r1"), items("r2"))
    assert await store.delete("r1")
    assert not await store.delete("r1")
    with pytest.raises(KeyError, match="r1"):
        await store.conversation("r2")
    with pytest.raises(KeyError, match="r9"):
        await store.conversation("r9")


async def test_items_are_found_by_their_id(store: ResponseStore) -> None:
    await store.put(response("r1"), items("r1"))
    assert await store.item("out_r1") == {"type": "message", "id": "out_r1"}
    assert await store.item("in_r1") == {"type": "message", "id": "in_r1"}
    assert await store.item("out_r2") is None


async def test_a_store_that_was_closed_opens_again(store: ResponseStore) -> None:
    await store.put(response("r1"), items("r1"))
    store.close()
    assert await store.get("r1") is not None


async def test_old_responses_are_forgotten_unless_something_goes_on_from_them(tmp_path: Path) -> None:
    first = ResponseStore(tmp_path)
    old = int(time.time()) - 31 * 24 * 3600
    await first.put(response("old", created_at=old), [])
    await first.put(response("ancestor", created_at=old), [])
    await first.put(response("young", previous="ancestor"), [])
    first.close()
    second = ResponseStore(tmp_path)
    kept = [name for name in ("old", "ancestor", "young") if await second.get(name) is not None]
    second.close()
    assert kept == ["ancestor", "young"]


async def test_a_writer_waits_for_another_without_blocking_its_loop(store: ResponseStore) -> None:
    import asyncio

    await store.put(response("r1"), items("r1"))
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(store.put(response("r2"), items("r2")))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not writing.done()
    assert await store.get("r1") is not None  # reading goes on
    other.execute("COMMIT")
    other.close()
    await writing
    assert await store.get("r2") is not None


async def test_a_deleted_database_is_made_anew(store: ResponseStore) -> None:
    await store.put(response("r1"), items("r1"))
    store.close()
    store.path.unlink()
    await store.put(response("r2"), items("r2"))
    assert (await store.get("r1"), (await store.get("r2"))["id"]) == (None, "r2")  # type: ignore[index]


async def test_a_file_that_is_no_database_is_named(store: ResponseStore) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text("This is a shopping list, and a long one. " * 50)
    with pytest.raises(ApiError, match=r"platform\.sqlite3 can't be used: file is not a database") as caught:
        await store.put(response("r1"), items("r1"))
    assert (caught.value.status, caught.value.code) == (500, "storage_error")


WRITER = """
import asyncio, sys
from pathlib import Path
from agentkit.local.store import ResponseStore

async def main(home, name):
    store = ResponseStore(Path(home))
    for number in range(40):
        response = {"id": f"{name}{number}", "previous_response_id": None, "created_at": 2_000_000_000, "output": []}
        await store.put(response, [])
        print(response["id"], flush=True)
    if name == "killed":
        await asyncio.Event().wait()
    store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_several_processes_write_at_once(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], stdout=subprocess.PIPE)
        for name in ("a", "b", "c")
    ]
    assert [writer.communicate(timeout=60)[0].count(b"\n") for writer in writers] == [40, 40, 40]
    store = ResponseStore(tmp_path)
    found = [await store.get(f"{name}{number}") for name in "abc" for number in range(40)]
    store.close()
    assert None not in found


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), "killed"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        acknowledged = [writer.stdout.readline().strip() for _ in range(40)]
        os.kill(writer.pid, signal.SIGKILL)
    store = ResponseStore(tmp_path)
    assert [name for name in acknowledged if await store.get(name) is None] == []
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_opens_the_database_itself(tmp_path: Path) -> None:
    code = """
import asyncio, os, sys
from pathlib import Path
from agentkit.local.store import ResponseStore
store = ResponseStore(Path(sys.argv[1]))
def put(name):
    row = {"id": name, "previous_response_id": None, "created_at": 2_000_000_000, "output": []}
    asyncio.run(store.put(row, []))
put("parent")
child = os.fork()
if child == 0:
    put("child")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
put("after")
print([asyncio.run(store.get(name)) is not None for name in ("parent", "child", "after")])
store.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[True, True, True]"
