"""A limit on what a request may bring along."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from agentkit.local import create_app

BODY = b'{"model": "rehearsal-1", "input": "Hi"}'
TOO_LARGE = {
    "error": {
        "message": f"Request body too large: this server takes at most {len(BODY)} bytes.",
        "type": "invalid_request_error",
        "param": None,
        "code": "request_too_large",
    }
}


@pytest.fixture
async def http(tmp_path: Path, engine: Any) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(home=tmp_path, engine=engine, token="t", max_body_bytes=len(BODY))
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://x/v1", headers={"authorization": "Bearer t"}
    ) as c:
        yield c
    app.state.platform.close()


class Chunks:
    """A body in chunks of no announced length, and how many of them were read."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.read += 1
            yield chunk


async def test_a_body_within_the_limit_is_answered(http: httpx2.AsyncClient) -> None:
    whole = await http.post("/responses", content=BODY)
    in_chunks = await http.post("/responses", content=Chunks(BODY[:20], BODY[20:]))
    assert (whole.status_code, in_chunks.status_code) == (200, 200)


@pytest.mark.parametrize("path", ["/responses", "/responses/input_tokens", "/chat/completions"])
async def test_a_body_that_is_announced_as_too_long_is_not_read(http: httpx2.AsyncClient, path: str) -> None:
    chunks = Chunks(BODY, b" ")
    reply = await http.post(path, content=chunks, headers={"content-length": str(len(BODY) + 1)})
    assert (reply.status_code, reply.json(), chunks.read) == (413, TOO_LARGE, 0)
    assert "x-request-id" in reply.headers


@pytest.mark.parametrize("path", ["/responses", "/responses/input_tokens", "/chat/completions"])
async def test_a_body_that_gets_too_long_is_read_no_further(http: httpx2.AsyncClient, path: str) -> None:
    chunks = Chunks(BODY, b" ", b" ", b" ")
    reply = await http.post(path, content=chunks)
    assert (reply.status_code, reply.json(), chunks.read) == (413, TOO_LARGE, 2)


async def test_a_stranger_is_not_told_the_limit(http: httpx2.AsyncClient) -> None:
    reply = await http.post("/responses", content=BODY + b" ", headers={"authorization": "Bearer guess"})
    assert reply.status_code == 401


async def test_uploads_go_to_the_disk_and_have_limits_of_their_own(http: httpx2.AsyncClient) -> None:
    file = await http.post("/files", data={"purpose": "user_data"}, files={"file": ("a.txt", b"x" * 5_000)})
    assert (file.status_code, file.json()["bytes"]) == (200, 5_000)
    body = b'{"bytes":9,"filename":"a","mime_type":"b","purpose":"batch"}'
    assert len(body) > len(BODY)  # an upload is begun by JSON, which is limited
    assert (await http.post("/uploads", content=body)).json() == TOO_LARGE
    part = await http.post("/uploads/upload_x/parts", files={"data": ("a", b"x" * 5_000)})
    assert part.json()["error"]["message"] == "No such Upload object: upload_x"
    deeper = await http.post("/files/x/content", content=BODY + b" ")
    assert deeper.json() == TOO_LARGE
