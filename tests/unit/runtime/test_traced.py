import asyncio
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel

from agentkit import (
    Agent,
    MaxTurnsExceeded,
    ModelBehaviorError,
    RunConfig,
    Runner,
    custom_span,
    function_tool,
    get_current_span,
    set_tracing_disabled,
    spans,
    trace,
    traces,
)
from agentkit.testing import ScriptedModel, call


@function_tool
def get_weather(city: str) -> str:
    with custom_span("look up"):
        pass
    return f"Sunny in {city}."


def weather_agent(*replies: Any) -> Agent[Any]:
    return Agent(name="weather", model=ScriptedModel(*replies), tools=[get_weather], instructions="Help.")


async def test_a_run_leaves_a_trace_with_its_spans() -> None:
    spanish = Agent(name="Spanish", model=ScriptedModel("Hola"))
    model = ScriptedModel(call("get_weather", city="Oslo"), call("transfer_to_spanish"))
    agent = Agent(name="Triage", model=model, tools=[get_weather], handoffs=[spanish], instructions="Help.")
    result = await Runner.run(agent, "Hi")
    frame = spans(result.trace_id)
    assert list(zip(frame["depth"], frame["kind"], frame["name"].fillna(""), strict=True)) == [
        (0, "agent", "Triage"),
        (1, "generation", ""),
        (1, "function", "get_weather"),
        (2, "custom", "look up"),
        (1, "generation", ""),
        (1, "handoff", "Spanish"),
        (0, "agent", "Spanish"),
        (1, "generation", ""),
    ]
    row = traces().iloc[0]
    assert (row["trace_id"], row["status"], row["agent"], row["last_agent"]) == (
        result.trace_id, "ok", "Triage", "Spanish",
    )  # fmt: skip
    assert (row["input"], row["output"], row["turns"], row["tool_calls"], row["handoffs"]) == ("Hi", "Hola", 3, 1, 1)
    assert row["total_tokens"] == result.usage.total_tokens


async def test_a_model_span_holds_only_what_is_new_to_the_model() -> None:
    result = await Runner.run(weather_agent(call("get_weather", city="Oslo"), "Sunny."), "Oslo?")
    frame = spans(result.trace_id)
    first, second = frame[frame["kind"] == "generation"]["input"]
    assert "Help." in first
    assert "Oslo?" in first
    assert "Oslo?" not in second
    assert "Sunny in Oslo." in second


async def test_a_failed_run_is_recorded_with_its_error() -> None:
    model_says = [call("get_weather", city="Oslo")] * 2
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(weather_agent(*model_says), "Hi", max_turns=1)
    row = traces().iloc[0]
    assert row["status"] == "max_turns"
    assert "stopped after 1 turn " in row["error"]


async def test_a_failing_tool_is_an_error_on_its_span() -> None:
    @function_tool
    def fail() -> str:
        raise ValueError("broken")

    agent = Agent(name="a", model=ScriptedModel(call("fail"), "sorry"), tools=[fail])
    result = await Runner.run(agent, "Go")
    frame = spans(result.trace_id)
    row = frame[frame["kind"] == "function"].iloc[0]
    assert row["status"] == "error"
    assert "broken" in row["error"]
    assert traces().iloc[0]["status"] == "ok"


async def test_runs_inside_a_trace_are_recorded_as_one() -> None:
    with trace("Joke workflow") as outer:
        first = await Runner.run(weather_agent("one"), "1")
        second = await Runner.run(weather_agent("two"), "2")
    assert {first.trace_id, second.trace_id} == {outer.trace_id}
    row = traces().iloc[0]
    assert (row["workflow"], row["turns"], len(traces())) == ("Joke workflow", 2, 1)


async def test_a_run_inside_a_tool_is_part_of_the_trace() -> None:
    inner = weather_agent("inner")

    @function_tool
    async def ask() -> str:
        return str((await Runner.run(inner, "?")).final_output)

    result = await Runner.run(Agent(name="outer", model=ScriptedModel(call("ask"), "ok"), tools=[ask]), "Go")
    frame = spans(result.trace_id)
    assert list(frame[frame["kind"] == "agent"]["depth"]) == [0, 2]


async def test_a_run_may_leave_no_trace() -> None:
    result = await Runner.run(weather_agent("x"), "Hi", run_config=RunConfig(tracing_disabled=True))
    assert (result.trace_id, len(traces())) == (None, 0)


async def test_sensitive_data_may_be_left_out() -> None:
    config = RunConfig(trace_include_sensitive_data=False)
    result = await Runner.run(weather_agent(call("get_weather", city="Oslo"), "Sunny."), "Oslo?", run_config=config)
    frame = spans(result.trace_id)
    assert frame["input"].isna().all()
    assert frame["output"].isna().all()
    assert traces()[["input", "output"]].isna().all(axis=None)


async def test_sensitive_data_stays_out_of_errors_too() -> None:
    @function_tool
    def find(customer: int) -> str:
        raise ValueError("no customer SECRET-1")

    class Answer(BaseModel):
        x: int

    config = RunConfig(trace_include_sensitive_data=False)
    model = ScriptedModel(call("find", customer=1), call("find", customer="SECRET-2"), '{"x": "SECRET-3"}')
    agent = Agent(name="a", model=model, tools=[find], output_type=Answer)
    with pytest.raises(ModelBehaviorError, match="SECRET-3") as caught:
        await Runner.run(agent, "SECRET-4", run_config=config)
    assert caught.value.run_data is not None
    recorded = spans(caught.value.run_data.trace_id).to_csv() + traces().to_csv()
    assert "SECRET" not in recorded
    assert "ValueError" in recorded


async def test_a_trace_holds_what_a_value_was_then() -> None:
    seen: list[str] = []

    @function_tool
    def collect(word: str) -> list[str]:
        seen.append(word)
        return seen

    model = ScriptedModel(call("collect", word="a"), call("collect", word="b"), "ok")
    conversation: list[Any] = [{"role": "user", "content": "Collect."}]
    result = await Runner.run(Agent(name="a", model=model, tools=[collect]), conversation)
    conversation[0]["content"] = "Changed."
    seen.clear()
    frame = spans(result.trace_id)
    assert list(frame[frame["kind"] == "function"]["output"]) == ["['a']", "['a', 'b']"]
    assert traces().iloc[0]["input"] == "Collect."
    assert result.to_input_list()[0]["content"] == "Collect."


async def test_a_run_that_fails_inside_a_tool_is_no_error_of_the_outer_one() -> None:
    inner = weather_agent(call("get_weather", city="Oslo"))

    @function_tool
    async def ask() -> str:
        return str((await Runner.run(inner, "?", max_turns=1)).final_output)

    await Runner.run(Agent(name="outer", model=ScriptedModel(call("ask"), "fine"), tools=[ask]), "Go")
    row = traces().iloc[0]
    assert (row["status"], row["output"], row["error"] is pd.NA) == ("ok", "fine", True)


async def test_tracing_turned_off_leaves_no_trace_id() -> None:
    set_tracing_disabled(True)
    try:
        assert (await Runner.run(weather_agent("x"), "Hi")).trace_id is None
    finally:
        set_tracing_disabled(False)


async def test_names_and_ids_of_the_trace_can_be_given() -> None:
    config = RunConfig(
        workflow_name="Support",
        trace_id="trace_" + "a" * 32,
        group_id="thread-7",
        trace_metadata={"case": 7},
    )
    await Runner.run(weather_agent("x"), "Hi", run_config=config)
    row = traces().iloc[0]
    assert (row["trace_id"], row["workflow"], row["group_id"]) == ("trace_" + "a" * 32, "Support", "thread-7")


async def test_a_cancelled_run_closes_its_spans() -> None:
    started = asyncio.Event()

    @function_tool
    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    model = ScriptedModel(["Let me see.", call("wait")])
    result = Runner.run_streamed(Agent(name="a", model=model, tools=[wait]), "Go")
    await started.wait()
    result.cancel()
    async for _ in result.stream_events():
        pass
    assert list(spans(result.trace_id)["status"]) == ["cancelled", "ok", "cancelled"]
    row = traces().iloc[0]
    assert (row["status"], row["output"]) == ("cancelled", "Let me see.")


async def test_nothing_is_current_after_a_run() -> None:
    await Runner.run(weather_agent("x"), "Hi")
    assert get_current_span() is None
