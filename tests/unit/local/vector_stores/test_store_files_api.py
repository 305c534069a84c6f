"""The files of vector stores through the client: attached, listed, changed, in batches, and what is wrong with some."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from api_calls import refusal, wire
from openai.types.vector_stores import (
    FileContentResponse,
    VectorStoreFile,
    VectorStoreFileBatch,
    VectorStoreFileDeleted,
)
from pypdf import PdfWriter

from agentkit.local import embedded_transports
from agentkit.local.embedding.embedder import EmbedderAwayError, EmbedderError


def upload(api: openai.OpenAI, name: str, data: bytes | str) -> str:
    return api.files.create(file=(name, data.encode() if isinstance(data, str) else data), purpose="assistants").id


def attach(api: openai.OpenAI, store_id: str, name: str, data: bytes | str, **options: Any) -> VectorStoreFile:
    return api.vector_stores.files.create_and_poll(
        upload(api, name, data), vector_store_id=store_id, poll_interval_ms=1, **options
    )


@pytest.fixture
def store(api: openai.OpenAI) -> str:
    return api.vector_stores.create(name="s").id


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_has_every_documented_field(api: openai.OpenAI, store: str, strictly: Any) -> None:
    file_id = upload(api, "a.txt", "alpha beta")
    raw = api.vector_stores.files.with_raw_response.create(
        store, file_id=file_id, attributes={"year": 2024, "ok": True}
    )
    body = raw.http_response.json()
    strictly(VectorStoreFile, body)
    assert body == {
        "id": file_id,
        "object": "vector_store.file",
        "created_at": 1_800_000_000,
        "usage_bytes": body["usage_bytes"],
        "vector_store_id": store,
        "status": body["status"],
        "last_error": None,
        "chunking_strategy": {
            "type": "static",
            "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
        },
        "attributes": {"year": 2024, "ok": True},
    }
    assert int(raw.headers["openai-poll-after-ms"]) <= 100
    api.vector_stores.files.poll(file_id, vector_store_id=store, poll_interval_ms=1)
    done = wire(api, f"/vector_stores/{store}/files/{file_id}")
    strictly(VectorStoreFile, done)
    assert (done["status"], done["usage_bytes"]) == ("completed", len("alpha beta") + 64 * 4)


def test_polling_needs_no_interval(api: openai.OpenAI, store: str) -> None:
    made = api.vector_stores.files.create_and_poll(upload(api, "a.txt", "alpha"), vector_store_id=store)
    assert made.status == "completed"


def test_files_are_listed_by_status_and_page(api: openai.OpenAI, store: str, strictly: Any) -> None:
    made = [attach(api, store, f"{n}.txt", "alpha").id for n in range(3)]
    broken = attach(api, store, "e.txt", b"").id
    assert [file.id for file in api.vector_stores.files.list(store, limit=2)] == [broken, *made[::-1]]
    assert [file.id for file in api.vector_stores.files.list(store, filter="failed")] == [broken]
    assert [file.id for file in api.vector_stores.files.list(store, filter="completed", order="asc")] == made
    assert [file.id for file in api.vector_stores.files.list(store, before=made[1], order="asc")] == made[:1]
    for file in wire(api, f"/vector_stores/{store}/files")["data"]:
        strictly(VectorStoreFile, file)
    error = refusal(lambda: api.vector_stores.files.list(store, after="file-x"))
    assert error.message.endswith("No file with id 'file-x' in this list.")


def test_changed_attributes_are_searched_at_once(api: openai.OpenAI, store: str, strictly: Any) -> None:
    file = attach(api, store, "a.txt", "alpha", attributes={"year": 2023})
    body = wire(api, f"/vector_stores/{store}/files/{file.id}", {"attributes": {"year": 2024, "lang": "en"}})
    strictly(VectorStoreFile, body)
    assert body["attributes"] == {"year": 2024, "lang": "en"}
    new = api.vector_stores.search(store, query="alpha", filters={"type": "eq", "key": "year", "value": 2024})
    old = api.vector_stores.search(store, query="alpha", filters={"type": "eq", "key": "year", "value": 2023})
    assert ([hit.file_id for hit in new], old.data) == ([file.id], [])
    assert wire(api, f"/vector_stores/{store}/files/{file.id}", {"attributes": None})["attributes"] == {}
    error = refusal(lambda: wire(api, f"/vector_stores/{store}/files/{file.id}", {}))
    assert error.message.endswith("Missing required parameter: 'attributes'.")


def test_a_file_that_is_taken_out_stays_a_file(api: openai.OpenAI, store: str, strictly: Any) -> None:
    file = attach(api, store, "a.txt", "alpha")
    body = api.vector_stores.files.with_raw_response.delete(file.id, vector_store_id=store).http_response.json()
    strictly(VectorStoreFileDeleted, body)
    assert body == {"id": file.id, "object": "vector_store.file.deleted", "deleted": True}
    assert api.vector_stores.search(store, query="alpha").data == []
    assert api.files.retrieve(file.id).filename == "a.txt"
    for call in (
        lambda: api.vector_stores.files.retrieve(file.id, vector_store_id=store),
        lambda: api.vector_stores.files.delete(file.id, vector_store_id=store),
        lambda: api.vector_stores.files.update(file.id, vector_store_id=store, attributes={}),
        lambda: api.vector_stores.files.content(file.id, vector_store_id=store),
    ):
        error = refusal(call)
        assert error.status_code == 404
        assert f"No file found with id '{file.id}' in vector store '{store}'." in error.message


def test_a_deleted_file_is_gone_from_all_stores(api: openai.OpenAI, store: str) -> None:
    other = api.vector_stores.create().id
    file = attach(api, store, "a.txt", "alpha")
    api.vector_stores.files.create_and_poll(file.id, vector_store_id=other, poll_interval_ms=1)
    api.files.delete(file.id)
    for one in (store, other):
        assert api.vector_stores.files.list(one).data == []
        assert api.vector_stores.search(one, query="alpha").data == []
        assert api.vector_stores.retrieve(one).file_counts.total == 0


def test_content_is_the_text_passage_by_passage(api: openai.OpenAI, store: str, strictly: Any) -> None:
    chunking: Any = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    text = " ".join(f"word{n}" for n in range(150))
    file = attach(api, store, "a.txt", text, chunking_strategy=chunking)
    body = wire(api, f"/vector_stores/{store}/files/{file.id}/content")
    assert (body["object"], body["has_more"], body["next_page"]) == ("vector_store.file_content.page", False, None)
    for part in body["data"]:
        strictly(FileContentResponse, part)
    assert len(body["data"]) > 1
    assert "".join(part["text"] for part in body["data"]).replace(" ", "") == text.replace(" ", "")
    assert [part.text for part in api.vector_stores.files.content(file.id, vector_store_id=store)] == [
        part["text"] for part in body["data"]
    ]


def test_a_file_that_is_attached_again_is_indexed_anew(api: openai.OpenAI, store: str) -> None:
    file = attach(api, store, "a.txt", "alpha", attributes={"v": 1})
    api.vector_stores.files.create_and_poll(file.id, vector_store_id=store, attributes={"v": 2}, poll_interval_ms=1)
    hits = api.vector_stores.search(store, query="alpha").data
    assert [hit.attributes for hit in hits] == [{"v": 2}]


FILES: list[tuple[dict[str, Any], str, str | None]] = [
    ({}, "file_id", "missing_required_parameter"),
    ({"attributes": {str(n): n for n in range(17)}}, "attributes", "object_above_max_properties"),
    ({"attributes": {"k" * 65: 1}}, "attributes." + "k" * 65, "string_above_max_length"),
    ({"attributes": {"k": "v" * 513}}, "attributes.k", "invalid_value"),
    ({"attributes": {"k": [1]}}, "attributes.k", "invalid_value"),
    ({"attributes": {"k": None}}, "attributes.k", "invalid_value"),
    ({"attributes": {"k": 10**400}}, "attributes.k", "invalid_value"),
    (
        {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 99, "chunk_overlap_tokens": 0}}},
        "chunking_strategy.static.max_chunk_size_tokens",
        "integer_below_min_value",
    ),
    (
        {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 51}}},
        "chunking_strategy.static.chunk_overlap_tokens",
        "invalid_value",
    ),
    (
        {"chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 800}}},
        "chunking_strategy.static.chunk_overlap_tokens",
        "missing_required_parameter",
    ),
]


@pytest.mark.parametrize(("body", "param", "code"), FILES)
def test_a_wrong_file_is_refused_and_not_attached(
    api: openai.OpenAI, store: str, body: dict[str, Any], param: str, code: str
) -> None:
    body = {"file_id": upload(api, "a.txt", "alpha"), **body} if body else {}
    error = refusal(lambda: wire(api, f"/vector_stores/{store}/files", body))
    assert (error.status_code, error.param, error.code) == (400, param, code)
    assert api.vector_stores.files.list(store).data == []


def test_half_a_character_in_an_id_is_refused(api: openai.OpenAI, store: str) -> None:
    for path, content in (("files", b'{"file_id": "\\ud800"}'), ("file_batches", b'{"file_ids": ["\\ud800"]}')):
        options: Any = {"content": content, "options": {"headers": {"content-type": "application/json"}}}
        with pytest.raises(openai.BadRequestError, match="unable to parse raw data"):
            api.post(f"/vector_stores/{store}/{path}", cast_to=object, **options)


def test_seventeen_attributes_are_told_of(api: openai.OpenAI, store: str) -> None:
    error = refusal(lambda: attach(api, store, "a.txt", "alpha", attributes={str(n): n for n in range(17)}))
    assert error.body["message"] == (  # type: ignore[index]
        "Invalid 'attributes': too many properties. Expected an object with at most 16, but got 17 instead."
    )


def test_a_file_that_is_not_there_cannot_be_attached(api: openai.OpenAI, store: str) -> None:
    file_id = upload(api, "a.txt", "alpha")
    api.files.delete(file_id)
    error = refusal(lambda: api.vector_stores.files.create(store, file_id=file_id))
    assert (error.status_code, error.param) == (404, "file_id")
    assert f"No such File object: {file_id}" in error.message


# -- batches ----------------------------------------------------------------------------------------------------------


def test_a_batch_has_every_documented_field(api: openai.OpenAI, store: str, strictly: Any) -> None:
    ids = [upload(api, f"{n}.txt", "alpha") for n in range(3)]
    raw = api.vector_stores.file_batches.with_raw_response.create(store, file_ids=ids, attributes={"a": 1})
    body = raw.http_response.json()
    strictly(VectorStoreFileBatch, body)
    assert body == {
        "id": body["id"],
        "object": "vector_store.files_batch",
        "created_at": 1_800_000_000,
        "vector_store_id": store,
        "status": body["status"],
        "file_counts": body["file_counts"],
    }
    assert "openai-poll-after-ms" in raw.headers
    done = api.vector_stores.file_batches.poll(body["id"], vector_store_id=store, poll_interval_ms=1)
    assert (done.status, done.file_counts.completed, done.file_counts.total) == ("completed", 3, 3)
    listed = wire(api, f"/vector_stores/{store}/file_batches/{body['id']}/files?order=asc")
    assert [(file["id"], file["attributes"]) for file in listed["data"]] == [(one, {"a": 1}) for one in ids]
    for file in listed["data"]:
        strictly(VectorStoreFile, file)


def test_each_file_of_a_batch_may_have_its_own_attributes(api: openai.OpenAI, store: str) -> None:
    one, two = upload(api, "1.txt", "alpha"), upload(api, "2.txt", "beta")
    chunking: Any = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 100}}
    batch = api.vector_stores.file_batches.create_and_poll(
        store,
        file_ids=openai.omit,  # type: ignore[arg-type]
        files=[{"file_id": one, "attributes": {"n": 1}}, {"file_id": two, "chunking_strategy": chunking}],
        poll_interval_ms=1,
    )
    files = api.vector_stores.file_batches.list_files(batch.id, vector_store_id=store, order="asc").data
    assert [file.attributes for file in files] == [{"n": 1}, {}]
    sizes = [file.chunking_strategy.static.max_chunk_size_tokens for file in files]  # type: ignore[union-attr]
    assert sizes == [800, 200]


BATCHES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "file_ids", "missing_required_parameter"),
    ({"file_ids": []}, "file_ids", "empty_array"),
    ({"file_ids": ["a"], "files": [{"file_id": "a"}]}, "file_ids", "mutually_exclusive_parameters"),
    ({"file_ids": ["a"] * 2001}, "file_ids", "array_above_max_length"),
    ({"files": [{"attributes": {}}]}, "files[0].file_id", "missing_required_parameter"),
]


@pytest.mark.parametrize(("body", "param", "code"), BATCHES)
def test_a_wrong_batch_is_refused(api: openai.OpenAI, store: str, body: dict[str, Any], param: str, code: str) -> None:
    error = refusal(lambda: wire(api, f"/vector_stores/{store}/file_batches", body))
    assert (error.status_code, error.param, error.code) == (400, param, code)


def test_a_cancelled_batch_keeps_what_is_indexed(api: openai.OpenAI, store: str, embedder: Any, strictly: Any) -> None:
    done = attach(api, store, "done.txt", "alpha")
    embedder.gate.clear()
    made = api.vector_stores.file_batches.create(store, file_ids=[upload(api, f"{n}.txt", "gamma") for n in range(3)])
    raw = api.vector_stores.file_batches.with_raw_response.cancel(made.id, vector_store_id=store)
    strictly(VectorStoreFileBatch, raw.http_response.json())
    embedder.gate.set()
    batch = api.vector_stores.file_batches.poll(made.id, vector_store_id=store, poll_interval_ms=1)
    assert (batch.status, batch.file_counts.cancelled, batch.file_counts.total) == ("cancelled", 3, 3)
    listed = api.vector_stores.file_batches.list_files(made.id, vector_store_id=store, filter="cancelled")
    assert len(listed.data) == 3
    attach(api, store, "after.txt", "delta")
    assert api.vector_stores.retrieve(store).file_counts.completed == 2
    assert api.vector_stores.files.retrieve(done.id, vector_store_id=store).status == "completed"


def test_words_find_a_file_before_it_has_its_vectors(api: openai.OpenAI, store: str, embedder: Any) -> None:
    embedder.gate.clear()
    file_id = upload(api, "a.txt", "alpha beta")
    api.vector_stores.files.create(store, file_id=file_id)
    hits: list[Any] = []
    while not hits:
        hits = api.vector_stores.search(store, query="beta").data
    assert [hit.file_id for hit in hits] == [file_id]
    assert api.vector_stores.files.retrieve(file_id, vector_store_id=store).status == "in_progress"
    assert api.vector_stores.retrieve(store).status == "in_progress"
    embedder.gate.set()
    assert api.vector_stores.files.poll(file_id, vector_store_id=store, poll_interval_ms=1).status == "completed"


def test_nothing_is_known_of_an_unknown_batch(api: openai.OpenAI, store: str) -> None:
    for call in (api.vector_stores.file_batches.retrieve, api.vector_stores.file_batches.cancel):
        error = refusal(lambda call=call: call("vsfb_x", vector_store_id=store))
        assert (error.status_code, error.param) == (404, "batch_id")
    error = refusal(lambda: api.vector_stores.file_batches.list_files("vsfb_x", vector_store_id=store))
    assert "No file batch found with id 'vsfb_x'" in error.message


# -- bad files --------------------------------------------------------------------------------------------------------


def encrypted_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def blank_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"<w:t>" + b"A" * 400_000_000)
    return buffer.getvalue()


def picture() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty.txt": (lambda: b"", "invalid_file", "is empty"),
    "blank.txt": (lambda: b" \n\n ", "invalid_file", "is empty"),
    "broken.pdf": (lambda: b"%PDF-1.7\nnonsense", "invalid_file", "damaged"),
    "locked.pdf": (encrypted_pdf, "invalid_file", "encrypted"),
    "scan.pdf": (blank_pdf, "invalid_file", "no text layer"),
    "picture.pdf": (picture, "unsupported_file", "PNG"),
    "program.txt": (lambda: b"\x7fELF\x02\x01\x01" + bytes(100), "unsupported_file", "program"),
    "bomb.docx": (zip_bomb, "invalid_file", "bomb.docx"),
    "latin.txt": (lambda: "caf\u00e9 ".encode("latin-1") * 10, "invalid_file", "UTF-8"),
}


def test_each_bad_file_fails_alone_and_the_rest_is_indexed(api: openai.OpenAI, store: str) -> None:
    good = upload(api, "good.txt", "alpha")
    bad = {upload(api, name, make()): name for name, (make, _, _) in BAD.items()}
    deleted = upload(api, "deleted.txt", "gone")
    api.files.delete(deleted)
    batch = api.vector_stores.file_batches.create_and_poll(store, file_ids=[*bad, deleted, good], poll_interval_ms=1)
    counts = batch.file_counts
    assert (batch.status, counts.failed, counts.completed, counts.total) == (
        "completed",
        len(bad) + 1,
        1,
        len(bad) + 2,
    )
    files = {file.id: file for file in api.vector_stores.file_batches.list_files(batch.id, vector_store_id=store)}
    for file_id, name in bad.items():
        error = files[file_id].last_error
        assert error is not None, name
        _, code, part = BAD[name]
        assert (name, error.code) == (name, code)
        assert part in error.message, (name, error.message)
    gone = files[deleted].last_error
    assert gone is not None
    assert (gone.code, f"No such File object: {deleted}" in gone.message) == ("invalid_file", True)
    assert [hit.file_id for hit in api.vector_stores.search(store, query="alpha")] == [good]


def test_a_batch_of_bad_files_alone_has_failed(api: openai.OpenAI, store: str) -> None:
    batch = api.vector_stores.file_batches.create_and_poll(
        store, file_ids=[upload(api, "e.txt", b"")], poll_interval_ms=1
    )
    assert batch.status == "failed"


def test_an_embedder_that_fails_fails_those_files(api: openai.OpenAI, store: str, embedder: Any) -> None:
    embedder.error = RuntimeError("https://embedder.example/v1 does not answer")
    failed = attach(api, store, "a.txt", "alpha")
    assert failed.last_error is not None
    assert (failed.status, failed.last_error.code) == ("failed", "server_error")
    assert "does not answer" in failed.last_error.message
    embedder.error = None
    again = api.vector_stores.files.create_and_poll(failed.id, vector_store_id=store, poll_interval_ms=1)
    assert (again.status, again.last_error) == ("completed", None)


class Choosy:
    """An embedder whose server refuses some texts, or is away from some text on."""

    def __init__(self, inner: Any, error: Exception) -> None:
        self.inner = inner
        self.error = error
        self.asked = 0
        self.name, self.dimensions = inner.name, inner.dimensions
        self.windows, self.embed_query = inner.windows, inner.embed_query

    def embed(self, texts: list[str]) -> Any:
        self.asked += 1
        if any("poison" in text for text in texts):
            raise self.error
        return self.inner.embed(texts)


def batch_of_three(api: openai.OpenAI) -> tuple[list[str], list[Any]]:
    store = api.vector_stores.create().id
    ids = [upload(api, f"{n}.txt", text) for n, text in enumerate(("alpha", "poison", "beta"))]
    made = api.vector_stores.file_batches.create_and_poll(store, file_ids=ids, poll_interval_ms=1)
    files = api.vector_stores.file_batches.list_files(made.id, vector_store_id=store, order="asc").data
    return [file.status for file in files], [file.last_error and file.last_error.message for file in files]


def test_a_text_that_an_embedder_refuses_fails_its_file_alone(tmp_path: Path, embedder: Any) -> None:
    choosy = Choosy(embedder, EmbedderError("too long a text"))
    transport = embedded_transports(home=tmp_path, embedder=lambda: choosy)[1]
    http_client = openai.DefaultHttpx2Client(transport=transport)
    with openai.OpenAI(api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0) as api:
        told = batch_of_three(api)
    assert told == (["completed", "failed", "completed"], [None, "too long a text", None])


def test_an_embedder_that_is_away_is_not_asked_for_each_file(tmp_path: Path, embedder: Any) -> None:
    choosy = Choosy(embedder, EmbedderAwayError("no connection"))
    transport = embedded_transports(home=tmp_path, embedder=lambda: choosy)[1]
    http_client = openai.DefaultHttpx2Client(transport=transport)
    with openai.OpenAI(api_key="k", base_url="http://agentkit.local/v1", http_client=http_client, max_retries=0) as api:
        told = batch_of_three(api)
    assert (told, choosy.asked) == ((["failed"] * 3, ["no connection"] * 3), 1)


def test_without_an_embedder_words_alone_are_ranked(platform: Any) -> None:
    api: openai.OpenAI = platform(with_embedder=False)
    store = api.vector_stores.create().id
    file = attach(api, store, "a.txt", "alpha beta")
    assert (file.status, file.usage_bytes) == ("completed", len("alpha beta"))
    assert [hit.score for hit in api.vector_stores.search(store, query="beta")] == [pytest.approx(1 / 2.2)]
