"""`calls()`, `tools()`, `turns()`, `messages()`, `sql()`, and what all of them can be filtered by, over real runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from agentkit import Agent, Runner, SQLiteSession, UserError, custom_span, function_tool, rate, response_span, set_price
from agentkit.pricing import forget_prices
from agentkit.records.frames import calls, spans, tools
from agentkit.records.messages import messages
from agentkit.records.sql import sql
from agentkit.records.traces import traces
from agentkit.records.traces_frame import TracesFrame
from agentkit.records.turns import turns
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import flush_traces, trace


@pytest.fixture(autouse=True)
def _list_prices() -> Iterator[None]:
    yield
    forget_prices()


@function_tool
def add(a: int, b: int) -> int:
    """Add."""
    return a + b


@function_tool(failure_error_function=None)
def fail() -> str:
    """Fail."""
    raise ValueError("no luck")


def run(name: str = "adder", session: Any = None, question: str = "What is 1 and 2?") -> Any:
    model = (
        ScriptedModel().reply("Let me see.", call("add", a=1, b=2), call("add", a=3, b=4)).reply("Three, and seven.")
    )
    agent = Agent(name=name, instructions="Add.", tools=[add], model=model)
    return Runner.run_sync(agent, question, session=session)


def told(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    plain = frame[list(names)].astype(object)
    return list(plain.where(plain.notna(), None).itertuples(index=False, name=None))


def test_calls_are_the_model_calls_and_their_sums_are_the_runs_own() -> None:
    set_price("scripted", input=2.0, output=8.0)
    results = [run(), run("other")]
    frame = calls()
    assert told(frame, "agent", "model", "status", "retries")[:2] == [("other", "scripted", "ok", 0)] * 2
    for result in results:
        own = frame[frame["trace_id"] == result.trace_id]
        assert own["total_tokens"].sum() == result.usage.total_tokens
        assert own["cost_usd"].sum() == pytest.approx(result.usage.cost_usd, abs=1e-12)
        row = traces(result).iloc[0]
        assert (row["total_tokens"], row["requests"]) == (result.usage.total_tokens, 2)
        assert row["cost_usd"] == pytest.approx(result.usage.cost_usd, abs=1e-12)
    assert (frame["tokens_per_s"] > 0).all()


def test_a_cost_that_was_unknown_is_known_once_the_price_is() -> None:
    result = run()
    assert (result.usage.cost_usd, told(traces(), "cost_usd")) == (None, [(None,)])
    set_price("scripted", input=2.0, output=8.0)
    assert traces()["cost_usd"].sum() == pytest.approx(result.usage.cost_usd)
    set_price("scripted", input=4.0, output=16.0)
    assert traces()["cost_usd"].sum() == calls()["cost_usd"].sum() == pytest.approx(result.usage.cost_usd)
    assert result.usage.cost_usd > 0


def test_tools_tell_what_they_were_given_and_gave_back() -> None:
    run()
    model = ScriptedModel().reply(call("fail"))
    with pytest.raises(Exception, match="no luck"):
        Runner.run_sync(Agent(name="unlucky", tools=[fail], model=model), "Try.")
    assert told(tools(), "name", "agent", "status", "arguments", "output") == [
        ("fail", "unlucky", "error", "{}", None),
        ("add", "adder", "ok", '{"a":3,"b":4}', "7"),
        ("add", "adder", "ok", '{"a":1,"b":2}', "3"),
    ]
    assert told(tools(error=True), "error") == [told(tools(name="fail"), "error")[0]]
    assert told(tools(agent="adder", limit=1), "output") == [("7",)]
    assert "no luck" in tools(error=True)["error"].iloc[0]


def test_turns_count_from_the_beginning_of_each_agents_work() -> None:
    helper = Agent(name="helper", model=ScriptedModel("Yes."))
    model = ScriptedModel().reply(call("add", a=1, b=2)).reply(call("transfer_to_helper"))
    result = Runner.run_sync(Agent(name="first", tools=[add], handoffs=[helper], model=model), "Hi")
    frame = turns(result)
    assert told(frame, "agent", "turn", "tool_calls", "handoff_to", "status") == [
        ("first", 1, 1, None, "ok"),
        ("first", 2, 0, "helper", "ok"),
        ("helper", 1, 0, None, "ok"),
    ]
    assert (frame["duration_s"] >= frame["model_s"]).all()
    assert frame["total_tokens"].sum() == result.usage.total_tokens
    assert told(turns(agent="helper"), "turn") == [(1,)]


def test_messages_are_what_was_said_each_once() -> None:
    session = SQLiteSession("talk")
    run(session=session)
    model = ScriptedModel("You are welcome.")
    result = Runner.run_sync(Agent(name="adder", instructions="Add.", model=model), "Thanks!", session=session)
    assert told(messages(result), "role", "type", "name", "content", "new") == [
        ("system", "message", None, "Add.", True),
        ("user", "message", None, "What is 1 and 2?", False),
        ("assistant", "message", None, "Let me see.", False),
        ("assistant", "function_call", "add", '{"a":1,"b":2}', False),
        ("assistant", "function_call", "add", '{"a":3,"b":4}', False),
        ("tool", "function_call_output", None, "3", False),
        ("tool", "function_call_output", None, "7", False),
        ("assistant", "message", None, "Three, and seven.", False),
        ("user", "message", None, "Thanks!", True),
        ("assistant", "message", None, "You are welcome.", True),
    ]
    first = messages(traces(session="talk")["trace_id"].iloc[1])
    assert told(first, "position", "role")[-1] == (7, "assistant")
    assert first["new"].all()
    paired = first.dropna(subset="call_id").groupby("call_id")["type"].agg(list)
    assert list(paired) == [["function_call", "function_call_output"]] * 2
    assert told(messages(role="user", text="THANKS"), "content") == [("Thanks!",)]


def test_filters_choose_in_every_frame() -> None:
    run("one", SQLiteSession("s-1"), question="Find 100% of it_all")
    run("two", SQLiteSession("s-2"))
    for frame in (traces, spans, calls, tools, turns, messages):
        every = len(frame())
        assert every
        assert len(frame(agent="one")) == len(frame(session="s-1")) == every // 2, frame
        assert len(frame(agent="nobody")) == len(frame(session="s-3")) == 0, frame
        assert len(frame(since="1h")) == every, frame
        assert len(frame(until="1h")) == len(frame(since="2999-01-01")) == 0, frame
    assert list(traces(text="100% OF it_all")["agent"]) == ["one"]
    assert len(traces(text="it%all")) == 0
    assert len(traces(model="scripted")) == 2
    assert len(calls(model="other")) == 0
    assert len(traces(error=True)) == 0
    assert len(traces(error=False)) == 2
    assert len(spans(kind="function", agent="one")) == len(spans(name="add", agent="one")) == 2
    assert set(spans(agent="two")["kind"]) == {"agent", "response", "generation", "function"} & set(spans()["kind"])
    rate(traces(agent="two")["trace_id"].iloc[0], "up")
    assert list(traces(rating="up")["agent"]) == ["two"]


def test_wrong_filters_say_so() -> None:
    with pytest.raises(UserError, match="until is a time"):
        calls(until="soonish")
    with pytest.raises(UserError, match="limit is a number"):
        tools(limit=-1)
    with pytest.raises(UserError, match="no argument 'nmae'. Did you mean name"):
        tools(nmae="add")  # type: ignore[call-arg]


def test_without_a_store_all_frames_are_empty_and_typed() -> None:
    empty = {frame.__name__: frame().dtypes.astype(str).to_dict() for frame in (traces, calls, tools, turns, messages)}
    run()
    full = {frame.__name__: frame().dtypes.astype(str).to_dict() for frame in (traces, calls, tools, turns, messages)}
    assert empty == full


def test_a_frame_of_traces_stays_one_and_opens_its_rows() -> None:
    result = run()
    frame = traces()
    assert isinstance(frame[frame["turns"] > 1].head(), TracesFrame)
    assert type(frame[["status"]]) is pd.DataFrame
    assert frame.open().trace_id == result.trace_id
    assert frame.groupby("agent")["total_tokens"].sum()["adder"] == result.usage.total_tokens


def test_what_a_killed_process_left_is_unfinished() -> None:
    code = """
import os, agentkit.tracing as t
t.trace("cut off").start(mark_as_current=True)
t.custom_span("at work").start()
t.flush_traces()
os._exit(1)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    with trace("going on"), custom_span("step"):
        flush_traces()
        assert told(traces(), "workflow", "status") == [("going on", "running"), ("cut off", "unfinished")]
        assert told(spans(), "name", "status") == [("step", "running"), ("at work", "unfinished")]
        assert told(traces(status="running"), "workflow") == [("going on",)]
        assert told(traces(status="unfinished"), "workflow") == [("cut off",)]
        assert told(spans(status="unfinished"), "name") == [("at work",)]
        assert told(spans(status="running"), "name") == [("step",)]


def test_long_texts_are_cut_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_TRACE_MAX_BYTES", "2000")
    with trace("long") as t, response_span() as span:
        t.input = "é" * 3000
        span.span_data.input = [{"role": "user", "content": "x" * 5000}, {"role": "user", "content": "short"}]
        span.span_data.output = [{"n": n} for n in range(2000)]
    row = spans().iloc[0]
    assert len(row["input"].encode()) <= 2000
    assert len(row["output"].encode()) <= 2000
    assert '"content":"short"' in row["input"]
    assert "more characters]" in row["input"]
    assert row["cut"] > 3000
    assert traces()["input"].iloc[0].startswith("ééé")
    assert traces()["input"].iloc[0].endswith("more characters]")
    assert traces()["cut"].iloc[0] > 4000


def test_sql_reads_and_changes_nothing() -> None:
    assert len(sql("select * from traces")) == 0
    run()
    assert told(
        sql("select kind, count(*) as n from spans where kind = ? group by kind", ["function"]), "kind", "n"
    ) == [("function", 2)]
    assert len(sql("select * from traces where workflow = :name", {"name": "Agent workflow"})) == 1
    for query in (
        "delete from traces", "attach 'other.db' as other", "create table t (a)", "pragma journal_mode = delete",
        "drop table spans", "select load_extension('x')", "vacuum into 'copy.db'",
    ):  # fmt: skip
        with pytest.raises(UserError, match="only reads"):
            sql(query)
    with pytest.raises(UserError, match=r"no such column: nope\. .*traces has seq"):
        sql("select nope from traces")
    with pytest.raises(
        UserError, match=r"no such table: runs\. The tables are feedback, notes, requests, spans, traces"
    ):
        sql("select * from runs")
    with pytest.raises(UserError, match="A query is a text"):
        sql("")
    with pytest.raises(UserError):
        sql("select 1; select 2")
    assert len(traces()) == 1


def test_requests_are_stored_once_for_all_calls_that_share_them() -> None:
    for _ in range(5):
        run()
    assert sql("select count(*) as n from requests")["n"].iloc[0] <= 2
    assert sql("select count(request_key) as n from spans")["n"].iloc[0] == 10
