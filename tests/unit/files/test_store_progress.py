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
