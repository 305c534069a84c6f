"""The browser of a store: what its front end is sent, and what it does for the reader."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentkit import backend
from agentkit.exceptions import UserError
from agentkit.files.store import VectorStore
from agentkit.notebook.store_browser import browse
from agentkit.notebook.store_browser.front import MOST_BYTES, StoreFront
from agentkit.notebook.store_browser.rows import Put

if TYPE_CHECKING:
    from conftest import Run


class Channel:
    """Takes what the front end would be sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, content: dict[str, Any]) -> None:
        self.sent.append(content)

    def last(self, key: str) -> Any:
        return next(message[key] for message in reversed(self.sent) if key in message)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VectorStore]:
    """A store with a file in it."""
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AGENTKIT_EMBEDDER", "none")
    backend.connect("embedded")
    made = VectorStore("handbook")
    made.add(("leave.md", b"# Leave\n\nEvery employee has 25 days of annual leave."), on_progress=lambda event: None)
    yield made
    backend.disconnect()


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, as long as it makes sense to."""
    for _ in range(600):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never held")


@pytest.fixture
async def opened(store: VectorStore) -> tuple[StoreFront, Channel, list[dict[str, str]]]:
    """A front end that has been greeted, its channel, and what the notebook was given to keep."""
    channel, kept = Channel(), []
    front = StoreFront(channel, asyncio.get_running_loop(), store, [], on_kept=kept.append, poll_s=0.01)
    front.says({"kind": "ready"})
    front.says({"kind": "refresh"})
    await until(lambda: any("listed" in message for message in channel.sent))
    return front, channel, kept


Opened = tuple[StoreFront, Channel, list[dict[str, str]]]


async def test_files_are_listed_and_kept(opened: Opened) -> None:
    _, channel, kept = opened
    listed = channel.last("listed")
    assert listed["count"] == "1 file, all ready"
    assert [(row["name"], row["status"]) for row in listed["files"]] == [("leave.md", "ready")]
    assert [message["n"] for message in channel.sent] == list(range(len(channel.sent)))
    await until(lambda: bool(kept))
    assert kept[-1]["text/plain"].startswith("handbook · 1 file, all ready\n  leave.md  ready")


async def test_dropped_bytes_come_in_parts_and_are_put_in(opened: Opened, store: VectorStore) -> None:
    front, channel, _ = opened
    front.says({"kind": "upload", "key": "a", "name": "travel.txt", "last": False}, [b"The desk "])
    front.says({"kind": "upload", "key": "a", "name": "travel.txt", "last": True}, [memoryview(b"books trains.")])
    front.says({"kind": "upload", "key": "b", "name": "broken.pdf", "last": True}, [b"%PDF-1.7 and nothing more"])
    await until(lambda: "listed" in channel.sent[-1] or len(channel.last("listed")["files"]) == 3)
    await until(lambda: len(channel.last("listed")["files"]) == 3 and not channel.last("jobs"))
    rows = {row["name"]: (row["state"], row["reason"]) for row in channel.last("listed")["files"]}
    assert rows["travel.txt"] == ("completed", "")
    assert rows["broken.pdf"][0] == "failed"
    assert rows["broken.pdf"][1].startswith("'broken.pdf' is damaged, or no PDF")
    found = await store.asearch("who books trains")
    assert found[0].text == "The desk books trains."


async def test_a_file_that_takes_the_place_of_another_is_told_so(opened: Opened) -> None:
    front, channel, _ = opened

    async def told(text: str) -> None:
        await until(lambda: text in [message.get("put") for message in channel.sent])
        await until(lambda: front._adding is not None and front._adding.done())

    front.says({"kind": "upload", "key": "a", "name": "leave.md", "last": True}, [b"Everybody has 30 days of leave."])
    await told("leave.md has replaced the earlier one.")
    front.says({"kind": "upload", "key": "b", "name": "leave.md", "last": True}, [b"Everybody has 30 days of leave."])
    await told("leave.md was there already, the same.")
    front.says({"kind": "upload", "key": "c", "name": "new.md", "last": True}, [b"Flights need approval."])
    await told("new.md is in the store.")
    front.says({"kind": "ready"})
    await until(lambda: "all" in channel.sent[-1])
    assert channel.sent[-1]["all"]["put"] == "new.md is in the store."


async def test_the_second_of_two_files_of_a_name_is_refused(opened: Opened, store: VectorStore) -> None:
    front, channel, _ = opened
    front.says({"kind": "upload", "key": "a", "name": "notes.md", "last": False}, [b"The first. "])
    front.says({"kind": "upload", "key": "b", "name": "notes.md", "last": False}, [b"The second."])
    front.says({"kind": "upload", "key": "b", "name": "notes.md", "last": True}, [b"And more."])
    front.says({"kind": "upload", "key": "a", "name": "notes.md", "last": True}, [b"All of it."])
    await until(lambda: len(channel.last("listed")["files"]) == 2)
    await until(lambda: [(job["key"], job["failed"]) for job in channel.last("jobs")] == [("b", True)])
    assert channel.last("jobs")[0]["reason"].startswith("Another file of this name is on its way.")
    assert store.chunks("notes.md")["text"].tolist() == ["The first. All of it."]


def test_what_was_put_in_is_told_in_a_line() -> None:
    put = Put()
    assert put.text == ""
    for number in range(7):
        put.note(f"{number}.md", "replaced")
    put.note("a\x1b[2J.md", "uploaded")
    assert put.text == (
        "7 files have replaced the earlier ones: 0.md, 1.md, 2.md, 3.md, 4.md and 2 more. a.md is in the store."
    )


async def test_too_large_a_file_is_refused_before_it_is_whole(opened: Opened) -> None:
    front, channel, _ = opened
    part = bytes(MOST_BYTES // 2 + 1)
    for _ in range(2):
        front.says({"kind": "upload", "key": "a", "name": "film.bin", "last": False}, [part])
    await until(lambda: any("jobs" in message for message in channel.sent))
    (job,) = channel.last("jobs")
    assert (job["failed"], job["reason"]) == (
        True,
        "At most 64 MB of a file come through the notebook's connection: put it in by store.add('film.bin').",
    )
    front.says({"kind": "dismiss", "key": "a"})
    await until(lambda: channel.last("jobs") == [])


async def test_what_is_found_comes_in_pieces_of_text(opened: Opened) -> None:
    front, channel, kept = opened
    front.says({"kind": "search", "text": "annual leave"})
    await until(lambda: any("found" in message for message in channel.sent))
    (row,) = channel.last("found")["rows"]
    assert (row["number"], row["file"]) == (1, "leave.md")
    assert re.fullmatch(r"Leave · [01]\.\d\d", row["told"])
    assert [piece for piece in row["short"] if piece[1]] == [("Leave", True), ("annual", True), ("leave", True)]
    await until(lambda: '"annual leave" · 1 passage' in kept[-1]["text/plain"])
    front.says({"kind": "search", "text": " "})
    await until(lambda: channel.last("found") is None)
    assert front.found is None


async def test_a_file_is_deleted_with_what_was_found_in_it(opened: Opened) -> None:
    front, channel, _ = opened
    front.says({"kind": "search", "text": "annual leave"})
    await until(lambda: any(message.get("found") for message in channel.sent))
    front.says({"kind": "delete", "file": channel.last("listed")["files"][0]["id"]})
    await until(lambda: any("deleted" in message for message in channel.sent))
    assert channel.last("deleted") == "leave.md"
    assert channel.last("found") is None
    assert channel.last("listed")["count"] == "No files yet"


async def test_errors_are_told_in_the_browser(opened: Opened) -> None:
    front, channel, _ = opened
    front.says({"kind": "delete", "file": "file-nothing"})
    await until(lambda: any("told" in message for message in channel.sent))
    assert "file-nothing" in channel.last("told")


async def test_nothing_is_sent_once_it_is_closed(opened: Opened) -> None:
    front, channel, _ = opened
    front.close()
    await asyncio.sleep(0)
    count = len(channel.sent)
    front.says({"kind": "ready"})
    await asyncio.sleep(0)
    assert len(channel.sent) == count


def test_only_stores_are_browsed() -> None:
    with pytest.raises(UserError, match="browse takes a VectorStore, not str 'handbook'"):
        browse("handbook")


def test_where_nobody_looks_the_store_is_one_output(
    run: Run, store: VectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", "static")
    run("from agentkit.files.store import VectorStore\nstore = VectorStore('handbook')")
    (shown,) = run("store.browse()").outputs
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/plain"].startswith("handbook · 1 file, all ready\n  leave.md  ready")
    assert run("%vector_store browse store").outputs == [shown]
