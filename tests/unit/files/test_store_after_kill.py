"""Whatever ends a call, or runs beside it, the next call makes the store whole: each file once, none missing."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

import agentkit
from agentkit.files.attributes import Source
from agentkit.files.doubles import doubled, undecided
from agentkit.files.listing import Status, StoreFile
from agentkit.files.store import VectorStore

from .conftest import Wire

CHILD = """
import os, signal, sys
import agentkit
from agentkit.files.store import VectorStore

agentkit.connect("embedded")
at, count = sys.argv[1], int(sys.argv[2])

def die(event):
    if getattr(event, at) >= count:
        os.kill(os.getpid(), signal.SIGKILL)

VectorStore("handbook").add("docs", concurrency=2, on_progress=die)
"""


@pytest.fixture
def many(folder: Path) -> Path:
    for number in range(30):
        (folder / "docs" / f"{number:02}.md").write_text(f"# Rule {number}\n\nRule number {number}.", encoding="utf-8")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize(("at", "count"), [("uploaded", 5), ("to_index", 1), ("indexed", 1), ("finished", 20)])
def test_after_a_kill_the_same_call_goes_on(many: Path, at: str, count: int) -> None:
    killed = subprocess.run([sys.executable, "-c", CHILD, at, str(count)], env=dict(os.environ), timeout=120)
    assert killed.returncode == -9
    store = VectorStore("handbook")
    before = set(store.files["name"])
    report = store.add("docs")
    assert report.counts == {
        name: number for name, number in {"uploaded": 33 - len(before), "unchanged": len(before)}.items() if number
    }
    files = store.files
    assert files["name"].is_unique
    assert (len(files), set(files["status"])) == (33, {"completed"})
    for number in range(30):
        assert store.chunks(f"docs/{number:02}.md")["text"].tolist() == [f"# Rule {number}\n\nRule number {number}."]


async def test_two_calls_at_once_leave_nothing_twice(store: VectorStore) -> None:
    reports = await asyncio.gather(store.aadd("docs"), store.aadd("docs"))
    assert len(await store.arefresh()) == 3
    files = await asyncio.to_thread(lambda: store.files)
    assert files["name"].is_unique
    assert set(files["status"]) == {"completed"}
    for report in reports:
        assert set(report["outcome"]) == {"uploaded"} or report.counts == {"unchanged": 3}
        assert sorted(report["file_id"]) == sorted(files["file_id"])
    assert (await store.aadd("docs")).counts == {"unchanged": 3}


def _file(file_id: str, status: Status, created_at: int, name: str = "a.md") -> StoreFile:
    return StoreFile(file_id, "a.md", status, None, None, 0, created_at, {}, Source("0" * 64, name), None, None)


def test_all_who_look_keep_the_same_of_what_is_there_twice() -> None:
    first, second, third = _file("z", "completed", 1), _file("a", "completed", 2), _file("b", "completed", 2)
    for seen in itertools.permutations((first, second, third)):
        assert doubled(seen, {"a.md"}) == [(third, [first, second])]
    for pair in itertools.combinations((first, second, third), 2):  # what one saw who looked before the last came
        ((kept, others),) = doubled(pair, {"a.md"})
        assert third not in others
        assert [kept, *others] == [pair[1], pair[0]]


def test_a_file_that_is_not_ready_is_never_kept_for_one_that_is() -> None:
    ready, failed, waiting = _file("a", "completed", 1), _file("b", "failed", 2), _file("c", "in_progress", 3)
    assert doubled([ready, failed], {"a.md"}) == [(ready, [failed])]
    assert doubled([ready, waiting], {"a.md"}) == doubled([ready, failed, waiting], {"a.md"}) == []
    assert doubled([ready, _file("d", "completed", 4, "b.md")], {"a.md", "b.md"}) == []
    assert doubled([ready, _file("d", "completed", 4)], {"b.md"}) == []
    assert undecided([ready, waiting, _file("d", "in_progress", 4, "b.md")], {"a.md", "b.md"}) == ["c"]
    assert undecided([ready, waiting], {"b.md"}) == undecided([ready, failed], {"a.md"}) == []


@pytest.mark.parametrize("round_", range(3))
def test_two_kernels_at_once_leave_nothing_twice(many: Path, round_: int) -> None:
    store = VectorStore.create("handbook")
    command = [sys.executable, "-c", CHILD, "total", "1000"]  # which dies of nothing
    children = [subprocess.Popen(command, env=dict(os.environ)) for _ in range(2)]
    assert [child.wait(timeout=120) for child in children] == [0, 0]
    files = store.files
    assert files["name"].is_unique
    assert (len(files), set(files["status"])) == (33, {"completed"})


def test_files_that_were_left_to_the_platform_are_waited_for_by_the_next_call(store: VectorStore) -> None:
    store.add("docs", wait=False)
    assert store.add("docs").counts == {"unchanged": 3}
    assert set(store.files["status"]) == {"completed"}


def test_a_file_that_was_being_indexed_and_then_failed_is_told_by_the_next_call(store: VectorStore, wire: Wire) -> None:
    """The platform has it in progress while the call begins, and says why it failed once all is done."""
    (file_id,) = store.add(("notes.md", b"notes"))["file_id"]
    client = agentkit.current_backend().sync_client
    told = client.vector_stores.files.retrieve(file_id, vector_store_id=store.id).model_dump()

    def indexing_and_failed(request: httpx2.Request) -> httpx2.Response | None:
        if request.method != "GET" or request.url.path != f"/v1/vector_stores/{store.id}/files":
            return None
        failing = request.url.params.get("filter") == "failed"
        error = {"code": "server_error", "message": "The indexer tripped."} if failing else None
        changed = told | {"status": "failed" if failing else "in_progress", "last_error": error}
        return httpx2.Response(200, json={"object": "list", "data": [changed], "has_more": False})

    wire.answers = indexing_and_failed
    report = VectorStore.open(store.id, client=wire.client()).add(("notes.md", b"notes"))
    assert report[["outcome", "reason"]].to_numpy().tolist() == [["failed", "The indexer tripped."]]
