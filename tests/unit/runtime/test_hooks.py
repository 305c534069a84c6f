from typing import Any

import pytest

from agentkit import Agent, AgentHooks, RunHooks, Runner, UserError, function_tool
from agentkit.testing import ScriptedModel, call


@function_tool
def double(number: int) -> int:
    return 2 * number


class Recorder(RunHooks[Any]):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        self.seen.append(("start", agent.name, [item["role"] for item in context.turn_input if "role" in item]))

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        self.seen.append(("end", agent.name, output))

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
        self.seen.append(("handoff", from_agent.name, to_agent.name))

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        self.seen.append(("tool", tool.name, context.tool_arguments))

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        self.seen.append(("tool done", tool.name, result))

    async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
        self.seen.append(("model", system_prompt, len(input_items)))

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        self.seen.append(("model done", [item["type"] for item in response.raw_output]))


class AgentRecorder(AgentHooks[Any]):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def on_start(self, context: Any, agent: Any) -> None:
        self.seen.append(("start", agent.name))

    async def on_end(self, context: Any, agent: Any, output: Any) -> None:
        self.seen.append(("end", output))

    async def on_handoff(self, context: Any, agent: Any, source: Any) -> None:
        self.seen.append(("handoff", agent.name, source.name))

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        self.seen.append(("tool", tool.name))

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        self.seen.append(("tool done", result))

    async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
        self.seen.append("model")

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        self.seen.append("model done")


async def test_hooks_of_the_run_see_every_event_in_order() -> None:
    second = Agent(name="second", instructions="S", model=ScriptedModel(call("double", number=2), "4"), tools=[double])
    first = Agent(name="first", instructions="F", model=ScriptedModel(call("transfer_to_second")), handoffs=[second])
    hooks = Recorder()
    await Runner.run(first, "2 times 2?", hooks=hooks)
    assert hooks.seen == [
        ("start", "first", ["user"]),
        ("model", "F", 1),
        ("model done", ["function_call"]),
        ("handoff", "first", "second"),
        ("start", "second", ["user"]),
        ("model", "S", 3),
        ("model done", ["function_call"]),
        ("tool", "double", '{"number":2}'),
        ("tool done", "double", 4),
        ("model", "S", 5),
        ("model done", ["message"]),
        ("end", "second", "4"),
    ]


async def test_hooks_of_an_agent_see_what_is_its_own() -> None:
    hooks = AgentRecorder()
    model = ScriptedModel(call("double", number=2), "4")
    second = Agent(name="second", model=model, tools=[double], hooks=hooks)
    first = Agent(name="first", model=ScriptedModel(call("transfer_to_second")), handoffs=[second])
    await Runner.run(first, "2 times 2?")
    assert hooks.seen == [
        ("start", "second"), "model", "model done", ("tool", "double"),
        ("tool done", 4), "model", "model done", ("end", "4"),
    ]  # fmt: skip


async def test_a_handoff_is_told_to_the_hooks_of_the_agent_that_hands_off() -> None:
    hooks = AgentRecorder()
    second = Agent(name="second", model=ScriptedModel("4"))
    first = Agent(name="first", model=ScriptedModel(call("transfer_to_second")), handoffs=[second], hooks=hooks)
    await Runner.run(first, "2 times 2?")
    assert hooks.seen == [("start", "first"), "model", "model done", ("handoff", "second", "first")]


async def test_hooks_of_run_and_agent_are_called_one_after_the_other() -> None:
    order: list[str] = []

    class OfRun(RunHooks[Any]):
        async def on_agent_start(self, context: Any, agent: Any) -> None:
            order.append("run")

    class OfAgent(AgentHooks[Any]):
        async def on_start(self, context: Any, agent: Any) -> None:
            order.append("agent")

    await Runner.run(Agent(name="a", model=ScriptedModel("Hi"), hooks=OfAgent()), "Hi", hooks=OfRun())
    assert order == ["run", "agent"]


async def test_a_plain_method_is_taken_as_a_hook() -> None:
    seen = []

    class Hooks(RunHooks[Any]):
        def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:  # type: ignore[override]
            seen.append(output)

    await Runner.run(Agent(name="a", model=ScriptedModel("Hi")), "Hi", hooks=Hooks())
    assert seen == ["Hi"]


async def test_an_error_in_a_hook_stops_the_run() -> None:
    class Hooks(RunHooks[Any]):
        async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
            raise ValueError("no")

    model = ScriptedModel("Hi")
    with pytest.raises(ValueError, match="no"):
        await Runner.run(Agent(name="a", model=model), "Hi", hooks=Hooks())
    assert model.requests == []


async def test_hooks_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(UserError, match="hooks have to be RunHooks, not AgentHooks"):
        await Runner.run(Agent(name="a", model=ScriptedModel()), "Hi", hooks=AgentHooks())  # type: ignore[arg-type]
    with pytest.raises(UserError, match="Agent 'a': hooks have to be AgentHooks, not RunHooks"):
        Agent(name="a", hooks=RunHooks())  # type: ignore[arg-type]
