from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from agentkit.exceptions import UserError
from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import (
    agent_span,
    custom_span,
    flush_traces,
    function_span,
    generation_span,
    guardrail_span,
    handoff_span,
    response_span,
    store_path,
    trace,
)

TRACE_DTYPES = {
    "trace_id": "string",
    "workflow": "string",
    "group_id": "string",
    "session_id": "string",
    "agent": "string",
    "last_agent": "string",
    "status": "category",
    "started_at": "datetime64[us, UTC]",
    "duration_s": "Float64",
    "turns": "Int64",
    "tool_calls": "Int64",
    "handoffs": "Int64",
    "requests": "Int64",
    "input_tokens": "Int64",
    "output_tokens": "Int64",
    "total_tokens": "Int64",
    "cached_tokens": "Int64",
    "cache_write_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "cost_usd": "Float64",
    "model": "string",
    "input": "string",
    "output": "string",
    "error": "string",
    "metadata": "string",
    "rating": "category",
    "remark": "string",
    "mark": "string",
    "comment": "string",
    "cut": "Int64",
}
SPAN_DTYPES = {
    "trace_id": "string",
    "span_id": "string",
    "parent_id": "string",
    "depth": "Int64",
    "kind": "category",
    "name": "string",
    "agent": "string",
    "status": "category",
    "started_at": "datetime64[us, UTC]",
    "duration_s": "Float64",
    "first_token_s": "Float64",
    "model": "string",
    "input_tokens": "Int64",
    "output_tokens": "Int64",
    "total_tokens": "Int64",
    "cached_tokens": "Int64",
    "cache_write_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "cost_usd": "Float64",
    "input": "string",
    "output": "string",
    "error": "string",
    "data": "string",
    "cut": "Int64",
}


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def usage(sent: int, received: int) -> dict[str, int]:
    return {
        "requests": 1,
        "input_tokens": sent,
        "output_tokens": received,
        "total_tokens": sent + received,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
    }


def record_handoff_run() -> str:
    """A run as the loop records it: two agents, two models, a tool, a handoff, a guardrail."""
    with trace("Trip", group_id="chat-1", metadata={"user": 7}) as t:
        t.input = "Weather in Tōkyō?"
        with agent_span("Triage", handoffs=["Weather"], tools=[]) as triage:
            with guardrail_span("polite", parent=triage):
                pass
            with response_span() as span:
                span.span_data.input = [{"role": "user", "content": "Weather in Tōkyō?"}]
                span.span_data.model = "small"
                span.span_data.usage = usage(10, 2)
                span.span_data.first_token_s = 0.5
            with handoff_span("Triage", "Weather"):
                pass
        with agent_span("Weather", tools=["get_weather"]):
            with generation_span(model="big", usage=usage(100, 20), output=[{"role": "assistant"}]):
                pass
            with function_span("get_weather", '{"city":"Tōkyō"}') as call:
                call.span_data.output = "20 °C"
        t.output = {"celsius": 20}
    return t.trace_id


def plain(frame: pd.DataFrame, row: int = 0) -> dict[str, Any]:
    """One row without what differs from run to run, missing values as None."""
    values = frame.iloc[row].drop(["trace_id", "started_at", "duration_s"]).to_dict()
    return {name: None if pd.isna(value) else value for name, value in values.items()}


def test_without_a_store_the_frames_are_empty_and_typed(home: Path) -> None:
    assert dtypes(traces()) == TRACE_DTYPES
    assert dtypes(spans()) == SPAN_DTYPES
    assert (len(traces()), len(spans())) == (0, 0)
    assert not home.exists()


def test_full_frames_have_the_same_types() -> None:
    record_handoff_run()
    assert dtypes(traces()) == TRACE_DTYPES
    assert dtypes(spans()) == SPAN_DTYPES


def test_a_trace_is_one_row_with_the_sums_of_its_spans() -> None:
    record_handoff_run()
    assert plain(traces()) == {
        "workflow": "Trip",
        "group_id": "chat-1",
        "session_id": None,
        "agent": "Triage",
        "last_agent": "Weather",
        "status": "ok",
        "turns": 2,
        "tool_calls": 1,
        "handoffs": 1,
        "requests": 2,
        "input_tokens": 110,
        "output_tokens": 22,
        "total_tokens": 132,
        "cached_tokens": 0,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
        "cost_usd": None,
        "model": "small, big",
        "input": "Weather in Tōkyō?",
        "output": '{"celsius":20}',
        "error": None,
        "metadata": '{"user":7}',
        "rating": None,
        "remark": None,
        "mark": None,
        "comment": None,
        "cut": None,
    }


def test_the_sums_are_the_same_when_spans_are_written_in_several_batches() -> None:
    with trace("w"), agent_span("A"):
        for _ in range(3):
            with response_span() as span:
                span.span_data.model = "m"
                span.span_data.usage = usage(10, 1)
                flush_traces()
            flush_traces()
            with agent_span("B"):  # used as a tool: it isn't the last agent
                pass
    row = plain(traces())
    assert (row["turns"], row["total_tokens"], row["model"]) == (3, 33, "m")
    assert (row["agent"], row["last_agent"]) == ("A", "A")


def test_the_spans_of_a_trace_are_its_tree_read_from_the_top() -> None:
    frame = spans(record_handoff_run())
    assert list(zip(frame["depth"], frame["kind"], frame["name"].fillna("-"), strict=True)) == [
        (0, "agent", "Triage"),
        (1, "guardrail", "polite"),
        (1, "response", "-"),
        (1, "handoff", "Weather"),
        (0, "agent", "Weather"),
        (1, "generation", "-"),
        (1, "function", "get_weather"),
    ]
    by_id = frame.set_index("span_id")["name"]
    assert [by_id[parent] for parent in frame["parent_id"].dropna()] == ["Triage"] * 3 + ["Weather"] * 2


def test_what_a_span_was_about_is_readable() -> None:
    frame = spans(record_handoff_run())
    ids = ["span_id", "parent_id"]
    tokens = (
        *("input_tokens", "output_tokens", "total_tokens", "cached_tokens", "cache_write_tokens"),
        "reasoning_tokens",
    )
    nothing = dict.fromkeys(("error", "model", "first_token_s", "cost_usd", "cut", *tokens))
    assert plain(frame.drop(columns=ids), 6) == nothing | {
        "depth": 1,
        "kind": "function",
        "name": "get_weather",
        "agent": "Weather",
        "status": "ok",
        "input": '{"city":"Tōkyō"}',
        "output": "20 °C",
        "data": None,
    }
    assert plain(frame.drop(columns=ids), 2) == nothing | {
        "depth": 1,
        "kind": "response",
        "name": None,
        "agent": "Triage",
        "status": "ok",
        "model": "small",
        "input_tokens": 10,
        "output_tokens": 2,
        "total_tokens": 12,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
        "first_token_s": 0.5,
        "input": '[{"role":"user","content":"Weather in Tōkyō?"}]',
        "output": None,
        "data": None,
    }
    assert plain(frame.drop(columns=ids), 0)["data"] == '{"handoffs":["Weather"],"tools":[],"output_type":null}'


def test_parallel_spans_stay_with_their_parents() -> None:
    with trace("w") as t:
        first, second = custom_span("first"), custom_span("second")
        first.start()
        second.start()
        for parent, name in ((second, "below second"), (first, "below first"), (second, "below second, later")):
            with custom_span(name, parent=parent):
                pass
        first.finish()
        second.finish()
    assert list(spans(t)["name"]) == ["first", "below first", "second", "below second", "below second, later"]
    assert list(spans(t, limit=3)["name"]) == ["first", "second", "below second"]
    assert list(spans(t, kind="custom")["name"]) == [
        "first",
        "second",
        "below second",
        "below first",
        "below second, later",
    ]


def test_times_are_those_of_the_trace() -> None:
    before = datetime.now(UTC)
    with trace("w") as t:
        pass
    row = traces().iloc[0]
    assert before - timedelta(microseconds=1) <= row["started_at"] <= datetime.now(UTC)
    assert row["duration_s"] == (t.ended_ns - t.started_ns) / 1e9


def test_the_newest_trace_comes_first_and_limit_cuts() -> None:
    for number in range(5):
        with trace(f"run {number}"), custom_span("one"), custom_span("two"):
            pass
    assert list(traces()["workflow"]) == [f"run {n}" for n in (4, 3, 2, 1, 0)]
    assert list(traces(limit=2)["workflow"]) == ["run 4", "run 3"]
    assert len(traces(limit=0)) == 0
    newest = list(traces()["trace_id"])
    assert list(spans(limit=3)["trace_id"]) == [newest[0], newest[0], newest[1]]
    assert list(spans()["trace_id"]) == [each for each in newest for _ in range(2)]


def test_traces_of_an_agent_are_those_it_took_part_in() -> None:
    for names in (["A"], ["A", "AB"], ["B"]):
        with trace("+".join(names)):
            for name in names:
                with agent_span(name):
                    pass
    assert list(traces(agent="A")["workflow"]) == ["A+AB", "A"]
    assert list(traces(agent="AB")["workflow"]) == ["A+AB"]
    assert list(traces(agent=SimpleNamespace(name="B"))["workflow"]) == ["B"]
    assert len(traces(agent="nobody")) == 0


def test_traces_are_chosen_by_status() -> None:
    for status in ("ok", "max_turns", "error"):
        with trace(status) as t:
            t.status = status
    assert list(traces(status="max_turns")["workflow"]) == ["max_turns"]
    assert list(traces()["status"]) == ["error", "max_turns", "ok"]


def test_traces_are_chosen_by_time() -> None:
    with trace("w") as t:
        pass
    moment = datetime.fromisoformat(str(t.started_at))
    second = timedelta(seconds=1)
    for since in (moment - second, "1h", timedelta(hours=1), "2020-01-01", (moment - second).astimezone(), None):
        assert len(traces(since=since)) == 1, since
    naive = (moment + second).astimezone().replace(tzinfo=None)
    for since in (moment + second, naive, "2999-12-31", timedelta(0)):
        assert len(traces(since=since)) == 0, since


@pytest.mark.parametrize("since", ["yesterday-ish", "NaT", 1.5e300, object()])
def test_a_since_that_is_no_time_is_refused(since: Any) -> None:
    with pytest.raises(UserError, match="since is a time or how long ago"):
        traces(since=since)


@pytest.mark.parametrize("limit", [-1, 2.5, "10", True])
def test_a_limit_that_is_no_number_of_rows_is_refused(limit: Any) -> None:
    with pytest.raises(UserError, match="limit is a number of rows"):
        traces(limit=limit)
    with pytest.raises(UserError, match="limit is a number of rows"):
        spans(limit=limit)


def test_an_agent_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="agent is the name of an agent"):
        traces(agent=7)


def test_a_trace_is_told_by_anything_that_has_its_id() -> None:
    trace_id = record_handoff_run()
    whole = list(spans(trace_id)["span_id"])
    assert len(whole) == 7
    for given in (trace_id[:20], trace_id[6:], trace_id[6:14], SimpleNamespace(trace_id=trace_id)):
        assert list(spans(given)["span_id"]) == whole, given


@pytest.mark.parametrize("wrong", ["", "tr", "trace_", "trace_%", "nope nope", "trace_" + "f" * 32])
def test_a_wrong_id_is_an_error_that_says_where_to_look(wrong: str) -> None:
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            spans(wrong)
        assert str(caught.value).startswith(f"No trace {wrong!r} in {store_path()}.")
        assert "agentkit.traces()" in str(caught.value)
        record_handoff_run()  # and the same where there is a store


def test_a_beginning_that_several_ids_share_is_an_error_that_names_them() -> None:
    ids = [f"trace_abcd{n}" + "0" * 27 for n in (1, 2)]
    for each in ids:
        with trace("w", trace_id=each):
            pass
    with pytest.raises(UserError, match=f"More than one trace begins with 'abcd'.*{ids[0]}, {ids[1]}"):
        spans("abcd")


def test_a_run_that_was_not_recorded_says_so() -> None:
    with pytest.raises(UserError, match="tracing was disabled"):
        spans(trace("w", disabled=True))


def test_what_is_no_trace_at_all_is_refused() -> None:
    with pytest.raises(UserError, match="told by its trace_id"):
        spans(42)


def test_what_is_under_way_is_running() -> None:
    with trace("w"), agent_span("A"):
        assert list(traces()["status"]) == ["running"]
        frame = spans()
        assert (list(frame["status"]), list(frame["duration_s"].isna())) == (["running"], [True])
        assert traces()["agent"][0] == "A"
    assert (list(traces()["status"]), list(spans()["status"])) == (["ok"], ["ok"])
    assert not spans()["duration_s"].isna().any()


def test_errors_are_one_line_with_what_is_known() -> None:
    with trace("w") as t:
        for data in (None, {"tool_name": "add", "error": "no"}):
            with custom_span("c") as span:
                span.set_error({"message": "Error running tool", "data": data})
        t.error = {"message": "it failed", "data": None}
    assert list(spans()["error"]) == ["Error running tool", "Error running tool (tool_name: add, error: no)"]
    assert list(spans()["status"]) == ["error", "error"]
    assert (traces()["error"][0], traces()["status"][0]) == ("it failed", "error")


def test_a_trace_started_again_under_its_id_goes_on_where_it_was() -> None:
    trace_id = "trace_" + "7" * 32
    for n in range(2):
        with trace("w", trace_id=trace_id) as t:
            t.input, t.output = f"in {n}", f"out {n}"
            with agent_span(f"A{n}"), response_span() as span:
                span.span_data.usage = usage(10, 1)
        flush_traces()
    row = plain(traces())
    assert (len(traces()), len(spans(trace_id))) == (1, 4)
    assert (row["turns"], row["total_tokens"], row["agent"], row["last_agent"]) == (2, 22, "A0", "A1")
    assert (row["input"], row["output"], row["status"]) == ("in 1", "out 1", "ok")


def test_the_frames_are_those_of_the_present_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with trace("here"):
        pass
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "elsewhere"))
    with trace("there"):
        pass
    assert list(traces()["workflow"]) == ["there"]
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    assert list(traces()["workflow"]) == ["here"]
