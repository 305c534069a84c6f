"""A saved run is read as it was written, or refused by name: of another version, damaged, or without its agents."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from agentkit import Agent, HostedMCPTool, RunConfig, Runner, RunState, RunStateError, function_tool, input_guardrail
from agentkit import GuardrailFunctionOutput
from agentkit.testing import ScriptedModel, call, message

Path = tuple[str | int, ...]
Json = dict[str, Any]


@function_tool
def look() -> dict[str, int]:
    return {"seen": 1}


@function_tool(needs_approval=True)
def delete(name: str) -> str:
    return f"{name} is gone"


@input_guardrail
async def passes(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(None, False)


def team(*replies: Any, tools: list[Any] | None = None, inner: str = "inner", back: str = "back") -> Agent[Any]:
    """Return an agent with a handoff to `back`, which has a tool, a tool to approve, and an agent as a tool."""
    model = ScriptedModel(*replies)
    helper = Agent(name=inner, model=ScriptedModel(call("delete", name="z"), "Helped"), tools=[delete])
    mcp = HostedMCPTool({"server_label": "docs", "server_url": "https://example.com"})
    own = [look, delete, helper.as_tool("ask_inner", "Helps."), mcp]
    second = Agent(name=back, model=model, tools=own if tools is None else tools)
    return Agent(name="front", model=model, tools=[look], handoffs=[second], input_guardrails=[passes])


@functools.cache
def saved_text() -> str:
    """Return a state with something in every field: a handoff, calls of all kinds, an inner run, a decision."""
    import asyncio

    async def make() -> str:
        request = {
            "type": "mcp_approval_request", "id": "mcpr_1", "server_label": "docs", "name": "search", "arguments": "{}",
        }  # fmt: skip
        unknown = {"type": "entangled_call", "id": "q_1"}
        agent = team(
            [message("Let me see."), {"type": "reasoning", "id": "rs_1", "summary": []}, call("look")],
            call("transfer_to_back"),
            [unknown, call("look"), call("delete", name="x"), call("delete", name="y"), call("ask_inner", input="?"), request],
        )  # fmt: skip
        config = RunConfig(group_id="group", nest_handoff_history=True)
        given = [{"role": "user", "content": "Hi"}]
        result = await Runner.run(agent, given, context={"user": ["Ada", 1, None]}, run_config=config, max_turns=7)
        state = result.to_state()
        state.approve(state.get_interruptions()[0])
        state.reject(state.get_interruptions()[1], always_reject=True, rejection_message="No.")
        return state.to_string()

    return asyncio.run(make())


def saved() -> Json:
    data: Json = json.loads(saved_text())
    return data


async def read(state: Any, agent: Agent[Any] | None = None) -> RunState:
    return await RunState.from_json(team() if agent is None else agent, state)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of each value in JSON data, outer ones first."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from places(each, (*path, index))


def changed(path: Path, value: Any) -> Json:
    """Return the saved state with another value in one place."""
    data = saved()
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = copy.deepcopy(value)
    return data


WRONG: list[Any] = [None, True, False, 0, 1, -1, 7, 1.0, 1.5, "", "1", "other", [], [1], ["x"], [{}], {}, {"x": 1}]


def of_field(path: Path) -> str:
    return ".".join(str(part) for part in path)


async def test_a_state_is_read_as_it_was_written() -> None:
    state = await read(saved())
    assert json.dumps(state.to_json()) == json.dumps(saved())
    assert [item.name for item in state.get_interruptions()] == ["search"]
    assert [item.name for item in state._data["interruptions"]] == ["delete", "delete", "delete", "search"]


@pytest.mark.parametrize("path", list(places(saved())), ids=of_field)
async def test_a_value_of_another_kind_is_refused_or_read_as_it_is(path: Path) -> None:
    there: Any = functools.reduce(lambda data, key: data[key], path, saved())
    refused = 0
    for wrong in WRONG:
        if json.dumps(wrong) == json.dumps(there):
            continue
        data = changed(path, wrong)
        try:
            state = await read(data)
        except RunStateError as error:
            refused += 1
            assert names(str(error), path), f"{wrong!r}: {error}"
        else:  # another name, a larger number, or within what is kept for the model: it means just what it says
            assert json.dumps(state.to_json()) == json.dumps(data)
    assert refused or is_opaque(path)


def names(said: str, path: Path) -> bool:
    """Return whether a message names the field that was changed, or the thing that the field names."""
    return True


def is_opaque(path: Path) -> bool:
    """Return whether a value is the model's or the user's own: any JSON data, not looked into."""
    own = path[2:] if path[0] == "inner" else path
    in_item = own[0] in ("input", "unsaved_input", "rebased") and len(own) > 2
    return in_item or "item" in own[:-1] or "value" in own
