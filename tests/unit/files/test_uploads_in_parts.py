"""Bytes on their way: whole, and in parts."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx2
import openai
import pytest

from agentkit.exceptions import UserError
from agentkit.files.documents import Content, Document
from agentkit.files.downloads import Downloads
from agentkit.files.uploading import LARGEST_BYTES, Uploader, patient

from .conftest import Wire, refusal

DATA = bytes(range(256)) * 40


def content(data: bytes | Path, size: int | None = None) -> Content:
    raw = data if isinstance(data, bytes) else data.read_bytes()
    return Content("numbers.txt", data, len(raw) if size is None else size, hashlib.sha256(raw).hexdigest())


@pytest.mark.parametrize("from_path", [True, False])
async def test_a_large_file_goes_in_parts_and_arrives_whole(wire: Wire, tmp_path: Path, from_path: bool) -> None:
    path = tmp_path / "numbers.txt"
    path.write_bytes(DATA)
    told: list[int] = []
    client = wire.client()
    uploader = Uploader(client, whole_up_to=1000, part_bytes=4096)
    file_id = await uploader.send(content(path if from_path else DATA), told.append)
    assert told == [4096, 4096, 2048]
    assert (await client.files.retrieve(file_id)).filename == "numbers.txt"
    assert (await client.files.retrieve(file_id)).bytes == len(DATA)
    (done,) = [body for _, path, body in wire.requests if path.endswith("/complete")]
    assert done["md5"] == hashlib.md5(DATA).hexdigest()


async def test_a_small_file_goes_whole(wire: Wire) -> None:
    told: list[int] = []
    file_id = await Uploader(wire.client()).send(content(b"small"), told.append)
    assert told == [5]
    assert wire.count("POST", "/files") == 1
    assert (await wire.client().files.retrieve(file_id)).purpose == "assistants"


async def test_a_part_that_is_refused_cancels_the_upload(wire: Wire) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response | None:
        return refusal(400, "not this part") if request.url.path.endswith("/parts") else None

    wire.answers = refuse
    with pytest.raises(UserError, match="Uploading 'numbers.txt': not this part"):
        await Uploader(wire.client(), whole_up_to=1000, part_bytes=4096).send(content(DATA), lambda _: None)
    assert wire.count("POST", "/cancel") == 1


async def test_a_file_that_became_shorter_is_told(wire: Wire, tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_bytes(DATA[:5000])
    with pytest.raises(UserError, match="'numbers.txt' became shorter while it was read"):
        await Uploader(wire.client(), whole_up_to=1000, part_bytes=4096).send(content(path, 9000), lambda _: None)


async def test_a_file_beyond_the_limit_is_not_sent(wire: Wire) -> None:
    with pytest.raises(UserError, match=r"has 8,589,934,593 bytes; at most 8,589,934,592 can be sent"):
        await Uploader(wire.client()).send(content(b"", LARGEST_BYTES + 1), lambda _: None)
    assert wire.requests == []


def test_types_are_told_by_names() -> None:
    kinds = {name: Content(name, b"", 0, "").mime_type for name in ("a.pdf", "a.md", "a.py", "a.unknown")}
    assert kinds == {
        "a.pdf": "application/pdf", "a.md": "text/markdown", "a.py": "text/x-python",
        "a.unknown": "application/octet-stream",
    }  # fmt: skip


async def test_a_file_that_is_not_small_is_sent_whole_from_its_place(wire: Wire, tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_bytes(bytes(17 * 2**20))
    found = await Document("numbers.txt", path).read(Downloads(limit_bytes=1))
    assert (found.data, found.size_bytes) == (path, 17 * 2**20)
    assert found.sha256 == hashlib.sha256(bytes(17 * 2**20)).hexdigest()
    file_id = await Uploader(wire.client()).send(found, lambda _: None)
    assert (await wire.client().files.retrieve(file_id)).bytes == 17 * 2**20
    assert wire.count("POST", "/files") == 1


def test_a_platform_that_is_busy_is_asked_more_often_unless_that_was_set(wire: Wire) -> None:
    plain = openai.AsyncOpenAI(api_key="sk-test")
    assert patient(plain).max_retries == 6
    assert patient(wire.client()).max_retries == 0
