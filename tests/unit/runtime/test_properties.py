"""What holds of every run, whatever the model sends: generated runs, each plain, streamed and resumed from JSON."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings

from agentkit import Agent, AgentsException, MaxTurnsExceeded, RunConfig, Runner, RunState, set_trace_processors
from agentkit.testing import ScriptedModel
from agentkit.tracing.processors import reset_tracing

from .plans import Plan, plans
from .seen import SpanLog, check_hooks, unanswered
from .worlds import EARLIER, Ending, World, ending

Way = Literal["plain", "streamed", "json"]


@pytest.fixture(autouse=True)
def _own_tracing() -> Iterator[None]:
    yield
    reset_tracing()


async def run_phase(world: World, way: Way, start: Any) -> tuple[Any, AgentsException | None]:
    """Return what came of one call of the runner."""
    agent, arguments = world.agents[0], world.arguments()
    if way != "streamed":
        try:
            return await Runner.run(agent, start, **arguments), None
        except AgentsException as error:
            return error.run_data, error
    before = len(start._data["entries"]) if isinstance(start, RunState) else 0
    result = Runner.run_streamed(agent, start, **arguments)
    told: list[Any] = []
    raised = None
    try:
        async for event in result.stream_events():
            if event.type == "run_item_stream_event":
                told.append(event.item)
    except AgentsException as error:
        raised = error
    made = result.new_items[before:]
    stopped = raised is not None
    assert [id(item) for item in told] == [id(item) for item in (made[: len(told)] if stopped else made)]
    assert result.is_complete
    return result, raised


async def play(plan: Plan, way: Way) -> tuple[list[Ending], World]:
    """Return what came of a run, phase by phase: it goes on after each rest, as the plan decides."""
    world = World(plan)
    start: Any = copy.deepcopy(plan.given)
    endings: list[Ending] = []
    for _ in range(12):
        spans = SpanLog()
        set_trace_processors([spans])
        data, error = await run_phase(world, way, start)
        assert data is not None, error
        assert len(asyncio.all_tasks()) == 1
        spans.check(traces=0 if "untraced" in plan.options else 1)
        whole = data.status in ("completed", "waiting")
        check_hooks(world.hooks.events, whole=whole, waiting=data.status == "waiting")
        check_conversation(world, data)
        endings.append(ending(data, error))
        if data.status != "waiting" and not (isinstance(error, MaxTurnsExceeded) and len(endings) == 1):
            break
        start = data.to_state()
        if way == "json":
            start, world = await elsewhere(start, world)
        world.decide(start)
    return endings, world


async def elsewhere(state: RunState, world: World) -> tuple[RunState, World]:
    """Return the state and a world as another process has them."""
    saved = state.to_string()
    there = World(world.plan, after=world)
    again = await RunState.from_string(there.agents[0], saved)
    assert again.to_string() == saved
    return again, there


def check_conversation(world: World, data: Any) -> None:
    """Fail unless the history is valid, JSON, and in the session as far as it is to be."""
    conversation = data.to_input_list()
    assert json.loads(json.dumps(conversation)) == conversation
    new = [item.raw for item in data.new_items]
    left = unanswered(conversation)
    if data.status == "waiting":
        assert data.interruptions
        last = [entry.item for entry in data._run.ledger.entries if entry.turn == data._run.turn]
        assert all(call in last for call in left)
    else:
        assert left == []
    if world.session is None:
        return
    given = world.plan.given
    asked = [{"role": "user", "content": given}] if isinstance(given, str) else given
    held = world.session.items
    full = [*(EARLIER if world.plan.session != "empty" else []), *asked, *new]
    if data.status in ("waiting", "guardrail"):
        turns = [entry.turn for entry in data._run.ledger.entries]
        cut = len(held) - len(full) + len(new)
        assert held == (full[: len(held)] if cut > 0 else full[: len(full) - len(new) - len(asked)])
        assert cut <= 0 or turns[cut:] == [] or turns[cut - 1] < turns[cut]
        assert unanswered(held) == []
    else:
        assert held == (full if new else full[: -len(asked)])


def told(endings: list[Ending], world: World) -> Any:
    """Return all that came of a run, with the ids that it made up numbered."""
    *earlier, last = [asdict(each) for each in endings]
    if last["raced"]:
        last = {"calls": [item for item in last["items"] if "output" not in item[1]]}
        seen = [earlier, last, world.model.requests]
    else:
        session = None if world.session is None else world.session.items
        seen = [earlier, last, world.model.requests, world.helper_model.requests, session]
    whole = json.dumps(seen)
    for number, made_up in enumerate(dict.fromkeys(re.findall("[0-9a-f]{32}", whole))):
        whole = whole.replace(made_up, f"made up {number}")
    return json.loads(whole)


async def passed_on(conversation: list[dict[str, Any]]) -> None:
    """Fail unless another run takes the conversation as its input, unchanged."""
    model = ScriptedModel("Thanks.")
    config = RunConfig(tracing_disabled=True)
    result = await Runner.run(Agent(name="next", model=model), copy.deepcopy(conversation), run_config=config)
    assert model.requests[0].input[: len(conversation)] == conversation
    assert result.to_input_list()[:-1] == conversation


@given(plans())
@settings(max_examples=250, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_run_keeps_its_promises_and_is_the_same_however_it_is_run(plan: Plan) -> None:
    async def check() -> None:
        plain, world = await play(plan, "plain")
        streamed, streamed_world = await play(plan, "streamed")
        resumed, resumed_world = await play(plan, "json")
        await passed_on(plain[-1].conversation)
        assert told(streamed, streamed_world) == told(plain, world)
        assert told(resumed, resumed_world) == told(plain, world)

    asyncio.run(check())
