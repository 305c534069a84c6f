"""A thousand runs at once in one process: each has its own context, trace, result, usage and session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

import agentkit
from agentkit import (
    Agent,
    RunConfig,
    RunContextWrapper,
    Runner,
    ToolContext,
    custom_span,
    function_tool,
    get_current_trace,
    set_trace_processors,
    set_tracing_disabled,
)
from agentkit.testing import call
from agentkit.tracing.processors import reset_tracing

from .raw_model import RawModel, SharedList
from .seen import SpanLog, unanswered

RUNS = 1000

OVER_THE_WIRE = 300
"""Requests are what takes the time there: four of each run's."""


@pytest.fixture
def embedded() -> Iterator[None]:
    agentkit.connect("embedded")
    yield
    agentkit.disconnect()


@pytest.fixture(autouse=True)
def _own_tracing() -> Iterator[None]:
    yield
    reset_tracing()


def trace_id(number: int) -> str:
    return f"trace_{number:032x}"


class Met:
    """What one run's context has been handed to."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seen: list[tuple[str, str]] = []

    def note(self, said: str) -> str:
        trace = get_current_trace()
        self.seen.append((said, "none" if trace is None else trace.trace_id))
        return f"{said} to {self.number}"


@function_tool
async def greet(ctx: RunContextWrapper[Met], name: str) -> str:
    await asyncio.sleep(0)
    with custom_span(f"greeting {ctx.context.number}"):
        await asyncio.sleep(0)
    return ctx.context.note(f"hello {name}")


@function_tool
def count(ctx: ToolContext[Met], to: int) -> str:
    return ctx.context.note(f"{ctx.tool_call_id} counts to {to}")


def instructions(ctx: RunContextWrapper[Met], agent: Any) -> str:
    return f"You are for {ctx.context.number}."


def calls(n: int) -> list[list[dict[str, Any]]]:
    """Return three answers of a model with calls, the second with two at once."""
    made = [
        [call("greet", name=f"Ada {n}")],
        [call("count", to=n), call("greet", name="you")],
        [call("greet", name="all")],
    ]
    return [
        [{**each, "call_id": f"call_{n}_{turn}_{place}"} for place, each in enumerate(made[turn])] for turn in range(3)
    ]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_thousand_runs_at_once_keep_everything_apart(streamed: bool) -> None:
    spans = SpanLog()
    set_trace_processors([spans])
    models = [RawModel(calls(n), f"Bye {n}", slow=True) for n in range(RUNS)]
    agents = [
        Agent(name=f"agent {n}", instructions=instructions, model=models[n], tools=[greet, count]) for n in range(RUNS)
    ]
    contexts, sessions = [Met(n) for n in range(RUNS)], [SharedList() for _ in range(RUNS)]

    async def one(n: int) -> Any:
        arguments: dict[str, Any] = {
            "context": contexts[n],
            "session": sessions[n],
            "run_config": RunConfig(trace_id=trace_id(n), workflow_name=f"run {n}", group_id=f"group {n}"),
        }
        if not streamed:
            return await Runner.run(agents[n], f"Hi from {n}", **arguments)
        result = Runner.run_streamed(agents[n], f"Hi from {n}", **arguments)
        items = [event.item async for event in result.stream_events() if event.type == "run_item_stream_event"]
        assert items == result.new_items
        return result

    results = await asyncio.gather(*(one(n) for n in range(RUNS)))
    assert len(asyncio.all_tasks()) == 1
    for n, result in enumerate(results):
        outputs = [f"hello Ada {n}", f"call_{n}_1_0 counts to {n}", "hello you", "hello all"]
        made = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
        assert made == [f"{output} to {n}" for output in outputs]
        assert (result.final_output, result.trace_id, result.status) == (f"Bye {n}", trace_id(n), "completed")
        assert sorted(contexts[n].seen) == sorted((output, trace_id(n)) for output in outputs)
        assert sessions[n].items == result.to_input_list()
        assert unanswered(sessions[n].items) == []
        assert [json.loads(request)[0] for request in models[n].requests] == [f"You are for {n}."] * 4
        assert (result.usage.requests, result.usage.output_tokens) == (4, 5)
        assert result.usage.input_tokens == sum(len(json.loads(request)[1]) for request in models[n].requests)
    check_spans(spans)


def check_spans(spans: SpanLog) -> None:
    """Fail unless each trace holds the spans of its own run, and nothing else."""
    spans.check(traces=RUNS)
    own: dict[str, list[str]] = {}
    for span in spans.spans:
        own.setdefault(span.trace_id, []).append(f"{span.span_data.type} {getattr(span.span_data, 'name', '')}")
    tools = ["function greet", "function count", "function greet", "function greet", *["generation "] * 4]
    for n in range(RUNS):
        assert sorted(own[trace_id(n)]) == sorted([f"agent agent {n}", *tools, *[f"custom greeting {n}"] * 3])


async def test_hundreds_of_runs_at_once_over_the_wire_keep_everything_apart(embedded: None) -> None:
    set_tracing_disabled(True)

    def step(name: str) -> Any:
        async def handle(ctx: RunContextWrapper[Met], parcel: int) -> str:
            return ctx.context.note(f"{name} {parcel}")

        return function_tool(handle, name_override=name, description_override=f"{name.title()} a parcel.")

    agent = Agent(
        name="post",
        instructions="First call the `weigh` tool, then the `stamp` tool, then the `ship` tool.",
        tools=[step("weigh"), step("stamp"), step("ship")],
    )
    contexts = [Met(n) for n in range(OVER_THE_WIRE)]
    results = await asyncio.gather(
        *(Runner.run(agent, f"Please handle parcel {n}.", context=contexts[n]) for n in range(OVER_THE_WIRE))
    )
    for n, result in enumerate(results):
        done = [f"{name} {n}" for name in ("weigh", "stamp", "ship")]
        assert contexts[n].seen == [(each, "none") for each in done]
        outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
        assert outputs == [f"{each} to {n}" for each in done]
        assert all(each in result.final_output for each in outputs)
        assert result.usage.requests == len(result.raw_responses) == 4
    assert len({result.last_response_id for result in results}) == OVER_THE_WIRE
