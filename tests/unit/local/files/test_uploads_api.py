"""`/v1/uploads` through the client: parts in the order that is asked for, checked, and none left behind."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.types import Upload
from openai.types.uploads import UploadPart

GB = 1024**3


def refusal(call: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        call()
    return caught.value


def stored_names(home: Path) -> set[str]:
    folder = home / "files" / "data"
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def begin(api: openai.OpenAI, size: int, **options: Any) -> Upload:
    return api.uploads.create(bytes=size, filename="long.txt", mime_type="text/plain", purpose="assistants", **options)


def test_an_upload_has_every_documented_field(api: openai.OpenAI, strictly: Any) -> None:
    raw = api.uploads.with_raw_response.create(
        bytes=6, filename="long.txt", mime_type="text/plain", purpose="assistants"
    )
    body = raw.http_response.json()
    strictly(Upload, body)
    assert body == {
        "id": body["id"],
        "object": "upload",
        "bytes": 6,
        "created_at": 1_800_000_000,
        "expires_at": 1_800_003_600,
        "filename": "long.txt",
        "purpose": "assistants",
        "status": "pending",
        "file": None,
    }
    part = api.uploads.parts.with_raw_response.create(body["id"], data=b"abcdef").http_response.json()
    strictly(UploadPart, part)
    assert part == {
        "id": part["id"],
        "object": "upload.part",
        "created_at": 1_800_000_000,
        "upload_id": body["id"],
    }
    raw_complete = api.uploads.with_raw_response.complete(body["id"], part_ids=[part["id"]])
    completed = raw_complete.http_response.json()
    strictly(Upload, completed)
    assert completed == {**body, "status": "completed", "file": completed["file"]}
    assert (completed["file"]["bytes"], completed["file"]["filename"]) == (6, "long.txt")


@pytest.mark.parametrize("name", ["../../etc/notes.md", "C:\\a\\notes.md", "no\0t\nes.md"])
def test_an_upload_is_called_by_its_plain_name(api: openai.OpenAI, name: str) -> None:
    made = api.uploads.create(bytes=1, filename=name, mime_type="text/plain", purpose="assistants")
    assert made.filename == "notes.md"


def test_parts_are_put_together_in_the_order_that_is_given(api: openai.OpenAI, tmp_path: Path) -> None:
    upload = begin(api, 9)
    last, first, middle = (api.uploads.parts.create(upload.id, data=data).id for data in (b"ghi", b"abc", b"def"))
    spare = api.uploads.parts.create(begin(api, 3).id, data=b"xyz").id
    md5 = hashlib.md5(b"abcdefghi").hexdigest().upper()
    made = api.uploads.complete(upload.id, part_ids=[first, middle, last], md5=md5)
    assert made.file is not None
    assert api.files.content(made.file.id).read() == b"abcdefghi"
    assert stored_names(tmp_path) == {made.file.id, spare}


def test_the_clients_own_helper_uploads_a_large_file(api: openai.OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    path.write_bytes(os.urandom(1_000_000))
    made = api.uploads.upload_file_chunked(file=path, mime_type="text/plain", purpose="user_data", part_size=300_000)
    assert (made.status, made.file and made.file.bytes) == ("completed", 1_000_000)
    assert made.file is not None
    assert api.files.content(made.file.id).read() == path.read_bytes()
    assert api.files.retrieve(made.file.id) == made.file


def test_a_files_end_is_counted_from_when_it_is_made(api: openai.OpenAI, clock: Any) -> None:
    upload = begin(api, 1, expires_after={"anchor": "created_at", "seconds": 7200})
    part = api.uploads.parts.create(upload.id, data=b"x")
    clock.go_on(600)
    made = api.uploads.complete(upload.id, part_ids=[part.id])
    assert made.file is not None
    assert made.file.expires_at == 1_800_000_600 + 7200


def test_a_cancelled_upload_is_over_and_its_parts_are_gone(api: openai.OpenAI, strictly: Any, tmp_path: Path) -> None:
    upload = begin(api, 3)
    part = api.uploads.parts.create(upload.id, data=b"abc")
    assert stored_names(tmp_path) == {part.id}
    body = api.uploads.with_raw_response.cancel(upload.id).http_response.json()
    strictly(Upload, body)
    assert body["status"] == "cancelled"
    assert stored_names(tmp_path) == set()
    for call in (
        lambda: api.uploads.parts.create(upload.id, data=b"abc"),
        lambda: api.uploads.complete(upload.id, part_ids=[part.id]),
        lambda: api.uploads.cancel(upload.id),
    ):
        error = refusal(call)
        assert (error.status_code, error.code) == (400, "invalid_upload_status")
        assert f"Upload '{upload.id}' is cancelled" in error.message
    assert api.files.list().data == []


def test_an_upload_that_is_not_completed_in_an_hour_expires(api: openai.OpenAI, clock: Any, tmp_path: Path) -> None:
    upload = begin(api, 3)
    part = api.uploads.parts.create(upload.id, data=b"abc")
    clock.go_on(3600)
    assert (
        f"Upload '{upload.id}' is expired"
        in refusal(lambda: api.uploads.complete(upload.id, part_ids=[part.id])).message
    )
    assert stored_names(tmp_path) == set()


def test_another_upload_sweeps_those_that_expired(api: openai.OpenAI, clock: Any, tmp_path: Path) -> None:
    api.uploads.parts.create(begin(api, 3).id, data=b"abc")
    clock.go_on(3600)
    begin(api, 3)
    assert stored_names(tmp_path) == set()


def test_the_parts_have_to_have_as_many_bytes_as_was_said(api: openai.OpenAI, tmp_path: Path) -> None:
    upload = begin(api, 5)
    part = api.uploads.parts.create(upload.id, data=b"abc")
    error = refusal(lambda: api.uploads.complete(upload.id, part_ids=[part.id]))
    assert error.message.endswith("The parts have 3 bytes, but the upload was announced with 5 bytes.")
    error = refusal(lambda: api.uploads.parts.create(upload.id, data=b"def"))
    assert error.message.endswith("The parts have 6 bytes, but the upload was announced with 5 bytes.")
    rest = api.uploads.parts.create(upload.id, data=b"de")
    assert stored_names(tmp_path) == {part.id, rest.id}
    assert api.uploads.complete(upload.id, part_ids=[part.id, rest.id]).status == "completed"


def test_a_wrong_checksum_makes_no_file_and_can_be_mended(api: openai.OpenAI, tmp_path: Path) -> None:
    upload = begin(api, 3)
    part = api.uploads.parts.create(upload.id, data=b"abc")
    error = refusal(lambda: api.uploads.complete(upload.id, part_ids=[part.id], md5="0" * 32))
    assert (error.status_code, error.code) == (400, "checksum_mismatch")
    assert hashlib.md5(b"abc").hexdigest() in error.message
    assert stored_names(tmp_path) == {part.id}
    assert api.uploads.complete(upload.id, part_ids=[part.id]).status == "completed"


@pytest.mark.parametrize("which", ["twice", "of another"])
def test_a_part_that_is_not_the_uploads_is_refused(api: openai.OpenAI, which: str) -> None:
    upload = begin(api, 6)
    part = api.uploads.parts.create(upload.id, data=b"abc").id
    other = part if which == "twice" else api.uploads.parts.create(begin(api, 3).id, data=b"abc").id
    error = refusal(lambda: api.uploads.complete(upload.id, part_ids=[part, other]))
    assert (error.param, error.code) == ("part_ids[1]", "invalid_value")


def test_nothing_is_known_of_an_unknown_upload(api: openai.OpenAI) -> None:
    for call in (
        lambda: api.uploads.parts.create("upload_x", data=b"x"),
        lambda: api.uploads.complete("upload_x", part_ids=["part_x"]),
        lambda: api.uploads.cancel("upload_x"),
    ):
        error = refusal(call)
        assert error.status_code == 404
        assert "No such Upload object: upload_x" in error.message


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (8 * GB + 1, f"Expected a value <= {8 * GB}, but got {8 * GB + 1} instead."),
        (0, "Expected a value >= 1, but got 0 instead."),
    ],
)
def test_a_size_out_of_bounds_is_refused(api: openai.OpenAI, size: int, message: str) -> None:
    assert message in refusal(lambda: begin(api, size)).message


def test_an_upload_of_eight_gigabytes_may_begin(api: openai.OpenAI) -> None:
    assert begin(api, 8 * GB).bytes == 8 * GB


def test_too_large_a_part_is_refused(api: openai.OpenAI, tmp_path: Path) -> None:
    upload = begin(api, 8 * GB)
    error = refusal(lambda: api.uploads.parts.create(upload.id, data=bytes(64 * 1024**2 + 1)))
    assert (error.status_code, error.code) == (413, "part_too_large")
    assert stored_names(tmp_path) == set()


def test_a_part_of_no_announced_length_is_refused_where_it_gets_too_large(transports: Any, tmp_path: Path) -> None:
    def pieces() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="data"; filename="p"\r\n\r\n'
        for _ in range(65):
            yield bytes(1024**2)
        raise AssertionError("it was read to its end")

    body = {"bytes": 8 * GB, "filename": "long.txt", "mime_type": "text/plain", "purpose": "assistants"}
    headers = {"content-type": "multipart/form-data; boundary=b"}
    with httpx2.Client(transport=transports[1], base_url="http://agentkit.local/v1") as http:
        upload = http.post("/uploads", json=body).json()["id"]
        reply = http.post(f"/uploads/{upload}/parts", content=pieces(), headers=headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "part_too_large")
    assert stored_names(tmp_path) == set()
