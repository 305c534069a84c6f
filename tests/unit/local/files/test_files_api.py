"""`/v1/files` through the client: what is kept, listed, given back and refused."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.types import FileDeleted, FileObject

from agentkit.local.files.routes import FILE_BYTES

DAY_S = 24 * 3600


def wire(api: openai.OpenAI, path: str) -> Any:
    """Return the JSON at a path."""
    return api.get(path, cast_to=object)


def refusal(call: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        call()
    return caught.value


def stored_names(home: Path) -> set[str]:
    return {path.name for path in (home / "files" / "data").iterdir()}


def test_a_file_has_every_documented_field(api: openai.OpenAI, strictly: Any) -> None:
    raw = api.files.with_raw_response.create(file=("näme.md", b"# Hi"), purpose="assistants")
    body = raw.http_response.json()
    strictly(FileObject, body)
    assert body == {
        "id": body["id"],
        "object": "file",
        "bytes": 4,
        "created_at": 1_800_000_000,
        "expires_at": None,
        "filename": "näme.md",
        "purpose": "assistants",
        "status": "processed",
        "status_details": None,
    }
    assert body["id"].startswith("file-")
    assert wire(api, f"/files/{body['id']}") == body


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('a "quoted" name.txt', 'a "quoted" name.txt'),
        ("../../etc/passwd", "passwd"),
        ("C:\\docs\\a.txt", "a.txt"),
        ("two\nlines.txt", "twolines.txt"),
        ("报告.pdf", "报告.pdf"),
    ],
)
def test_a_filename_is_kept_without_its_folders(api: openai.OpenAI, sent: str, kept: str) -> None:
    assert api.files.create(file=(sent, b"x"), purpose="user_data").filename == kept


def test_bytes_come_back_as_they_were_sent(api: openai.OpenAI, tmp_path: Path) -> None:
    data = bytes(range(256)) * 5_000 + b"\r\n--boundary\r\n"
    path = tmp_path / "sent.bin"
    path.write_bytes(data)
    sent: list[Any] = [("a.bin", data), io.BytesIO(data), path, path.open("rb")]
    made = [api.files.create(file=one, purpose="user_data") for one in sent]
    sent[-1].close()
    assert [api.files.content(file.id).read() for file in made] == [data] * 4
    assert {file.bytes for file in made} == {len(data)}


async def test_the_async_client_does_the_same(transports: Any, strictly: Any) -> None:
    http_client = openai.DefaultAsyncHttpx2Client(transport=transports[0])
    async with openai.AsyncOpenAI(
        api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0
    ) as client:
        data = os.urandom(700_000)
        made = await client.files.create(file=("a.bin", io.BytesIO(data)), purpose="user_data")
        content = await client.files.content(made.id)
        assert (await content.aread(), made.bytes) == (data, 700_000)


def test_a_file_that_cannot_be_read_is_the_callers_own_error(api: openai.OpenAI, tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        api.files.create(file=("a.txt", Broken(b"abc")), purpose="user_data")
    assert stored_names(tmp_path) == set()
    assert api.files.list().data == []


def test_files_come_newest_first_a_page_at_a_time(api: openai.OpenAI, strictly: Any) -> None:
    made = [api.files.create(file=(f"{n}.txt", b"x"), purpose="user_data").id for n in range(5)]
    page = api.files.list(limit=2)
    assert (page.has_more, [file.id for file in page.data]) == (True, made[:2:-1])
    assert [file.id for file in api.files.list(limit=2)] == made[::-1]
    assert [file.id for file in api.files.list(order="asc", after=made[1])] == made[2:]
    body = wire(api, "/files?limit=2")
    assert (body["object"], body["first_id"], body["last_id"]) == ("list", made[4], made[3])
    for file in body["data"]:
        strictly(FileObject, file)


def test_files_are_listed_by_purpose(api: openai.OpenAI) -> None:
    api.files.create(file=b"x", purpose="user_data")
    tuning = api.files.create(file=b"{}", purpose="fine-tune")
    assert [file.id for file in api.files.list(purpose="fine-tune")] == [tuning.id]


def test_a_deleted_file_is_gone_with_its_bytes(api: openai.OpenAI, strictly: Any, tmp_path: Path) -> None:
    file = api.files.create(file=b"x", purpose="user_data")
    assert stored_names(tmp_path) == {file.id}
    body = api.files.with_raw_response.delete(file.id).http_response.json()
    strictly(FileDeleted, body)
    assert body == {"id": file.id, "object": "file", "deleted": True}
    assert stored_names(tmp_path) == set()
    for call in (api.files.retrieve, api.files.delete, api.files.content):
        assert refusal(lambda call=call: call(file.id)).body == {
            "message": f"No such File object: {file.id}",
            "type": "invalid_request_error",
            "param": "id",
            "code": None,
        }


def test_a_file_expires(api: openai.OpenAI, clock: Any, tmp_path: Path) -> None:
    file = api.files.create(file=b"x", purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600})
    batch = api.files.create(file=b"{}", purpose="batch")
    assert file.expires_at == file.created_at + 3600
    assert batch.expires_at == batch.created_at + 30 * DAY_S
    clock.go_on(3599)
    assert api.files.retrieve(file.id) == file
    clock.go_on(1)
    assert refusal(lambda: api.files.retrieve(file.id)).status_code == 404
    assert [left.id for left in api.files.list()] == [batch.id]
    assert stored_names(tmp_path) == {batch.id}


CASES: list[tuple[dict[str, Any], str, str]] = [
    (
        {"purpose": "fun"},
        "Invalid value: 'fun'. Supported values are: 'assistants', 'batch', 'fine-tune', 'vision', 'user_data', and "
        "'evals'.",
        "purpose",
    ),
    ({}, "Missing required parameter: 'purpose'.", "purpose"),
    ({"purpose": "batch", "colour": "red"}, "Unknown parameter: 'colour'.", "colour"),
    (
        {"purpose": "batch", "expires_after[anchor]": "created_at", "expires_after[seconds]": "10"},
        "Invalid 'expires_after.seconds': integer below minimum value. Expected a value >= 3600, but got 10 instead.",
        "expires_after.seconds",
    ),
    (
        {"purpose": "batch", "expires_after[seconds]": "3600"},
        "Missing required parameter: 'expires_after.anchor'.",
        "expires_after.anchor",
    ),
]


@pytest.mark.parametrize(("fields", "message", "param"), CASES)
def test_wrong_fields_are_refused_and_nothing_is_kept(
    transports: Any, tmp_path: Path, fields: dict[str, str], message: str, param: str
) -> None:
    with httpx2.Client(transport=transports[1]) as http:
        reply = http.post("http://agentkit.local/v1/files", data=fields, files={"file": ("a.txt", b"x")})
    error = reply.json()["error"]
    assert (reply.status_code, error["message"], error["param"]) == (400, message, param)
    assert stored_names(tmp_path) == set()


FORM = "multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nx\r\n'
BODIES: list[tuple[str, bytes, str]] = [
    ("application/json", b"{}", "The request's body has to be multipart/form-data"),
    ("multipart/form-data", PART, "The request's body has to be multipart/form-data"),
    (FORM, PART, "The form in your request breaks off before its end."),
    (FORM, b"nonsense", "We could not parse the form in your request"),
    (FORM, b"", "The form in your request breaks off before its end."),
    (FORM, b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--b--', "Missing required parameter: 'file'."),
    (FORM, PART + PART + b"--b--", "Only one 'file' can be sent at a time."),
    (FORM, PART + b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n' + b"1" * 70_000, "more than 65,536 bytes"),
    (
        FORM,
        PART + b'--b\r\nContent-Disposition: form-data; name="1234567"\r\n\r\n\r\n' * 10_000,
        "more than 65,536 bytes",
    ),
]


@pytest.mark.parametrize(("kind", "body", "message"), BODIES)
def test_a_body_that_is_no_whole_form_is_refused(
    transports: Any, tmp_path: Path, kind: str, body: bytes, message: str
) -> None:
    with httpx2.Client(transport=transports[1]) as http:
        reply = http.post("http://agentkit.local/v1/files", content=body, headers={"content-type": kind})
    assert reply.status_code == 400
    assert message in json.loads(reply.content)["error"]["message"]
    assert stored_names(tmp_path) == set()


def test_too_large_a_file_is_refused_unread_where_its_length_is_announced(transports: Any, tmp_path: Path) -> None:
    def never() -> Any:
        raise AssertionError("it was read")
        yield b""

    headers = {"content-type": FORM, "content-length": str(FILE_BYTES + 200_000)}
    with httpx2.Client(transport=transports[1]) as http:
        reply = http.post("http://agentkit.local/v1/files", content=never(), headers=headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "file_too_large")
    assert reply.json()["error"]["message"] == "File is too large. Maximum file size is 512 MB."


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead."),
        (
            "limit=10001",
            "Invalid 'limit': integer above maximum value. Expected a value <= 10000, but got 10001 instead.",
        ),
        ("order=up", "Invalid value: 'up'. Supported values are: 'asc' and 'desc'."),
        ("after=file-x", "No file with id 'file-x' in this list."),
    ],
)
def test_a_wrong_query_is_refused(api: openai.OpenAI, query: str, message: str) -> None:
    assert refusal(lambda: wire(api, f"/files?{query}")).body["message"] == message  # type: ignore[index]


def test_a_home_that_cannot_be_written_is_named(api: openai.OpenAI, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("not a folder")
    error = refusal(lambda: api.files.create(file=b"x", purpose="user_data"))
    assert (error.status_code, error.code) == (500, "storage_error")
    assert "files.sqlite3 can't be used" in error.message
    assert "AGENTKIT_HOME" in error.message


def test_lost_bytes_are_told_of(api: openai.OpenAI, tmp_path: Path) -> None:
    file = api.files.create(file=("a.txt", b"abc"), purpose="user_data")
    path = tmp_path / "files" / "data" / file.id
    path.write_bytes(b"ab")
    error = refusal(lambda: api.files.content(file.id))
    assert "has 2 bytes where 3 were uploaded. Upload it again." in error.message


def test_files_are_their_users_own(api: openai.OpenAI, tmp_path: Path) -> None:
    file = api.files.create(file=b"x", purpose="user_data")
    folder = tmp_path / "files"
    modes = [path.stat().st_mode & 0o777 for path in (folder, folder / "data", folder / "data" / file.id)]
    assert modes == [0o700, 0o700, 0o600]
    assert (folder / "files.sqlite3").stat().st_mode & 0o777 == 0o600
