import asyncio
import base64
from typing import Any

import pytest

from agentkit import (
    Agent,
    ModelBehaviorError,
    RunConfig,
    Runner,
    StopAtTools,
    ToolContext,
    ToolExecutionConfig,
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
    ToolsToFinalOutputResult,
    ToolTimeoutError,
    UserError,
    function_tool,
    handoff,
)
from agentkit.testing import ScriptedModel, call


@function_tool
def weather(city: str) -> str:
    return f"sunny in {city}"


@function_tool
def count() -> int:
    return 3


async def run(agent: Agent[Any], **options: Any) -> Any:
    return (await Runner.run(agent, "Go", **options)).final_output


async def test_the_first_tools_output_can_be_the_final_output() -> None:
    model = ScriptedModel([call("count"), call("weather", city="Rome")])
    agent = Agent(name="a", model=model, tools=[weather, count], tool_use_behavior="stop_on_first_tool")
    assert await run(agent) == "3"


async def test_the_output_of_a_named_tool_can_be_the_final_output() -> None:
    model = ScriptedModel(call("count"), call("weather", city="Rome"))
    behavior = StopAtTools(stop_at_tool_names=["weather"])
    agent = Agent(name="a", model=model, tools=[weather, count], tool_use_behavior=behavior)
    assert await run(agent) == "sunny in Rome"


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_function_can_decide_about_the_tools_outputs(kind: str) -> None:
    def decide(context: Any, results: Any) -> ToolsToFinalOutputResult:
        if results[0].tool.name == "weather":
            return ToolsToFinalOutputResult(is_final_output=True, final_output=f"It is {results[0].output}.")
        return ToolsToFinalOutputResult(is_final_output=False)

    async def later(context: Any, results: Any) -> ToolsToFinalOutputResult:
        return decide(context, results)

    model = ScriptedModel(call("count"), call("weather", city="Rome"))
    behavior = decide if kind == "sync" else later
    agent = Agent(name="a", model=model, tools=[weather, count], tool_use_behavior=behavior)
    assert await run(agent) == "It is sunny in Rome."


async def test_with_an_output_type_the_tools_value_is_kept_as_it_is() -> None:
    model = ScriptedModel(call("count"))
    agent = Agent(name="a", model=model, tools=[count], tool_use_behavior="stop_on_first_tool", output_type=int)
    assert await run(agent) == 3


def test_an_unknown_behavior_is_refused() -> None:
    with pytest.raises(UserError, match="tool_use_behavior can't be 'stop'. Use"):
        Agent(name="a", tool_use_behavior="stop")  # type: ignore[arg-type]


async def test_a_disabled_tool_is_neither_offered_nor_run() -> None:
    @function_tool(is_enabled=False)
    def hidden() -> str:
        raise AssertionError

    model = ScriptedModel(call("hidden"), "Done")
    result = await Runner.run(Agent(name="a", model=model, tools=[hidden, count]), "Go")
    assert model.requests[0].tools == ["count"]
    assert result.new_items[1].raw["output"] == "There is no tool named 'hidden'. Tools you can call: count."


async def test_enabling_is_asked_anew_before_each_model_call() -> None:
    asked = []

    async def enabled(context: Any, agent: Any) -> bool:
        asked.append(agent.name)
        return len(asked) == 1

    @function_tool(is_enabled=enabled)
    def once() -> str:
        return "done"

    model = ScriptedModel(call("once"), "Done")
    await Runner.run(Agent(name="a", model=model, tools=[once]), "Go")
    assert ([request.tools for request in model.requests], asked) == ([["once"], []], ["a", "a"])


async def test_a_disabled_handoff_is_not_offered() -> None:
    other = Agent(name="other")
    model = ScriptedModel("Hi")
    ways = [handoff(other, is_enabled=lambda context, agent: False), handoff(other, tool_name_override="go")]
    await Runner.run(Agent(name="a", model=model, handoffs=ways), "Go")
    assert model.requests[0].handoffs == ["go"]


async def test_a_tool_that_takes_too_long_is_told_to_the_model() -> None:
    @function_tool(timeout=0.01)
    async def slow() -> str:
        await asyncio.Event().wait()
        return "never"

    @function_tool(timeout=0.01, timeout_error_function=lambda context, error: "Took too long.")
    async def told() -> str:
        await asyncio.Event().wait()
        return "never"

    model = ScriptedModel([call("slow"), call("told")], "Done")
    result = await Runner.run(Agent(name="a", model=model, tools=[slow, told]), "Go")
    outputs = [(item.output, item.outcome) for item in result.new_items if item.type == "tool_call_output_item"]
    assert outputs == [("Tool 'slow' took longer than 0.01 seconds.", "failed"), ("Took too long.", "failed")]


async def test_a_tool_that_takes_too_long_can_stop_the_run() -> None:
    @function_tool(timeout=0.01, timeout_behavior="raise_exception")
    async def slow() -> str:
        await asyncio.Event().wait()
        return "never"

    with pytest.raises(ToolTimeoutError, match="Tool 'slow' took longer than 0.01 seconds"):
        await Runner.run(Agent(name="a", model=ScriptedModel(call("slow")), tools=[slow]), "Go")


async def test_a_tools_own_timeout_error_is_not_taken_for_the_limit() -> None:
    @function_tool(timeout=10)
    async def fails() -> str:
        raise TimeoutError("the server")

    result = await Runner.run(Agent(name="a", model=ScriptedModel(call("fails"), "Done"), tools=[fails]), "Go")
    assert "Error: the server" in result.new_items[1].output


@pytest.mark.parametrize("timeout", [0, -1, "5", True])
def test_a_timeout_that_is_none_is_refused(timeout: Any) -> None:
    with pytest.raises(UserError, match="a timeout is a number of seconds above 0"):
        function_tool(timeout=timeout, name_override="slow")(lambda: "x")


PNG = "data:image/png;base64," + base64.b64encode(b"x").decode()


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (ToolOutputText(text="hi"), [{"type": "input_text", "text": "hi"}]),
        (ToolOutputImage(image_url=PNG, detail="low"), [{"type": "input_image", "image_url": PNG, "detail": "low"}]),
        (ToolOutputImage(file_id="file-1"), [{"type": "input_image", "file_id": "file-1"}]),
        (
            ToolOutputFileContent(file_data="eA==", filename="x.txt"),
            [{"type": "input_file", "file_data": "eA==", "filename": "x.txt"}],
        ),
        (
            [{"type": "text", "text": "see"}, {"type": "image", "image_url": PNG}],
            [{"type": "input_text", "text": "see"}, {"type": "input_image", "image_url": PNG}],
        ),
        ({"type": "text", "other": 1}, "{'type': 'text', 'other': 1}"),
        ([ToolOutputText(text="hi"), 3], "[ToolOutputText(type='text', text='hi'), 3]"),
        ([], "[]"),
        (3, "3"),
        (None, "None"),
    ],
)
async def test_what_a_tool_returns_reaches_the_model_as_text_or_parts(value: Any, sent: Any) -> None:
    @function_tool
    def give() -> Any:
        return value

    result = await Runner.run(Agent(name="a", model=ScriptedModel(call("give"), "Done"), tools=[give]), "Go")
    assert (result.new_items[1].raw["output"], result.new_items[1].output) == (sent, value)


async def test_a_picture_reaches_the_model_as_an_image() -> None:
    class Picture:
        def _repr_png_(self) -> bytes:
            return b"x"

    @function_tool
    def draw() -> Any:
        return Picture()

    result = await Runner.run(Agent(name="a", model=ScriptedModel(call("draw"), "Done"), tools=[draw]), "Go")
    assert result.new_items[1].raw["output"] == [{"type": "input_image", "image_url": PNG}]


def test_an_image_without_a_source_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an image_url or a file_id"):
        ToolOutputImage()


async def test_the_context_of_a_call_has_all_that_belongs_to_it() -> None:
    seen: list[ToolContext[Any]] = []

    @function_tool
    def look(ctx: ToolContext[Any], what: str) -> str:
        seen.append(ctx)
        return what

    config = RunConfig()
    agent = Agent(name="a", model=ScriptedModel(call("look", what="x"), "Done"), tools=[look])
    await Runner.run(agent, "Go", context=7, run_config=config)
    ctx = seen[0]
    assert (ctx.context, ctx.tool_name, ctx.tool_arguments, ctx.agent, ctx.run_config) == (
        7, "look", '{"what":"x"}', agent, config,
    )  # fmt: skip
    assert ctx.tool_call is not None
    assert ctx.tool_call["call_id"] == ctx.tool_call_id


async def test_a_limit_lets_no_more_tools_run_at_once() -> None:
    running = most = 0

    @function_tool
    async def work() -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        running -= 1
        return "done"

    config = RunConfig(tool_execution=ToolExecutionConfig(max_function_tool_concurrency=2))
    agent = Agent(name="a", model=ScriptedModel([call("work") for _ in range(6)], "Done"), tools=[work])
    await Runner.run(agent, "Go", run_config=config)
    assert most == 2


async def test_an_unknown_tool_can_stop_the_run_or_be_told_in_own_words() -> None:
    with pytest.raises(ModelBehaviorError, match="There is no tool named 'fly'"):
        await Runner.run(
            Agent(name="a", model=ScriptedModel(call("fly"))), "Go",
            run_config=RunConfig(tool_not_found_behavior="raise_error"),
        )  # fmt: skip
    config = RunConfig(tool_error_formatter=lambda args: f"No {args.tool_name}.")
    result = await Runner.run(Agent(name="a", model=ScriptedModel(call("fly"), "Done")), "Go", run_config=config)
    assert result.new_items[1].raw["output"] == "No fly."
