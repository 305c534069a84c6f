"""Attachments by id: what a message refers to as an uploaded file, taken from where it is kept."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from agentkit._images import image_info
from agentkit.local.engines.base import Prompt
from agentkit.local.errors import ApiError
from agentkit.local.files.store import FileStore

__all__ = ["check_uploads", "resolve_uploads"]

_MAX_BYTES = 50_000_000
"""Most bytes of a file in a message, as OpenAI's guide gives them."""
_KINDS = ("input_file", "input_image")


async def check_uploads(items: Iterable[dict[str, Any]], files: FileStore) -> None:
    """Check that the files and images are there that new messages refer to by id.

    Raises:
        ApiError: One isn't there.
    """
    wanted = [part["file_id"] for item in items for part in _parts(item) if _refers(part)]
    if wanted and (missing := await asyncio.to_thread(files.missing, wanted)) is not None:
        message = f"File with id '{missing}' not found: it was deleted, has expired, or was never uploaded here."
        raise ApiError(message, status=404, param="input", code="file_not_found")


async def resolve_uploads(prompt: Prompt, files: FileStore) -> Prompt:
    """Return a prompt in which files and images by id come with their content, as if they had been sent with it.

    One that is gone since an earlier message spoke of it stays an id.

    Raises:
        ApiError: One is too large.
    """
    if not any(_refers(part) for item in prompt.items for part in _parts(item)):
        return prompt
    items = [await asyncio.to_thread(_resolved, item, files) for item in prompt.items]
    return replace(prompt, items=items)


def _parts(item: dict[str, Any]) -> list[Any]:
    content = item.get("content", item.get("output"))
    return content if isinstance(content, list) else []


def _refers(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in _KINDS and isinstance(part.get("file_id"), str)


def _resolved(item: dict[str, Any], files: FileStore) -> dict[str, Any]:
    if not any(_refers(part) for part in _parts(item)):
        return item
    key = "content" if "content" in item else "output"
    return {**item, key: [_with_content(part, files) if _refers(part) else part for part in item[key]]}


def _with_content(part: dict[str, Any], files: FileStore) -> dict[str, Any]:
    if (entry := files.get(part["file_id"])) is None:
        return part
    if entry.size_bytes > _MAX_BYTES:
        message = f"The file '{entry.filename}' has {entry.size_bytes:,} bytes, where {_MAX_BYTES:,} is the most."
        raise ApiError(message, param="input", code="invalid_file")
    data = files.read(entry)
    encoded = base64.b64encode(data).decode()
    if part["type"] == "input_image":
        info = image_info(data[:1_000_000])
        kind = "application/octet-stream" if info is None else info.media_type
        return {**part, "image_url": f"data:{kind};base64,{encoded}"}
    name = {"filename": part.get("filename") or entry.filename}
    return {**part, **name, "file_data": f"data:application/octet-stream;base64,{encoded}"}
