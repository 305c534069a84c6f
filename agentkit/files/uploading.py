"""Bytes on their way to the platform: whole, or, of large files, in parts."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from agentkit.exceptions import UserError
from agentkit.files.documents import Content
from agentkit.files.errors import platform_errors

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["LARGEST_BYTES", "Purpose", "Uploader", "patient"]

Purpose = Literal["assistants", "fine-tune"]
LARGEST_BYTES: Final = 8 * 2**30
"""The largest file that the Uploads API takes."""
_WHOLE_UP_TO: Final = 512 * 2**20
_PART_BYTES: Final = 64 * 2**20
_RETRIES: Final = 6
_HEAVY_BYTES: Final = 16 * 2**20


def patient(client: AsyncOpenAI) -> AsyncOpenAI:
    """Return a client that tries more often: a platform lets only so many files come in a minute.

    One whose number of tries was set stays as it is.
    """
    from openai import DEFAULT_MAX_RETRIES

    return client.with_options(max_retries=_RETRIES) if client.max_retries == DEFAULT_MAX_RETRIES else client


class Uploader:
    """Sends files.

    Args:
        client: Whom to.
        purpose: What the files are for.
        whole_up_to: Bytes up to which a file is sent by one request; larger ones go in parts.
        part_bytes: Bytes of a part.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        *,
        purpose: Purpose = "assistants",
        whole_up_to: int = _WHOLE_UP_TO,
        part_bytes: int = _PART_BYTES,
    ) -> None:
        self._client = client
        self._purpose: Purpose = purpose
        self._whole_up_to = whole_up_to
        self._part_bytes = part_bytes
        self._heavy = asyncio.Semaphore(1)  # of large files only one is in memory at a time

    async def send(self, content: Content, on_bytes: Callable[[int], None]) -> str:
        """Send a file, and return its id.

        Args:
            content: The file.
            on_bytes: Told how many bytes more have arrived.

        Raises:
            UserError: It is too large, or the platform doesn't take it.
            OSError: It can't be read.
        """
        size = content.size_bytes
        if size > LARGEST_BYTES:
            raise UserError(f"{content.filename!r} has {size:,} bytes; at most {LARGEST_BYTES:,} can be sent.")
        if size > self._whole_up_to:
            async with self._heavy:
                return await self._in_parts(content, on_bytes)
        if size <= _HEAVY_BYTES:
            return await self._whole(content, on_bytes)
        async with self._heavy:
            return await self._whole(content, on_bytes)

    async def _whole(self, content: Content, on_bytes: Callable[[int], None]) -> str:
        # bytes, and not an open file: when the client tries again, that would be at its end
        data = await asyncio.to_thread(content.data.read_bytes) if isinstance(content.data, Path) else content.data
        with platform_errors(self._client, f"Uploading {content.filename!r}"):
            made = await self._client.files.create(
                file=(content.filename, data, content.mime_type), purpose=self._purpose
            )
        on_bytes(len(data))
        return made.id

    async def _in_parts(self, content: Content, on_bytes: Callable[[int], None]) -> str:
        uploads = self._client.uploads
        with platform_errors(self._client, f"Uploading {content.filename!r}"):
            upload = await uploads.create(
                bytes=content.size_bytes,
                filename=content.filename,
                mime_type=content.mime_type,
                purpose=self._purpose,
            )
            try:
                ids: list[str] = []
                digest = hashlib.md5(usedforsecurity=False)  # what the API checks parts by
                with content.opened() as file:
                    place = 0
                    while place < content.size_bytes:
                        if isinstance(file, bytes):
                            data = file[place : place + self._part_bytes]
                        else:
                            data = await asyncio.to_thread(file.read, self._part_bytes)
                        if not data:
                            raise UserError(
                                f"{content.filename!r} became shorter while it was read.", hint="Try again."
                            )
                        digest.update(data)
                        ids.append((await uploads.parts.create(upload.id, data=data)).id)
                        place += len(data)
                        on_bytes(len(data))
                done = await uploads.complete(upload.id, part_ids=ids, md5=digest.hexdigest())
            except BaseException:
                with contextlib.suppress(Exception, asyncio.CancelledError):
                    await asyncio.shield(uploads.cancel(upload.id))
                raise
        if done.file is None:
            raise UserError(f"The platform completed the upload of {content.filename!r} without naming a file.")
        return done.file.id
