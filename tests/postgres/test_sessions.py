import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from agentkit import Agent, Runner, UserError, function_tool
from agentkit.extensions.memory import SQLAlchemySession
from agentkit.sessions import CompactingSession
from agentkit.testing import ScriptedModel, call
from agentkit.testing.sessions import SESSION_CHECKS


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Any]:
    kept: dict[str, SQLAlchemySession] = {}

    def open_session(session_id: str) -> SQLAlchemySession:
        if session_id not in kept:
            kept[session_id] = SQLAlchemySession.from_url(session_id, url=url, create_tables=True)
        return kept[session_id]

    yield open_session
    for session in kept.values():
        await session.engine.dispose()


@pytest.mark.parametrize("check", SESSION_CHECKS, ids=lambda check: check.__name__)
async def test_a_session(check: Any, opened: Any) -> None:
    await check(opened)


async def test_an_agent_remembers_in_postgresql(opened: Any) -> None:
    @function_tool
    def look() -> str:
        return "seen"

    model = ScriptedModel(call("look"), "Done", "Again")
    agent = Agent(name="a", model=model, tools=[look])
    await Runner.run(agent, "Look", session=opened("a"))
    await Runner.run(agent, "And now?", session=opened("a"))
    assert [item.get("role") or item["type"] for item in model.requests[2].input] == [
        "user", "function_call", "function_call_output", "assistant", "user",
    ]  # fmt: skip


async def test_a_conversation_branches_at_an_item(opened: Any) -> None:
    session = opened("a")
    await session.add_items([{"role": "user", "content": str(number)} for number in range(4)])
    branch = await session.branch(at=1, session_id="b")
    await branch.add_items([{"role": "user", "content": "other"}])
    assert [item["content"] for item in await opened("b").get_items()] == ["0", "1", "other"]
    assert len(await session.get_items()) == 4
    with pytest.raises(UserError, match="There is a session 'b' already"):
        await session.branch(session_id="b")


async def test_a_long_conversation_is_made_shorter_in_one_transaction(opened: Any) -> None:
    session = CompactingSession(opened("a"), model=ScriptedModel("They counted."), max_tokens=10, keep_turns=1)
    await session.add_items([{"role": "user", "content": f"number {number}"} for number in range(9)])
    assert await session.run_compaction()
    assert [item["content"] for item in await session.get_items()] == [
        "Summary of the conversation so far:\nThey counted.", "number 8",
    ]  # fmt: skip
    assert len(await opened("a/1").get_items()) == 9


async def test_a_cancelled_write_leaves_nothing(opened: Any) -> None:
    session = opened("a")
    await session.get_items()
    items = [{"role": "user", "content": "x" * 1000} for _ in range(2000)]
    for steps in (1, 3, 10):
        task = asyncio.ensure_future(session.add_items(items))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert len(await session.get_items()) in (0, 2000)
        await session.clear_session()


def test_one_session_serves_two_event_loops(url: str) -> None:
    session = SQLAlchemySession.from_url("a", url=url, create_tables=True)

    async def add(text: str) -> list[Any]:
        await session.add_items([{"role": "user", "content": text}])
        items = await session.get_items()
        await session.engine.dispose()
        return items

    assert [len(asyncio.run(add(text))) for text in ("one", "two")] == [1, 2]


async def test_missing_tables_are_named_with_the_remedy(url: str) -> None:
    session = SQLAlchemySession.from_url("a", url=url)
    with pytest.raises(UserError, match='relation "agent_messages" does not exist. Pass create_tables=True'):
        await session.get_items()
    await session.engine.dispose()


async def test_a_server_that_is_not_there_is_told() -> None:
    session = SQLAlchemySession.from_url("a", url="postgresql+asyncpg://me@/db?host=/nowhere")
    with pytest.raises(UserError, match="database can't be reached"):
        await session.get_items()


async def test_several_make_the_tables_at_once(url: str) -> None:
    sessions = [SQLAlchemySession.from_url(name, url=url, create_tables=True) for name in "abcdef"]
    await asyncio.gather(*(session.add_items([{"role": "user", "content": "Hi"}]) for session in sessions))
    assert sorted(info.session_id for info in await sessions[0].sessions()) == list("abcdef")
    for session in sessions:
        await session.close()


async def test_conversations_are_listed_that_used_last_first(opened: Any) -> None:
    await opened("a").add_items([{"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Grüße"}])
    await opened("b").add_items([{"role": "assistant", "content": "Hm"}])
    listed = await opened("a").sessions()
    assert [(info.session_id, info.items, info.started_with) for info in listed] == [("b", 1, ""), ("a", 2, "Grüße")]
    assert listed[1].created_at.tzinfo is not None
    assert listed[1].created_at <= listed[1].updated_at


async def test_a_branch_halves_nothing(opened: Any) -> None:
    call_ = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}
    await opened("a").add_items([{"role": "user", "content": "one"}, call_, output])
    assert await (await opened("a").branch("fc_1")).get_items() == [{"role": "user", "content": "one"}]
    assert len(await (await opened("a").branch("c")).get_items()) == 3


async def test_what_is_added_during_a_replacement_stays(opened: Any) -> None:
    session = opened("a")
    await session.add_items([{"role": "user", "content": str(number)} for number in range(50)])
    here = await session.get_items()
    replaced, *_ = await asyncio.gather(
        session.replace_items([{"role": "user", "content": "sum"}], expected=here),
        *(session.add_items([{"role": "user", "content": f"new {number}"}]) for number in range(5)),
    )
    contents = [item["content"] for item in await session.get_items()]
    assert (replaced, contents[0], sorted(contents[1:])) == (True, "sum", [f"new {number}" for number in range(5)])
