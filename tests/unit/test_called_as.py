"""Functions that users type tell a wrong call by the names that were typed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import agentkit
from agentkit import UserError
from agentkit._called_as import called_as

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
