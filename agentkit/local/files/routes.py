"""The paths below `/v1/files`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from agentkit.local.checking import check
from agentkit.local.database import storage_error
from agentkit.local.errors import ApiError
from agentkit.local.files.incoming import TooManyBytesError
from agentkit.local.files.multipart import arriving, read_form
from agentkit.local.files.records import FileEntry
from agentkit.local.files.requests import FilesQuery, check_fields
from agentkit.local.files.store import FileStore, file_not_found
from agentkit.local.ids import new_file_id
from agentkit.local.replies import json_reply

__all__ = ["FILE_BYTES", "FORM_BYTES", "FileRoutes", "file_object", "too_large_file"]

FILE_BYTES = 512 * 1024**2
"""Most bytes of a file that comes whole."""
FORM_BYTES = 128 * 1024
"""What a form may have beside its file."""
_READ_BYTES = 1024**2


class FileRoutes:
    """Answers requests below `/v1/files`.

    Args:
        files: The files.
        forget: Takes files out of everything that uses them; called before they are deleted.
    """

    def __init__(self, files: FileStore, forget: Callable[[list[str]], None]) -> None:
        self._files = files
        self._forget = forget

    def routes(self) -> list[Route]:
        """Return the paths."""
        one = "/v1/files/{file_id}"
        return [
            Route("/v1/files", self.create, methods=["POST"]),
            Route("/v1/files", self.list_files, methods=["GET"]),
            Route(one, self.retrieve, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/content", self.content, methods=["GET"]),
        ]

    async def create(self, http: Request) -> Response:
        """Take a file."""
        announced = http.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > FILE_BYTES + FORM_BYTES:
            raise too_large_file(FILE_BYTES)
        place = self._files.incoming(new_file_id(), limit_bytes=FILE_BYTES)
        try:
            async with arriving(place, before=self._delete_expired) as incoming:
                form = await read_form(http, "file", incoming)
                fields = check_fields(form.fields)
                entry = await asyncio.to_thread(
                    self._files.keep,
                    incoming,
                    filename=form.filename or "file",
                    purpose=fields.purpose,
                    keep_s=None if fields.expires_after is None else fields.expires_after.seconds,
                )
        except TooManyBytesError:
            raise too_large_file(FILE_BYTES) from None
        return json_reply(file_object(entry))

    async def list_files(self, http: Request) -> Response:
        """Return a page of files."""
        query = check(FilesQuery, dict(http.query_params))
        await asyncio.to_thread(self._delete_expired)
        try:
            found = await asyncio.to_thread(
                self._files.page,
                limit=query.limit,
                after=query.after,
                ascending=query.order == "asc",
                purpose=query.purpose,
            )
        except KeyError:
            message = f"No file with id '{query.after}' in this list."
            raise ApiError(message, param="after", code="invalid_value") from None
        page = [file_object(entry) for entry in found[: query.limit]]
        return json_reply(
            {
                "object": "list",
                "data": page,
                "first_id": page[0]["id"] if page else None,
                "last_id": page[-1]["id"] if page else None,
                "has_more": len(found) > query.limit,
            }
        )

    async def retrieve(self, http: Request) -> Response:
        """Return a file object."""
        return json_reply(file_object(await self._stored(http)))

    async def delete(self, http: Request) -> Response:
        """Delete a file, out of all vector stores too."""
        entry = await self._stored(http)
        await asyncio.to_thread(self._delete, [entry.id])
        return json_reply({"id": entry.id, "object": "file", "deleted": True})

    async def content(self, http: Request) -> Response:
        """Return a file's bytes as they were sent."""
        entry = await self._stored(http)
        path = await asyncio.to_thread(self._files.checked_path, entry)
        headers = {"content-length": str(entry.size_bytes), "content-disposition": "attachment"}
        return StreamingResponse(_pieces(path), headers=headers, media_type="application/octet-stream")

    async def _stored(self, http: Request) -> FileEntry:
        file_id = http.path_params["file_id"]
        if (entry := await asyncio.to_thread(self._files.get, file_id)) is None:
            raise file_not_found(file_id)
        return entry

    def _delete(self, file_ids: list[str]) -> None:
        self._forget(file_ids)
        for file_id in file_ids:
            self._files.delete(file_id)

    def _delete_expired(self) -> None:
        if expired := self._files.expired():
            self._delete(expired)


async def _pieces(path: Path) -> AsyncGenerator[bytes, None]:
    try:
        with path.open("rb", buffering=0) as file:
            while piece := await asyncio.to_thread(file.read, _READ_BYTES):
                yield piece
    except OSError as error:
        raise storage_error(path, error) from error


def file_object(entry: FileEntry) -> dict[str, Any]:
    """Return a file as the API gives it."""
    return {
        "id": entry.id,
        "object": "file",
        "bytes": entry.size_bytes,
        "created_at": entry.created_at,
        "expires_at": entry.expires_at,
        "filename": entry.filename,
        "purpose": entry.purpose,
        "status": "processed",
        "status_details": None,
    }


def too_large_file(limit_bytes: int) -> ApiError:
    """Return the error for a file that is larger than the platform takes."""
    message = f"File is too large. Maximum file size is {limit_bytes // 1024**2:,} MB."
    return ApiError(message, status=413, param="file", code="file_too_large")
