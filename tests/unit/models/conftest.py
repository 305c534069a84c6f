"""A server at the other end of the real client: it answers what it is given, and keeps what it was asked."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import openai
import pytest

from agentkit.models import ModelResponse, ModelSettings
from agentkit.models.wire_model import WireModel


class Chunks(httpx2.AsyncByteStream):
    """A body that arrives in pieces, and may break."""

    def __init__(self, pieces: list[bytes | Exception]) -> None:
        self.pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class Wire:
    answers: list[httpx2.Response | Exception] = field(default_factory=list)
    requests: list[httpx2.Request] = field(default_factory=list)

    def json(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        headers = {"content-type": "application/json", **(headers or {})}
        self.answers.append(httpx2.Response(status, content=json.dumps(body).encode(), headers=headers))

    def stream(self, *pieces: bytes | Exception) -> Chunks:
        body = Chunks(list(pieces))
        self.answers.append(httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=body))
        return body

    def fail(self, error: Exception) -> None:
        self.answers.append(error)

    def body(self, index: int = -1) -> Any:
        return json.loads(self.requests[index].content)

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> openai.AsyncOpenAI:
        http = openai.DefaultAsyncHttpx2Client(transport=httpx2.MockTransport(self.handle))
        options = {"max_retries": 0, "base_url": "http://server.test/v1", **options}
        return openai.AsyncOpenAI(api_key="sk-test", http_client=http, **options)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def sse() -> Callable[..., bytes]:
    def encode(*events: dict[str, Any], named: bool = True) -> bytes:
        return b"".join(
            (f"event: {event['type']}\n" if named else "").encode() + b"data: " + json.dumps(event).encode() + b"\n\n"
            for event in events
        )

    return encode


RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "status": "completed", "output": []}
COMPLETION: dict[str, Any] = {
    "id": "cc1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}],
}


def request(input: Any = "Hi", **fields: Any) -> dict[str, Any]:
    """The arguments of a model call, as the loop gives them."""
    return {
        "system_instructions": None,
        "input": input,
        "model_settings": ModelSettings(),
        "tools": [],
        "output_schema": None,
        "handoffs": [],
    } | fields


async def ask(model: WireModel, input: Any = "Hi", **fields: Any) -> ModelResponse:
    return await model.get_response(**request(input, **fields))


async def ask_streamed(model: WireModel, input: Any = "Hi", **fields: Any) -> list[dict[str, Any]]:
    return [event.json async for batch in model.stream_batches(**request(input, **fields)) for event in batch]
