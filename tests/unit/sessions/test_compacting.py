from typing import Any

import pytest

from agentkit import Agent, CompactingSession, Runner, SQLiteSession, UserError, function_tool
from agentkit.testing import ScriptedModel, call


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


async def contents(session: Any) -> list[Any]:
    return [item.get("content") for item in await session.get_items()]


async def test_all_but_the_last_turns_become_a_summary() -> None:
    model = ScriptedModel("They spoke of Oslo.")
    within = SQLiteSession("a")
    session = CompactingSession(within, model=model, max_tokens=10, keep_turns=2)
    await session.add_items([said(f"About Oslo, {number}") for number in range(5)])
    assert await session.run_compaction() is True
    assert await contents(session) == [
        "Summary of the conversation so far:\nThey spoke of Oslo.", "About Oslo, 3", "About Oslo, 4",
    ]  # fmt: skip
    asked = model.requests[0]
    assert asked.input == [said("user: About Oslo, 0\nuser: About Oslo, 1\nuser: About Oslo, 2")]
    assert "Keep names, numbers" in (asked.system_instructions or "")


async def test_the_whole_conversation_is_kept_beside_it() -> None:
    within = SQLiteSession("a")
    session = CompactingSession(within, model=ScriptedModel("1", "2"), max_tokens=1, keep_turns=1)
    for _ in range(2):
        await session.add_items([said("one"), said("two")])
        await session.run_compaction()
    kept = SQLiteSession("a/1")
    kept._store = within._store
    assert await contents(kept) == ["one", "two"]
    kept.session_id = "a/2"
    assert await contents(kept) == ["Summary of the conversation so far:\n1", "two", "one", "two"]


async def test_a_short_conversation_stays_as_it_is() -> None:
    session = CompactingSession(SQLiteSession("a"), model=ScriptedModel(), keep_turns=1)
    await session.add_items([said("one"), said("two")])
    assert await session.run_compaction() is False
    session.max_tokens, session.keep_turns = 1, 2
    assert await session.run_compaction() is False
    assert await contents(session) == ["one", "two"]


async def test_force_makes_it_shorter_whatever_its_length() -> None:
    session = CompactingSession(SQLiteSession("a"), model=ScriptedModel("Sum"), keep_turns=0)
    await session.add_items([said("one")])
    assert await session.run_compaction({"force": True}) is True
    assert await contents(session) == ["Summary of the conversation so far:\nSum"]


@pytest.mark.parametrize("reply", [ValueError("down"), ""])
async def test_a_summary_that_fails_leaves_the_conversation_whole(reply: Any) -> None:
    session = CompactingSession(SQLiteSession("a"), model=ScriptedModel(reply), max_tokens=1, keep_turns=1)
    await session.add_items([said("one"), said("two")])
    with pytest.warns(UserWarning, match="Session 'a' could not be made shorter: (down|The model gave no summary)"):
        assert await session.run_compaction() is False
    assert await contents(session) == ["one", "two"]


async def test_a_run_makes_it_shorter_at_its_end_and_no_call_is_cut() -> None:
    @function_tool
    def look() -> str:
        return "seen"

    model = ScriptedModel(call("look"), "One", call("look"), "Two")
    agent = Agent(name="a", model=model, tools=[look])
    session = CompactingSession(SQLiteSession("a"), model=ScriptedModel("Sum"), max_tokens=100, keep_turns=1)
    await Runner.run(agent, "x" * 400, session=session)
    await Runner.run(agent, "Again", session=session)
    kinds = [item.get("role") or item["type"] for item in await session.get_items()]
    assert kinds == ["user", "user", "function_call", "function_call_output", "assistant"]


async def test_the_connected_platform_writes_the_summary_where_no_model_is_given() -> None:
    import agentkit

    agentkit.connect("embedded")
    try:
        session = CompactingSession(SQLiteSession("a"), max_tokens=1, keep_turns=1)
        await session.add_items([said("My name is Ada."), said("And now?")])
        assert await session.run_compaction() is True
    finally:
        agentkit.disconnect()
    assert (await contents(session))[1] == "And now?"


@pytest.mark.parametrize("options", [{"max_tokens": 0}, {"keep_turns": -1}])
def test_numbers_out_of_range_are_refused(options: Any) -> None:
    with pytest.raises(UserError, match="max_tokens has to be 1 or more"):
        CompactingSession(SQLiteSession("a"), **options)
