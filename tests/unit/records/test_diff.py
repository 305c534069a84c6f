"""`trace.diff(other)`: the same steps beside each other, and in what they differ."""

from __future__ import annotations

from typing import Any

import pytest

from agentkit import Agent, RunConfig, Runner, UserError, custom_span, function_tool, trace
from agentkit.records.opened import RecordedTrace, open_trace
from agentkit.testing import ScriptedModel, call


@function_tool
def get_weather(city: str) -> str:
    """Return the weather of a city."""
    if city == "Atlantis":
        raise ValueError("no such city")
    return f"sunny in {city}"


@function_tool
def get_time(city: str) -> str:
    """Return the time in a city."""
    return "noon"


async def run(*replies: Any, name: str = "a", instructions: str = "Be brief.") -> RecordedTrace:
    model = ScriptedModel()
    for reply in replies:
        model.reply(*reply) if isinstance(reply, tuple) else model.reply(reply)
    agent = Agent(name=name, instructions=instructions, model=model, tools=[get_weather, get_time])
    return open_trace(await Runner.run(agent, "Hi", run_config=RunConfig(workflow_name="w")))


def told(diff: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(step.change, step.step.title, step.differs) for step in diff.steps]


async def test_the_same_steps_are_the_same() -> None:
    first = await run(call("get_weather", city="Tokyo"), "Sunny.")
    second = await run(call("get_weather", city="Tokyo"), "Sunny.")
    diff = first.diff(second)
    assert diff.is_same
    assert told(diff) == [
        ("same", "a", ()),
        ("same", "scripted", ()),
        ("same", "get_weather", ()),
        ("same", "scripted", ()),
    ]
    assert "The same 4 steps, the same answer." in str(diff)
    assert repr(diff) == "TraceDiff(4 same; the same answer)"


async def test_arguments_outputs_errors_and_answers_differ() -> None:
    first = await run(call("get_weather", city="Tokyo"), "Sunny.\nWarm.")
    second = await run(call("get_weather", city="Atlantis"), "Unknown.\nWarm.")
    diff = first.diff(second)
    assert told(diff)[1:] == [
        ("changed", "scripted", ("answer",)),
        ("changed", "get_weather", ("arguments", "output", "status", "error")),
        ("changed", "scripted", ("answer",)),
    ]
    assert diff.answer.splitlines() == ["-Sunny.", "+Unknown.", " Warm."]
    assert 'arguments {"city":"Tokyo"} → {"city":"Atlantis"}' in str(diff)
    assert "~   tool get_weather" in str(diff)


async def test_steps_are_added_and_removed_in_the_middle() -> None:
    first = await run((call("get_weather", city="Tokyo"), call("get_weather", city="Rome")), "Sunny.")
    second = await run(
        (call("get_time", city="Tokyo"), call("get_weather", city="Rome"), call("get_weather", city="Oslo")), "Sunny."
    )
    steps = [(step.change, step.step.title, step.step.raw_input) for step in first.diff(second).steps]
    tools = [(change, name, str(given)) for change, name, given in steps if name.startswith("get")]
    assert [(change, name) for change, name, _ in tools] == [
        ("removed", "get_weather"),
        ("added", "get_time"),
        ("same", "get_weather"),
        ("added", "get_weather"),
    ]
    assert [city for _, _, given in tools for city in ("Tokyo", "Rome", "Oslo") if city in given] == [
        "Tokyo", "Tokyo", "Rome", "Oslo",
    ]  # fmt: skip
    lines = str(first.diff(second)).splitlines()
    assert '-   tool get_weather: arguments {"city":"Tokyo"}' in lines
    assert '+   tool get_time: arguments {"city":"Tokyo"}' in lines
    swapped = [(step.change, step.step.title) for step in second.diff(first).steps if step.change != "same"]
    assert ("removed", "get_time") in swapped


async def test_what_an_added_step_came_to_is_told() -> None:
    diff = (await run("No.")).diff(await run(call("get_weather", city="Atlantis"), "No."))
    added = [line for line in str(diff).splitlines() if line.startswith("+ ")]
    assert [line.split(": ")[0] for line in added] == ["+   model call scripted", "+   tool get_weather"]
    assert added[0].endswith(': answer get_weather(city="Atlantis")')
    assert ': arguments {"city":"Atlantis"}; error ' in added[1]


async def test_requests_and_names_differ() -> None:
    diff = (await run("Hello.")).diff(await run("Hello.", name="b", instructions="Be long."))
    assert told(diff) == [("changed", "b", ("name",)), ("changed", "scripted", ("request",))]


async def test_what_is_below_an_added_step_is_added() -> None:
    first = await run("Hello.")
    with trace("w") as both:
        with custom_span("outer"), custom_span("inner"):
            pass
        await Runner.run(Agent(name="a", instructions="Be brief.", model=ScriptedModel("Hello.")), "Hi")
    diff = first.diff(both)
    assert [(step.change, step.step.title, step.depth) for step in diff.steps] == [
        ("added", "outer", 0),
        ("added", "inner", 1),
        ("same", "a", 0),
        ("changed", "scripted", 1),
    ]


async def test_totals_and_the_frame_have_both_sides() -> None:
    first = await run("Hello.")
    second = await run(call("get_time", city="Rome"), "Noon.")
    diff = first.diff(second)
    assert diff.totals()["turns"] == (1, 2)
    assert diff.totals()["tool_calls"] == (0, 1)
    frame = diff.frame()
    assert list(frame["change"]) == [step.change for step in diff.steps]
    assert frame.dtypes.astype(str).to_dict()["tokens_after"] == "Int64"
    tool = frame[frame["name"] == "get_time"].iloc[0]
    assert (tool["change"], str(tool["span_id_after"])) == ("added", second.tools[0].span_id)
    assert frame["tokens_before"].sum() == first.input_tokens + first.output_tokens


async def test_thousands_of_steps_are_compared_quickly_by_number() -> None:
    def many(skip: int) -> Any:
        with trace("w") as whole:
            for number in range(1_500):
                if number != skip:
                    with custom_span(f"step {number % 3}"):
                        pass
        return open_trace(whole)

    diff = many(700).diff(many(-1))
    assert [step.change for step in diff.steps].count("added") == 1
    assert len(diff.steps) == 1_500
    assert diff.frame().shape[0] == 1_500


async def test_another_trace_is_told_as_for_open_trace() -> None:
    first, second = await run("Hello."), await run("Bye.")
    assert first.diff(second.trace_id).after.trace_id == second.trace_id
    with pytest.raises(UserError, match="No trace 'trace_nothing'"):
        first.diff("trace_nothing")
