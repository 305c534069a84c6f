"""Uploaded files: their bytes in a folder, what is known of them in SQLite.

A file is there once its row is: its bytes are written first, under the name that it is going to have, and nobody sees
them before. What a killed process leaves behind is swept by the next one that opens the store.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agentkit._process import is_gone, this_process
from agentkit.local.database import storage_error
from agentkit.local.errors import ApiError
from agentkit.local.files.database import FilesDatabase
from agentkit.local.files.incoming import Incoming
from agentkit.local.files.records import FileEntry
from agentkit.local.ids import new_file_id

__all__ = ["FileStore", "file_not_found"]

_BATCH_KEPT_S = 30 * 24 * 3600
"""Files for batches expire after 30 days where nothing else is said, as OpenAI's do."""
_ASKED_AT_ONCE = 500
"""Files in one query."""


class FileStore:
    """The files of one home folder. It may be used from several threads, and by several processes at once.

    Args:
        home: The home folder; the files are in `files` below it, for their user's eyes only.
        clock: Tells the Unix time in seconds.
    """

    def __init__(self, home: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = home / "files"
        self.database = FilesDatabase(self.folder / "files.sqlite3")
        self._clock = clock
        self._swept = False

    def close(self) -> None:
        """Close the database. It is opened again when it is needed again."""
        self.database.close()

    def now(self) -> int:
        """Return the Unix time in seconds."""
        return int(self._clock())

    def path_of(self, name: str) -> Path:
        """Return where the bytes of a file or of a part are."""
        return self.folder / "data" / name

    @contextlib.contextmanager
    def incoming(self, name: str, *, limit_bytes: int, hashed: bool = True) -> Iterator[Incoming]:
        """Give a place for bytes that come. What is not kept by the end of the block is gone.

        Args:
            name: Id of what it is going to be.
            limit_bytes: The most that may come.
            hashed: Whether their SHA-256 is wanted.

        Raises:
            ApiError: The disk can't be written.
        """
        self.sweep()
        with self.database.writing() as db:
            db.execute("INSERT INTO loose VALUES (?, ?)", (name, this_process()))
        incoming = Incoming(self.path_of(name), limit_bytes=limit_bytes, hashed=hashed)
        try:
            yield incoming
        finally:
            incoming.close()
            if not incoming.kept:
                self.drop_loose([name])

    def keep(self, incoming: Incoming, *, filename: str, purpose: str, keep_s: int | None) -> FileEntry:
        """Make a file of bytes that have come; once this returns, it survives the end of the process.

        Args:
            incoming: The bytes, all of them written; its name is a file's id.
            filename: What the file is called.
            purpose: What it is for.
            keep_s: Seconds after which it expires; None: never, or after 30 days where it is for a batch.

        Raises:
            ApiError: The disk is full or can't be written.
        """
        with self.keeping(incoming, filename=filename, purpose=purpose, keep_s=keep_s) as (_, entry):
            pass
        return entry

    @contextlib.contextmanager
    def keeping(
        self, incoming: Incoming, *, filename: str, purpose: str, keep_s: int | None
    ) -> Iterator[tuple[sqlite3.Connection, FileEntry]]:
        """As `keep`, with the transaction, for what has to be kept with the file or not at all."""
        incoming.finish()
        created_at = self.now()
        if keep_s is None and purpose == "batch":
            keep_s = _BATCH_KEPT_S
        entry = FileEntry(
            id=incoming.path.name,
            size_bytes=incoming.size_bytes,
            created_at=created_at,
            filename=filename,
            purpose=purpose,
            sha256=incoming.sha256,
            expires_at=None if keep_s is None else created_at + keep_s,
        )
        row = (entry.id, entry.size_bytes, created_at, filename, purpose, entry.sha256, entry.expires_at)
        with self.database.writing() as db:
            db.execute("INSERT INTO files VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)
            db.execute("DELETE FROM loose WHERE name = ?", (entry.id,))
            yield db, entry
        incoming.kept = True

    def add(self, filename: str, data: bytes, *, purpose: str) -> FileEntry:
        """Keep bytes that are there already as a file."""
        with self.incoming(new_file_id(), limit_bytes=len(data)) as incoming:
            incoming.write(data)
            return self.keep(incoming, filename=filename, purpose=purpose, keep_s=None)

    def get(self, file_id: str) -> FileEntry | None:
        """Return a file, or None where there is none, or none any more."""
        return self.entries([file_id]).get(file_id)

    def entries(self, file_ids: list[str]) -> dict[str, FileEntry]:
        """Return those of some files that are there, by their ids."""
        found: dict[str, FileEntry] = {}
        now = self.now()
        with self.database.reading() as db:
            for start in range(0, len(file_ids), _ASKED_AT_ONCE):
                some = file_ids[start : start + _ASKED_AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT * FROM files WHERE id IN ({marks}) AND (expires_at IS NULL OR expires_at > ?)"
                found.update((row["id"], _entry(row)) for row in db.execute(query, (*some, now)))
        return found

    def missing(self, file_ids: list[str]) -> str | None:
        """Return the first of some ids that no file has, or None."""
        found = self.entries(file_ids)
        return next((file_id for file_id in file_ids if file_id not in found), None)

    def page(self, *, limit: int, after: str | None, ascending: bool, purpose: str | None) -> list[FileEntry]:
        """Return files in the order in which they were made, and one more than `limit` where there are more.

        Raises:
            KeyError: No file has the id `after`.
        """
        where = ["(expires_at IS NULL OR expires_at > ?)"]
        values: list[int | str] = [self.now()]
        if purpose is not None:
            where.append("purpose = ?")
            values.append(purpose)
        with self.database.reading() as db:
            if after is not None:
                cursor = db.execute("SELECT seq FROM files WHERE id = ?", (after,)).fetchone()
                if cursor is None:
                    raise KeyError(after)
                where.append("seq > ?" if ascending else "seq < ?")
                values.append(cursor["seq"])
            order = "ASC" if ascending else "DESC"
            query = f"SELECT * FROM files WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?"
            return [_entry(row) for row in db.execute(query, (*values, limit + 1))]

    def delete(self, file_id: str) -> bool:
        """Forget a file and its bytes; return whether there was one."""
        with self.database.writing() as db:
            there = db.execute("DELETE FROM files WHERE id = ?", (file_id,)).rowcount > 0
            if there:
                db.execute("INSERT INTO loose VALUES (?, ?)", (file_id, this_process()))
        if there:
            self.drop_loose([file_id])
        return there

    def expired(self) -> list[str]:
        """Return the ids of files whose time is up, to be deleted."""
        with self.database.reading() as db:
            return [row["id"] for row in db.execute("SELECT id FROM files WHERE expires_at <= ?", (self.now(),))]

    def read(self, entry: FileEntry) -> bytes:
        """Return the bytes of a file.

        Raises:
            ApiError: They are gone, or not what they were.
        """
        path = self.checked_path(entry)
        try:
            return path.read_bytes()
        except OSError as error:
            raise storage_error(path, error) from error

    def checked_path(self, entry: FileEntry) -> Path:
        """Return where the bytes of a file are.

        Raises:
            ApiError: They are gone, or not what they were.
        """
        path = self.path_of(entry.id)
        try:
            size = path.stat().st_size
        except OSError:
            size = -1
        if size == entry.size_bytes:
            return path
        what = "is missing" if size < 0 else f"has {size:,} bytes where {entry.size_bytes:,} were uploaded"
        message = f"The content of file '{entry.id}' ('{entry.filename}') is lost: {path} {what}. Upload it again."
        raise ApiError(message, status=500, kind="server_error", code="storage_error", headers=_NO_RETRY)

    def drop_loose(self, names: list[str]) -> None:
        """Remove bytes that are nobody's. What can't be removed now is swept later."""
        gone = []
        for name in names:
            with contextlib.suppress(OSError):
                self.path_of(name).unlink(missing_ok=True)
                gone.append((name,))
        with contextlib.suppress(ApiError), self.database.writing() as db:
            db.executemany("DELETE FROM loose WHERE name = ?", gone)

    def sweep(self) -> None:
        """Remove what killed processes have left behind; once for each store that is opened."""
        if self._swept:
            return
        self._swept = True
        on_disk: list[str] = []
        with contextlib.suppress(OSError):  # read before the tables, so that what comes now is in them
            on_disk = os.listdir(self.folder / "data")
        with self.database.reading() as db:
            loose = {row["name"]: row["process"] for row in db.execute("SELECT * FROM loose")}
            known = {row["id"] for row in db.execute("SELECT id FROM files UNION ALL SELECT id FROM parts")}
        strays = [name for name in on_disk if name not in known and name not in loose]
        strays += [name for name, process in loose.items() if name not in known and is_gone(process)]
        if strays:
            self.drop_loose(strays)


_NO_RETRY = {"x-should-retry": "false"}


def file_not_found(file_id: str, *, param: str | None = "id", status: int = 404) -> ApiError:
    """Return the error for an id that no file has."""
    return ApiError(f"No such File object: {file_id}", status=status, param=param)


def _entry(row: Any) -> FileEntry:  # a sqlite3.Row
    names = ("id", "size_bytes", "created_at", "filename", "purpose", "sha256", "expires_at")
    return FileEntry(**{name: row[name] for name in names})
