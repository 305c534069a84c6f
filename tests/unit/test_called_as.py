"""Functions that users type tell a wrong call by the names that were typed."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import inspect
import pickle
from typing import Any

import pytest

import agentkit
from agentkit import Agent, ModelSettings, RunConfig, Runner, SQLiteSession, UserError, function_tool, handoff
from agentkit._called_as import called_as
from agentkit.exceptions import ArgumentError
from agentkit.notebook.chat.handle import Chat

AGENT = Agent(name="a")

CHAT = "It takes agent, session, suggestions, model, context, max_turns, run_config, title."


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda chat: chat(None, mdel="m"),
            f"agentkit.chat has no argument 'mdel'. Did you mean model? {CHAT}",
        ),
        (lambda chat: chat(), f"agentkit.chat needs agent. {CHAT}"),
        (
            lambda chat: chat("a", "s"),
            f"agentkit.chat takes 1 argument without a name, and got 2. Name the others. {CHAT}",
        ),
        (lambda chat: chat("a", agent="b"), f"agentkit.chat got 'agent' twice, by its place and by its name. {CHAT}"),
        (
            lambda chat: chat.list(everwhere=True),
            "agentkit.chat.list has no argument 'everwhere'. Did you mean everywhere? It takes everywhere.",
        ),
        (
            lambda chat: chat.list(3),
            "agentkit.chat.list takes names only, and got 1. Name the others. It takes everywhere.",
        ),
        (lambda chat: chat.forget(), "agentkit.chat.forget needs id. It takes id."),
    ],
)
def test_a_wrong_call_is_told_as_it_was_typed(call: Any, said: str) -> None:
    with pytest.raises(UserError) as raised:
        call(agentkit.chat)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    "name",
    ["approve", "connect", "feedback", "rate", "reject", "run_over", "run_over_async", "set_price", "spans", "traces"],
)
def test_what_users_type_in_notebooks_has_its_name_in_its_errors(name: str) -> None:
    with pytest.raises(UserError, match=rf"^agentkit\.{name} has no argument 'wether'\. It takes "):
        getattr(agentkit, name)(wether=1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Agent(name="x", instrucions="hi"), "Agent has no argument 'instrucions'. Did you mean instructions?"),  # type: ignore[call-arg]
        (lambda: Agent(), "Agent needs name. It takes name, instructions, prompt"),  # type: ignore[call-arg]
        (lambda: Agent(name="x").clone(modle="m"), "Agent has no argument 'modle'. Did you mean model"),
        (lambda: Agent(name="x").as_tool(tool_nam="t"), "agent.as_tool has no argument 'tool_nam'. Did you mean tool_"),  # type: ignore[call-arg]
        (lambda: Runner.run(AGENT, "hi", max_turn=2), "Runner.run has no argument 'max_turn'. Did you mean max_turns?"),  # type: ignore[call-arg]
        (lambda: Runner.run_sync(AGENT, "hi", max_turn=2), "Runner.run_sync has no argument 'max_turn'. Did you mean"),  # type: ignore[call-arg]
        (lambda: Runner.run_streamed(AGENT), "Runner.run_streamed needs input. It takes starting_agent, input"),  # type: ignore[call-arg]
        (lambda: Runner.run_sync(AGENT, "hi", 2), "Runner.run_sync takes 2 arguments without a name, and got 3."),  # type: ignore[call-arg]
        (lambda: function_tool(needs_approvel=True), "function_tool has no argument 'needs_approvel'. Did you m"),  # type: ignore[call-overload]
        (lambda: RunConfig(modell="m"), "RunConfig has no argument 'modell'. Did you mean model"),  # type: ignore[call-arg]
        (lambda: ModelSettings(temprature=1), "ModelSettings has no argument 'temprature'. Did you mean temperature?"),  # type: ignore[call-arg]
        (lambda: handoff(AGENT, on_hand_off=print), "handoff has no argument 'on_hand_off'. Did you mean on_handoff?"),  # type: ignore[call-arg]
        (lambda: SQLiteSession(), "SQLiteSession needs session_id. It takes session_id, db_path"),  # type: ignore[call-arg]
        (lambda: Chat.ask(None, "hi", attachment="x"), "chat.ask has no argument 'attachment'. Did you mean att"),  # type: ignore
    ],
)  # fmt: skip
def test_so_are_those_of_the_core(call: Any, said: str) -> None:
    with pytest.raises(UserError) as raised:
        call()
    assert str(raised.value).startswith(said)
    assert isinstance(raised.value, TypeError)  # as Python's own, for code that catches that
    assert isinstance(raised.value, ArgumentError)


def test_an_agents_class_is_otherwise_as_it_was() -> None:
    made = Agent(name="a", instructions="Hi.")
    assert list(inspect.signature(Agent).parameters)[:3] == ["name", "instructions", "prompt"]
    assert inspect.signature(Agent) == inspect.signature(Agent.__init__).replace(
        parameters=list(inspect.signature(Agent.__init__).parameters.values())[1:], return_annotation=None
    )
    for same in (copy.copy(made), pickle.loads(pickle.dumps(made)), dataclasses.replace(made), made.clone()):
        assert type(same) is Agent
        assert (same.name, same.instructions) == ("a", "Hi.")
    assert str(pickle.loads(pickle.dumps(ArgumentError("no", hint="yes")))) == "no yes"


def test_errors_of_the_function_itself_are_left_as_they_are() -> None:
    @called_as("agentkit.sum")
    def add(a: int, *, b: int = 1) -> int:
        return a + b

    assert add(1, b=2) == 3
    with pytest.raises(TypeError, match="can only concatenate"):
        add("1")  # type: ignore[arg-type]


async def test_a_coroutine_function_is_refused_before_it_is_awaited() -> None:
    @called_as("agentkit.wait")
    async def wait(seconds: float) -> float:
        await asyncio.sleep(0)
        return seconds

    assert await wait(1) == 1
    with pytest.raises(UserError, match="agentkit.wait has no argument 'second'. Did you mean seconds"):
        wait(second=1)  # type: ignore[call-arg]
