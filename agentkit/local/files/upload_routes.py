"""The paths below `/v1/uploads`."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentkit.local.checking import check, read_json
from agentkit.local.errors import ApiError
from agentkit.local.files.incoming import TooManyBytesError
from agentkit.local.files.multipart import arriving, plain_name, read_form
from agentkit.local.files.records import FileEntry, UploadEntry
from agentkit.local.files.requests import CompleteRequest, UploadRequest
from agentkit.local.files.routes import FORM_BYTES, file_object
from agentkit.local.files.uploads import UploadStore
from agentkit.local.replies import json_reply

__all__ = ["PART_BYTES", "UploadRoutes"]

PART_BYTES = 64 * 1024**2
"""Most bytes of a part."""


class UploadRoutes:
    """Answers requests below `/v1/uploads`.

    Args:
        uploads: The uploads.
    """

    def __init__(self, uploads: UploadStore) -> None:
        self._uploads = uploads

    def routes(self) -> list[Route]:
        """Return the paths."""
        one = "/v1/uploads/{upload_id}"
        return [
            Route("/v1/uploads", self.create, methods=["POST"]),
            Route(f"{one}/parts", self.add_part, methods=["POST"]),
            Route(f"{one}/complete", self.complete, methods=["POST"]),
            Route(f"{one}/cancel", self.cancel, methods=["POST"]),
        ]

    async def create(self, http: Request) -> Response:
        """Begin an upload."""
        request = check(UploadRequest, read_json(await http.body()))
        upload = await asyncio.to_thread(
            self._uploads.create,
            size_bytes=request.bytes,
            filename=plain_name(request.filename),
            mime_type=request.mime_type,
            purpose=request.purpose,
            keep_s=None if request.expires_after is None else request.expires_after.seconds,
        )
        return json_reply(_upload_object(upload))

    async def add_part(self, http: Request) -> Response:
        """Take a part."""
        upload = await self._pending(http)
        announced = http.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > PART_BYTES + FORM_BYTES:
            raise _too_large_part()
        try:
            async with arriving(self._uploads.incoming_part(limit_bytes=PART_BYTES)) as incoming:
                await read_form(http, "data", incoming)
                part = await asyncio.to_thread(self._uploads.keep_part, upload, incoming)
        except TooManyBytesError:
            raise _too_large_part() from None
        return json_reply(
            {"id": part.id, "object": "upload.part", "created_at": part.created_at, "upload_id": part.upload_id}
        )

    async def complete(self, http: Request) -> Response:
        """Make the file of an upload's parts."""
        upload = await self._pending(http)
        request = check(CompleteRequest, read_json(await http.body()))
        completed, entry = await asyncio.to_thread(
            self._uploads.complete, upload, list(request.part_ids), md5=request.md5
        )
        return json_reply(_upload_object(completed, entry))

    async def cancel(self, http: Request) -> Response:
        """End an upload without a file."""
        upload = await self._pending(http)
        return json_reply(_upload_object(await asyncio.to_thread(self._uploads.cancel, upload)))

    async def _pending(self, http: Request) -> UploadEntry:
        return await asyncio.to_thread(self._uploads.pending, http.path_params["upload_id"])


def _too_large_part() -> ApiError:
    message = f"Part is too large. Maximum part size is {PART_BYTES // 1024**2} MB."
    return ApiError(message, status=413, param="data", code="part_too_large")


def _upload_object(upload: UploadEntry, entry: FileEntry | None = None) -> dict[str, Any]:
    return {
        "id": upload.id,
        "object": "upload",
        "bytes": upload.size_bytes,
        "created_at": upload.created_at,
        "expires_at": upload.expires_at,
        "filename": upload.filename,
        "purpose": upload.purpose,
        "status": upload.status,
        "file": None if entry is None else file_object(entry),
    }
