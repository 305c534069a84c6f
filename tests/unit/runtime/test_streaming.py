import asyncio
from typing import Any

import pytest
from openai.types.responses import ResponseTextDeltaEvent

from agentkit import Agent, ItemHelpers, MaxTurnsExceeded, Runner, RunResultStreaming, UserError, function_tool
from agentkit.testing import ScriptedModel, call


@function_tool
def get_weather(city: str) -> str:
    return f"Sunny in {city}."


async def names(result: RunResultStreaming) -> list[str]:
    """Return what happened, a word each; the raw events between two others as one."""
    seen: list[str] = []
    async for event in result.stream_events():
        match event.type:
            case "run_item_stream_event":
                seen.append(event.name)
            case "agent_updated_stream_event":
                seen.append(f"agent {event.new_agent.name}")
            case "raw_response_event" if not seen or seen[-1] != "raw":
                seen.append("raw")
    return seen


async def test_events_come_in_the_documented_order() -> None:
    spanish = Agent(name="Spanish", model=ScriptedModel("Hola"))
    model = ScriptedModel(call("get_weather", city="Oslo"), call("transfer_to_spanish"))
    result = Runner.run_streamed(Agent(name="T", model=model, tools=[get_weather], handoffs=[spanish]), "Hi")
    assert await names(result) == [
        "agent T",
        "raw",
        "tool_called",
        "tool_output",
        "raw",
        "handoff_requested",
        "handoff_occured",
        "agent Spanish",
        "raw",
        "message_output_created",
    ]
    assert (result.final_output, result.is_complete, result.current_agent) == ("Hola", True, spanish)


async def test_text_deltas_make_up_the_answer() -> None:
    result = Runner.run_streamed(Agent(name="a", model=ScriptedModel("Sunny in Oslo. ")), input="Hi")
    deltas = [
        event.data.delta
        async for event in result.stream_events()
        if event.type == "raw_response_event" and isinstance(event.data, ResponseTextDeltaEvent)
    ]
    assert len(deltas) > 1
    assert "".join(deltas) == "Sunny in Oslo. "


async def test_tool_called_comes_before_the_tool_runs() -> None:
    order: list[str] = []

    @function_tool
    async def work() -> str:  # it never gives way to who watches
        order.append("runs")
        return "done"

    result = Runner.run_streamed(Agent(name="a", model=ScriptedModel(call("work"), "ok"), tools=[work]), "Go")
    async for event in result.stream_events():
        if event.type == "run_item_stream_event":
            order.append(event.name)
            if event.name == "tool_called":
                assert event.item.raw["arguments"] == "{}"
    assert order == ["tool_called", "runs", "tool_output", "message_output_created"]


async def test_an_output_is_shown_as_soon_as_those_before_it_are_there() -> None:
    release = asyncio.Event()

    @function_tool
    async def quick() -> str:
        return "quick"

    @function_tool
    async def slow() -> str:
        await release.wait()
        return "slow"

    model = ScriptedModel([call("quick"), call("slow")], "ok")
    result = Runner.run_streamed(Agent(name="a", model=model, tools=[quick, slow]), "Go")
    outputs = []
    async for event in result.stream_events():
        if event.type == "run_item_stream_event" and event.name == "tool_output":
            outputs.append(event.item.raw["output"])
            release.set()  # the slow tool waits until the quick one's output was seen
    assert outputs == ["quick", "slow"]


async def test_streamed_and_plain_runs_are_the_same() -> None:
    def model() -> ScriptedModel:
        return ScriptedModel(["Looking.", call("get_weather", city="Oslo")], "Sunny.")

    plain = await Runner.run(Agent(name="a", model=model(), tools=[get_weather]), "Hi")
    result = Runner.run_streamed(Agent(name="a", model=model(), tools=[get_weather]), "Hi")
    await names(result)
    assert result.to_input_list() == plain.to_input_list()
    assert (result.final_output, result.usage) == (plain.final_output, plain.usage)
    assert ItemHelpers.text_message_outputs(result.new_items) == "Looking.Sunny."


async def test_a_run_goes_on_without_anybody_watching() -> None:
    result = Runner.run_streamed(Agent(name="a", model=ScriptedModel("Hello!")), "Hi")
    while not result.is_complete:
        await asyncio.sleep(0)
    assert result.final_output == "Hello!"


async def test_a_failure_is_raised_after_the_events_before_it() -> None:
    model = ScriptedModel(call("get_weather", city="Oslo"), call("get_weather", city="Rome"))
    result = Runner.run_streamed(Agent(name="a", model=model, tools=[get_weather]), "Hi", max_turns=1)
    seen = []
    with pytest.raises(MaxTurnsExceeded):
        async for event in result.stream_events():
            seen.append(event.type)
    assert seen[-1] == "run_item_stream_event"
    assert isinstance(result.run_loop_exception, MaxTurnsExceeded)


def stuck() -> tuple[Any, asyncio.Event, asyncio.Event]:
    started, cancelled = asyncio.Event(), asyncio.Event()

    @function_tool
    async def wait() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return ""

    return wait, started, cancelled


async def test_cancelling_stops_the_tool_and_leaves_a_valid_history() -> None:
    wait, started, cancelled = stuck()
    result = Runner.run_streamed(Agent(name="a", model=ScriptedModel(call("wait")), tools=[wait]), "Go")
    await started.wait()
    result.cancel()
    seen = await names(result)
    assert seen[-1] == "tool_called"
    assert (cancelled.is_set(), result.status) == (True, "cancelled")
    assert result.to_input_list()[-1] == {
        "type": "function_call_output",
        "call_id": "call_1_0",
        "output": "The run was stopped before this call had finished.",
    }


async def test_leaving_the_iteration_stops_the_run() -> None:
    wait, started, cancelled = stuck()
    result = Runner.run_streamed(Agent(name="a", model=ScriptedModel(call("wait")), tools=[wait]), "Go")
    events = result.stream_events()
    async for event in events:
        if event.type == "run_item_stream_event":
            break
    await started.wait()
    await events.aclose()
    assert (result.is_complete, result.status, cancelled.is_set()) == (True, "cancelled", True)


async def test_cancelling_before_the_first_step_leaves_a_stopped_run() -> None:
    result = Runner.run_streamed(Agent(name="a", model=ScriptedModel("Hello!")), "Hi")
    result.cancel()
    assert (await names(result), result.status, result.is_complete) == ([], "cancelled", True)


async def test_an_unknown_way_of_cancelling_is_refused() -> None:
    result = Runner.run_streamed(Agent(name="a", model=ScriptedModel("Hello!")), "Hi")
    with pytest.raises(UserError, match="can't be cancelled in the mode 'later'"):
        result.cancel(mode="later")  # type: ignore[arg-type]
    await names(result)


async def test_cancelling_the_task_of_a_plain_run_stops_its_tools() -> None:
    wait, started, cancelled = stuck()
    task = asyncio.ensure_future(Runner.run(Agent(name="a", model=ScriptedModel(call("wait")), tools=[wait]), "Go"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()


async def test_no_task_is_left_behind() -> None:
    wait, started, _ = stuck()
    model = ScriptedModel([call("wait"), call("wait"), call("wait")])
    before = asyncio.all_tasks()
    result = Runner.run_streamed(Agent(name="a", model=model, tools=[wait]), "Go")
    await started.wait()
    result.cancel()
    await names(result)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_streamed_run_needs_a_running_loop_of_its_caller() -> None:
    def start() -> None:
        with pytest.raises(UserError, match=r"run_streamed needs a running event loop.*use Runner.run_sync"):
            Runner.run_streamed(Agent(name="a", model=ScriptedModel("x")), "Hi")

    await asyncio.to_thread(start)
