"""What models and tools send that nobody should, and what the loop makes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentkit import (
    Agent,
    AgentsException,
    FunctionTool,
    GuardrailFunctionOutput,
    ModelBehaviorError,
    OutputGuardrailTripwireTriggered,
    RunHooks,
    Runner,
    RunState,
    ToolCallError,
    function_tool,
    output_guardrail,
    spans,
)
from agentkit.testing import ScriptedModel, call

from .catalogue import Untellable
from .raw_model import RawModel, SharedList, said
from .seen import unanswered


@function_tool
async def add(a: int, b: int) -> int:
    return a + b


@function_tool(needs_approval=True)
async def delete(name: str) -> str:
    return f"{name} is gone"


def adds(**fields: Any) -> dict[str, Any]:
    return {"type": "function_call", "name": "add", "arguments": '{"a":1,"b":2}', **fields}


@pytest.mark.parametrize(
    "fields", [{}, {"call_id": None}, {"call_id": ""}, {"id": "fc_1"}, {"id": "fc_1", "call_id": ""}, {"call_id": 7}]
)
async def test_a_call_without_an_id_gets_one_that_its_output_carries(fields: dict[str, Any]) -> None:
    agent = Agent(name="a", model=RawModel([[adds(**fields)]]), tools=[add])
    made, output, _ = (await Runner.run(agent, "Hi")).new_items
    assert (output.raw["call_id"], output.raw["output"]) == (made.raw["call_id"], "3")
    known = str(fields.get("call_id") or fields.get("id") or "")
    assert known in made.raw["call_id"] != ""


async def test_calls_that_share_an_id_are_told_apart_and_decided_on_one_by_one() -> None:
    same = {"type": "function_call", "call_id": "call_0", "name": "delete", "arguments": '{"name":"x"}'}
    agent = Agent(name="a", model=RawModel([[same, dict(same)]]), tools=[delete])
    state = (await Runner.run(agent, "Hi")).to_state()
    first, second = state.get_interruptions()
    assert first.call_id == "call_0" != second.call_id
    state.approve(first)
    state.reject(second)
    result = await Runner.run(agent, state)
    assert [item.raw["output"] for item in result.new_items[2:4]] == ["x is gone", "Tool execution was not approved."]


async def test_a_call_of_an_inner_run_may_have_the_id_of_one_of_the_outer() -> None:
    inner = Agent(
        name="inner", model=ScriptedModel([call("add", a=1, b=1), call("delete", name="y")]), tools=[add, delete]
    )
    model = ScriptedModel([call("inner", input="?"), call("delete", name="x")])
    agent = Agent(name="outer", model=model, tools=[inner.as_tool(), delete])
    saved = (await Runner.run(agent, "Hi")).to_state().to_string()
    state = await RunState.from_string(agent, saved)
    waiting = state.get_interruptions()
    assert [(item.call_id, item.arguments) for item in waiting] == [
        ("call_1_1", '{"name":"y"}'), ("call_1_1", '{"name":"x"}'),
    ]  # fmt: skip
    state.approve(waiting[0])
    assert state.get_interruptions() == waiting[1:]
    state.reject(waiting[1])
    inner.model, agent.model = ScriptedModel("Inner is done"), ScriptedModel("Done")
    result = await Runner.run(agent, state)
    outputs = [item.output for item in result.new_items if item.type == "tool_call_output_item"]
    assert outputs == ["Inner is done", "Tool execution was not approved."]


async def test_a_message_whose_content_is_plain_text_is_read_as_one_part() -> None:
    model = RawModel([[said(content="Hello")]])
    result = await Runner.run(Agent(name="a", model=model), "Hi")
    assert (result.final_output, result.text) == ("Hello", "Hello")
    assert result.new_items[0].raw["content"] == [{"type": "output_text", "text": "Hello", "annotations": []}]


async def test_arguments_that_came_as_an_object_are_taken_as_their_json() -> None:
    agent = Agent(name="a", model=RawModel([[adds(call_id="c", arguments={"a": 1, "b": 2})]]), tools=[add])
    made, output, _ = (await Runner.run(agent, "Hi")).new_items
    assert (made.raw["arguments"], output.raw["output"]) == ('{"a":1,"b":2}', "3")


async def test_an_item_whose_type_is_no_text_stops_the_run() -> None:
    with pytest.raises(ModelBehaviorError, match="The model sent an item whose type is no text: {'type': 5}"):
        await Runner.run(Agent(name="a", model=RawModel([[{"type": 5}]])), "Hi")


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (KeyError("k"), "Tool 'by_hand' raised KeyError: 'k'"),
        (asyncio.CancelledError(), "Tool 'by_hand' failed: something it waited for was cancelled."),
        (TimeoutError("slow"), "Tool 'by_hand' raised TimeoutError: slow"),
    ],
)
@pytest.mark.parametrize("limit", [None, 60])
async def test_what_a_tool_made_by_hand_raises_stops_the_run_by_name(
    raised: BaseException, message: str, limit: int | None
) -> None:
    async def invoke(context: Any, arguments: str) -> Any:
        raise raised

    tool = FunctionTool("by_hand", "", {"type": "object", "properties": {}}, invoke, timeout_seconds=limit)
    agent = Agent(name="a", model=ScriptedModel(call("by_hand")), tools=[tool])
    with pytest.raises(ToolCallError) as caught:
        await Runner.run(agent, "Hi")
    assert (str(caught.value), caught.value.__cause__) == (message, raised)
    assert caught.value.run_data is not None
    assert unanswered(caught.value.run_data.to_input_list()) == []


@pytest.mark.parametrize("behavior", ["run_llm_again", "stop_on_first_tool"])
@pytest.mark.parametrize("value", [Untellable(), [Untellable()], 10**5000], ids=["object", "list", "number"])
async def test_a_return_value_that_has_no_text_is_a_failure_that_the_model_is_told(value: Any, behavior: Any) -> None:
    @function_tool
    def give() -> Any:
        return value

    model = ScriptedModel(call("give"), "Done")
    result = await Runner.run(Agent(name="a", model=model, tools=[give], tool_use_behavior=behavior), "Hi")
    output: Any = result.new_items[1]
    said = f"The tool returned a {type(value).__name__} that can't be made into text: "
    assert output.raw["output"].startswith(said)
    assert output.outcome == "failed"
    assert result.final_output == ("Done" if behavior == "run_llm_again" else output.raw["output"])
    assert list(spans(result.trace_id)["kind"])[:3] == ["agent", "generation", "function"]


@function_tool(failure_error_function=None)
async def insist(after: int) -> str:
    for _ in range(after):
        await asyncio.sleep(0)
    raise ValueError("no")


@function_tool
async def wait() -> str:
    await asyncio.Event().wait()
    return "never"


@pytest.mark.parametrize("streamed", [False, True])
async def test_the_history_says_what_was_done_before_another_call_stopped_the_run(streamed: bool) -> None:
    calls = [call("wait"), call("add", a=1, b=2), call("insist", after=5)]
    session = SharedList()
    agent = Agent(name="a", model=ScriptedModel(calls), tools=[wait, add, insist])
    with pytest.raises(AgentsException) as caught:
        if streamed:
            async for _ in Runner.run_streamed(agent, "Hi", session=session).stream_events():
                pass
        else:
            await Runner.run(agent, "Hi", session=session)
    data = caught.value.run_data
    assert data is not None
    outputs = {item.raw["call_id"]: (item.raw["output"], item.outcome) for item in data.new_items[3:]}  # type: ignore[union-attr]
    stopped = ("The run was stopped before this call had finished.", "stopped")
    assert outputs == {"call_1_0": stopped, "call_1_1": ("3", "ok"), "call_1_2": stopped}
    assert session.items == data.to_input_list()


async def test_the_history_says_what_was_done_before_the_run_was_cancelled() -> None:
    begun = asyncio.Event()

    @function_tool
    async def note() -> str:
        begun.set()
        return "noted"

    agent = Agent(name="a", model=ScriptedModel([call("wait"), call("note")]), tools=[wait, note])
    session = SharedList()
    task = asyncio.ensure_future(Runner.run(agent, "Hi", session=session))
    await begun.wait()
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert {item["call_id"]: item["output"] for item in session.items if "output" in item} == {
        "call_1_0": "The run was stopped before this call had finished.", "call_1_1": "noted",
    }  # fmt: skip


class Ends(RunHooks[Any]):
    def __init__(self) -> None:
        self.outputs: list[Any] = []

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        self.outputs.append(output)


async def test_what_an_error_handler_gives_is_told_hooked_and_guarded_like_any_final_output() -> None:
    @output_guardrail
    async def short(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output, len(output) > 10)

    agent = Agent(name="a", model=RawModel([[adds(call_id="c")]] * 9), tools=[add], output_guardrails=[short])
    hooks, session = Ends(), SharedList()
    handlers: Any = {"max_turns": lambda given: "Too long."}
    options: Any = {"max_turns": 1, "hooks": hooks, "session": session}
    result = Runner.run_streamed(agent, "Hi", error_handlers=handlers, **options)
    told = [event.item async for event in result.stream_events() if event.type == "run_item_stream_event"]
    assert told == result.new_items
    assert (result.final_output, hooks.outputs) == ("Too long.", ["Too long."])
    assert [found.output.output_info for found in result.output_guardrail_results] == ["Too long."]
    assert session.items == result.to_input_list()
    kept = list(session.items)
    handlers = {"max_turns": lambda given: "Much too long."}
    with pytest.raises(OutputGuardrailTripwireTriggered) as caught:
        await Runner.run(agent, "Hi", error_handlers=handlers, **options)
    assert caught.value.run_data is not None
    assert caught.value.run_data.final_output is None
    assert session.items[: len(kept)] == kept
    assert [item.get("type", "user") for item in session.items[len(kept) :]] == [
        "user", "function_call", "function_call_output",
    ]  # fmt: skip
