"""An opened trace: the tree of its spans, each with what was recorded of it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import agentkit
from agentkit import Agent, RunConfig, Runner, SQLiteSession, UserError, custom_span, function_tool, set_price, trace
from agentkit.records.call import RecordedCall
from agentkit.records.opened import open_trace
from agentkit.records.span import RecordedSpan
from agentkit.testing import ScriptedModel, call
from agentkit.tracing.feedback import rate
from agentkit.tracing.notes import annotate
from tests.unit.records.made_traces import MadeTrace


@function_tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    if city == "Atlantis":
        raise ValueError("no such city")
    return f"sunny in {city}"


def agent(*replies: Any) -> Agent[Any]:
    model = ScriptedModel()
    for reply in replies:
        model.reply(*reply) if isinstance(reply, tuple) else model.reply(reply)
    return Agent(name="a", instructions="Be brief.", model=model, tools=[get_weather])


async def test_a_trace_has_what_its_run_came_to() -> None:
    set_price("scripted", input=1, output=2)
    result = await Runner.run(
        agent(call("get_weather", city="Tokyo"), "Sunny."),
        "The weather?",
        session=SQLiteSession("s-1", ":memory:"),
        run_config=RunConfig(workflow_name="Weather", group_id="g-1", trace_metadata={"user": "ada"}),
    )
    opened = open_trace(result)
    assert (opened.trace_id, opened.workflow, opened.group_id, opened.session_id, opened.status) == (
        result.trace_id, "Weather", "g-1", "s-1", "ok",
    )  # fmt: skip
    assert (opened.agents, opened.last_agent, opened.models, opened.metadata) == (
        ["a"],
        "a",
        ["scripted"],
        {"user": "ada"},
    )
    usage = result.context_wrapper.usage
    assert (opened.turns, opened.tool_calls, opened.requests) == (2, 1, 2)
    assert (opened.input_tokens, opened.output_tokens, opened.total_tokens) == (
        usage.input_tokens, usage.output_tokens, usage.total_tokens,
    )  # fmt: skip
    assert opened.cost_usd == pytest.approx(usage.cost_usd)
    assert (opened.input, opened.output, opened.error) == ("The weather?", "Sunny.", None)
    assert opened.ended_at is not None
    took = (opened.ended_at - opened.started_at).total_seconds()
    assert opened.duration_s == pytest.approx(took, abs=2e-6)  # times are to the microsecond
    assert datetime.now(UTC) - opened.started_at < timedelta(minutes=1)


async def test_spans_are_a_tree_in_order() -> None:
    opened = open_trace(await Runner.run(agent(call("get_weather", city="Tokyo"), "Sunny."), "Hi"))
    assert [(span.kind, span.title, span.depth, span.agent) for span in opened] == [
        ("agent", "a", 0, "a"),
        ("generation", "scripted", 1, "a"),
        ("function", "get_weather", 1, "a"),
        ("generation", "scripted", 1, "a"),
    ]
    (root,) = opened.roots
    assert root.children == opened.all_spans[1:]
    assert [list(span.above()) for span in root.children] == [[root]] * 3
    assert list(root.below()) == root.children
    assert [type(span) for span in root.children] == [RecordedCall, RecordedSpan, RecordedCall]
    assert opened.calls == [root.children[0], root.children[2]]
    tool = opened.tools[0]
    assert (tool.input, tool.output, tool.status, tool.parent) == ('{"city":"Tokyo"}', "sunny in Tokyo", "ok", root)
    assert 0 <= tool.offset_s <= (opened.duration_s or 0)
    assert opened.calls[1].input_tokens == opened.input_tokens - (opened.calls[0].input_tokens or 0)


async def test_errors_are_found_and_told_in_a_line() -> None:
    opened = open_trace(await Runner.run(agent(call("get_weather", city="Atlantis"), "Unknown."), "Hi"))
    (failed,) = opened.errors
    assert (failed.name, failed.failed, opened.status) == ("get_weather", True, "ok")
    assert failed.error is not None
    assert failed.error["data"]["error"] == "no such city"
    assert "no such city" in str(failed.error_text)


@pytest.mark.parametrize("how", ["id", "beginning", "live", "span", "row", "result", "opened"])
async def test_a_trace_is_told_by_anything_that_has_its_id(how: str) -> None:
    with trace("w") as live:
        result = await Runner.run(agent("Hello."), "Hi")
    opened = open_trace(live.trace_id)
    of = {
        "id": live.trace_id,
        "beginning": live.trace_id[:20],
        "live": live,
        "span": opened.all_spans[0],
        "row": agentkit.traces().iloc[0],
        "result": result,
        "opened": opened,
    }[how]
    assert open_trace(of).trace_id == live.trace_id


@pytest.mark.parametrize("of", [3, None, {"a": 1}, ["trace_1"]])
def test_what_has_no_trace_id_is_refused(of: Any) -> None:
    with pytest.raises(UserError, match="A trace is told by its trace_id"):
        open_trace(of)


async def test_a_run_that_was_not_traced_is_said_so() -> None:
    result = await Runner.run(agent("Hello."), "Hi", run_config=RunConfig(tracing_disabled=True))
    with pytest.raises(UserError, match="left no trace: tracing was switched off"):
        open_trace(result)


async def test_a_trace_under_way_is_a_snapshot_until_it_is_refreshed() -> None:
    started, go_on = asyncio.Event(), asyncio.Event()

    @function_tool
    async def wait() -> str:
        started.set()
        await go_on.wait()
        return "done"

    model = ScriptedModel().reply(call("wait")).reply("Bye.")
    with trace("w") as live:
        run = asyncio.ensure_future(Runner.run(Agent(name="a", model=model, tools=[wait]), "Hi"))
        await started.wait()
        opened = open_trace(live)
        go_on.set()
        await run
    assert (opened.status, opened.is_over, opened.duration_s) == ("running", False, None)
    assert [(span.title, span.status, span.ended_at) for span in opened if not span.is_over] == [
        ("a", "running", None),
        ("wait", "running", None),
    ]
    later = opened.refresh()
    assert (later.status, len(later), len(opened)) == ("ok", 4, 3)


async def test_notes_of_readers_are_with_the_trace_and_its_spans() -> None:
    opened = open_trace(await Runner.run(agent("Hello."), "Hi"))
    annotate(opened, mark="good", comment="As it should be.")
    annotate(opened.calls[0], mark="check")
    rate(opened.trace_id, "up", remark="Nice")
    later = opened.refresh()
    assert [(note.span_id, note.mark, note.comment) for note in later.notes] == [
        ("", "good", "As it should be."),
        (opened.calls[0].span_id, "check", ""),
    ]
    assert [note.mark for note in later.calls[0].notes] == ["check"]
    assert later.roots[0].notes == []
    assert (later.rating, later.remark) == ("up", "Nice")


async def test_spans_are_found_by_their_ids() -> None:
    opened = open_trace(await Runner.run(agent("Hello."), "Hi"))
    one = opened.calls[0]
    assert opened.span(one.span_id) is one
    assert opened.span(one.span_id[:16]) is one
    with pytest.raises(UserError, match="No span of this trace begins with 'zzz'"):
        opened.span("zzz")
    with pytest.raises(UserError, match="2 of its 2 spans begin with 'span_'"):
        opened.span("span_")


def test_spans_whose_parent_is_missing_or_their_own_are_roots() -> None:
    made = MadeTrace()
    made.add("custom", 0, 1, "orphan", parent="span_gone")
    made.add("custom", 1, 1, "own", parent=f"span_{1:024x}")
    made.add("custom", 2, 1, "one", parent=f"span_{3:024x}")
    made.add("custom", 3, 1, "other", parent=f"span_{2:024x}")
    opened = made.open()
    assert sorted(span.title for span in opened) == ["one", "orphan", "other", "own"]
    assert {root.title for root in opened.roots} >= {"orphan", "own"}


def test_agents_of_older_rows_are_told_by_the_tree() -> None:
    made = MadeTrace()
    top = made.add("agent", 0, 9, "outer")
    tool = made.add("function", 1, 5, "ask", parent=top)
    inner = made.add("agent", 1, 4, "inner", parent=tool)
    made.add("response", 2, 1, parent=inner)
    assert [(span.kind, span.agent) for span in made.open()] == [
        ("agent", "outer"),
        ("function", "outer"),
        ("agent", "inner"),
        ("response", "inner"),
    ]


async def test_a_repr_has_no_ids_and_no_times() -> None:
    opened = open_trace(await Runner.run(agent(call("get_weather", city="Atlantis"), "Unknown."), "Hi"))
    assert repr(opened) == "RecordedTrace('Agent workflow', ok: 2 model calls, 1 tool call, 1 error)"
    assert repr(opened.calls[0]) == "RecordedCall(generation 'scripted', ok)"


async def test_thousands_of_levels_are_opened() -> None:
    with trace("w") as live, ExitStack() as levels:
        for number in range(1_200):
            levels.enter_context(custom_span(f"level {number}"))
    opened = open_trace(live)
    assert len(opened) == 1_200
    assert opened.all_spans[-1].depth == 1_199
    assert len(list(opened.roots[0].below())) == 1_199
