"""What a run remembers: sessions, the platform's conversations, filters of what the model sees."""

import asyncio
from typing import Any

import pytest

from agentkit import (
    Agent,
    CallModelData,
    GuardrailFunctionOutput,
    HandoffInputData,
    InputGuardrailTripwireTriggered,
    MaxTurnsExceeded,
    Model,
    ModelInputData,
    ModelRefusalError,
    ModelResponse,
    RunConfig,
    RunErrorHandlerResult,
    Runner,
    UserError,
    function_tool,
    handoff,
    input_guardrail,
)
from agentkit.testing import ScriptedModel, call


class Memory:
    """A session of a user's own: nothing but the documented methods."""

    session_id = "mine"

    def __init__(self, items: list[Any] | None = None) -> None:
        self.items = list(items or ())
        self.writes: list[int] = []

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return self.items if limit is None else self.items[-limit:]

    async def add_items(self, items: list[Any]) -> None:
        self.writes.append(len(items))
        await asyncio.sleep(0)
        self.items += items

    async def pop_item(self) -> Any:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


@function_tool
def look() -> str:
    return "seen"


def roles(items: list[Any]) -> list[str]:
    return [item.get("role") or item["type"] for item in items]


async def test_a_session_carries_the_conversation_from_run_to_run() -> None:
    session = Memory()
    model = ScriptedModel("Hello Ada", "You are Ada")
    agent = Agent(name="a", model=model)
    await Runner.run(agent, "I am Ada", session=session)
    result = await Runner.run(agent, "Who am I?", session=session)
    assert roles(model.requests[1].input) == ["user", "assistant", "user"]
    assert roles(session.items) == ["user", "assistant", "user", "assistant"]
    assert len(result.to_input_list()) == 4
    assert isinstance(result.input, list)


async def test_a_session_is_written_once_a_turn() -> None:
    session = Memory()
    agent = Agent(name="a", model=ScriptedModel(call("look"), "Done"), tools=[look])
    await Runner.run(agent, "Look", session=session)
    assert (session.writes, roles(session.items)) == (
        [3, 1], ["user", "function_call", "function_call_output", "assistant"],
    )  # fmt: skip


async def test_a_limit_cuts_no_call_from_its_output() -> None:
    session = Memory()
    model = ScriptedModel(call("look"), "Done", "Again")
    agent = Agent(name="a", model=model, tools=[look])
    await Runner.run(agent, "Look", session=session)
    from agentkit import SessionSettings

    config = RunConfig(session_settings=SessionSettings(limit=2))
    await Runner.run(agent, "And now?", session=session, run_config=config)
    assert roles(model.requests[2].input) == ["assistant", "user"]


async def test_a_callback_makes_the_input_of_history_and_what_is_new() -> None:
    session = Memory([{"role": "user", "content": "old"}])
    model = ScriptedModel("Hi")
    config = RunConfig(session_input_callback=lambda history, new: [*new, *history])
    await Runner.run(Agent(name="a", model=model), "new", session=session, run_config=config)
    assert [item["content"] for item in model.requests[0].input[:2]] == ["new", "old"]
    assert [item.get("content") for item in session.items[:2]] == ["old", "new"]


async def test_a_failed_first_call_leaves_the_session_as_it_was() -> None:
    session = Memory()
    with pytest.raises(ValueError, match="down"):
        await Runner.run(Agent(name="a", model=ScriptedModel(ValueError("down"))), "Hi", session=session)
    assert session.items == []


async def test_what_a_guardrail_stopped_is_not_remembered() -> None:
    @input_guardrail
    def no(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(given, True)

    session = Memory([{"role": "user", "content": "old"}])
    agent = Agent(name="a", model=ScriptedModel("Hi"), input_guardrails=[no])
    with pytest.raises(InputGuardrailTripwireTriggered) as caught:
        await Runner.run(agent, "bad", session=session)
    assert len(session.items) == 1
    assert caught.value.guardrail_result.output.output_info == "bad"


async def test_a_run_stopped_by_max_turns_is_remembered_with_every_call_answered() -> None:
    session = Memory()
    agent = Agent(name="a", model=ScriptedModel(call("look"), call("look")), tools=[look])
    with pytest.raises(MaxTurnsExceeded):
        await Runner.run(agent, "Look", session=session, max_turns=2)
    assert roles(session.items) == ["user", *["function_call", "function_call_output"] * 2]


async def test_a_run_cancelled_in_a_tool_is_remembered_whole() -> None:
    session, started = Memory(), asyncio.Event()

    @function_tool
    async def wait() -> str:
        started.set()
        await asyncio.Event().wait()
        return ""

    task = asyncio.ensure_future(
        Runner.run(Agent(name="a", model=ScriptedModel(call("wait")), tools=[wait]), "Go", session=session)
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert roles(session.items) == ["user", "function_call", "function_call_output"]


async def test_cancelling_while_the_session_is_written_waits_for_the_write() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Memory):
        async def add_items(self, items: list[Any]) -> None:
            begun.set()
            await go_on.wait()
            self.items += items

    session = Slow()
    task = asyncio.ensure_future(Runner.run(Agent(name="a", model=ScriptedModel("Hi")), "Go", session=session))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert roles(session.items) == ["user", "assistant"]


async def test_a_run_cancelled_after_the_turn_is_remembered_and_goes_on() -> None:
    session = Memory()
    agent = Agent(name="a", model=ScriptedModel(call("look"), "Done"), tools=[look])
    stream = Runner.run_streamed(agent, "Look", session=session)
    async for event in stream.stream_events():
        if event.type == "run_item_stream_event" and event.name == "tool_called":
            stream.cancel(mode="after_turn")
    assert (stream.status, roles(session.items)) == ("cancelled", ["user", "function_call", "function_call_output"])
    done = await Runner.run(agent, stream.to_state(), session=session)
    assert (done.final_output, roles(session.items)[3:]) == ("Done", ["assistant"])


async def test_a_run_that_waits_is_written_when_its_turn_is_complete() -> None:
    session = Memory()

    @function_tool(needs_approval=True)
    def delete() -> str:
        return "gone"

    agent = Agent(name="a", model=ScriptedModel(call("delete"), "Done"), tools=[delete])
    result = await Runner.run(agent, "Delete", session=session)
    assert session.items == []
    state = result.to_state()
    state.approve(state.get_interruptions()[0])
    await Runner.run(agent, state, session=session)
    assert roles(session.items) == ["user", "function_call", "function_call_output", "assistant"]


async def test_two_memories_of_one_conversation_are_refused() -> None:
    agent = Agent(name="a", model=ScriptedModel("Hi"))
    with pytest.raises(UserError, match="can't have a session and a conversation that the platform keeps"):
        await Runner.run(agent, "Hi", session=Memory(), conversation_id="conv_1")
    with pytest.raises(UserError, match="both a conversation_id and a previous_response_id"):
        await Runner.run(agent, "Hi", conversation_id="conv_1", previous_response_id="resp_1")
    with pytest.raises(UserError, match="The session is a dict without get_items"):
        await Runner.run(agent, "Hi", session={})


class Noting(Model):
    """Answers from a script, and notes what it was asked with."""

    def __init__(self, *replies: Any) -> None:
        self.script = ScriptedModel(*replies)
        self.asked: list[tuple[Any, Any, list[str]]] = []

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        self.asked.append((kwargs["previous_response_id"], kwargs["conversation_id"], roles(kwargs["input"])))
        kwargs["tracing"] = None
        return await self.script.get_response(*args, **kwargs)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


async def test_with_a_previous_response_only_what_is_new_is_sent() -> None:
    model = Noting(call("look"), "Done")
    result = await Runner.run(Agent(name="a", model=model, tools=[look]), "Look", previous_response_id="resp_0")
    assert model.asked == [("resp_0", None, ["user"]), ("resp_1", None, ["function_call_output"])]
    assert (len(result.to_input_list()), result.last_response_id) == (4, "resp_2")


async def test_the_chain_of_responses_can_begin_by_itself() -> None:
    model = Noting(call("look"), "Done")
    await Runner.run(Agent(name="a", model=model, tools=[look]), "Look", auto_previous_response_id=True)
    assert model.asked == [(None, None, ["user"]), ("resp_1", None, ["function_call_output"])]


async def test_in_a_conversation_of_the_platform_only_what_is_new_is_sent() -> None:
    model = Noting(call("look"), "Done")
    await Runner.run(Agent(name="a", model=model, tools=[look]), "Look", conversation_id="conv_1")
    assert model.asked == [(None, "conv_1", ["user"]), (None, "conv_1", ["function_call_output"])]


async def test_a_filter_makes_what_the_model_gets_and_nothing_else() -> None:
    def short(data: CallModelData) -> ModelInputData:
        return ModelInputData(data.model_data.input[-1:], f"{data.model_data.instructions} {data.context}")

    model = ScriptedModel("Hi")
    agent = Agent(name="a", instructions="Be brief.", model=model)
    given = [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]
    result = await Runner.run(agent, given, context="Now.", run_config=RunConfig(call_model_input_filter=short))
    request = model.requests[0]
    assert ([item["content"] for item in request.input], request.system_instructions) == (["two"], "Be brief. Now.")
    assert len(result.to_input_list()) == 3


async def test_a_filter_that_returns_something_else_is_refused() -> None:
    config = RunConfig(call_model_input_filter=lambda data: data.model_data.input)  # type: ignore[arg-type,return-value]
    with pytest.raises(UserError, match="call_model_input_filter returned list. Return ModelInputData"):
        await Runner.run(Agent(name="a", model=ScriptedModel("Hi")), "Hi", run_config=config)


def no_tools(data: HandoffInputData) -> HandoffInputData:
    return data.clone(pre_handoff_items=(), new_items=())


@pytest.mark.parametrize("where", ["handoff", "run"])
async def test_an_input_filter_makes_what_the_next_agent_sees(where: str) -> None:
    model = ScriptedModel("Hi")
    other = Agent(name="other", model=model)
    way = handoff(other, input_filter=no_tools) if where == "handoff" else other
    first = Agent(name="a", model=ScriptedModel(call("look"), call("transfer_to_other")), tools=[look], handoffs=[way])
    config = RunConfig(handoff_input_filter=no_tools if where == "run" else None)
    result = await Runner.run(first, "Go", run_config=config)
    assert roles(model.requests[0].input) == ["user"]
    assert len(result.new_items) == 5
    assert roles(result.to_input_list(mode="normalized")) == ["user", "assistant"]
    assert len(result.to_input_list()) == 6


async def test_what_comes_after_a_filter_is_added_to_what_it_made() -> None:
    model = ScriptedModel(call("look"), call("transfer_to_a"))
    last = ScriptedModel("Back")
    other = Agent(name="other", model=model, tools=[look])
    first = Agent(
        name="a", model=ScriptedModel(call("transfer_to_other")), handoffs=[handoff(other, input_filter=no_tools)]
    )
    back = Agent(name="a", model=last)
    other.handoffs = [back]
    await Runner.run(first, "Go")
    assert roles(last.requests[0].input) == [
        "user", "function_call", "function_call_output", "function_call", "function_call_output",
    ]  # fmt: skip


async def test_history_can_be_told_in_one_message() -> None:
    model = ScriptedModel("Hi")
    other = Agent(name="other", model=model)
    first = Agent(name="a", model=ScriptedModel(call("transfer_to_other")), handoffs=[other])
    await Runner.run(first, "Go home", run_config=RunConfig(nest_handoff_history=True))
    told = model.requests[0].input[0]["content"]
    assert "1. user: Go home\n2. called transfer_to_other({})" in told


async def test_error_handlers_give_a_final_output_in_place_of_the_error() -> None:
    seen = []

    def stop(given: Any) -> RunErrorHandlerResult:
        seen.append((type(given.error), given.run_data.last_agent.name, len(given.run_data.new_items)))
        return RunErrorHandlerResult("I could not finish.")

    agent = Agent(name="a", model=ScriptedModel(call("look")), tools=[look])
    result = await Runner.run(agent, "Go", max_turns=1, error_handlers={"max_turns": stop})
    assert (result.final_output, result.status, seen) == (
        "I could not finish.",
        "completed",
        [(MaxTurnsExceeded, "a", 2)],
    )
    assert roles(result.to_input_list())[-1] == "assistant"


async def test_an_invalid_final_output_can_be_handled() -> None:
    async def repair(given: Any) -> RunErrorHandlerResult:
        return RunErrorHandlerResult(0, include_in_history=False)

    agent = Agent(name="a", model=ScriptedModel("no number"), output_type=int)
    result = await Runner.run(agent, "Go", error_handlers={"invalid_final_output": repair})
    assert (result.final_output, len(result.new_items)) == (0, 1)


async def test_a_handler_that_gives_nothing_lets_the_error_be_raised() -> None:
    refusal = {
        "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "refusal", "refusal": "I won't."}],
    }  # fmt: skip
    agent = Agent(name="a", model=ScriptedModel(refusal), output_type=int)
    with pytest.raises(ModelRefusalError, match="I won't"):
        await Runner.run(agent, "Go", error_handlers={"model_refusal": lambda given: None})
    with pytest.raises(UserError, match="There is no error handler named 'max_turn'"):
        await Runner.run(agent, "Go", error_handlers={"max_turn": lambda given: None})  # type: ignore[typeddict-unknown-key]
