"""An engine that says what it is told to, clients of a platform that has it, and the strict check of all shapes."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import openai
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter

from agentkit.local import embedded_transports
from agentkit.local.engines.base import FunctionCall, Piece, Prompt, TextDelta

BASE_URL = "http://agentkit.local/v1"


class ToldEngine:
    """Answers with given pieces. An exception among them is raised, an event is waited for."""

    def __init__(self) -> None:
        self.pieces: list[Piece | Exception | asyncio.Event] = []
        self.prompts: list[Prompt] = []
        self.given = 0
        self.closed = 0

    def will_say(self, text: str) -> None:
        """Answer with `text`, a word at a time."""
        self.pieces = [TextDelta(word) for word in re.findall(r"\s*\S+", text)]

    def will_call(self, *calls: tuple[str, str]) -> None:
        """Answer with calls, each a name and its arguments."""
        self.pieces = [FunctionCall(name, arguments) for name, arguments in calls]

    @property
    def prompt(self) -> Prompt:
        """The latest prompt."""
        return self.prompts[-1]

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        self.prompts.append(prompt)
        try:
            for piece in list(self.pieces):
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                    continue
                self.given += 1
                yield piece
        finally:
            self.closed += 1

    def count_tokens(self, text: str) -> int:
        return len(re.findall(r"\w+|[^\w\s]", text))


@pytest.fixture
def engine() -> ToldEngine:
    told = ToldEngine()
    told.will_say("Hello there, friend!")
    return told


@pytest.fixture
def transports(tmp_path: Path, engine: ToldEngine, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    return embedded_transports(home=tmp_path, engine=engine, embedder=lambda: None)


@pytest.fixture
async def client(transports: Any) -> AsyncIterator[openai.AsyncOpenAI]:
    http_client = openai.DefaultAsyncHttpx2Client(transport=transports[0])
    async with openai.AsyncOpenAI(
        api_key="k", base_url=BASE_URL, http_client=http_client, max_retries=0
    ) as async_client:
        yield async_client


@pytest.fixture
def sync_client(transports: Any) -> Any:
    http_client = openai.DefaultHttpx2Client(transport=transports[1])
    with openai.OpenAI(api_key="k", base_url=BASE_URL, http_client=http_client, max_retries=0) as blocking_client:
        yield blocking_client


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += seconds


class WordEmbedder:
    """Makes vectors of the words that a text has: equal words are near, all others are not. A dozen words a window."""

    name = "words-64"
    dimensions = 64

    def __init__(self) -> None:
        self.embedded: list[str] = []
        self.error: Exception | None = None
        self.gate = threading.Event()
        """While it is not set, no passage gets its vectors."""
        self.gate.set()

    def windows(self, text: str) -> list[str]:
        words = text.split()
        return [" ".join(words[start : start + 12]) for start in range(0, len(words), 12)] or [""]

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        assert self.gate.wait(30)
        if self.error is not None:
            raise self.error
        self.embedded += texts
        return np.stack([self._vector(text) for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        return self._vector(text)

    def _vector(self, text: str) -> np.ndarray:
        vector = np.full(self.dimensions, 1e-3, dtype=np.float32)
        for word in re.findall(r"[a-z]+", text.lower()):
            vector[zlib.crc32(word.encode()) % self.dimensions] += 1
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def platform(tmp_path: Path, clock: Clock, embedder: WordEmbedder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that gives a blocking client of a platform, with rehearsal-1, the clock and the embedder."""
    monkeypatch.setenv("AGENTKIT_REHEARSAL_TOKENS_PER_S", "0")
    clients: list[openai.OpenAI] = []

    def make(*, engine: Any = None, with_embedder: bool = True, home: Path | None = None) -> openai.OpenAI:
        transport = embedded_transports(
            home=home or tmp_path,
            engine=engine,
            embedder=(lambda: embedder) if with_embedder else (lambda: None),
            clock=clock,
        )[1]
        http_client = openai.DefaultHttpx2Client(transport=transport)
        clients.append(openai.OpenAI(api_key="k", base_url=BASE_URL, http_client=http_client, max_retries=0))
        return clients[-1]

    yield make
    for made in clients:
        made.close()


@pytest.fixture
def api(platform: Any) -> openai.OpenAI:
    """A blocking client of a platform with rehearsal-1, the clock and the embedder."""
    made: openai.OpenAI = platform()
    return made


@pytest.fixture(scope="session")
def strictly() -> Callable[[Any, Any], Any]:
    """Check JSON against a type of `openai`: nothing missing, nothing of a wrong type, nothing that it doesn't know."""

    def check(kind: Any, value: Any) -> Any:
        typed = TypeAdapter(kind).validate_json(json.dumps(value), strict=True)
        _assert_no_extras(typed, kind)
        return typed

    return check


@pytest.fixture(scope="session")
def strictly_event(strictly: Callable[[Any, Any], Any]) -> Callable[[dict[str, Any]], Any]:
    """Check an event against the class that its `type` names."""
    kinds = {}
    for kind in get_args(get_args(ResponseStreamEvent)[0]):
        for name in get_args(kind.model_fields["type"].annotation):
            kinds[name] = kind

    def check(event: dict[str, Any]) -> Any:
        return strictly(kinds[event["type"]], event)

    return check


@pytest.fixture
def wire_events(
    client: openai.AsyncOpenAI, strictly_event: Callable[[dict[str, Any]], Any]
) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """Stream a response and return its events as they were on the wire, each strictly checked."""

    async def events(**params: Any) -> list[dict[str, Any]]:
        params = {"model": "rehearsal-1", "input": "Hi", **params}
        async with client.responses.with_streaming_response.create(stream=True, **params) as reply:
            text = (await reply.read()).decode()
        found = []
        for block in text.removesuffix("\n\n").split("\n\n"):
            name, data = block.split("\n")
            event = json.loads(data.removeprefix("data: "))
            assert name == f"event: {event['type']}"
            strictly_event(event)
            found.append(event)
        return found

    return events


@pytest.fixture
def wire_chunks(
    client: openai.AsyncOpenAI, strictly: Callable[[Any, Any], Any]
) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """Stream a chat completion and return its chunks as they were on the wire, each strictly checked."""
    from openai.types.chat import ChatCompletionChunk

    async def chunks(**params: Any) -> list[dict[str, Any]]:
        params = {"model": "rehearsal-1", "messages": [{"role": "user", "content": "Hi"}], **params}
        async with client.chat.completions.with_streaming_response.create(stream=True, **params) as reply:
            text = (await reply.read()).decode()
        *blocks, end = text.removesuffix("\n\n").split("\n\n")
        assert end == "data: [DONE]"
        found = [json.loads(block.removeprefix("data: ")) for block in blocks]
        for chunk in found:
            strictly(ChatCompletionChunk, chunk)
        return found

    return chunks


def _assert_no_extras(value: Any, place: Any) -> None:
    if isinstance(value, BaseModel):
        assert not value.model_extra, f"{place} has unknown fields {value.model_extra}"
        for name in type(value).model_fields:
            _assert_no_extras(getattr(value, name), f"{place}.{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            _assert_no_extras(part, f"{place}[{index}]")
