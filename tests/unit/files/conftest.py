"""A folder of documents, the embedded platform ranking by words alone, and a wire that is watched and can break."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

import agentkit
from agentkit import backend
from agentkit.files.progress import watch_with
from agentkit.files.store import VectorStore
from agentkit.local import embedded_transports

LEAVE = "# Leave\n\nEverybody has thirty days of leave each year. Leave that is left over ends in March.\n"
TRAVEL = "# Travel\n\nTrains are booked by the traveller. A hotel may cost ninety euros a night.\n"
KITCHEN = "The kitchen is cleaned on Fridays. Whoever takes the last coffee makes new coffee.\n"


@pytest.fixture(autouse=True)
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The embedded platform, empty, without an embedder: what it finds depends on words alone."""
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AGENTKIT_EMBEDDER", "none")
    agentkit.connect("embedded")
    yield
    watch_with(None)
    backend.disconnect()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with docs/leave.md, docs/travel.md and docs/office/kitchen.txt."""
    root = tmp_path / "work"
    (root / "docs" / "office").mkdir(parents=True)
    (root / "docs" / "leave.md").write_text(LEAVE, encoding="utf-8")
    (root / "docs" / "travel.md").write_text(TRAVEL, encoding="utf-8")
    (root / "docs" / "office" / "kitchen.txt").write_text(KITCHEN, encoding="utf-8")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def store(folder: Path) -> VectorStore:
    """An empty store, in the folder of documents."""
    return VectorStore.create("handbook")


class Wire(httpx2.AsyncBaseTransport):
    """Carries requests to the embedded platform as OpenAI's would be: without details beside the documented fields.

    `answers` may answer a request in the platform's place, or raise; it returns None to let it through.
    """

    def __init__(self) -> None:
        self._inner, _ = embedded_transports()
        self.requests: list[tuple[str, str, Any]] = []
        self.answers: Callable[[httpx2.Request], httpx2.Response | None] = lambda request: None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        is_json = request.headers.get("content-type", "") == "application/json"
        told = json.loads(body) if is_json and body else None
        self.requests.append((request.method, request.url.path.removeprefix("/v1"), told))
        if (answer := self.answers(request)) is not None:
            return answer
        request.headers.pop("x-agentkit-details", None)
        return await self._inner.handle_async_request(request)

    def count(self, method: str, ending: str) -> int:
        """Return how many requests there were of a method, to paths of an ending."""
        return sum(verb == method and path.endswith(ending) for verb, path, _ in self.requests)

    def client(self) -> openai.AsyncOpenAI:
        """Return a client on this wire."""
        http = openai.DefaultAsyncHttpx2Client(transport=self)
        return openai.AsyncOpenAI(
            base_url="http://agentkit.local/v1", api_key="sk-test", http_client=http, max_retries=0
        )


@pytest.fixture
def wire() -> Wire:
    """A wire of its own."""
    return Wire()


def refusal(status: int, message: str) -> httpx2.Response:
    """Return an error as the API sends it."""
    return httpx2.Response(status, json={"error": {"message": message, "type": "invalid_request_error", "code": None}})
