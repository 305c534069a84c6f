"""Sessions that the platform keeps, over the real client against a server of the documented shapes."""

import json
from typing import Any
from urllib.parse import parse_qs

import httpx2
import openai
import pytest

from agentkit import OpenAIConversationsSession, OpenAIResponsesCompactionSession, SQLiteSession, UserError


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


class Conversations:
    """Keeps conversations and compacts, as the platform does."""

    def __init__(self) -> None:
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[tuple[str, str, Any]] = []

    def client(self) -> openai.AsyncOpenAI:
        transport = httpx2.MockTransport(self.answer)
        http = openai.DefaultAsyncHttpx2Client(transport=transport)
        return openai.AsyncOpenAI(api_key="k", base_url="http://platform/v1", http_client=http)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else None
        path = request.url.path.removeprefix("/v1")
        self.requests.append((request.method, path, body))
        if path == "/responses/compact":
            compaction = {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}
            return httpx2.Response(200, json={
                "id": "resp_c", "object": "response.compaction", "created_at": 1, "output": [compaction],
                "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
                          "input_tokens_details": {"cached_tokens": 0},
                          "output_tokens_details": {"reasoning_tokens": 0}},
            })  # fmt: skip
        if path == "/conversations":
            self.items["conv_1"] = []
            return httpx2.Response(
                200, json={"id": "conv_1", "object": "conversation", "created_at": 1, "metadata": {}}
            )
        _, _, conversation, *rest = path.split("/")
        kept = self.items[conversation]
        if request.method == "DELETE" and not rest:
            del self.items[conversation]
            return httpx2.Response(200, json={"id": conversation, "object": "conversation.deleted", "deleted": True})
        if request.method == "DELETE":
            kept[:] = [item for item in kept if item["id"] != rest[-1]]
            return httpx2.Response(200, json={"id": conversation, "object": "conversation", "created_at": 1})
        if request.method == "POST":
            assert len(body["items"]) <= 20
            kept += [{**item, "id": f"msg_{len(kept) + number}"} for number, item in enumerate(body["items"])]
            return httpx2.Response(200, json=_page(kept[-len(body["items"]) :], more=False))
        query = {key: values[0] for key, values in parse_qs(request.url.query.decode()).items()}
        ordered = kept[::-1] if query.get("order", "desc") == "desc" else kept
        start = next((i + 1 for i, item in enumerate(ordered) if item["id"] == query.get("after")), 0)
        limit = int(query.get("limit", "20"))
        return httpx2.Response(200, json=_page(ordered[start : start + limit], more=len(ordered) > start + limit))


def _page(items: list[Any], *, more: bool) -> dict[str, Any]:
    ids = {"first_id": items[0]["id"], "last_id": items[-1]["id"]} if items else {"first_id": "", "last_id": ""}
    return {"object": "list", "data": items, "has_more": more, **ids}


async def test_a_conversation_of_the_platform_is_made_at_the_first_use() -> None:
    platform = Conversations()
    session = OpenAIConversationsSession(openai_client=platform.client())
    with pytest.raises(UserError, match="hasn't been made yet"):
        _ = session.session_id
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
