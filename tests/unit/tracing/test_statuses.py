"""What is shown of how traces and spans ended, and what filters and pruning make of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from agentkit._process import this_process
from agentkit.exceptions import UserError
from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import custom_span, flush_traces, generation_span, store_path, trace
from agentkit.tracing import reader as reader_module
from agentkit.tracing.prune import prune
from agentkit.tracing.reader import read_spans, read_trace

STATUSES = ("running", "unfinished", "ok", "error")


def change(sql: str, *values: object) -> None:
    with closing(sqlite3.connect(store_path())) as connection:
        connection.execute(sql, values)
        connection.commit()


def record_all_kinds() -> None:
    """Record a trace of each kind: one that ended, one that goes on, and those that never will end."""
    for name in ("ended", "gone", "unknown", "imported"):
        with trace(name):
            custom_span(name).start()  # never ended
    under_way = trace("going on")
    under_way.start()
    with custom_span("done", parent=under_way):
        custom_span("going on").start()
    flush_traces()
    gone = this_process().replace(f"/{os.getpid()}/", "/999999999/")
    for name, process, status in (("gone", gone, "running"), ("unknown", None, None), ("imported", None, "unfinished")):
        change("UPDATE traces SET ended_ns = NULL, process = ?, status = ? WHERE workflow = ?", process, status, name)
    change("UPDATE spans SET status = 'unfinished' WHERE name = 'imported'")


def test_the_filter_and_the_column_agree() -> None:
    record_all_kinds()
    frame, all_spans = traces(), spans()
    shown = dict(zip(frame["workflow"], frame["status"], strict=True))
    over = dict.fromkeys(("gone", "unknown", "imported"), "unfinished")
    assert shown == {"ended": "ok", "going on": "running"} | over
    of_spans = dict(zip(all_spans["name"], all_spans["status"], strict=True))
    assert of_spans == {"ended": "unfinished", "done": "ok", "going on": "running"} | over
    for status in STATUSES:
        assert set(traces(status=status)["workflow"]) == {name for name, each in shown.items() if each == status}
        chosen = spans(status=status)
        assert set(chosen["name"]) == {name for name, each in of_spans.items() if each == status}
        assert set(chosen["status"]) <= {status}
    assert {row[reader_module.SPANS_READ.index("status")] for row in read_spans()} == {"unfinished", "ok", "running"}


def test_what_never_ended_and_belongs_to_no_process_can_be_pruned() -> None:
    record_all_kinds()
    assert prune(keep=0).traces == 4
    assert list(traces()["workflow"]) == ["going on"]


def test_a_trace_that_is_deleted_while_it_is_looked_for_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with trace("w"):
        pass
    flush_traces()
    monkeypatch.setattr(reader_module, "find_trace", lambda *_: "trace_deleted")
    with pytest.raises(UserError, match="trace_deleted was deleted a moment ago"):
        read_trace("trace_dele")


def test_a_call_without_usage_that_ended_well_leaves_the_cost_open() -> None:
    used = {"input_tokens": 1000, "output_tokens": 1000}
    with trace("priced"), generation_span(model="gpt-4.1", usage=used):
        pass
    with trace("without usage"):
        with generation_span(model="gpt-4.1", usage=used):
            pass
        with generation_span(model="gpt-4.1"):
            pass
    with trace("failed"):
        with generation_span(model="gpt-4.1", usage=used):
            pass
        with generation_span(model="gpt-4.1") as failed:
            failed.set_error({"message": "no", "data": None})
    frame = traces().set_index("workflow")
    assert list(frame["cost_usd"].isna()[["priced", "without usage", "failed"]]) == [False, True, False]
    assert frame["cost_usd"]["failed"] == frame["cost_usd"]["priced"]
    with closing(sqlite3.connect(store_path())) as connection:
        unpriced = dict(connection.execute("SELECT workflow, unpriced FROM traces").fetchall())
    assert unpriced == {"priced": 0, "without usage": 1, "failed": 0}
