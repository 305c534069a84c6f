"""The tables of files and uploads: SQLite that several kernels share.

What lies on the disk and is nobody's, because it is being written or deleted, is listed as `loose` with the process
that works on it. If that process is gone, the bytes are a stray, and swept.
"""

from __future__ import annotations

from pathlib import Path

from agentkit.local.database import Database

__all__ = ["FilesDatabase"]

_STEPS = (
    (
        """
        CREATE TABLE files (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            size_bytes INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            filename TEXT NOT NULL,
            purpose TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            expires_at INTEGER
        )
        """,
        "CREATE INDEX files_by_end ON files (expires_at) WHERE expires_at IS NOT NULL",
        """
        CREATE TABLE uploads (
            id TEXT PRIMARY KEY,
            size_bytes INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            filename TEXT NOT NULL,
            mime_type TEXT NOT NULL,
            purpose TEXT NOT NULL,
            status TEXT NOT NULL,
            keep_s INTEGER,
            file_id TEXT
        )
        """,
        """
        CREATE TABLE parts (
            id TEXT PRIMARY KEY,
            upload_id TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            size_bytes INTEGER NOT NULL
        )
        """,
        "CREATE INDEX parts_by_upload ON parts (upload_id)",
        "CREATE TABLE loose (name TEXT PRIMARY KEY, process TEXT NOT NULL)",
    ),
)


class FilesDatabase(Database):
    """The tables, in one file.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, _STEPS)
