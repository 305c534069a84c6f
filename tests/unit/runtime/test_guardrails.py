import asyncio
from typing import Any

import pytest

from agentkit import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    UserError,
    function_tool,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
    tool_output_guardrail,
)
from agentkit.models import Model, ModelResponse
from agentkit.testing import ScriptedModel, call


@input_guardrail
async def no_homework(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info={"given": given}, tripwire_triggered="homework" in str(given))


@output_guardrail
def no_numbers(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=output, tripwire_triggered=any(c.isdigit() for c in str(output)))


async def test_what_guardrails_found_is_kept() -> None:
    agent = Agent(
        name="a", model=ScriptedModel("Hello"), input_guardrails=[no_homework], output_guardrails=[no_numbers]
    )
    result = await Runner.run(agent, "Hi")
    assert [(r.guardrail.get_name(), r.output.output_info) for r in result.input_guardrail_results] == [
        ("no_homework", {"given": "Hi"})
    ]
    found = result.output_guardrail_results[0]
    assert (found.guardrail.get_name(), found.agent_output, found.agent) == ("no_numbers", "Hello", agent)


async def test_a_tripwire_of_the_input_stops_the_run_with_what_was_found() -> None:
    agent = Agent(name="a", model=ScriptedModel("Hello"), input_guardrails=[no_homework])
    with pytest.raises(InputGuardrailTripwireTriggered, match="Guardrail 'no_homework' stopped the run") as caught:
        await Runner.run(agent, "Do my homework")
    assert caught.value.guardrail_result.output.output_info == {"given": "Do my homework"}
    assert caught.value.run_data is not None
    assert (caught.value.run_data.status, caught.value.run_data.new_items) == ("guardrail", [])
    assert len(caught.value.run_data.input_guardrail_results) == 1


class SlowModel(Model):
    """Answers when it is let; notes whether it was cancelled."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.cancelled = False

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        self.called.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise AssertionError

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        return self._stream()

    async def _stream(self) -> Any:
        await self.get_response()
        yield {}


async def test_a_tripwire_cancels_the_model_call_that_is_under_way() -> None:
    model = SlowModel()

    @input_guardrail
    async def trips(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        await model.called.wait()
        return GuardrailFunctionOutput(None, True)

    with pytest.raises(InputGuardrailTripwireTriggered):
        await Runner.run(Agent(name="a", model=model, input_guardrails=[trips]), "Hi")
    assert model.cancelled


async def test_a_tripwire_cancels_a_streamed_model_call_too() -> None:
    model = SlowModel()

    @input_guardrail
    async def trips(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        await model.called.wait()
        return GuardrailFunctionOutput(None, True)

    result = Runner.run_streamed(Agent(name="a", model=model, input_guardrails=[trips]), "Hi")
    with pytest.raises(InputGuardrailTripwireTriggered):
        async for _ in result.stream_events():
            pass
    assert model.cancelled


async def test_no_tool_runs_before_the_input_guardrails_have_passed() -> None:
    order = []

    @function_tool
    def delete() -> str:
        order.append("tool")
        return "gone"

    @input_guardrail
    async def slow(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        await asyncio.sleep(0.02)
        order.append("guardrail")
        return GuardrailFunctionOutput(None, False)

    agent = Agent(name="a", model=ScriptedModel(call("delete"), "Done"), tools=[delete], input_guardrails=[slow])
    await Runner.run(agent, "Delete it")
    assert order == ["guardrail", "tool"]


async def test_a_guardrail_that_runs_before_the_model_keeps_it_from_being_called() -> None:
    @input_guardrail(name="first", run_in_parallel=False)
    def trips(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, True)

    model = ScriptedModel("Hello")
    with pytest.raises(InputGuardrailTripwireTriggered, match="'first'"):
        await Runner.run(Agent(name="a", model=model, input_guardrails=[trips]), "Hi")
    assert model.requests == []


async def test_one_guardrail_that_trips_cancels_the_others() -> None:
    cancelled = []

    async def trips(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(None, True)

    async def waits(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        raise AssertionError

    guardrails = [InputGuardrail(waits), InputGuardrail(trips)]
    with pytest.raises(InputGuardrailTripwireTriggered, match="'trips'"):
        await Runner.run(Agent(name="a", model=SlowModel(), input_guardrails=guardrails), "Hi")
    assert cancelled == [True]


async def test_input_guardrails_check_the_first_turn_of_the_first_agent_only() -> None:
    calls = []

    @input_guardrail
    async def counts(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        calls.append(agent.name)
        return GuardrailFunctionOutput(None, False)

    second = Agent(name="second", model=ScriptedModel("Hi"), input_guardrails=[counts])
    model = ScriptedModel(call("transfer_to_second"))
    first = Agent(name="first", model=model, handoffs=[second], input_guardrails=[counts])
    await Runner.run(first, "Hi")
    assert calls == ["first"]


async def test_guardrails_of_the_run_come_besides_those_of_the_agent() -> None:
    config = RunConfig(input_guardrails=[no_homework], output_guardrails=[no_numbers])
    with pytest.raises(OutputGuardrailTripwireTriggered, match="'no_numbers'"):
        await Runner.run(Agent(name="a", model=ScriptedModel("It is 4.")), "Hi", run_config=config)


async def test_a_tripwire_of_the_output_leaves_no_final_output() -> None:
    agent = Agent(name="a", model=ScriptedModel("It is 4."), output_guardrails=[no_numbers])
    with pytest.raises(OutputGuardrailTripwireTriggered) as caught:
        await Runner.run(agent, "Hi")
    data = caught.value.run_data
    assert data is not None
    assert (data.final_output, data.status, len(data.output_guardrail_results)) == (None, "guardrail", 1)


async def test_what_is_no_guardrail_result_is_refused() -> None:
    guardrail = OutputGuardrail(lambda context, agent, output: True, name="odd")
    with pytest.raises(UserError, match="Guardrail 'odd' returned bool. Return GuardrailFunctionOutput"):
        await Runner.run(Agent(name="a", model=ScriptedModel("Hi"), output_guardrails=[guardrail]), "Hi")


def test_what_is_no_guardrail_is_refused() -> None:
    with pytest.raises(UserError, match="is none of its input_guardrails. Decorate it with @input_guardrail."):
        Agent(name="a", input_guardrails=[lambda context, agent, given: None])  # type: ignore[list-item]


@tool_input_guardrail
def no_secrets(data: Any) -> ToolGuardrailFunctionOutput:
    if "secret" in data.context.tool_arguments:
        return ToolGuardrailFunctionOutput.reject_content("Secrets stay here.", output_info="secret")
    return ToolGuardrailFunctionOutput.allow()


@tool_output_guardrail
async def no_keys(data: Any) -> ToolGuardrailFunctionOutput:
    return (
        ToolGuardrailFunctionOutput(behavior={"type": "reject_content", "message": "[removed]"})
        if ("sk-" in data.output)
        else ToolGuardrailFunctionOutput()
    )


async def test_a_tool_guardrail_answers_in_place_of_the_tool() -> None:
    ran = []

    @function_tool(tool_input_guardrails=[no_secrets])
    def send(text: str) -> str:
        ran.append(text)
        return "sent"

    agent = Agent(
        name="a", model=ScriptedModel([call("send", text="secret"), call("send", text="hi")], "Done"), tools=[send]
    )
    result = await Runner.run(agent, "Send it")
    outputs = [item for item in result.new_items if item.type == "tool_call_output_item"]
    assert [(item.output, item.outcome) for item in outputs] == [("Secrets stay here.", "rejected"), ("sent", "ok")]
    assert ran == ["hi"]
    assert [r.output.output_info for r in result.tool_input_guardrail_results] == ["secret", None]


async def test_a_tool_guardrail_replaces_an_output() -> None:
    @function_tool(tool_output_guardrails=[no_keys])
    def read() -> str:
        return "sk-123"

    result = await Runner.run(Agent(name="a", model=ScriptedModel(call("read"), "Done"), tools=[read]), "Read")
    assert result.new_items[1].raw["output"] == "[removed]"
    assert len(result.tool_output_guardrail_results) == 1


async def test_a_tool_guardrail_stops_the_run() -> None:
    @tool_input_guardrail(name="never")
    def before(data: Any) -> ToolGuardrailFunctionOutput:
        return ToolGuardrailFunctionOutput.raise_exception("why")

    @tool_output_guardrail
    def after(data: Any) -> ToolGuardrailFunctionOutput:
        return ToolGuardrailFunctionOutput.raise_exception()

    @function_tool(tool_input_guardrails=[before])
    def one() -> str:
        return "1"

    @function_tool(tool_output_guardrails=[after])
    def two() -> str:
        return "2"

    with pytest.raises(ToolInputGuardrailTripwireTriggered, match="'never' stopped the run") as caught:
        await Runner.run(Agent(name="a", model=ScriptedModel(call("one")), tools=[one]), "Go")
    assert caught.value.output.output_info == "why"
    with pytest.raises(ToolOutputGuardrailTripwireTriggered, match="'after' stopped the run"):
        await Runner.run(Agent(name="a", model=ScriptedModel(call("two")), tools=[two]), "Go")
