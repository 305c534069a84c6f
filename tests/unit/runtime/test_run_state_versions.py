"""A saved run is read as it was written, or refused by name: of another version, damaged, or without its agents."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from agentkit import (
    Agent,
    AgentsException,
    GuardrailFunctionOutput,
    HostedMCPTool,
    MaxTurnsExceeded,
    ModelResponse,
    RunConfig,
    Runner,
    RunState,
    RunStateError,
    function_tool,
    input_guardrail,
)
from agentkit.runtime.saved_state import SavedState
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


async def saved() -> Json:
    """Return a state with something in every field: a handoff, calls of all kinds, an inner run, a decision."""
    request = {
        "type": "mcp_approval_request",
        "id": "mcpr_1",
        "server_label": "docs",
        "name": "search",
        "arguments": "{}",
    }
    asks = [call("delete", name="x"), call("delete", name="y"), call("ask_inner", input="?"), request]
    agent = team(
        [message("Let me see."), {"type": "reasoning", "id": "rs_1", "summary": []}, call("look")],
        call("transfer_to_back"),
        [{"type": "entangled_call", "id": "q_1"}, call("look"), *asks],
    )
    config = RunConfig(group_id="group", nest_handoff_history=True)
    given = [{"role": "user", "content": "Hi"}]
    result = await Runner.run(agent, given, context={"user": ["Ada", 1, None]}, run_config=config, max_turns=7)
    state = result.to_state()
    state.approve(state.get_interruptions()[0])
    state.reject(state.get_interruptions()[1], always_reject=True, rejection_message="No.")
    return state.to_json()


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


def changed(state: Json, path: Path, value: Any) -> Json:
    """Return the saved state with another value in one place."""
    data = copy.deepcopy(state)
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = copy.deepcopy(value)
    return data


UNUSED = ["saved_count", "previous_response_id", "auto_previous_response_id", "conversation_id", "sent_count"]
"""Fields for a session, and for a conversation that the platform keeps: no run has all."""

WRONG: list[Any] = [None, True, False, 0, 1, -1, 7, 1.0, 1.5, "", "1", "other", [], [1], ["x"], [{}], {}, {"x": 1}]


def at(state: Json, path: Path) -> Any:
    return functools.reduce(lambda data, key: data[key], path, state)


async def test_a_state_is_read_as_it_was_written() -> None:
    data = await saved()
    assert sorted(data) == sorted(SavedState.model_fields)
    assert [field for field, value in data.items() if value in ([], {}, None, 0, False, "")] == UNUSED
    state = await read(json.loads(json.dumps(data)))
    assert json.dumps(state.to_json()) == json.dumps(data)
    assert [item.name for item in state._data["interruptions"]] == ["delete", "delete", "delete", "search"]
    assert [item.name for item in state.get_interruptions()] == ["delete", "search"]


@pytest.mark.parametrize("field", SavedState.model_fields)
async def test_a_value_of_another_kind_is_refused_by_name_or_means_what_it_says(field: str) -> None:
    state = await saved()
    for path in [path for path in places(state) if path[0] == field]:
        refused = [wrong for wrong in WRONG if await is_refused(state, path, wrong)]
        assert refused or is_free(path), path


async def is_refused(state: Json, path: Path, wrong: Any) -> bool:
    """Return whether a state with another value in one place is refused; fail where it is read as something else."""
    data = changed(state, path, wrong)
    try:
        again = await read(data)
    except RunStateError as error:
        if names(path, str(error)):
            return True
        raise AssertionError(f"{wrong!r} at {path}: {error}") from error
    # another count, say, or within what is the model's and the user's: it is kept just so, and can be gone on with
    assert json.dumps(again.to_json()) == json.dumps(data)
    with contextlib.suppress(AgentsException):
        await Runner.run(team("Done"), again, run_config=RunConfig(tracing_disabled=True))
    return False


ALSO_NAMED: dict[str, tuple[str, ...]] = {
    "agent": ("needs agent", "has two"),
    "format": ("its format is not",),
    "version": ("is of version", "names no version"),
    "entries": ("needs agent", "waiting", "responses.", "inner.", "to go on with a call", "saved_count", "rebased_at"),
    "turn": ("entries.",),
    "context": ("The saved run's context",),
    "rebased": ("rebased_at",),
    "inner": ("waiting", "to go on with a call", "(inner): This is no run state", "(inner): This run state is damaged"),
    "input": ("sent_count",),
    "approvals": (),
}
"""By field, what else may be said when it doesn't fit the rest of the state any more."""


def names(path: Path, said: str) -> bool:
    """Return whether a message names what was changed, or what of the state no longer fits it."""
    if path[0] == "inner" and len(path) > 2:
        return f"{path[1]!r} (inner)" in said and names(path[2:], said)
    return any(word in said for word in (f"damaged: {path[0]}", *ALSO_NAMED.get(str(path[0]), ())))


def is_free(path: Path) -> bool:
    """Return whether a value is the model's or the user's own: any JSON data, not looked into."""
    own = path[2:] if path[:1] == ("inner",) and len(path) > 2 else path
    in_item = own[0] in ("input", "unsaved_input", "rebased") and len(own) > 2
    return in_item or "item" in own[:-1] or "value" in own


@pytest.mark.parametrize("field", SavedState.model_fields)
async def test_a_field_that_is_missing_is_refused_by_name(field: str) -> None:
    state = await saved()
    for path in [
        path for path in places(state) if path[0] == field and isinstance(path[-1], str) and not is_free(path)
    ]:
        data = copy.deepcopy(state)
        del at(data, path[:-1])[path[-1]]
        if path[:-1] == ("approvals", "tools"):  # a decision fewer, that is all
            assert (await read(data)).to_json() == data
            continue
        with pytest.raises(RunStateError) as caught:
            await read(data)
        assert names(path, str(caught.value)), path


async def test_a_field_too_many_is_refused_by_name() -> None:
    state = await saved()
    free = {"inner", "tools", "item", "input", "unsaved_input", "rebased"}
    own = [
        path for path in places(state) if (not is_free(path) and not free & {*path[-2:]}) or path[-2:-1] == ("inner",)
    ]
    objects = [path for path in own if isinstance(at(state, path), dict)]
    assert len(objects) > 20
    for path in [(), *objects]:
        data = copy.deepcopy(state)
        at(data, path)["extra"] = 1
        with pytest.raises(RunStateError, match=r"extra: Extra inputs are not permitted"):
            await read(data)


@pytest.mark.parametrize("version", [0, 2, 99, "1", 1.0, True, None, [1]])
async def test_another_version_is_refused_by_name(version: Any) -> None:
    with pytest.raises(RunStateError) as caught:
        await read({**await saved(), "version": version})
    said = f"This run state is of version {version!r}; this agentkit reads version 1."
    assert str(caught.value) == f"{said} Go on with the agentkit that saved it."


async def test_a_version_is_refused_before_anything_else_is_looked_at() -> None:
    with pytest.raises(RunStateError, match="is of version 2; this agentkit reads version 1"):
        await read({"format": "agentkit.run_state", "version": 2, "whatever": "it has"})
    with pytest.raises(RunStateError, match="names no version; this agentkit reads version 1"):
        await read({"format": "agentkit.run_state"})


@pytest.mark.parametrize(
    "other",
    [
        {}, [], None, "text", 1, [{"format": "agentkit.run_state"}], {"state": {}}, {"format": None, "version": 1},
        {"$schemaVersion": "1.0", "current_turn": 1}, {"format": "agentkit.trace", "version": 1},
    ],
)  # fmt: skip
async def test_what_is_no_run_state_is_refused_as_such(other: Any) -> None:
    with pytest.raises(RunStateError, match="This is no run state of agentkit: its format is not 'agentkit.run_state'"):
        await read(other)


async def test_text_that_is_cut_anywhere_is_refused() -> None:
    text, agent = json.dumps(await saved()), team()
    assert json.loads((await RunState.from_string(agent, text)).to_string()) == json.loads(text)
    for length in range(len(text)):
        with pytest.raises(RunStateError, match=r"isn't JSON|its format is not"):
            await RunState.from_string(agent, text[:length])


@pytest.mark.parametrize("field", ["entries", "responses", "waiting", "inner"])
async def test_a_list_that_lacks_an_end_is_refused(field: str) -> None:
    state = await saved()
    for kept in range(len(state[field])):
        data = copy.deepcopy(state)
        data[field] = dict(list(data[field].items())[:kept]) if field == "inner" else data[field][:kept]
        with pytest.raises(RunStateError, match=r"damaged: (entries|responses|waiting|inner|saved_count|rebased_at)"):
            await read(data)


@pytest.mark.parametrize(("inner", "back", "missing"), [("renamed", "back", "inner"), ("inner", "renamed", "back")])
async def test_a_run_whose_agent_has_another_name_now_is_refused_by_name(inner: str, back: str, missing: str) -> None:
    agents = ", ".join(sorted(["front", inner, back]))
    with pytest.raises(RunStateError) as caught:
        await read(await saved(), team(inner=inner, back=back))
    assert f"The saved run needs agent {missing!r}, which can't be reached from 'front'." in str(caught.value)
    assert f"Agents that can: {agents}." in str(caught.value)


async def test_a_run_of_another_agent_is_refused_by_name() -> None:
    with pytest.raises(RunStateError, match="needs agent 'back', which can't be reached from 'stranger'"):
        await read(await saved(), Agent(name="stranger"))


async def test_two_agents_of_one_name_are_refused_by_name() -> None:
    with pytest.raises(RunStateError, match="Two agents that can be reached from 'front' are named 'back'"):
        await read(await saved(), team(inner="back"))


@pytest.mark.parametrize("gone", ["delete", "ask_inner"])
async def test_a_call_of_a_tool_that_is_gone_is_refused_by_name(gone: str) -> None:
    agent = team()
    second: Any = agent.handoffs[0]
    helper = Agent(
        name="kept", handoffs=[tool.on_invoke_tool.agent for tool in second.tools if tool.name == "ask_inner"]
    )
    second.tools = [tool for tool in second.tools if tool.name != gone]
    second.handoffs = [] if gone == "delete" else [helper]  # so that only the tool is missing
    with pytest.raises(RunStateError) as caught:
        await read(await saved(), agent)
    left = ", ".join(tool.name for tool in second.tools)
    assert str(caught.value) == (
        f"The saved run is to go on with a call of tool {gone!r}, which agent 'back' doesn't have. It has: {left}."
    )


async def test_a_tool_that_is_called_no_more_may_be_gone() -> None:
    agent = team()
    agent.tools = []
    assert [item.name for item in (await read(await saved(), agent)).get_interruptions()] == ["delete", "search"]


async def test_a_handoff_that_is_gone_is_refused_by_name() -> None:
    model = ScriptedModel([call("delete", name="x"), call("transfer_to_back")])
    back = Agent(name="back")
    agent = Agent(name="front", model=model, tools=[delete], handoffs=[back])
    data = (await Runner.run(agent, "Hi")).to_state().to_json()
    agent.handoffs = []
    with pytest.raises(RunStateError) as caught:
        await RunState.from_json(agent, data)
    assert str(caught.value) == (
        "The saved run is to go on with a call of handoff 'transfer_to_back', which agent 'front' doesn't have. "
        "It has: none."
    )


async def test_a_context_that_json_would_change_is_left_out_by_name() -> None:
    agent = Agent(name="a", model=ScriptedModel(call("delete", name="x")), tools=[delete])
    state = (await Runner.run(agent, "Hi", context={"ratio": float("nan")})).to_state()
    with pytest.raises(RunStateError, match="The saved run's context, a builtins.dict, was left out"):
        await RunState.from_string(agent, state.to_string())


async def test_answers_stay_with_their_turns_when_a_message_came_between_that_no_answer_holds() -> None:
    model = ScriptedModel(call("look"), [call("look"), call("delete", name="x")], "Done")
    agent = Agent(name="a", model=model, tools=[look, delete])
    handlers: Any = {"max_turns": lambda given: "Too long."}
    first = await Runner.run(agent, "Hi", max_turns=1, error_handlers=handlers)
    assert first.final_output == "Too long."
    waits = await Runner.run(agent, first.to_state())
    state = await RunState.from_string(agent, waits.to_state().to_string())
    assert [response.to_input_items() for response in waits.raw_responses] == [
        list(response.raw_output) for response in state._data["responses"]
    ]
    state.approve(state.get_interruptions()[0])
    result = await Runner.run(agent, state)
    assert [(item.type, getattr(item, "output", None)) for item in result.new_items[-3:]] == [
        ("tool_call_output_item", {"seen": 1}), ("tool_call_output_item", "x is gone"), ("message_output_item", None),
    ]  # fmt: skip


async def test_what_was_stopped_before_its_input_was_checked_is_checked_when_it_goes_on() -> None:
    found: list[bool] = []

    @input_guardrail
    async def stops_once(context: Any, agent: Any, given: Any) -> GuardrailFunctionOutput:
        found.append(not found)
        return GuardrailFunctionOutput(None, found[-1])

    agent = Agent(name="a", model=ScriptedModel("One", "Two", "Three"), input_guardrails=[stops_once])
    with pytest.raises(AgentsException) as caught:
        await Runner.run(agent, "Hi")
    assert caught.value.run_data is not None
    state = await RunState.from_string(agent, caught.value.run_data.to_state().to_string())
    result = await Runner.run(agent, state)
    await Runner.run(agent, result.to_state())
    assert found == [True, False]


async def test_answers_are_told_apart_where_a_model_sends_the_very_same_object_again() -> None:
    again = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}

    class Same(ScriptedModel):
        async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
            return ModelResponse([again])

    agent = Agent(name="a", model=Same(), tools=[look])
    with pytest.raises(MaxTurnsExceeded) as caught:
        await Runner.run(agent, "Hi", max_turns=3)
    assert caught.value.run_data is not None
    state = caught.value.run_data.to_state()
    assert [(each["first"], each["items"]) for each in state.to_json()["responses"]] == [(0, 1), (2, 1), (4, 1)]
    assert (await read(state.to_json(), agent)).to_json() == state.to_json()
