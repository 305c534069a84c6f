"""What is kept of an uploaded file, and of an upload in parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["FileEntry", "PartEntry", "UploadEntry", "UploadStatus"]

UploadStatus = Literal["pending", "completed", "cancelled", "expired"]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file, without its bytes."""

    id: str
    """`file-…`"""
    size_bytes: int
    created_at: int
    """Unix time in seconds."""
    filename: str
    purpose: str
    sha256: str
    """Of its bytes, in hexadecimal digits."""
    expires_at: int | None = None
    """Unix time in seconds; None: it is kept until it is deleted."""


@dataclass(frozen=True, slots=True)
class UploadEntry:
    """A file that comes in parts."""

    id: str
    """`upload_…`"""
    size_bytes: int
    """Bytes that the file is going to have."""
    created_at: int
    expires_at: int
    """Unix time in seconds after which it can't be completed."""
    filename: str
    mime_type: str
    purpose: str
    status: UploadStatus = "pending"
    keep_s: int | None = None
    """Seconds after which the file expires, counted from when it is made; None: never."""
    file_id: str | None = None
    """The file that it became."""


@dataclass(frozen=True, slots=True)
class PartEntry:
    """A part of an upload."""

    id: str
    """`part_…`"""
    upload_id: str
    created_at: int
    size_bytes: int
