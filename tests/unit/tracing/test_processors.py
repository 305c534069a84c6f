from __future__ import annotations

import logging
import re
import threading
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.records.traces import traces
from agentkit.tracing import (
    BatchTraceProcessor,
    Span,
    Trace,
    TraceStore,
    TracingExporter,
    add_trace_processor,
    custom_span,
    flush_traces,
    set_trace_processors,
    store_path,
    trace,
)
from agentkit.tracing.jsonl import JSONLExporter

EVENTS = [("trace start", "w"), ("span start", "c"), ("span end", "c"), ("trace end", "w")]


def record_one() -> None:
    with trace("w"), custom_span("c"):
        pass


def test_an_added_processor_is_told_beside_the_local_store(recorder) -> None:
    add_trace_processor(recorder)
    record_one()
    assert recorder.events == EVENTS
    assert list(traces()["workflow"]) == ["w"]


def test_set_processors_replace_the_local_store(recorder) -> None:
    set_trace_processors([recorder])
    record_one()
    assert recorder.events == EVENTS
    flush_traces()
    assert not store_path().exists()


def test_set_processors_may_include_the_local_store(recorder) -> None:
    set_trace_processors([recorder, TraceStore()])
    record_one()
    assert recorder.events == EVENTS
    assert list(traces()["workflow"]) == ["w"]


def test_replacing_the_local_store_first_writes_what_it_has() -> None:
    record_one()
    set_trace_processors([])
    assert list(traces()["workflow"]) == ["w"]


def test_flushing_reaches_every_processor(recorder) -> None:
    set_trace_processors([recorder])
    flush_traces()
    assert recorder.events == [("flush", "")]


class Broken:
    """Not even derived from TracingProcessor: it has the methods, and none of them works."""

    def fail(self, *given: Any) -> None:
        raise ValueError("broken")

    on_trace_start = on_trace_end = on_span_start = on_span_end = shutdown = force_flush = fail


def test_a_processor_that_raises_is_logged_once_and_the_others_go_on(recorder, caplog) -> None:
    set_trace_processors([Broken(), recorder])  # type: ignore[list-item]
    with caplog.at_level(logging.WARNING, "agentkit.tracing"):
        record_one()
        record_one()
    assert recorder.events == EVENTS * 2
    assert sorted(record.getMessage().split(" (")[0] for record in caplog.records) == [
        "The trace processor Broken raised in on_span_end",
        "The trace processor Broken raised in on_span_start",
        "The trace processor Broken raised in on_trace_end",
        "The trace processor Broken raised in on_trace_start",
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (5, "A trace processor was expected, not int."),
        (None, "A trace processor was expected, not NoneType."),
        (TraceStore, "A trace processor was expected, not the class TraceStore."),
        (
            JSONLExporter("x.jsonl"),
            "JSONLExporter is an exporter, not a processor. Wrap it: BatchTraceProcessor(JSONLExporter(…)).",
        ),
    ],
)
def test_what_is_no_processor_is_refused_at_once_and_those_in_use_stay(recorder, given: Any, said: str) -> None:
    set_trace_processors([recorder])
    with pytest.raises(UserError, match=re.escape(said)):
        add_trace_processor(given)
    with pytest.raises(UserError, match=re.escape(said)):
        set_trace_processors([given])
    with pytest.raises(UserError, match=re.escape(said)):
        set_trace_processors(given)
    record_one()
    assert recorder.events == EVENTS


def test_one_processor_in_place_of_a_list_is_refused(recorder) -> None:
    with pytest.raises(UserError, match=re.escape("a list of processors, not one Recorder. Put it in a list")):
        set_trace_processors(recorder)


class Exporter(TracingExporter):
    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.thread: str | None = None
        self.error: Exception | None = None

    def export(self, items: Sequence[Trace | Span[Any]]) -> None:
        self.thread = threading.current_thread().name
        self.batches.append([item.export()["object"] for item in items])
        if self.error is not None:
            raise self.error


def test_an_exporter_gets_started_traces_and_ended_spans_in_batches_on_another_thread() -> None:
    exporter = Exporter()
    set_trace_processors([processor := BatchTraceProcessor(exporter, max_batch_size=3, schedule_delay=3600)])
    record_one()
    record_one()
    flush_traces()
    assert [*chain(*exporter.batches)] == ["trace", "trace.span", "trace", "trace.span"]
    assert max(len(batch) for batch in exporter.batches) == 3
    assert exporter.thread != threading.current_thread().name
    processor.shutdown()


def test_shutting_a_batch_processor_down_sends_what_waits() -> None:
    exporter = Exporter()
    set_trace_processors([processor := BatchTraceProcessor(exporter, schedule_delay=3600)])
    record_one()
    processor.shutdown()
    assert exporter.batches == [["trace", "trace.span"]]


def test_an_exporter_that_raises_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    exporter = Exporter()
    exporter.error = OSError("no route")
    set_trace_processors([processor := BatchTraceProcessor(exporter, schedule_delay=3600)])
    with caplog.at_level(logging.WARNING, "agentkit.tracing"):
        for _ in range(2):
            record_one()
            flush_traces()
    assert len(exporter.batches) == 2
    assert [record.getMessage() for record in caplog.records] == [
        "The trace processor BatchTraceProcessor raised in export (OSError: no route). "
        "The run goes on; this is said once."
    ]
    processor.shutdown()
