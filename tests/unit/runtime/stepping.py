"""An event loop that does something after its n-th step, and a run with a bit of everything to do it to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from agentkit import (
    Agent,
    GuardrailFunctionOutput,
    ModelInputData,
    RunConfig,
    ToolGuardrailFunctionOutput,
    function_tool,
    handoff,
    input_guardrail,
    output_guardrail,
    tool_input_guardrail,
)
from agentkit.testing import call

from .raw_model import RawModel, said
from .seen import HookLog

__all__ = ["SteppingLoop", "in_steps", "rich_agent", "rich_config"]

T = TypeVar("T")


class SteppingLoop(asyncio.SelectorEventLoop):
    """Counts its steps, in each of which every task that can go on does so once."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self._due: dict[int, Callable[[], Any]] = {}

    def after(self, steps: int, what: Callable[[], Any]) -> None:
        """Have something called after so many further steps: before all tasks, at a moment when each is waiting."""
        self._due[self.steps + steps] = what

    def forget(self) -> None:
        """Call nothing that isn't due yet."""
        self._due.clear()

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]  # private, and the one place through which every step goes
        self.steps += 1
        if (what := self._due.pop(self.steps, None)) is not None:
            what()


def in_steps(main: Callable[[SteppingLoop], Coroutine[Any, Any, T]]) -> T:
    """Return what `main` gives, run in a loop that counts its steps."""
    with asyncio.Runner(loop_factory=SteppingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SteppingLoop)
        return runner.run(main(loop))


class SlowHooks(HookLog):
    """Takes a step in each hook."""

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if not name.startswith("on_"):
            return method

        async def slowly(*args: Any) -> None:
            await asyncio.sleep(0)
            await method(*args)

        return slowly


@function_tool
async def look(at: str) -> str:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return f"saw {at}"


@function_tool
def count(to: int) -> int:
    return sum(range(to))


@tool_input_guardrail
async def is_polite(data: Any) -> ToolGuardrailFunctionOutput:
    await asyncio.sleep(0)
    return ToolGuardrailFunctionOutput.allow()


@function_tool(tool_input_guardrails=[is_polite], timeout=60)
async def ask(whom: str) -> str:
    await asyncio.sleep(0)
    return f"{whom} says yes"


@input_guardrail
async def beside(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
    for _ in range(4):
        await asyncio.sleep(0)
    return GuardrailFunctionOutput(None, False)


@input_guardrail(run_in_parallel=False)
def before(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, False)


@output_guardrail
async def after(context: Any, agent: Any, output: Any) -> GuardrailFunctionOutput:
    await asyncio.sleep(0)
    return GuardrailFunctionOutput(None, False)


async def told(context: Any, agent: Any) -> str:
    await asyncio.sleep(0)
    return f"You are {agent.name}."


async def unchanged(data: Any) -> ModelInputData:
    await asyncio.sleep(0)
    return data.model_data


async def noted(context: Any) -> None:
    await asyncio.sleep(0)


def numbered(*calls: dict[str, Any]) -> list[dict[str, Any]]:
    """Return calls with ids."""
    return [{**each, "id": f"fc_{n}", "call_id": f"{each['name']}_{n}"} for n, each in enumerate(calls)]


def rich_agent() -> Agent[Any]:
    """Return an agent whose run has tools of all kinds, an agent as a tool, a handoff, guardrails and hooks."""
    helper_model = RawModel(
        [[said("Let me look."), *numbered(call("look", at="it"), call("count", to=4))]], "Helped.", slow=True
    )
    helper = Agent(name="helper", model=helper_model, tools=[look, count])
    back = Agent(
        name="back",
        instructions=told,
        model=RawModel([numbered(call("look", at="the end"))], "All is well.", slow=True),
        tools=[look],
        output_guardrails=[after],
    )
    calls = [
        [{"type": "reasoning", "id": "rs_1", "summary": []}, said("I", "see."), *numbered(call("ask", whom="Ada"))],
        numbered(call("look", at="it"), call("count", to=3), call("ask_helper", input="help"), call("nobody")),
        numbered(call("transfer_to_back")),
    ]
    return Agent(
        name="front",
        instructions=told,
        model=RawModel(calls, slow=True),
        tools=[look, count, ask, helper.as_tool("ask_helper", "Helps.", hooks=SlowHooks())],
        handoffs=[handoff(back, on_handoff=noted)],
        input_guardrails=[before, beside],
    )


def rich_config() -> RunConfig:
    """Return settings for it."""
    return RunConfig(call_model_input_filter=unchanged)
