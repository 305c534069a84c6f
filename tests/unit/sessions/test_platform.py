"""Sessions that the platform keeps, over the real client against a server of the documented shapes."""

import asyncio
from typing import Any

import pytest

from agentkit import (
    ModelBehaviorError,
    ModelStatusError,
    OpenAIConversationsSession,
    OpenAIResponsesCompactionSession,
    Session,
    SQLiteSession,
    UserError,
)

from .conversations import Conversations


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


async def test_a_conversation_of_the_platform_is_made_at_the_first_use() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    assert (session.session_id, isinstance(session, Session)) == ("", True)
    assert await session.get_items() == []
    assert session.session_id == "conv_1"


async def test_many_items_are_sent_in_batches_and_read_in_pages() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    await session.add_items([said(str(number)) for number in range(130)])
    assert sum(method == "POST" and path.endswith("/items") for method, path, _ in platform.requests) == 7
    assert [item["content"] for item in await session.get_items()] == [str(number) for number in range(130)]
    assert [item["content"] for item in await session.get_items(limit=2)] == ["128", "129"]
    assert await session.get_items(limit=0) == []


async def test_the_latest_item_and_the_whole_conversation_can_be_taken_away() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    await session.add_items([said("one"), said("two")])
    popped = await session.pop_item()
    assert popped is not None
    assert (popped["content"], len(platform.items["conv_1"])) == ("two", 1)
    await session.clear_session()
    assert platform.items == {}
    assert await session.pop_item() is None


async def test_the_platform_makes_a_conversation_shorter() -> None:
    platform = Conversations()
    within = SQLiteSession("a")
    session = OpenAIResponsesCompactionSession("a", within, client=platform.client(), model="gpt-x")
    await session.add_items(
        [said("one"), *({"type": "message", "role": "assistant", "content": "x"} for _ in range(9))]
    )
    await session.run_compaction({"response_id": "resp_1"})
    assert platform.requests == []
    await session.add_items([{"type": "message", "role": "assistant", "content": "y"}])
    await session.run_compaction({"response_id": "resp_1"})
    assert platform.requests == [
        ("POST", "/responses/compact", {"model": "gpt-x", "previous_response_id": "resp_1"}),
    ]  # fmt: skip
    assert [item["type"] for item in await within.get_items()] == ["compaction"]


async def test_compaction_can_be_asked_for_by_input_and_decided_about() -> None:
    platform = Conversations()
    session = OpenAIResponsesCompactionSession(
        "a", SQLiteSession("a"), client=platform.client(), compaction_mode="input",
        should_trigger_compaction=lambda facts: len(facts["session_items"]) > 1,
    )  # fmt: skip
    await session.add_items([said("one")])
    await session.run_compaction()
    assert platform.requests == []
    await session.run_compaction({"force": True})
    assert platform.requests[0][2]["input"] == [said("one")]


async def test_compaction_by_a_response_needs_one() -> None:
    session = OpenAIResponsesCompactionSession("a", SQLiteSession("a"), compaction_mode="previous_response_id")
    with pytest.raises(UserError, match="needs a response_id"):
        await session.run_compaction({"force": True})
    with pytest.raises(UserError, match="There is no compaction_mode 'often'"):
        OpenAIResponsesCompactionSession("a", SQLiteSession("a"), compaction_mode="often")  # type: ignore[arg-type]


CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "1"}


async def test_a_limit_cuts_no_call_from_its_output_on_the_platform() -> None:
    session = OpenAIConversationsSession(openai_client=Conversations().client())
    await session.add_items([said("one"), CALL, OUTPUT, said("two")])
    assert [item["type"] for item in await session.get_items(limit=2)] == ["message"]
    assert [item["type"] for item in await session.get_items(limit=3)] == [
        "function_call", "function_call_output", "message",
    ]  # fmt: skip


async def test_several_that_use_a_new_conversation_at_once_make_one() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    await asyncio.gather(*(session.add_items([said(str(number))]) for number in range(5)))
    assert [method for method, path, _ in platform.requests if path == "/conversations"] == ["POST"]
    assert len(await session.get_items()) == 5


async def test_when_a_later_batch_fails_the_earlier_ones_are_taken_back() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    await session.add_items([said("there")])
    platform.failing = {"POST /items": 2}
    with pytest.raises(ModelStatusError, match="http://platform/v1/ answered 503: Overloaded"):
        await session.add_items([said(str(number)) for number in range(30)])
    assert [item["content"] for item in platform.items["conv_1"]] == ["there"]


async def test_what_could_not_be_taken_back_is_told() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    platform.failing = {"POST /items": 2, "DELETE /items": 1}
    with pytest.raises(ModelStatusError) as caught:
        await session.add_items([said(str(number)) for number in range(30)])
    assert caught.value.__notes__ == ["The conversation conv_1 is left with 20 of the 30 items."]


async def test_an_item_that_is_no_json_is_not_sent() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    with pytest.raises(UserError, match="is no JSON"):
        await session.add_items([said("one"), {"content": object()}])
    assert platform.requests == []


async def test_a_conversation_branches_into_a_new_one() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    await session.add_items([said("one"), CALL, OUTPUT, said("two")])
    branch = await session.branch(1)
    assert (branch.session_id, [item["content"] for item in platform.items["conv_2"]]) == ("conv_2", ["one"])
    with pytest.raises(UserError, match="can't be given the id 'mine'"):
        await session.branch(1, "mine")
    with pytest.raises(UserError, match="No item of the conversation has the id 'x'"):
        await session.branch("x")


async def test_an_existing_conversation_is_used_by_its_id() -> None:
    platform = Conversations()
    platform.items["conv_7"] = [{**said("one"), "id": "msg_1"}]
    session = OpenAIConversationsSession(conversation_id="conv_7", openai_client=platform.client())
    assert (session.session_id, len(await session.get_items())) == ("conv_7", 1)
    assert [path for _, path, _ in platform.requests] == ["/conversations/conv_7/items"]


async def test_a_server_that_always_has_more_is_not_asked_for_ever() -> None:
    platform = Conversations()
    platform.endless = True
    session = OpenAIConversationsSession(openai_client=platform.client())
    await session.add_items([said("one")])
    assert len(await session.get_items()) == 1


async def test_a_response_that_was_not_stored_is_compacted_by_its_items() -> None:
    platform = Conversations()
    session = OpenAIResponsesCompactionSession("a", SQLiteSession("a"), client=platform.client())
    await session.add_items([said("one")])
    await session.run_compaction({"force": True, "response_id": "resp_1", "store": False})
    assert platform.requests[0][2] == {"model": "gpt-4.1", "input": [said("one")]}
    assert (session.usage.requests, session.usage.total_tokens) == (1, 2)


async def test_what_is_added_during_a_compaction_stays() -> None:
    platform = Conversations()
    within = SQLiteSession("a")
    session = OpenAIResponsesCompactionSession("a", within, client=platform.client())
    await session.add_items([said("one")])

    class Meanwhile(SQLiteSession):
        async def replace_items(self, items: list[Any], *, expected: Any = None) -> bool:
            await within.add_items([said("meanwhile")])
            return await within.replace_items(items, expected=expected)

    meanwhile = Meanwhile("a")
    meanwhile._file = within._file
    session.underlying_session = meanwhile
    await session.run_compaction({"force": True})
    assert await within.get_items() == [*platform.compacted, said("meanwhile")]


async def test_a_compaction_that_fails_leaves_the_conversation_and_is_a_warning() -> None:
    platform = Conversations()
    within = SQLiteSession("a")
    session = OpenAIResponsesCompactionSession(
        "a", within, client=platform.client(), should_trigger_compaction=lambda facts: True
    )
    await session.add_items([said("one")])
    platform.failing = {"POST /responses/compact": 1}
    with pytest.warns(UserWarning, match="Session 'a' could not be compacted: .* 503"):
        await session.run_compaction()
    platform.failing = {"POST /responses/compact": 1}
    with pytest.raises(ModelStatusError):
        await session.run_compaction({"force": True})
    platform.compacted = []
    with pytest.raises(ModelBehaviorError, match="compacted the conversation to nothing"):
        await session.run_compaction({"force": True})
    assert await within.get_items() == [said("one")]


async def test_who_decides_about_compaction_is_told_the_facts() -> None:
    seen: list[Any] = []
    session = OpenAIResponsesCompactionSession(
        "a", SQLiteSession("a"), should_trigger_compaction=lambda facts: bool(seen.append(facts))
    )
    old = {"type": "compaction", "id": "cmp", "encrypted_content": "x"}
    await session.add_items([old, said("one"), CALL, OUTPUT])
    await session.run_compaction({"response_id": "resp_1"})
    assert seen == [
        {
            "response_id": "resp_1",
            "compaction_mode": "previous_response_id",
            "session_items": [old, said("one"), CALL, OUTPUT],
            "compaction_candidate_items": [CALL, OUTPUT],
        }
    ]


def test_a_conversation_of_the_platform_cannot_be_compacted_from_outside() -> None:
    with pytest.raises(UserError, match="can't be compacted by a session around it"):
        OpenAIResponsesCompactionSession("a", OpenAIConversationsSession(conversation_id="conv_1"))
