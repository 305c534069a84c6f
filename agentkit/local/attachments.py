"""What comes with a message besides its words: images' kinds and sizes, and the text in PDFs and other files.

OpenAI's models see images, and get of a PDF both its text and pictures of its pages, of a Word file its text. Here the
engine gets the text alone; what an image shows, no engine of the platform sees, and what it is and how large stands in
its first bytes.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from agentkit._images import LOW_DETAIL_TOKENS, image_info
from agentkit.local.engines.base import Prompt
from agentkit.local.errors import ApiError
from agentkit.local.parsing import Parsed, Unreadable, parse
from agentkit.local.parsing.pdf import parse_pdf

__all__ = ["Document", "read_attachments", "read_document"]

_MAX_BYTES = 50_000_000
"""Most bytes of a file, as OpenAI's guide gives them."""
_MAX_PAGES = 1_000
_MAX_CHARACTERS = 1_000_000
"""Of a longer text the beginning is read."""
_MOST_KEPT = 8
_KINDS = ("input_image", "input_file", "input_text")
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""How Word and PowerPoint files begin, those of today and those of before 2007."""
_NAMED_BLOCK = re.compile(r"File ([^\n]{1,200}):\n(`{3,})[\w.+-]*\n(.*\n)\2\s*", re.DOTALL)
"""A text that was attached as a part of its own: notebooks send it so, since models take no such files."""


@dataclass(frozen=True, slots=True)
class Document:
    """What is in a file."""

    name: str
    """What it is called."""
    pages: int
    """Pages of a PDF, slides of a presentation; 0 for a text."""
    text: str
    """Its text; "" where it has none, as a scan."""


async def read_attachments(prompt: Prompt) -> Prompt:
    """Return a prompt in which each image that was sent has a `size` and `tokens`, each readable file a `document`.

    Images and files by address or id are left as they are: nothing is fetched.

    Raises:
        ApiError: A file is too large, encrypted or damaged.
    """
    if not any(_has_attachment(item) for item in prompt.items):
        return prompt
    return replace(prompt, items=[await _read_item(item) for item in prompt.items])


def _has_attachment(item: dict[str, Any]) -> bool:
    content = item.get("content", item.get("output"))
    return isinstance(content, list) and any(part.get("type") in _KINDS for part in content if isinstance(part, dict))


async def _read_item(item: dict[str, Any]) -> dict[str, Any]:
    if not _has_attachment(item):
        return item
    key = "content" if "content" in item else "output"
    return {**item, key: [await _read_part(part) for part in item[key]]}


async def _read_part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "input_image":
        info = image_info(_decoded(part.get("image_url") or "", only_url=True)[:1_000_000])
        if info is None:
            return part
        size = f", {info.width:,} × {info.height:,} px" if info.width and info.height else ""
        known = {"size": f"{info.media_type.partition('/')[2].upper()}{size}"}
        tokens = LOW_DETAIL_TOKENS if part.get("detail") == "low" else info.tokens
        return {**part, **known} if tokens is None else {**part, **known, "tokens": tokens}
    if part["type"] == "input_text":
        named = _NAMED_BLOCK.fullmatch(str(part.get("text", ""))[:_MAX_CHARACTERS])
        return {**part, "document": Document(named[1], 0, named[3].rstrip("\n"))} if named else part
    if part["type"] == "input_file" and part.get("file_data"):
        name = part.get("filename") or "file"
        document = await asyncio.to_thread(_read_kept, name, part["file_data"])
        return part if document is None else {**part, "document": document}
    return part


_kept: dict[bytes, Document | None] = {}
_keeping = threading.Lock()


def _read_kept(name: str, file_data: str) -> Document | None:
    """Return what a file holds; the last few are kept, since a conversation sends them with each question."""
    key = hashlib.sha256(f"{name}\n{file_data}".encode(errors="replace")).digest()
    with _keeping:
        if key in _kept:
            return _kept[key]
    document = read_document(name, _decoded(file_data))
    with _keeping:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = document
    return document


def read_document(name: str, data: bytes) -> Document | None:
    """Return what a file holds; None where it is neither a PDF, a Word or PowerPoint file, nor a text.

    Raises:
        ApiError: It is too large, encrypted or damaged.
    """
    if len(data) > _MAX_BYTES:
        raise _unreadable(f"'{name}' has {len(data):,} bytes, where {_MAX_BYTES:,} is the most.")
    if b"%PDF-" in data[:1024]:
        return _read_parsed(name, lambda: parse_pdf(name, data, most_pages=_MAX_PAGES, most_characters=_MAX_CHARACTERS))
    if data.startswith(_OFFICE):
        return _read_parsed(name, lambda: parse(name, data))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or not text else Document(name, 0, text[:_MAX_CHARACTERS])


def _read_parsed(name: str, read: Callable[[], Parsed]) -> Document | None:
    try:
        parsed = read()
    except Unreadable as error:
        if error.code == "unsupported_file":
            return None
        raise _unreadable(error.message) from None
    return Document(name, len(parsed.pages), parsed.text[:_MAX_CHARACTERS])


def _decoded(data: str, *, only_url: bool = False) -> bytes:
    """Return the bytes of a `data:` address, or of base64 text; none where it is neither."""
    if data.startswith("data:"):
        data = data.partition(",")[2]
    elif only_url:
        return b""
    try:
        return base64.b64decode(data)
    except (binascii.Error, ValueError):
        return b""


def _unreadable(why: str) -> ApiError:
    return ApiError(f"The file {why}", param="input", code="invalid_file")
