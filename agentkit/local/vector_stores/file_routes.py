"""The paths below `/v1/vector_stores/{id}` that are about files: `/files` and `/file_batches`."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentkit.local.checking import check, read_json
from agentkit.local.errors import ApiError, missing_parameter
from agentkit.local.files.store import FileStore
from agentkit.local.ids import new_id
from agentkit.local.replies import json_reply
from agentkit.local.vector_stores.attaching import attached_files
from agentkit.local.vector_stores.details import place_of, wants_details
from agentkit.local.vector_stores.objects import batch_object, file_object
from agentkit.local.vector_stores.pages import answer_page
from agentkit.local.vector_stores.requests import (
    AttributesRequest,
    BatchRequest,
    FileListQuery,
    FileRequest,
    each_file,
)
from agentkit.local.vector_stores.retrieval import Retrieval
from agentkit.local.vector_stores.storage import BatchRecord, FileRecord

__all__ = ["POLL_HEADER", "VectorStoreFileRoutes"]

POLL_HEADER = "openai-poll-after-ms"
_POLL_MS = 50
"""How soon to ask again: nothing is far away here."""


class VectorStoreFileRoutes:
    """Answers requests about the files of vector stores.

    Args:
        retrieval: The stores.
        files: The uploaded files.
    """

    def __init__(self, retrieval: Retrieval, files: FileStore) -> None:
        self._retrieval = retrieval
        self._files = files

    def routes(self) -> list[Route]:
        """Return the paths."""
        files, batches = "/v1/vector_stores/{store_id}/files", "/v1/vector_stores/{store_id}/file_batches"
        one, batch = f"{files}/{{file_id}}", f"{batches}/{{batch_id}}"
        return [
            Route(files, self.create, methods=["POST"]),
            Route(files, self.list_files, methods=["GET"]),
            Route(one, self.retrieve, methods=["GET"]),
            Route(one, self.update, methods=["POST"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/content", self.content, methods=["GET"]),
            Route(batches, self.create_batch, methods=["POST"]),
            Route(batch, self.retrieve_batch, methods=["GET"]),
            Route(f"{batch}/cancel", self.cancel_batch, methods=["POST"]),
            Route(f"{batch}/files", self.list_files, methods=["GET"]),
        ]

    async def create(self, http: Request) -> Response:
        """Attach a file, which is then indexed."""
        request = check(FileRequest, read_json(await http.body()))
        return _polled(await asyncio.to_thread(self._create, http.path_params["store_id"], request))

    async def list_files(self, http: Request) -> Response:
        """Return a page of the files of a store, or of a batch."""
        query = check(FileListQuery, dict(http.query_params))
        batch_id = http.path_params.get("batch_id")
        return json_reply(await asyncio.to_thread(self._list, http.path_params["store_id"], query, batch_id))

    async def retrieve(self, http: Request) -> Response:
        """Return a file."""
        self._retrieval.nudge()
        return _polled(file_object(await asyncio.to_thread(self._stored, http)))

    async def update(self, http: Request) -> Response:
        """Replace a file's attributes."""
        request = check(AttributesRequest, read_json(await http.body()))
        return json_reply(await asyncio.to_thread(self._update, http, request))

    async def delete(self, http: Request) -> Response:
        """Take a file out of a store. The file itself stays."""
        file = await asyncio.to_thread(self._stored, http)
        await asyncio.to_thread(self._retrieval.storage.remove_file, file.store_id, file.file_id)
        return json_reply({"id": file.file_id, "object": "vector_store.file.deleted", "deleted": True})

    async def content(self, http: Request) -> Response:
        """Return a file's text as it was read, passage by passage."""
        return json_reply(await asyncio.to_thread(self._content, http, wants_details(http)))

    async def create_batch(self, http: Request) -> Response:
        """Attach several files at once."""
        request = check(BatchRequest, read_json(await http.body()))
        return _polled(
            await asyncio.to_thread(self._create_batch, http.path_params["store_id"], request, wants_details(http))
        )

    async def retrieve_batch(self, http: Request) -> Response:
        """Return a batch."""
        self._retrieval.nudge()
        return _polled(await asyncio.to_thread(self._batch, http))

    async def cancel_batch(self, http: Request) -> Response:
        """Cancel what of a batch isn't indexed yet."""
        return json_reply(await asyncio.to_thread(self._batch, http, cancelled=True))

    # -- in a thread --------------------------------------------------------------------------------------------------

    def _create(self, store_id: str, request: FileRequest) -> dict[str, Any]:
        self._retrieval.live_store(store_id)
        now = self._retrieval.now()
        attached = attached_files(self._files, store_id, [request], now=now, param="file_id", must_exist=True)
        return file_object(self._attach(attached)[0])

    def _attach(self, files: list[FileRecord], batch: BatchRecord | None = None) -> list[FileRecord]:
        self._retrieval.storage.add_files(files, batch=batch)
        self._retrieval.wake()
        return files

    def _list(self, store_id: str, query: FileListQuery, batch_id: str | None) -> dict[str, Any]:
        self._retrieval.store(store_id)
        storage = self._retrieval.storage
        if batch_id is not None and storage.get_batch(store_id, batch_id) is None:
            raise _no_batch(store_id, batch_id)
        read = partial(storage.list_files, store_id, status=query.filter, batch_id=batch_id)
        return answer_page("file", query, read, file_object)

    def _stored(self, http: Request) -> FileRecord:
        store_id, file_id = http.path_params["store_id"], http.path_params["file_id"]
        if (file := self._retrieval.storage.get_file(store_id, file_id)) is None:
            self._retrieval.store(store_id)
            raise _no_file(store_id, file_id)
        return file

    def _update(self, http: Request, request: AttributesRequest) -> dict[str, Any]:
        file = self._stored(http)
        attributes = dict(request.attributes or {})
        if (changed := self._retrieval.storage.set_attributes(file.store_id, file.file_id, attributes)) is None:
            raise _no_file(file.store_id, file.file_id)
        return file_object(changed)

    def _content(self, http: Request, detailed: bool) -> dict[str, Any]:
        file = self._stored(http)
        chunks = self._retrieval.storage.file_chunks(file.store_id, file.file_id)
        return {
            "object": "vector_store.file_content.page",
            "data": [
                {"type": "text", "text": chunk.text, **({"agentkit": place_of(chunk)} if detailed else {})}
                for chunk in chunks
            ],
            "has_more": False,
            "next_page": None,
        }

    def _create_batch(self, store_id: str, request: BatchRequest, detailed: bool) -> dict[str, Any]:
        self._retrieval.live_store(store_id)
        asked, param = _asked_files(request)
        batch = BatchRecord(new_id("vsfb"), store_id, self._retrieval.now())
        attached = attached_files(
            self._files, store_id, asked, now=batch.created_at, param=param, must_exist=False, batch_id=batch.id
        )
        self._attach(attached, batch)
        return self._batch_object(batch, detailed)

    def _batch(self, http: Request, *, cancelled: bool = False) -> dict[str, Any]:
        store_id, batch_id = http.path_params["store_id"], http.path_params["batch_id"]
        storage = self._retrieval.storage
        found = storage.cancel_batch if cancelled else storage.get_batch
        if (batch := found(store_id, batch_id)) is None:
            self._retrieval.store(store_id)
            raise _no_batch(store_id, batch_id)
        return self._batch_object(batch, wants_details(http))

    def _batch_object(self, batch: BatchRecord, detailed: bool) -> dict[str, Any]:
        storage = self._retrieval.storage
        told = batch_object(batch, storage.count_files(batch.store_id, batch_id=batch.id))
        return {**told, "agentkit": asdict(storage.indexing(batch.store_id, batch.id))} if detailed else told


def _asked_files(request: BatchRequest) -> tuple[list[FileRequest], str]:
    """Return what a batch says of each of its files, and under which parameter; a file given twice counts once."""
    if request.file_ids is not None and request.files is not None:
        message = "Mutually exclusive parameters: give either 'file_ids' or 'files', not both."
        raise ApiError(message, param="file_ids", code="mutually_exclusive_parameters")
    if request.files is not None:
        return list({file.file_id: file for file in request.files}.values()), "files"
    if request.file_ids is None:
        raise missing_parameter("file_ids")
    return each_file(request.file_ids, request.chunking_strategy, request.attributes), "file_ids"


def _polled(value: dict[str, Any]) -> Response:
    return json_reply(value, headers={POLL_HEADER: str(_POLL_MS)})


def _no_file(store_id: str, file_id: str) -> ApiError:
    message = f"No file found with id '{file_id}' in vector store '{store_id}'."
    return ApiError(message, status=404, param="file_id")


def _no_batch(store_id: str, batch_id: str) -> ApiError:
    message = f"No file batch found with id '{batch_id}' in vector store '{store_id}'."
    return ApiError(message, status=404, param="batch_id")
