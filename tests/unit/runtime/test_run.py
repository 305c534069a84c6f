import asyncio
import dataclasses
import re
import threading
from typing import Any

import pytest
from pydantic import BaseModel

from agentkit import (
    Agent,
    AgentOutputSchema,
    Handoff,
    HandoffCallItem,
    HandoffOutputItem,
    MaxTurnsExceeded,
    MessageOutputItem,
    Model,
    ModelBehaviorError,
    ModelProvider,
    ModelRefusalError,
    ModelResponse,
    ModelSettings,
    RunConfig,
    RunContextWrapper,
    Runner,
    ToolCallItem,
    ToolCallOutputItem,
    Usage,
    UserError,
    function_tool,
    handoff,
)
from agentkit.testing import ScriptedModel, call, message


@function_tool
def get_weather(city: str) -> str:
    return f"The weather in {city} is sunny."


@function_tool
def divide(a: float, b: float) -> float:
    return a / b


async def test_text_is_the_final_output(scripted: ScriptedModel) -> None:
    scripted.reply("Hello!")
    result = await Runner.run(Agent(name="a", instructions="Be nice.", model=scripted), "Hi")
    assert (result.final_output, result.status, result.last_agent.name) == ("Hello!", "completed", "a")
    assert scripted.requests[0].system_instructions == "Be nice."
    assert scripted.requests[0].input == [{"role": "user", "content": "Hi"}]


async def test_a_tool_is_called_and_its_output_goes_back(scripted: ScriptedModel) -> None:
    scripted.reply(call("get_weather", city="Tokyo")).reply("It is sunny.")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[get_weather]), "Weather in Tokyo?")
    assert [type(item) for item in result.new_items] == [ToolCallItem, ToolCallOutputItem, MessageOutputItem]
    assert result.new_items[1].output == "The weather in Tokyo is sunny."
    assert scripted.requests[1].input[-1] == {
        "type": "function_call_output",
        "call_id": "call_1_0",
        "output": "The weather in Tokyo is sunny.",
    }


async def test_failing_tool_goes_back_to_the_model(scripted: ScriptedModel) -> None:
    scripted.reply(call("divide", a=1, b=0)).reply("cannot divide")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[divide]), "1/0?")
    assert result.final_output == "cannot divide"
    assert "float division by zero" in scripted.requests[1].input[-1]["output"]


async def test_a_tool_that_is_not_there_is_told_to_the_model(scripted: ScriptedModel) -> None:
    scripted.reply(call("fly", to="Oslo")).reply("I can't fly.")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[get_weather]), "Fly!")
    assert scripted.requests[1].input[-1]["output"] == "There is no tool named 'fly'. Tools you can call: get_weather."
    assert result.final_output == "I can't fly."


async def test_tools_of_one_turn_run_side_by_side_and_answer_in_order(scripted: ScriptedModel) -> None:
    both = asyncio.Barrier(2)

    @function_tool
    async def meet(name: str) -> str:
        await both.wait()  # neither returns before the other has been called
        return name

    scripted.reply(call("meet", name="first"), call("meet", name="second")).reply("met")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[meet]), "Meet.")
    assert [item.output for item in result.new_items if isinstance(item, ToolCallOutputItem)] == ["first", "second"]


async def test_sync_tools_of_one_turn_run_side_by_side(scripted: ScriptedModel) -> None:
    both = threading.Barrier(2, timeout=10)

    @function_tool
    def meet() -> str:
        both.wait()
        return "here"

    scripted.reply(call("meet"), call("meet")).reply("met")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[meet]), "Meet.")
    assert [item.output for item in result.new_items if isinstance(item, ToolCallOutputItem)] == ["here", "here"]


async def test_a_tool_error_that_is_raised_cancels_its_siblings(scripted: ScriptedModel) -> None:
    cancelled = asyncio.Event()

    @function_tool
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    @function_tool(failure_error_function=None)
    async def fail() -> None:
        raise ModelBehaviorError("no")

    scripted.reply(call("wait"), call("fail"))
    with pytest.raises(ModelBehaviorError, match="no") as caught:
        await Runner.run(Agent(name="a", model=scripted, tools=[wait, fail]), "Go.")
    assert cancelled.is_set()
    assert caught.value.run_data is not None
    assert caught.value.run_data.status == "error"


async def test_text_beside_calls_is_not_final(scripted: ScriptedModel) -> None:
    scripted.reply("Let me look.", call("get_weather", city="Oslo")).reply("Sunny.")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[get_weather]), "Oslo?")
    assert result.final_output == "Sunny."


async def test_an_empty_answer_is_an_empty_output(scripted: ScriptedModel) -> None:
    scripted.reply()
    assert (await Runner.run(Agent(name="a", model=scripted), "Hi")).final_output == ""


async def test_a_handoff_passes_the_conversation_on(scripted: ScriptedModel) -> None:
    spanish = Agent(name="Spanish agent", model=ScriptedModel("¡Hola!"), handoff_description="Speaks Spanish.")
    triage = Agent(name="Triage", model=scripted.reply(call("transfer_to_spanish_agent")), handoffs=[spanish])
    result = await Runner.run(triage, "Hola")
    assert (result.final_output, result.last_agent) == ("¡Hola!", spanish)
    requested, happened, _ = result.new_items
    assert isinstance(requested, HandoffCallItem)
    assert isinstance(happened, HandoffOutputItem)
    assert (happened.source_agent, happened.target_agent) == (triage, spanish)
    assert happened.raw["output"] == '{"assistant": "Spanish agent"}'
    assert scripted.requests[0].handoffs == ["transfer_to_spanish_agent"]


async def test_of_several_handoffs_the_first_happens(scripted: ScriptedModel) -> None:
    one, two = Agent(name="one", model=ScriptedModel("1")), Agent(name="two", model=ScriptedModel("2"))
    scripted.reply(call("transfer_to_one"), call("transfer_to_two"))
    result = await Runner.run(Agent(name="t", model=scripted, handoffs=[one, two]), "Go")
    assert result.final_output == "1"
    assert [item["output"] for item in result.to_input_list() if item.get("type") == "function_call_output"] == [
        '{"assistant": "one"}',
        "Multiple handoffs detected, ignoring this one.",
    ]


async def test_tools_called_beside_a_handoff_run_first(scripted: ScriptedModel) -> None:
    other = Agent(name="other", model=ScriptedModel("done"))
    scripted.reply(call("transfer_to_other"), call("get_weather", city="Rome"))
    result = await Runner.run(Agent(name="t", model=scripted, tools=[get_weather], handoffs=[other]), "Go")
    kinds = [item.type for item in result.new_items]
    assert kinds == [
        "handoff_call_item",
        "tool_call_item",
        "tool_call_output_item",
        "handoff_output_item",
        "message_output_item",
    ]


class Reason(BaseModel):
    reason: str


async def test_a_handoff_can_take_input_and_call_back(scripted: ScriptedModel) -> None:
    said: list[str] = []

    async def on_handoff(ctx: RunContextWrapper[str], data: Reason) -> None:
        said.append(f"{ctx.context}: {data.reason}")

    boss = Agent(name="Boss", model=ScriptedModel("yes"))
    way = handoff(boss, tool_name_override="escalate", on_handoff=on_handoff, input_type=Reason)
    scripted.reply(call("escalate", reason="angry"))
    await Runner.run(Agent(name="t", model=scripted, handoffs=[way]), "!", context="case 7")
    assert said == ["case 7: angry"]


def test_a_handoff_callback_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(UserError, match="on_handoff of the handoff to 'b' can't be called with 1 argument"):
        handoff(Agent(name="b"), on_handoff=lambda: None)


class Event(BaseModel):
    name: str
    participants: list[str]


async def test_output_type_makes_the_answer_an_object(scripted: ScriptedModel) -> None:
    scripted.reply('{"name": "Fair", "participants": ["Ada", "Bob"]}')
    result = await Runner.run(Agent(name="a", model=scripted, output_type=Event), "…")
    assert result.final_output == Event(name="Fair", participants=["Ada", "Bob"])
    assert result.final_output_as(Event, raise_if_incorrect_type=True).name == "Fair"
    with pytest.raises(TypeError, match="The final output is a Event, not a str"):
        result.final_output_as(str, raise_if_incorrect_type=True)


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("output_type", "text", "value"),
    [
        (list[int], '{"response": [1, 2]}', [1, 2]),
        (bool, '{"response": true}', True),
        (Point, '{"x": 3}', Point(3)),
        (int | str, '{"response": "x"}', "x"),
    ],
)
async def test_any_type_can_be_the_output_type(
    scripted: ScriptedModel, output_type: Any, text: str, value: Any
) -> None:
    scripted.reply(text)
    assert (await Runner.run(Agent(name="a", model=scripted, output_type=output_type), "…")).final_output == value


async def test_an_answer_of_another_type_says_where_it_is_wrong(scripted: ScriptedModel) -> None:
    scripted.reply('{"name": 7, "participants": []}')
    with pytest.raises(ModelBehaviorError, match="The model's answer is no Event: name: Input should be a valid"):
        await Runner.run(Agent(name="a", model=scripted, output_type=Event), "…")


def test_an_output_type_with_free_keys_needs_a_non_strict_schema() -> None:
    with pytest.raises(UserError, match=r"Output type dict\[str, int\]: response takes arbitrary keys"):
        AgentOutputSchema(dict[str, int])
    assert AgentOutputSchema(dict[str, int], strict_json_schema=False).validate_json('{"response": {"a": 1}}') == {
        "a": 1
    }


async def test_a_refusal_to_fill_the_output_type_is_raised(scripted: ScriptedModel) -> None:
    refusal = message("")
    refusal["content"] = [{"type": "refusal", "refusal": "I won't."}]
    scripted.reply(refusal)
    with pytest.raises(ModelRefusalError, match="The model refused to answer with Event: I won't"):
        await Runner.run(Agent(name="a", model=scripted, output_type=Event), "…")


async def test_max_turns_stops_the_run_and_keeps_what_it_did(scripted: ScriptedModel) -> None:
    for _ in range(3):
        scripted.reply(call("get_weather", city="Rome"))
    with pytest.raises(MaxTurnsExceeded, match="stopped after 2 turns") as caught:
        await Runner.run(Agent(name="a", model=scripted, tools=[get_weather]), "Go", max_turns=2)
    data = caught.value.run_data
    assert data is not None
    assert (data.status, len(data.raw_responses), len(data.new_items)) == ("max_turns", 2, 4)


async def test_without_max_turns_a_run_may_take_any_number(scripted: ScriptedModel) -> None:
    for _ in range(12):
        scripted.reply(call("get_weather", city="Rome"))
    scripted.reply("done")
    agent = Agent(name="a", model=scripted, tools=[get_weather])
    assert (await Runner.run(agent, "Go", max_turns=None)).final_output == "done"


async def test_the_conversation_goes_on_from_to_input_list(scripted: ScriptedModel) -> None:
    scripted.reply("Paris.").reply("France.")
    agent = Agent(name="a", model=scripted)
    first = await Runner.run(agent, "Capital of France?")
    second = await Runner.run(agent, [*first.to_input_list(), {"role": "user", "content": "Where is that?"}])
    assert [item.get("role") for item in scripted.requests[1].input] == ["user", "assistant", "user"]
    assert second.final_output == "France."


@pytest.mark.parametrize("is_async", [False, True])
async def test_instructions_may_be_a_function(scripted: ScriptedModel, is_async: bool) -> None:
    def plain(ctx: RunContextWrapper[str], agent: Agent[str]) -> str:
        return f"{agent.name} helps {ctx.context}."

    async def later(ctx: RunContextWrapper[str], agent: Agent[str]) -> str:
        return plain(ctx, agent)

    scripted.reply("ok")
    agent = Agent[str](name="A", instructions=later if is_async else plain, model=scripted)
    await Runner.run(agent, "Hi", context="Ada")
    assert scripted.requests[0].system_instructions == "A helps Ada."


async def test_an_instruction_function_must_return_text(scripted: ScriptedModel) -> None:
    agent = Agent(name="A", instructions=lambda ctx, agent: 7, model=scripted)  # type: ignore[arg-type,return-value]
    with pytest.raises(UserError, match="its instruction function returned int, not text"):
        await Runner.run(agent, "Hi")


async def test_usage_is_added_up(scripted: ScriptedModel) -> None:
    scripted.reply(call("get_weather", city="Rome")).reply("Sunny.")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[get_weather]), "Rome?")
    expected = Usage()
    for response in result.raw_responses:
        expected.add(response.usage)
    assert result.usage.to_dict() == expected.to_dict()
    entries = result.usage.request_usage_entries
    assert [(entry.agent_name, entry.model) for entry in entries] == [("a", "scripted")] * 2


async def test_settings_of_the_run_go_over_those_of_the_agent(scripted: ScriptedModel) -> None:
    scripted.reply("ok")
    agent = Agent(name="a", model=scripted, model_settings=ModelSettings(temperature=0.1, max_tokens=50))
    await Runner.run(agent, "Hi", run_config=RunConfig(model_settings=ModelSettings(temperature=0.9)))
    assert scripted.requests[0].model_settings == ModelSettings(temperature=0.9, max_tokens=50)


async def test_a_forced_tool_choice_is_lifted_after_a_tool_call(scripted: ScriptedModel) -> None:
    scripted.reply(call("get_weather", city="Rome")).reply("Sunny.")
    agent = Agent(name="a", model=scripted, tools=[get_weather], model_settings=ModelSettings(tool_choice="required"))
    await Runner.run(agent, "Rome?")
    assert [request.model_settings.tool_choice for request in scripted.requests] == ["required", None]


async def test_the_runs_model_wins_over_the_agents(scripted: ScriptedModel) -> None:
    scripted.reply("from the run")
    agent = Agent(name="a", model=ScriptedModel("from the agent"))
    assert (await Runner.run(agent, "Hi", run_config=RunConfig(model=scripted))).final_output == "from the run"


async def test_names_are_looked_up_with_the_provider(scripted: ScriptedModel) -> None:
    class Provider(ModelProvider):
        def get_model(self, model_name: str | None) -> Model:
            assert model_name == "mine"
            return scripted

    scripted.reply("found")
    config = RunConfig(model_provider=Provider())
    assert (await Runner.run(Agent(name="a", model="mine"), "Hi", run_config=config)).final_output == "found"


async def test_a_model_written_for_an_older_interface_runs() -> None:
    class Old(Model):
        async def get_response(  # type: ignore[override]
            self, system_instructions: Any, input: Any, model_settings: Any, tools: Any, output_schema: Any,
            handoffs: Any, tracing: Any,
        ) -> ModelResponse:  # fmt: skip
            return ModelResponse(output=[message("old")], usage=Usage(), referenceable_id="r1")

        def stream_response(self, *args: Any, **kwargs: Any) -> Any: ...

    result = await Runner.run(Agent(name="a", model=Old()), "Hi")
    assert (result.final_output, result.last_response_id) == ("old", "r1")


async def test_changing_the_input_list_in_a_model_does_not_change_the_run(scripted: ScriptedModel) -> None:
    class Greedy(ScriptedModel):
        async def get_response(self, system_instructions: Any, input: Any, *args: Any, **kwargs: Any) -> ModelResponse:
            response = await super().get_response(system_instructions, list(input), *args, **kwargs)
            input.clear()
            return response

    model = Greedy().reply(call("get_weather", city="Rome")).reply("Sunny.")
    result = await Runner.run(Agent(name="a", model=model, tools=[get_weather]), "Rome?")
    assert len(result.to_input_list()) == 4


def test_a_clone_differs_in_what_is_given() -> None:
    pirate = Agent(name="Pirate", instructions="Write like a pirate", model="m")
    robot = pirate.clone(name="Robot", instructions="Write like a robot")
    assert (robot.name, robot.instructions, robot.model) == ("Robot", "Write like a robot", "m")
    assert pirate.name == "Pirate"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": ""}, "An agent's name can't be empty. Call it something"),
        ({"name": "a", "instructions": 7}, "Agent 'a': instructions have to be text or a function, not int"),
        ({"name": "a", "instructions": lambda: "x"}, "instruction function has to take two arguments"),
        ({"name": "a", "tools": [print]}, r"builtin_function_or_method .* is no tool. Decorate it with @function_tool"),
        ({"name": "a", "tools": get_weather}, "tools has to be a list, not FunctionTool"),
        ({"name": "a", "handoffs": ["b"]}, "a handoff has to be an Agent, not str 'b'"),
        ({"name": "a", "model": 7}, "model has to be a name or a Model, not int"),
        ({"name": "a", "model_settings": {}}, "model_settings has to be ModelSettings, not dict"),
    ],
)
def test_wrong_fields_are_refused_at_once(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        Agent(**fields)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", 5, "An agent's name has to be text, not 5."),
        ("model", 3, "Agent 'a': model has to be a name or a Model, not int."),
        ("tools", ["x"], "Agent 'a': str 'x' is no tool. Make it with function_tool."),
        ("tools", [get_weather, get_weather], "Agent 'a' has two tools or handoffs named 'get_weather'. Rename one."),
        ("instructions", 1, "Agent 'a': instructions have to be text or a function, not int."),
    ],
)
async def test_what_an_agent_was_changed_into_is_refused_before_anything_is_sent(
    scripted: ScriptedModel, field: str, value: Any, problem: str
) -> None:
    changed = Agent(name="a", model=scripted)
    first = Agent(name="first", model=scripted, handoffs=[changed])
    setattr(changed, field, value)
    for agent in (changed, first):
        with pytest.raises(UserError) as raised:
            await Runner.run(agent, "Hi")
        assert str(raised.value) == problem
    assert scripted.requests == []


async def test_an_agent_that_a_handoff_of_ones_own_leads_to_is_looked_at_then(scripted: ScriptedModel) -> None:
    changed = Agent(name="b", model=scripted)
    way = handoff(changed)
    changed.model = 3  # type: ignore[assignment]
    scripted.reply(call(way.tool_name))
    with pytest.raises(UserError, match="Agent 'b': model has to be a name or a Model, not int"):
        await Runner.run(Agent(name="a", model=scripted, handoffs=[way]), "Hi")


def test_two_tools_of_one_name_are_refused_where_both_are_always_on() -> None:
    with pytest.raises(UserError, match="Agent 'a' has two tools or handoffs named 'get_weather'. Rename one."):
        Agent(name="a", tools=[get_weather, get_weather])
    other = dataclasses.replace(get_weather, is_enabled=lambda context, agent: False)
    assert len(Agent(name="a", tools=[get_weather, other]).tools) == 2  # they may take turns


async def test_two_tools_of_one_name_are_refused(scripted: ScriptedModel) -> None:
    with pytest.raises(UserError, match="Agent 'a' has two tools or handoffs named 'get_weather'"):
        await Runner.run(Agent(name="a", model=scripted, tools=[get_weather, get_weather]), "Hi")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("agent", "Hi"), "Runner needs an Agent to start with, not str 'agent'"),
        ((Agent(name="a"), 7), "The input has to be text or a list of items, not int"),
    ],
)
async def test_a_run_refuses_what_it_cannot_start_with(arguments: Any, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        await Runner.run(*arguments)


@pytest.mark.parametrize("item", ["hello", 7, None])
async def test_an_item_of_the_input_must_be_one(scripted: ScriptedModel, item: Any) -> None:
    with pytest.raises(UserError, match=f"An item of the input is {type(item).__name__}"):
        await Runner.run(Agent(name="a", model=scripted), [item])


async def test_settings_of_the_wrong_kind_are_refused(scripted: ScriptedModel) -> None:
    agent = Agent(name="a", model=scripted)
    with pytest.raises(UserError, match="max_turns has to be 1 or more, not '3'"):
        await Runner.run(agent, "Hi", max_turns="3")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="run_config has to be a RunConfig, not list"):
        await Runner.run(agent, "Hi", run_config=[])  # type: ignore[arg-type]
    with pytest.raises(UserError, match="RunConfig has no argument 'modell'. Did you mean model"):
        await Runner.run(agent, "Hi", run_config={"modell": "m"})


async def test_an_output_type_that_is_none_is_refused(scripted: ScriptedModel) -> None:
    with pytest.raises(UserError, match="Agent 'a': an output type has to be a type, not 'Event'"):
        Agent(name="a", model=scripted, output_type="Event")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("History Tutor", r"transfer_to_history_tutor"),
        ("Español", r"transfer_to_espanol"),
        ("数学老师", r"transfer_to_agent_[0-9a-f]{8}"),
        ("Tutor für 数学", r"transfer_to_tutor_fur_[0-9a-f]{8}"),
        ("x" * 80, r"transfer_to_x{43}_[0-9a-f]{8}"),
    ],
)
def test_every_name_makes_a_tool_name(name: str, tool: str) -> None:
    assert re.fullmatch(tool, Handoff.default_tool_name(Agent(name=name)))


async def test_agents_named_in_other_scripts_can_be_handed_over_to(scripted: ScriptedModel) -> None:
    maths, history = Agent(name="数学老师", model=ScriptedModel("四")), Agent(name="历史老师")
    scripted.reply(call(Handoff.default_tool_name(maths)))
    assert (await Runner.run(Agent(name="t", model=scripted, handoffs=[maths, history]), "?")).last_agent is maths


async def test_agents_may_hand_over_in_a_circle(scripted: ScriptedModel) -> None:
    one = Agent(name="one", model=scripted.reply(call("transfer_to_two")).reply("back at one"))
    two = Agent(name="two", model=ScriptedModel(call("transfer_to_one")), handoffs=[one])
    one.handoffs.append(two)
    assert (await Runner.run(one, "Go")).final_output == "back at one"
    assert one != two


async def test_a_tool_whose_own_task_was_cancelled_has_failed_and_the_run_goes_on(scripted: ScriptedModel) -> None:
    @function_tool
    async def look() -> str:
        inner = asyncio.ensure_future(asyncio.Event().wait())
        asyncio.get_running_loop().call_soon(inner.cancel)
        return str(await inner)

    scripted.reply(call("look")).reply("sorry")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[look]), "Go")
    assert result.final_output == "sorry"
    assert "something it waited for was cancelled" in scripted.requests[1].input[-1]["output"]


async def test_instructions_that_exit_end_only_their_run(scripted: ScriptedModel) -> None:
    def leave(ctx: Any, agent: Any) -> str:
        raise SystemExit(1)

    with pytest.raises(UserError, match=r"sys.exit\(1\)"):
        await Runner.run(Agent(name="a", model=scripted, instructions=leave), "Hi")


async def test_outputs_tell_whether_they_are_results(scripted: ScriptedModel) -> None:
    scripted.reply(call("divide", a=1, b=0), call("divide", a=1, b=2), call("fly")).reply("done")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[divide]), "Go")
    outcomes = [item.outcome for item in result.new_items if isinstance(item, ToolCallOutputItem)]
    assert outcomes == ["failed", "ok", "failed"]


async def test_max_turns_below_one_is_refused(scripted: ScriptedModel) -> None:
    with pytest.raises(UserError, match="max_turns has to be 1 or more, not 0"):
        await Runner.run(Agent(name="a", model=scripted), "Hi", max_turns=0)


async def test_agents_of_one_name_are_told_apart(scripted: ScriptedModel) -> None:
    second = Agent(name="twin", model=ScriptedModel("second"))
    first = Agent(name="twin", model=scripted.reply(call("go")), handoffs=[handoff(second, tool_name_override="go")])
    result = await Runner.run(first, "Hi")
    assert [item.agent for item in result.new_items] == [first, first, second]


async def test_unknown_items_are_kept_and_sent_back(scripted: ScriptedModel) -> None:
    odd = {"type": "novel_call", "id": "x1", "payload": 7}
    scripted.reply(odd, call("get_weather", city="Rome")).reply("Sunny.")
    result = await Runner.run(Agent(name="a", model=scripted, tools=[get_weather]), "Rome?")
    assert odd in scripted.requests[1].input
    assert result.new_items[0].raw_item.payload == 7


def test_run_sync_works_without_a_loop() -> None:
    agent = Agent(name="a", model=ScriptedModel("Hello!"))
    assert Runner.run_sync(agent, "Hi").final_output == "Hello!"


async def test_run_sync_works_inside_a_running_loop(scripted: ScriptedModel) -> None:
    scripted.reply("Hello!")
    assert Runner.run_sync(Agent(name="a", model=scripted), "Hi").final_output == "Hello!"


def test_run_sync_works_inside_a_tool_of_a_run_sync() -> None:
    inner = Agent(name="inner", model=ScriptedModel("inner answer"))

    @function_tool
    async def ask_inner() -> str:
        return str(Runner.run_sync(inner, "?").final_output)

    outer = Agent(name="outer", model=ScriptedModel(call("ask_inner"), "ok"), tools=[ask_inner])
    result = Runner.run_sync(outer, "Go")
    assert [item.output for item in result.new_items if isinstance(item, ToolCallOutputItem)] == ["inner answer"]


async def test_a_result_shows_itself_in_one_line(scripted: ScriptedModel) -> None:
    scripted.reply("Hello!")
    result = await Runner.run(Agent(name="a", model=scripted), "Hi")
    assert repr(result) == "RunResult(completed, 'a', turn 1, 'Hello!')"
