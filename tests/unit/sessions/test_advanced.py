"""Branches by turn, and what turns used, within one conversation."""

from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, CompactingSession, Runner, SQLiteSession, UserError, function_tool
from agentkit.extensions.memory import AdvancedSQLiteSession
from agentkit.testing import ScriptedModel, call

CALL = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "o"}


def said(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def answered(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


FIRST, SECOND, THIRD = [said("one"), answered("1")], [said("two"), CALL, OUTPUT, answered("2")], [said("three")]


@pytest.fixture
async def session() -> AdvancedSQLiteSession:
    session = AdvancedSQLiteSession(session_id="a", create_tables=True)
    for turn in (FIRST, SECOND, THIRD):
        await session.add_items(turn)
    return session


async def test_turns_are_listed_with_what_they_are_made_of(session: AdvancedSQLiteSession) -> None:
    turns = await session.get_conversation_turns()
    assert [(turn["turn"], turn["content"], turn["can_branch"]) for turn in turns] == [
        (1, "one", True), (2, "two", True), (3, "three", True),
    ]  # fmt: skip
    assert (await session.get_conversation_by_turns())[2] == [
        {"type": "user", "tool_name": None},
        {"type": "function_call", "tool_name": "look"},
        {"type": "function_call_output", "tool_name": None},
        {"type": "assistant", "tool_name": None},
    ]
    assert await session.get_tool_usage() == [("look", 1, 2)]


async def test_long_messages_are_shortened_and_parts_are_searched(session: AdvancedSQLiteSession) -> None:
    await session.add_items([said("x" * 101), said([{"type": "input_text", "text": "In Oslo"}])])
    turns = await session.get_conversation_turns()
    assert (turns[3]["content"], turns[3]["full_content"]) == ("x" * 100 + "...", "x" * 101)
    assert [turn["turn"] for turn in await session.find_turns_by_content("oslo")] == [5]


async def test_a_branch_has_what_was_said_before_the_turn(session: AdvancedSQLiteSession) -> None:
    name = await session.create_branch_from_turn(2)
    assert (name, session.current_branch) == ("branch_from_turn_2_1", name)
    assert await session.get_items() == FIRST
    await session.add_items([said("two again")])
    assert [turn["content"] for turn in await session.get_conversation_turns()] == ["one", "two again"]
    assert await session.get_items(branch_id="main") == FIRST + SECOND + THIRD
    await session.switch_to_branch("main")
    assert await session.get_items() == FIRST + SECOND + THIRD


async def test_a_branch_may_be_empty_and_named_and_found_by_content(session: AdvancedSQLiteSession) -> None:
    assert await session.create_branch_from_content("ONE", "fresh") == "fresh"
    assert await session.get_items() == []
    branches = await session.list_branches()
    assert [(b["branch_id"], b["message_count"], b["user_turns"], b["is_current"]) for b in branches] == [
        ("main", 7, 3, False), ("fresh", 0, 0, True),
    ]  # fmt: skip


async def test_deleting_a_branch_keeps_what_others_have(session: AdvancedSQLiteSession) -> None:
    await session.create_branch_from_turn(2, "b")
    await session.add_items([said("only here")])
    await session.delete_branch("b", force=True)
    assert session.current_branch == "main"
    assert await session.get_items() == FIRST + SECOND + THIRD
    rows = await session._rows("SELECT COUNT(*) FROM agent_messages")
    assert rows == [(7,)]


async def test_popping_in_a_branch_leaves_the_others(session: AdvancedSQLiteSession) -> None:
    await session.create_branch_from_turn(2, "b")
    assert [await session.pop_item() for _ in range(3)] == [FIRST[1], FIRST[0], None]
    assert await session.get_items(branch_id="main") == FIRST + SECOND + THIRD


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (lambda s: s.switch_to_branch("b"), "no branch 'b'"),
        (lambda s: s.get_items(branch_id="b"), "no branch 'b'"),
        (lambda s: s.delete_branch("main"), "can't be deleted"),
        (lambda s: s.delete_branch("b"), "no branch 'b'"),
        (lambda s: s.create_branch_from_turn(9), "Branch 'main' has no turn 9"),
        (lambda s: s.create_branch_from_turn(1, "main"), "has, or had, a branch 'main'"),
        (lambda s: s.create_branch_from_turn(1, " "), "has to have a letter"),
        (lambda s: s.create_branch_from_content("zzz"), "No turn of branch 'main' has the text 'zzz'"),
    ],
)
async def test_what_cannot_be_is_refused(session: AdvancedSQLiteSession, act: Any, problem: str) -> None:
    with pytest.raises(UserError, match=problem) as caught:
        await act(session)
    assert isinstance(caught.value, ValueError)
    assert await session.get_items() == FIRST + SECOND + THIRD


async def test_the_current_branch_is_only_deleted_when_forced(session: AdvancedSQLiteSession) -> None:
    await session.create_branch_from_turn(1, "b")
    with pytest.raises(UserError, match="Branch 'b' is the current one"):
        await session.delete_branch("b")
    await session.delete_branch("b", force=True)
    with pytest.raises(UserError, match="has, or had, a branch 'b'"):
        await session.create_branch_from_turn(1, "b")


async def test_usage_is_kept_by_turn_and_branch(session: AdvancedSQLiteSession) -> None:
    @function_tool
    def look() -> str:
        return "seen"

    assert (await session.get_session_usage(), await session.get_turn_usage(), await session.get_turn_usage(1)) == (
        None, [], {},
    )  # fmt: skip
    agent = Agent(name="a", model=ScriptedModel(call("look"), "Done", "Again"), tools=[look])
    results = []
    for question, branch in (("four", None), ("four again", "b")):
        if branch:
            await session.create_branch_from_turn(4, branch)
        results.append(await Runner.run(agent, question, session=session))
        await session.store_run_usage(results[-1])
    first, second = (result.context_wrapper.usage for result in results)
    assert await session.get_session_usage("b") == {
        "requests": 1, "input_tokens": second.input_tokens, "output_tokens": second.output_tokens,
        "total_tokens": second.total_tokens, "total_turns": 1,
    }  # fmt: skip
    whole = await session.get_session_usage()
    assert whole is not None
    assert (whole["requests"], whole["total_tokens"]) == (3, first.total_tokens + second.total_tokens)
    turn = await session.get_turn_usage(4, branch_id="main")
    assert isinstance(turn, dict)
    assert (turn["requests"], turn["output_tokens_details"]) == (2, {"reasoning_tokens": 0})
    assert [each["user_turn_number"] for each in await session.get_turn_usage()] == [4]


async def test_a_popped_turn_has_used_nothing(session: AdvancedSQLiteSession) -> None:
    result = await Runner.run(Agent(name="a", model=ScriptedModel("Hi")), "four", session=session)
    await session.store_run_usage(result)
    await session.pop_item()
    assert await session.get_turn_usage() != []
    await session.pop_item()
    assert await session.get_turn_usage() == []


async def test_clearing_takes_all_branches_away(session: AdvancedSQLiteSession) -> None:
    await session.create_branch_from_turn(2, "b")
    await session.clear_session()
    assert (session.current_branch, await session.get_items()) == ("main", [])
    assert [branch["branch_id"] for branch in await session.list_branches()] == ["main"]


async def test_a_plain_sessions_file_goes_on_as_main(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    await SQLiteSession("a", path).add_items(FIRST + SECOND)
    session = AdvancedSQLiteSession(session_id="a", db_path=path, create_tables=True)
    assert await session.get_items() == FIRST + SECOND
    assert len(await session.get_conversation_turns()) == 2
    again = AdvancedSQLiteSession(session_id="a", db_path=path)
    assert await again.get_items() == FIRST + SECOND


async def test_missing_tables_are_told(tmp_path: Path) -> None:
    session = AdvancedSQLiteSession(session_id="a", db_path=tmp_path / "s.sqlite")
    with pytest.raises(UserError, match="no tables for branches and turns. Pass create_tables=True"):
        await session.get_items()


async def test_a_branch_that_another_deleted_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    one = AdvancedSQLiteSession(session_id="a", db_path=path, create_tables=True)
    await one.add_items(FIRST)
    await one.create_branch_from_turn(1, "b")
    two = AdvancedSQLiteSession(session_id="a", db_path=path, create_tables=True)
    await two.delete_branch("b")
    with pytest.raises(UserError, match="no branch 'b'"):
        await one.add_items(SECOND)
    assert await two.get_items() == FIRST


async def test_what_is_made_shorter_becomes_a_branch(session: AdvancedSQLiteSession) -> None:
    short = CompactingSession(session, model=ScriptedModel("Sum"), keep_turns=1)
    assert await short.run_compaction({"force": True}) is True
    assert [item.get("content") for item in await session.get_items()] == [
        "Summary of the conversation so far:\nSum", "three",
    ]  # fmt: skip
    assert session.current_branch == "replaced_1"
    assert await session.get_items(branch_id="main") == FIRST + SECOND + THIRD


def test_it_says_what_it_is(session: AdvancedSQLiteSession) -> None:
    assert repr(session) == "AdvancedSQLiteSession('a', ':memory:', branch='main')"
