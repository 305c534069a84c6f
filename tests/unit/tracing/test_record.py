from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from agentkit.tracing import (
    agent_span,
    custom_span,
    function_span,
    generation_span,
    guardrail_span,
    handoff_span,
    response_span,
    set_trace_processors,
    trace,
)


@pytest.fixture(autouse=True)
def _no_store() -> None:
    set_trace_processors([])


def test_a_trace_exports_the_documented_dictionary() -> None:
    t = trace("Joke workflow", trace_id="trace_" + "1" * 32, group_id="chat-7", metadata={"user": 3})
    assert t.export() == {
        "object": "trace",
        "id": "trace_" + "1" * 32,
        "workflow_name": "Joke workflow",
        "group_id": "chat-7",
        "metadata": {"user": 3},
    }


def test_a_span_exports_the_documented_dictionary() -> None:
    with trace("w") as t, agent_span("outer") as outer, custom_span("mine", {"n": 1}, span_id="span_x") as span:
        span.set_error({"message": "too slow", "data": {"limit_s": 3}})
    exported = span.export()
    assert exported == {
        "object": "trace.span",
        "id": "span_x",
        "trace_id": t.trace_id,
        "parent_id": outer.span_id,
        "started_at": span.started_at,
        "ended_at": span.ended_at,
        "span_data": {"type": "custom", "name": "mine", "data": {"n": 1}},
        "error": {"message": "too slow", "data": {"limit_s": 3}},
    }
    started, ended = datetime.fromisoformat(exported["started_at"]), datetime.fromisoformat(exported["ended_at"])
    assert started.tzinfo == UTC
    assert started <= ended


RESPONSE = SimpleNamespace(id="resp_1", model="m", usage={"input_tokens": 1}, output=[{"type": "message"}])


@pytest.mark.parametrize(
    ("make", "data"),
    [
        (
            lambda p: agent_span("A", ["B"], ["t"], "str", parent=p),
            {"type": "agent", "name": "A", "handoffs": ["B"], "tools": ["t"], "output_type": "str"},
        ),
        (
            lambda p: function_span("add", '{"a":1}', 3, parent=p),
            {"type": "function", "name": "add", "input": '{"a":1}', "output": "3", "mcp_data": None},
        ),
        (
            lambda p: generation_span([{"role": "user"}], [{"role": "assistant"}], "m", {"t": 0}, {"x": 1}, parent=p),
            {
                "type": "generation",
                "input": [{"role": "user"}],
                "output": [{"role": "assistant"}],
                "model": "m",
                "model_config": {"t": 0},
                "usage": {"x": 1},
            },
        ),
        (
            lambda p: response_span(RESPONSE, parent=p),
            {
                "type": "response",
                "response_id": "resp_1",
                "input": None,
                "output": [{"type": "message"}],
                "model": "m",
                "usage": {"input_tokens": 1},
            },
        ),
        (lambda p: handoff_span("A", "B", parent=p), {"type": "handoff", "from_agent": "A", "to_agent": "B"}),
        (lambda p: guardrail_span("g", True, parent=p), {"type": "guardrail", "name": "g", "triggered": True}),
        (lambda p: custom_span("c", parent=p), {"type": "custom", "name": "c", "data": {}}),
    ],
)
def test_each_kind_of_span_exports_its_documented_data(make, data) -> None:
    assert make(trace("w")).export()["span_data"] == data


def test_a_model_span_shows_what_was_set_on_it_while_it_ran() -> None:
    with trace("w"), response_span() as span:
        span.span_data.input = [{"role": "user", "content": "hi"}]
        span.span_data.input_start = 4
        span.span_data.output = [{"type": "message"}]
        span.span_data.model = "rehearsal-1"
        span.span_data.usage = {"input_tokens": 5}
        span.span_data.first_token_s = 0.25
        span.span_data.response_id = "resp_2"
    assert span.span_data.export() == {
        "type": "response",
        "response_id": "resp_2",
        "input": [{"role": "user", "content": "hi"}],
        "output": [{"type": "message"}],
        "model": "rehearsal-1",
        "usage": {"input_tokens": 5},
        "input_start": 4,
        "first_token_s": 0.25,
    }


def test_a_status_goes_from_running_to_ok() -> None:
    with trace("w") as t, custom_span("c") as span:
        assert (t.status, span.status) == ("running", "running")
    assert (t.status, span.status) == ("ok", "ok")


def test_an_exception_that_passes_through_is_noted_on_trace_and_span() -> None:
    with pytest.raises(ValueError, match="boom"), trace("w") as t, custom_span("c") as span:
        raise ValueError("boom")
    assert (t.status, t.error) == ("error", {"message": "ValueError: boom", "data": None})
    assert (span.status, span.error) == ("error", {"message": "ValueError: boom", "data": None})


def test_an_exception_does_not_replace_what_was_noted_already() -> None:
    with pytest.raises(ValueError, match="boom"), trace("w") as t, custom_span("c") as span:
        t.status = "max_turns"
        span.set_error({"message": "first", "data": None})
        raise ValueError("boom")
    assert (t.status, t.error) == ("max_turns", None)
    assert span.error == {"message": "first", "data": None}


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interruption_makes_the_status_cancelled(interruption: type[BaseException]) -> None:
    with pytest.raises(interruption), trace("w") as t, custom_span("c") as span:
        raise interruption
    assert (t.status, t.error, span.status, span.error) == ("cancelled", None, "cancelled", None)


def test_starting_and_finishing_again_changes_nothing(recorder) -> None:
    set_trace_processors([recorder])
    t = trace("w")
    t.start()
    span = custom_span("c", parent=t)
    span.start()
    span.start()
    span.finish()
    ended = span.ended_at
    span.finish()
    t.finish()
    t.finish()
    t.start()
    assert span.ended_at == ended
    assert recorder.events == [("trace start", "w"), ("span start", "c"), ("span end", "c"), ("trace end", "w")]


def test_finishing_what_was_never_started_tells_nobody(recorder) -> None:
    set_trace_processors([recorder])
    trace("w").finish()
    custom_span("c", parent=trace("w")).finish()
    assert recorder.events == []
