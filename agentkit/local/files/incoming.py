"""Bytes on their way to the disk: written as they come, counted and hashed."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

from agentkit._home import make_private_folder
from agentkit.local.database import storage_error

__all__ = ["Incoming", "TooManyBytesError"]


class TooManyBytesError(Exception):
    """More bytes have come than may."""


class Incoming:
    """A file that is being written. No part of it is held in memory.

    Args:
        path: Where to; made for its user's eyes only, with its folder.
        limit_bytes: The most that may come.
        hashed: Whether the SHA-256 is wanted.

    Raises:
        ApiError: It can't be made.
    """

    def __init__(self, path: Path, *, limit_bytes: int, hashed: bool = True) -> None:
        self.path = path
        self.size_bytes = 0
        """Bytes that have come."""
        self.kept = False
        """Whether it has become a file or a part."""
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256() if hashed else None
        try:
            make_private_folder(path.parent)
            self._file = io.FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")
        except OSError as error:
            raise storage_error(path, error) from error

    @property
    def sha256(self) -> str:
        """SHA-256 of what has come, in hexadecimal digits; "" where it wasn't wanted."""
        return "" if self._hash is None else self._hash.hexdigest()

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes.

        Raises:
            TooManyBytesError: They are too many.
            ApiError: The disk is full, or can't be written.
        """
        self.size_bytes += len(data)
        if self.size_bytes > self._limit_bytes:
            raise TooManyBytesError
        if self._hash is not None:
            self._hash.update(data)
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise storage_error(self.path, error) from error

    def finish(self) -> None:
        """Close the file where all has come.

        Raises:
            ApiError: The disk is full: some systems say so only now.
        """
        try:
            self._file.close()
        except OSError as error:
            raise storage_error(self.path, error) from error

    def close(self) -> None:
        """Close the file, whatever has come of it."""
        if not self._file.closed:
            self._file.close()
