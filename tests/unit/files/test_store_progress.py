"""Whoever shows the progress is told of each step, in the caller's thread."""

from __future__ import annotations

import io
import itertools
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest

import agentkit
from agentkit.files.details import BatchDetails
from agentkit.files.indexing import Indexing
from agentkit.files.progress import FileOutcome, StoreProgress, TerminalLine, watch_with
from agentkit.files.store import VectorStore

from .conftest import Wire


def test_events_tell_each_files_way_in_the_callers_thread(store: VectorStore, folder: Path) -> None:
    (folder / "docs" / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    events: list[StoreProgress] = []
    threads = set()

    def listen(event: StoreProgress) -> None:
        events.append(event)
        threads.add(threading.current_thread())

    store.add("docs", on_progress=listen)
    assert threads == {threading.current_thread()}
    assert [events[0].stage, events[-1].stage] == ["looking", "done"]
    last = events[-1]
    assert (last.total, last.finished, last.uploaded, last.to_index, last.indexed, last.failed) == (4, 4, 4, 4, 4, 1)
    assert last.bytes_sent > 0
    told = {event.outcome.name: event.outcome.outcome for event in events if event.outcome is not None}
    assert told["docs/broken.pdf"] == "failed"
    assert len(told) == 4
    assert "4 of 4 · 1 failed" in {event.text for event in events}


def test_what_a_listener_raises_ends_the_call(store: VectorStore) -> None:
    def fail(event: StoreProgress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.add("docs", on_progress=fail)
    assert store.add("docs").counts.keys() <= {"uploaded", "unchanged"}


async def test_async_code_is_told_in_its_own_loop(store: VectorStore) -> None:
    stages: list[str] = []
    await store.aadd("docs", on_progress=lambda event: stages.append(event.stage))
    assert list(dict.fromkeys(stages)) == ["looking", "uploading", "indexing", "done"]


def test_a_notebook_gives_the_listener_where_none_is_named(store: VectorStore) -> None:
    told: list[StoreProgress] = []
    watch_with(lambda name: told.append if name == "handbook" else None)
    store.add("docs/leave.md")
    assert told[-1].stage == "done"
    told.clear()
    store.add("docs/travel.md", on_progress=lambda event: None)
    assert told == []


def test_in_a_terminal_it_is_a_line_that_is_taken_away() -> None:
    screen = io.StringIO()
    line = TerminalLine(screen, clock=iter([0.0, 0.1, 1.0]).__next__, columns=lambda: 60)
    line(StoreProgress("handbook", "uploading", 4, finished=1, failed=1))
    line(StoreProgress("handbook", "uploading", 4, finished=2))
    line(StoreProgress("handbook", "indexing", 4, finished=2, to_index=2, indexed=1))
    line(StoreProgress("handbook", "done", 4, finished=4))
    shown = [part.rstrip() for part in screen.getvalue().split("\r") if part.strip()]
    assert shown == [
        "█████░░░░░░░░░░░░░░░ 1 of 4 · uploading · 1 failed",
        "██████████░░░░░░░░░░ 2 of 4 · indexing 1 of 2",
    ]
    assert screen.getvalue().endswith("\r")


def test_parsing_and_passages_are_told_where_the_platform_tells_them(store: VectorStore) -> None:
    told: list[StoreProgress] = []
    store.add("docs", on_progress=told.append)
    last = [event for event in told if event.parsing is not None][-1]
    assert (last.parsing, last.passages, last.passages_ready) == (0, 3, 3)
    under_way = StoreProgress("handbook", "indexing", 9, 2, 9, 9, 2, parsing=3, passages=250, passages_ready=70)
    assert under_way.text == "2 of 9 · parsing 3 · indexing 2 of 9, 70 of 250 passages"
    assert under_way.share == 0.5 + 2 / 18
    ready = replace(under_way, parsing=0, passages_ready=200)
    assert ready.share == pytest.approx(0.5 + 7.2 / 18)
    assert replace(ready, indexed=8).share == 0.5 + 8 / 18
    assert replace(ready, finished=9, indexed=9).share == 1


class Resumed:
    """Answers as a platform that is still indexing the files of a store, which an earlier call gave it.

    Args:
        store: The store, with files that are ready.
        left: How many are in progress, each time the store is looked at; the last goes on for ever.
        ready: Files that are ready by then: the others are listed as in progress.
    """

    def __init__(self, store: VectorStore, left: list[int], *, ready: int = 0) -> None:
        client = agentkit.current_backend().sync_client
        self._store = client.vector_stores.retrieve(store.id).model_dump()
        self._files = [each.model_dump() for each in client.vector_stores.files.list(store.id, order="asc")]
        self._left, self._ready, self._path = left, ready, f"/v1/vector_stores/{store.id}"

    def __call__(self, request: httpx2.Request) -> httpx2.Response | None:
        if request.method != "GET":
            return None
        if request.url.path == self._path:
            left = self._left.pop(0) if len(self._left) > 1 else self._left[0]
            counts = self._store["file_counts"]
            now = counts | {"in_progress": left, "completed": counts["total"] - left}
            return httpx2.Response(200, json=self._store | {"file_counts": now})
        if request.url.path == f"{self._path}/files":
            asked = request.url.params.get("filter")
            waiting = self._files[self._ready :] if asked == "in_progress" else self._files
            told = [] if asked == "failed" else [each | {"status": "in_progress"} for each in waiting]
            return httpx2.Response(200, json={"object": "list", "data": told, "has_more": False})
        return None


def test_files_that_an_earlier_call_left_are_to_be_indexed_and_not_finished(store: VectorStore, wire: Wire) -> None:
    store.add("docs")
    again = VectorStore.open(store.id, client=wire.client())
    wire.answers = Resumed(store, [3, 2, 0])
    events: list[StoreProgress] = []
    assert again.add("docs", on_progress=events.append).counts == {"unchanged": 3}
    indexing = [(each.finished, each.indexed, each.to_index) for each in events if each.stage == "indexing"]
    assert list(dict.fromkeys(indexing)) == [(0, 0, 3), (0, 1, 3), (0, 3, 3), (1, 3, 3), (2, 3, 3), (3, 3, 3)]
    assert "1 of 3 · indexing 1 of 3" in {each.text for each in events}
    last = events[-1]
    assert (last.stage, last.finished, last.in_store, last.uploaded, last.failed) == ("done", 3, 3, 0, 0)


def test_files_that_an_earlier_call_left_are_told_to_be_indexing_without_waiting(
    store: VectorStore, wire: Wire
) -> None:
    store.add("docs")
    again = VectorStore.open(store.id, client=wire.client())
    wire.answers = Resumed(store, [3])
    events: list[StoreProgress] = []
    report = again.add("docs", wait=False, on_progress=events.append)
    assert report.counts == {"indexing": 3}
    assert report.problems["reason"].tolist() == ["being indexed"] * 3
    assert [each.finished for each in events if each.stage == "uploading"] == [0] * 4


def test_of_files_that_an_earlier_call_left_those_that_are_not_ready_in_time_are_told(
    store: VectorStore, wire: Wire
) -> None:
    store.add("docs")
    again = VectorStore.open(store.id, client=wire.client())
    wire.answers = Resumed(store, [2], ready=1)
    report = again.add("docs", timeout_s=0)
    assert report.counts == {"unchanged": 1, "indexing": 2}
    assert report.problems["reason"].tolist() == ["still being indexed; store.wait() waits for it"] * 2


def test_a_stop_counts_files_that_an_earlier_call_left_once(store: VectorStore, wire: Wire) -> None:
    store.add("docs")
    again = VectorStore.open(store.id, client=wire.client())
    wire.answers = Resumed(store, [3])

    def stop(event: StoreProgress) -> None:
        if event.stage == "indexing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        again.add("docs", on_progress=stop)
    assert str(stopped.value).startswith("3 of 3 files are in 'handbook', 3 of them still being indexed")


async def test_a_file_that_comes_on_passage_by_passage_is_waited_for(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four passages of a hundred, and then no more: there is patience while something moves, and no longer."""
    asked: list[int] = []

    def answers(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/files"):
            return httpx2.Response(200, json={"object": "list", "data": [], "has_more": False})
        asked.append(1)
        counts = {"in_progress": 1, "completed": 0, "failed": 0, "cancelled": 0, "total": 1}
        batch = {
            "id": "vsfb_1", "object": "vector_store.files_batch", "created_at": 1, "status": "in_progress",
            "vector_store_id": "vs_1", "file_counts": counts,
        }  # fmt: skip
        details = {"unread": 0, "chunks": 100, "ready": min(len(asked), 4)}
        told_too = request.headers["x-agentkit-details"] == "true"
        return httpx2.Response(200, json=batch | ({"agentkit": details} if told_too else {}))

    wire.answers = answers
    monkeypatch.setattr("agentkit.files.indexing.time", SimpleNamespace(monotonic=itertools.count().__next__))
    told: list[tuple[int, BatchDetails]] = []
    indexing = Indexing(
        wire.client(), "vs_1", patience_s=1, counted=lambda _, over, details: told.append((over, details))
    )
    await indexing.watch("vsfb_1", ["file-1"])
    assert told == [(0, BatchDetails(0, 100, ready)) for ready in (1, 2, 3, 4, 4)]
    assert len(asked) == 5


def test_an_outcome_is_plain_data() -> None:
    assert FileOutcome("a.md", "failed", "why") == FileOutcome("a.md", "failed", "why", None, None)
