"""A platform that answers what it is told to, by both of OpenAI's APIs, and keeps the bodies that it received."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from agentkit import backend
from agentkit.models import set_default_openai_api, set_default_openai_client
from agentkit.pricing import forget_prices
from agentkit.tracing.processors import reset_tracing

Item = dict[str, Any]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own for each test's traces; tracing and the platform as they are in a new process."""
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    reset_tracing()
    yield tmp_path / "home"
    reset_tracing()
    backend.disconnect()
    forget_prices()


def text(said: str) -> Item:
    """Return a message of the model's."""
    part = {"type": "output_text", "text": said, "annotations": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}


def calling(name: str, call_id: str = "call_1", /, **arguments: Any) -> Item:
    """Return a call of a function."""
    return {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": name,
        "arguments": json.dumps(arguments),
        "status": "completed",
    }


class Platform:
    """Answers each request with the next reply, and keeps the requests' bodies in `bodies`."""

    def __init__(self) -> None:
        self.bodies: list[Item] = []
        self.requests: list[httpx2.Request] = []
        self._replies: deque[list[Item] | tuple[int, Item]] = deque()
        self._count = 0

    def reply(self, *items: str | Item) -> Platform:
        """Add an answer made of `items`; a string is a message."""
        self._replies.append([text(item) if isinstance(item, str) else item for item in items])
        return self

    def fail(self, status: int, message: str = "Try again.", **error: Any) -> Platform:
        """Add an answer that is an error."""
        self._replies.append((status, {"error": {"message": message, "type": "invalid_request_error", **error}}))
        return self

    def client(self) -> openai.AsyncOpenAI:
        http = openai.DefaultAsyncHttpx2Client(transport=httpx2.MockTransport(self._handle))
        return openai.AsyncOpenAI(api_key="sk-test-0123456789", base_url="http://server.test/v1", http_client=http)

    def connect(self, api: Any) -> Platform:
        """Let it answer from now on, by one of the two APIs."""
        set_default_openai_client(self.client())
        set_default_openai_api(api)
        return self

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET":
            return httpx2.Response(200, json={"object": "list", "data": [{"id": "m-0", "object": "model"}]})
        body = json.loads(request.content)
        self.bodies.append(body)
        self.requests.append(request)
        reply = self._replies.popleft()
        if isinstance(reply, tuple):
            return httpx2.Response(reply[0], json=reply[1], headers={"retry-after-ms": "1"})
        self._count += 1
        chat = request.url.path.endswith("/chat/completions")
        if not body.get("stream"):
            return httpx2.Response(200, json=self._completion(reply, body) if chat else self._response(reply, body))
        events = self._chunks(reply, body) if chat else self._events(reply, body)
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        return httpx2.Response(200, content=lines.encode(), headers={"content-type": "text/event-stream"})

    def _response(self, items: list[Item], body: Item) -> Item:
        return {
            "id": f"resp_{self._count}",
            "object": "response",
            "status": "completed",
            "model": body.get("model", "m"),
            "output": items,
            "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
        }

    def _events(self, items: list[Item], body: Item) -> Iterator[Item]:
        for item in items:
            for part in item.get("content", ()):
                yield {"type": "response.output_text.delta", "delta": part["text"], "item_id": item["id"]}
            yield {"type": "response.output_item.done", "output_index": 0, "item": item}
        yield {"type": "response.completed", "response": self._response(items, body)}

    def _completion(self, items: list[Item], body: Item) -> Item:
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **_message(items)}}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        return {"id": f"cc_{self._count}", "model": body["model"], "choices": [choice], "usage": usage}

    def _chunks(self, items: list[Item], body: Item) -> Iterator[Item]:
        message = _message(items)
        for index, call in enumerate(message.get("tool_calls") or ()):
            call["index"] = index
        yield {"id": f"cc_{self._count}", "model": body["model"], "choices": [{"index": 0, "delta": message}]}
        yield {"id": f"cc_{self._count}", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
        yield {"id": f"cc_{self._count}", "choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}


def _message(items: list[Item]) -> Item:
    """Return the items as a chat completion's message."""
    said = [part["text"] for item in items for part in item.get("content", ())]
    calls = [
        {"id": item["call_id"], "type": "function", "function": {key: item[key] for key in ("name", "arguments")}}
        for item in items
        if item["type"] == "function_call"
    ]
    return {"content": "".join(said) or None} | ({"tool_calls": calls} if calls else {})


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture(params=["responses", "chat_completions"])
def api(request: pytest.FixtureRequest, platform: Platform) -> str:
    """Each of the two APIs; the platform is connected by it."""
    platform.connect(request.param)
    name: str = request.param
    return name


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Run an agent, streamed or not, and return the result."""
    from agentkit import Runner

    async def do(agent: Any, given: Any, **options: Any) -> Any:
        if not request.param:
            return await Runner.run(agent, given, **options)
        result = Runner.run_streamed(agent, given, **options)
        async for _ in result.stream_events():
            pass
        return result

    return do
