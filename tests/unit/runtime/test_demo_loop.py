"""A conversation at the terminal."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from agentkit import Agent, function_tool
from agentkit.runtime.demo_loop import run_demo_loop
from agentkit.testing import ScriptedModel, call


@function_tool
def look_up(word: str) -> str:
    return f"{word}!"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda *lines: monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


async def test_the_conversation_goes_on_and_ends_with_quit(typed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    typed("Hi", "", "And?", "quit", "never read")
    model = ScriptedModel("Hello there", "And so on")
    await run_demo_loop(Agent(name="a", model=model))
    assert capsys.readouterr().out == " > Hello there\n >  > And so on\n > "
    assert [len(request.input) for request in model.requests] == [1, 3]


async def test_tool_calls_and_handoffs_have_a_line(typed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    typed("Hi", "Again")
    second = Agent(name="second", model=ScriptedModel(call("look_up", word="x"), "Done", "Still me"), tools=[look_up])
    first = Agent(name="first", model=ScriptedModel(call("transfer_to_second")), handoffs=[second])
    await run_demo_loop(first)
    assert capsys.readouterr().out == (
        " > \n[Agent updated: second]\n\n[Tool called: look_up]\n\n[Tool output: x!]\nDone\n > Still me\n > \n"
    )


async def test_answers_can_come_whole(typed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    typed("Hi", "exit")
    await run_demo_loop(Agent(name="a", model=ScriptedModel("Hello")), stream=False)
    assert capsys.readouterr().out == " > Hello\n > "
