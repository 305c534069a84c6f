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
    assert await contents(within.with_id("a/1")) == ["one", "two"]
    assert await contents(within.with_id("a/2")) == ["Summary of the conversation so far:\n1", "two", "one", "two"]


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


class Meanwhile(ScriptedModel):
    """Is told more while it writes the summary."""

    session: Any = None

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        await self.session.add_items([said("meanwhile")])
        return await super().get_response(*args, **kwargs)


async def test_what_is_said_while_the_summary_is_written_stays() -> None:
    model = Meanwhile("Sum")
    model.session = SQLiteSession("a")
    session = CompactingSession(model.session, model=model, keep_turns=1)
    await session.add_items([said("one"), said("two")])
    assert await session.run_compaction({"force": True}) is True
    assert await contents(session) == ["Summary of the conversation so far:\nSum", "two", "meanwhile"]


async def test_a_conversation_that_was_changed_meanwhile_is_left_as_it_is() -> None:
    class Clearing(ScriptedModel):
        async def get_response(self, *args: Any, **kwargs: Any) -> Any:
            await within.clear_session()
            await within.add_items([said("fresh")])
            return await super().get_response(*args, **kwargs)

    within = SQLiteSession("a")
    session = CompactingSession(within, model=Clearing("Sum"), keep_turns=0)
    await session.add_items([said("one")])
    assert await session.run_compaction({"force": True}) is False
    assert await contents(session) == ["fresh"]


async def test_items_can_be_counted_instead_of_turns_and_no_call_is_cut() -> None:
    items = [said("one")]
    for name in "abc":
        items.append({"type": "function_call", "call_id": name, "name": "f", "arguments": "{}"})
        items.append({"type": "function_call_output", "call_id": name, "output": "1"})
    session = CompactingSession(SQLiteSession("a"), model=ScriptedModel("Sum"), keep_items=3)
    await session.add_items(items)
    assert await session.run_compaction({"force": True}) is True
    assert (await session.get_items())[1:] == items[3:]


async def test_a_function_decides_when() -> None:
    session = CompactingSession(
        SQLiteSession("a"), model=ScriptedModel("Sum"), keep_turns=1, trigger=lambda items: len(items) > 2
    )
    await session.add_items([said("one"), said("two")])
    assert await session.run_compaction() is False
    await session.add_items([said("three")])
    assert await session.run_compaction() is True
    assert await contents(session) == ["Summary of the conversation so far:\nSum", "three"]
    assert session.usage.requests == 1


async def test_a_summary_alone_is_not_summarized_again() -> None:
    session = CompactingSession(SQLiteSession("a"), model=ScriptedModel("Sum"), keep_turns=1)
    await session.add_items([said("one"), said("two")])
    assert await session.run_compaction({"force": True}) is True
    assert await session.run_compaction({"force": True}) is False


async def test_a_limit_keeps_the_summary() -> None:
    session = CompactingSession(SQLiteSession("a"), model=ScriptedModel("Sum"), keep_turns=3)
    await session.add_items([said(text) for text in ("one", "two", "three", "four")])
    await session.run_compaction({"force": True})
    latest = [item["content"] for item in await session.get_items(limit=2)]
    assert latest == ["Summary of the conversation so far:\nSum", "four"]


async def test_huge_outputs_and_reasoning_do_not_fill_the_summarys_prompt() -> None:
    model = ScriptedModel("Sum")
    session = CompactingSession(SQLiteSession("a"), model=model, keep_turns=0)
    await session.add_items(
        [
            said("one"),
            {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "secret"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "y" * 100_000},
        ]
    )
    await session.run_compaction({"force": True})
    asked = model.requests[0].input[0]["content"]
    assert asked.startswith("user: one\ncalled f({})\nresult: yyy")
    assert asked.endswith("y … (92,008 more characters)")


async def test_clearing_takes_away_what_was_kept_beside() -> None:
    within = SQLiteSession("a")
    session = CompactingSession(within, model=ScriptedModel("Sum"), keep_turns=1)
    await session.add_items([said("one"), said("two")])
    await session.run_compaction({"force": True})
    await session.clear_session()
    assert [await each.get_items() for each in (within, within.with_id("a/1"))] == [[], []]


class Plain:
    """Nothing but the documented methods."""

    session_id = "plain"

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.failing = False

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return list(self.items)

    async def add_items(self, items: list[Any]) -> None:
        if self.failing:
            self.failing = False
            raise OSError("disk full")
        self.items += items

    async def pop_item(self) -> Any:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


async def test_any_session_can_be_made_shorter() -> None:
    session = CompactingSession(Plain(), model=ScriptedModel("Sum"), keep_turns=1)
    await session.add_items([said("one"), said("two")])
    assert await session.run_compaction({"force": True}) is True
    assert await contents(session) == ["Summary of the conversation so far:\nSum", "two"]
    with pytest.raises(UserError, match="CompactingSession can't branch"):
        await session.branch()


async def test_a_store_that_fails_keeps_the_conversation() -> None:
    within = Plain()
    session = CompactingSession(within, model=ScriptedModel("Sum"), keep_turns=1)
    await session.add_items([said("one"), said("two")])
    within.failing = True
    with pytest.warns(UserWarning, match="could not be made shorter: disk full"):
        assert await session.run_compaction({"force": True}) is False
    assert await contents(session) == ["one", "two"]
