import json
from typing import Any

import pytest
from pydantic import BaseModel

from agentkit import Agent, MaxTurnsExceeded, RunConfig, RunHooks, Runner, UserError, function_tool
from agentkit.testing import ScriptedModel, call


def with_tool(inner: Agent[Any], *replies: Any, **options: Any) -> Agent[Any]:
    return Agent(name="outer", model=ScriptedModel(*replies), tools=[inner.as_tool("ask", "Asks", **options)])


async def test_an_agent_is_a_tool_that_answers_from_an_input_of_its_own() -> None:
    model = ScriptedModel("Hola")
    inner = Agent(name="Spanish agent", instructions="Translate.", model=model)
    tool = inner.as_tool(tool_name="translate_to_spanish", tool_description="Translates to Spanish")
    assert (tool.name, tool.description, list(tool.params_json_schema["properties"])) == (
        "translate_to_spanish", "Translates to Spanish", ["input"],
    )  # fmt: skip
    outer = Agent(name="outer", model=ScriptedModel(call(tool.name, input="Hello"), "Done"), tools=[tool])
    result = await Runner.run(outer, "Say hello in Spanish")
    assert result.new_items[1].raw["output"] == "Hola"
    assert model.requests[0].input == [{"role": "user", "content": "Hello"}]
    assert result.usage.requests == 3


def test_the_name_is_made_from_the_agents() -> None:
    assert Agent(name="Spanish agent!").as_tool(None, "…").name == "spanish_agent"
    with pytest.raises(UserError, match="No tool name can be made from the agent's name '日本'"):
        Agent(name="日本").as_tool()


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_extractor_makes_the_output(kind: str) -> None:
    async def later(result: Any) -> str:
        return f"{result.final_output}, said {result.last_agent.name} for {result.agent_tool_invocation.tool_name}"

    def now(result: Any) -> str:
        return f"{result.final_output}, said {result.last_agent.name} for {result.agent_tool_invocation.tool_name}"

    inner = Agent(name="inner", model=ScriptedModel("42"))
    outer = with_tool(inner, call("ask", input="?"), "Done", custom_output_extractor=later if kind == "async" else now)
    assert (await Runner.run(outer, "Ask")).new_items[1].raw["output"] == "42, said inner for ask"


class Event(BaseModel):
    name: str
    day: int


async def test_a_structured_output_reaches_the_caller_as_json() -> None:
    inner = Agent(name="inner", model=ScriptedModel('{"name": "Fair", "day": 3}'), output_type=Event)
    result = await Runner.run(with_tool(inner, call("ask", input="?"), "Done"), "Ask")
    assert json.loads(result.new_items[1].raw["output"]) == {"name": "Fair", "day": 3}


async def test_structured_parameters_are_validated_and_passed_on() -> None:
    model = ScriptedModel("Booked")
    inner = Agent(name="inner", model=model)
    outer = with_tool(
        inner, call("ask", name="Fair", day="x"), call("ask", name="Fair", day=3), "Done", parameters=Event
    )
    result = await Runner.run(outer, "Book it")
    assert (
        "Invalid JSON input for agent 'inner': day: Input should be a valid integer"
        in result.new_items[1].raw["output"]
    )
    assert json.loads(model.requests[0].input[0]["content"]) == {"name": "Fair", "day": 3}


async def test_an_input_builder_makes_the_inner_input() -> None:
    model = ScriptedModel("Booked")
    inner = Agent(name="inner", model=model)
    outer = with_tool(
        inner, call("ask", name="Fair", day=3), "Done",
        parameters=Event, input_builder=lambda given: f"Book {given['params']['name']}",
    )  # fmt: skip
    await Runner.run(outer, "Book it")
    assert model.requests[0].input == [{"role": "user", "content": "Book Fair"}]


@function_tool
def look() -> str:
    return "seen"


async def test_max_turns_are_those_of_the_inner_run() -> None:
    inner = Agent(name="inner", model=ScriptedModel(call("look"), call("look")), tools=[look])
    result = await Runner.run(with_tool(inner, call("ask", input="?"), "Done", max_turns=1), "Ask")
    assert "stopped after 1 turn (max_turns)" in result.new_items[1].raw["output"]
    assert (result.new_items[1].outcome, result.usage.requests) == ("failed", 3)


async def test_without_failure_function_the_inner_error_is_raised() -> None:
    inner = Agent(name="inner", model=ScriptedModel(call("look"), call("look")), tools=[look])
    outer = with_tool(inner, call("ask", input="?"), max_turns=1, failure_error_function=None)
    with pytest.raises(MaxTurnsExceeded, match="after 1 turn"):
        await Runner.run(outer, "Ask")


async def test_the_inner_stream_reaches_the_tools_callback() -> None:
    inner = Agent(name="inner", model=ScriptedModel(call("look"), "Seen"), tools=[look])
    told = []

    async def on_stream(event: Any) -> None:
        if event["event"].type == "run_item_stream_event":
            told.append((event["agent"].name, event["tool_call"]["name"], event["event"].name))

    await Runner.run(with_tool(inner, call("ask", input="?"), "Done", on_stream=on_stream), "Ask")
    assert told == [
        ("inner", "ask", "tool_called"), ("inner", "ask", "tool_output"), ("inner", "ask", "message_output_created"),
    ]  # fmt: skip


async def test_events_of_inner_runs_carry_their_path_and_come_before_the_tools_output() -> None:
    innermost = Agent(name="innermost", model=ScriptedModel("Deep"))
    inner = Agent(
        name="inner", model=ScriptedModel(call("dig", input="?"), "Dug"), tools=[innermost.as_tool("dig", "Digs")]
    )
    stream = Runner.run_streamed(with_tool(inner, call("ask", input="?"), "Done"), "Ask")
    seen: list[Any] = []
    async for event in stream.stream_events():
        if event.type == "agent_tool_stream_event" and event.event.type == "run_item_stream_event":
            seen.append((event.path, event.event.name))
        elif event.type == "run_item_stream_event":
            seen.append(event.name)
    assert seen == [
        "tool_called",
        (("ask",), "tool_called"),
        (("ask", "dig"), "message_output_created"),
        (("ask",), "tool_output"),
        (("ask",), "message_output_created"),
        "tool_output",
        "message_output_created",
    ]


async def test_the_inner_run_gets_context_and_hooks() -> None:
    seen = []

    class Hooks(RunHooks[Any]):
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            seen.append((agent.name, context.context))

    inner = Agent(name="inner", model=ScriptedModel("Hi"))
    await Runner.run(with_tool(inner, call("ask", input="?"), "Done", hooks=Hooks()), "Ask", context="mine")
    assert seen == [("inner", "mine")]


async def test_a_disabled_agent_tool_is_not_offered() -> None:
    outer = with_tool(Agent(name="inner"), "Hi", is_enabled=lambda context, agent: context.context == "full")
    await Runner.run(outer, "Ask", context="free")
    assert isinstance(outer.model, ScriptedModel)
    assert outer.model.requests[0].tools == []


async def test_the_inner_run_stays_within_the_token_budget_of_the_outer() -> None:
    inner = Agent(name="inner", model=ScriptedModel("Hi"))
    outer = with_tool(inner, call("ask", input="?"), "Done", failure_error_function=None)
    from agentkit import BudgetExceeded

    with pytest.raises(BudgetExceeded):
        await Runner.run(
            outer, "A question that is long enough to cost a token or two", run_config=RunConfig(budget_tokens=1)
        )
