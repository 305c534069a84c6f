"""Whatever ends a call, or runs beside it, the next call makes the store whole: each file once, none missing."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

import agentkit
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


async def test_two_calls_at_once_leave_nothing_twice_after_the_next(store: VectorStore) -> None:
    await asyncio.gather(store.aadd("docs"), store.aadd("docs"))
    report = await store.aadd("docs")
    assert report.counts == {"unchanged": 3}
    assert len(await store.arefresh()) == 3


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
