"""What is kept, and what is said, when something can't be turned into rows or written."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import custom_span, flush_traces, store, store_path, trace
from agentkit.tracing.database import Batch, Database
from agentkit.tracing.processors import registered


@contextmanager
def held_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold the writer up, with a batch on its way, as a slow disk does."""
    entered, go = threading.Event(), threading.Event()
    write = Database.write

    def slowly(self: Database, batch: Batch) -> None:
        entered.set()
        assert go.wait(30)
        write(self, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", slowly)
        with trace("before"):
            pass
        (processor,) = registered.processors
        assert isinstance(processor, store.TraceStore)
        assert processor._batcher is not None
        processor._batcher._hurry.set()
        assert entered.wait(30)
        yield
        go.set()
        flush_traces()


def test_spans_that_began_in_a_rush_and_go_on_are_there_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_START_ITEMS", 10)
    with held_up(monkeypatch), trace("w"):
        for _ in range(20):
            with custom_span("ended"):
                pass
        with custom_span("goes on"):
            custom_span("within it").start()
            with custom_span("ends in the rush"):
                pass
            (processor,) = registered.processors
            assert isinstance(processor, store.TraceStore)
            assert processor._batcher is not None
            assert len(processor._batcher._later) > 2
            goes_on = custom_span("goes on too")
            goes_on.start()
    frame = spans().groupby("name")["status"].value_counts().to_dict()
    assert frame["goes on", "ok"] == 1
    assert frame["ended", "ok"] == 20
    assert frame["ends in the rush", "ok"] == 1
    assert frame["within it", "unfinished"] == frame["goes on too", "unfinished"] == 1  # in a trace that ended
    assert len(processor._batcher._later) == 0


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_a_name_that_cannot_be_told_costs_nothing_else() -> None:
    with trace("first", group_id=Unspeakable()), custom_span("c"):  # type: ignore[arg-type]
        pass
    flush_traces()
    with trace("second"), custom_span("c"):
        pass
    frame = traces()
    assert list(frame["workflow"]) == ["second", "first"]
    assert frame["group_id"][1] == "<Unspeakable whose str raises RuntimeError>"
    assert len(spans()) == 2


def test_a_trace_that_cannot_be_made_a_row_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from agentkit.tracing.rows import RowMaker

    make = RowMaker._trace_row

    def broken(self: RowMaker, tally: Any, change: Any) -> tuple[Any, ...]:
        if tally.trace.name == "broken":
            raise RuntimeError("no such row")
        return make(self, tally, change)

    monkeypatch.setattr(RowMaker, "_trace_row", broken)
    for name in ("broken", "fine", "broken", "fine"):
        with trace(name), custom_span("c"):
            pass
        flush_traces()
    assert list(traces()["workflow"]) == ["fine", "fine"]
    (message,) = caplog.messages
    assert "can't be turned into rows" in message
    assert "no such row" in message


def test_whatever_the_writer_stumbles_over_recording_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", lambda self, batch: [][1])
        for _ in range(2):
            with trace("lost"):
                pass
            flush_traces()
    with trace("kept"):
        pass
    assert list(traces()["workflow"]) == ["kept"]
    (message,) = caplog.messages
    assert "could not be passed on (IndexError: list index out of range)" in message


def full_disk(self: Database, batch: Batch) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_a_trace_that_lost_spans_says_so_and_its_end_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with trace("whole"), custom_span("c"):
        pass
    lacks, ended = trace("lacks some"), trace("ended meanwhile")
    lacks.start(mark_as_current=True)
    ended.start()
    flush_traces()
    with monkeypatch.context() as patched:
        patched.setattr(Database, "write", full_disk)
        with custom_span("lost", {"text": "x" * 1000}):
            pass
        ended.output = "fine"
        ended.finish()
        with trace("lost altogether"), custom_span("lost"):
            pass
        flush_traces()
    with custom_span("kept"):
        pass
    lacks.finish(reset_current=True)
    frame = traces().set_index("workflow")
    assert sorted(frame.index) == ["ended meanwhile", "lacks some", "whole"]
    assert frame["cut"].fillna(0).to_dict() == {"whole": 0, "lacks some": 1011, "ended meanwhile": 0}
    assert frame["status"].to_dict() == {"whole": "ok", "lacks some": "ok", "ended meanwhile": "ok"}
    assert frame["output"]["ended meanwhile"] == "fine"
    assert set(spans()["name"]) == {"c", "kept"}


def test_a_loss_that_is_told_in_a_batch_that_is_lost_too_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with trace("w"):
        flush_traces()
        with monkeypatch.context() as patched:
            patched.setattr(Database, "write", full_disk)
            for _ in range(3):
                with custom_span("lost", {"text": "x" * 1000}):
                    pass
                flush_traces()
    assert traces()["cut"][0] == 3 * 1011


def test_a_second_outage_is_told_as_well_but_not_within_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def outage(times: int = 2) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(Database, "write", full_disk)
            for _ in range(times):
                with trace("lost"):
                    pass
                flush_traces()
        with trace("kept"):
            pass
        flush_traces()

    outage()
    outage()
    assert len(caplog.messages) == 1
    assert "what comes once it can be written is kept" in caplog.messages[0]
    monkeypatch.setattr(store, "_SAY_AGAIN_S", 0.0)
    outage()
    assert len(caplog.messages) == 2


def test_a_healthy_file_that_another_kernel_has_just_begun_is_not_set_aside(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    store_path().write_bytes(b"no database" * 500)
    sink = store._StoreSink(store_path(), store._Warner(store_path()))
    attempts = []
    attempt = sink._attempt

    def overtaken(batch: Batch) -> Exception | None:
        attempts.append(1)
        error = attempt(batch)
        if len(attempts) == 2:  # the other kernel found the same, and is done with it
            os.rename(store_path(), home / "set aside")
            Database(store_path()).close()
        return error

    monkeypatch.setattr(sink, "_attempt", overtaken)
    with trace("w") as recorded:
        pass
    sink.write([recorded], last_chance=False)
    sink.close()
    assert [path.name for path in home.iterdir() if "corrupt" in path.name] == []
    with closing(sqlite3.connect(store_path())) as connection:
        assert connection.execute("SELECT workflow FROM traces").fetchall() == [("w",)]
