"""Uploads: files that come in parts, in any order, and are put together at the end."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from agentkit._process import this_process
from agentkit.local.database import storage_error
from agentkit.local.errors import ApiError
from agentkit.local.files.incoming import Incoming
from agentkit.local.files.records import FileEntry, PartEntry, UploadEntry
from agentkit.local.files.store import FileStore
from agentkit.local.ids import new_file_id, new_id

__all__ = ["UPLOAD_BYTES", "UPLOAD_KEPT_S", "UploadStore"]

UPLOAD_BYTES = 8 * 1024**3
"""Most bytes of an upload."""
UPLOAD_KEPT_S = 3600
"""Seconds in which an upload has to be completed."""
_COPIED_BYTES = 4 * 1024**2


class UploadStore:
    """The uploads of a file store.

    Args:
        files: Where their bytes are, and where what they become goes.
    """

    def __init__(self, files: FileStore) -> None:
        self._files = files
        self._database = files.database

    def create(
        self, *, size_bytes: int, filename: str, mime_type: str, purpose: str, keep_s: int | None
    ) -> UploadEntry:
        """Begin an upload."""
        self._expire_all()
        now = self._files.now()
        upload = UploadEntry(
            new_id("upload"), size_bytes, now, now + UPLOAD_KEPT_S, filename, mime_type, purpose, keep_s=keep_s
        )
        row = (upload.id, size_bytes, now, upload.expires_at, filename, mime_type, purpose, "pending", keep_s, None)
        with self._database.writing() as db:
            db.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return upload

    def pending(self, upload_id: str) -> UploadEntry:
        """Return an upload that waits for parts.

        Raises:
            ApiError: There is none, or it isn't pending.
        """
        with self._database.reading() as db:
            row = db.execute("SELECT * FROM uploads WHERE id = ?", (upload_id,)).fetchone()
        if row is None:
            raise ApiError(f"No such Upload object: {upload_id}", status=404, param="upload_id")
        upload = _upload(row)
        if upload.status == "pending" and upload.expires_at <= self._files.now():
            self._end(upload, "expired")
            upload = replace(upload, status="expired")
        if upload.status != "pending":
            message = f"Upload '{upload_id}' is {upload.status}; only a pending upload can be added to or ended."
            raise ApiError(message, param="upload_id", code="invalid_upload_status")
        return upload

    @contextlib.contextmanager
    def incoming_part(self, *, limit_bytes: int) -> Iterator[Incoming]:
        """Give a place for a part's bytes; `keep_part` makes it one."""
        with self._files.incoming(new_id("part"), limit_bytes=limit_bytes, hashed=False) as incoming:
            yield incoming

    def keep_part(self, upload: UploadEntry, incoming: Incoming) -> PartEntry:
        """Add a part to an upload that is still pending.

        Raises:
            ApiError: It isn't any more; or the parts are more than the upload was to have.
        """
        incoming.finish()
        part = PartEntry(incoming.path.name, upload.id, self._files.now(), incoming.size_bytes)
        query = "SELECT coalesce(sum(size_bytes), 0) AS total FROM parts WHERE upload_id = ?"
        with self._database.writing() as db:
            row = db.execute("SELECT status FROM uploads WHERE id = ?", (upload.id,)).fetchone()
            total = db.execute(query, (upload.id,)).fetchone()["total"] + part.size_bytes
            if row is not None and row["status"] == "pending" and total <= upload.size_bytes:
                db.execute(
                    "INSERT INTO parts VALUES (?, ?, ?, ?)", (part.id, upload.id, part.created_at, part.size_bytes)
                )
                db.execute("DELETE FROM loose WHERE name = ?", (part.id,))
                incoming.kept = True
        if not incoming.kept:
            self.pending(upload.id)  # says what it has become
            raise _wrong_size(upload, total)
        return part

    def complete(self, upload: UploadEntry, part_ids: list[str], *, md5: str | None) -> tuple[UploadEntry, FileEntry]:
        """Put an upload's parts together, in the order given, and make the file.

        Raises:
            ApiError: A part isn't there, twice or of another upload; their bytes are not as many as announced, or not
                those of the checksum; the disk is full.
        """
        parts = self._parts(upload, part_ids)
        total = sum(part.size_bytes for part in parts)
        if total != upload.size_bytes:
            raise _wrong_size(upload, total)
        with self._files.incoming(new_file_id(), limit_bytes=upload.size_bytes) as incoming:
            found = self._join(parts, incoming, md5 is not None)
            if md5 is not None and found != md5.lower():
                message = f"The MD5 checksum of the parts is {found}, but '{md5}' was given. Check the parts' order."
                raise ApiError(message, param="md5", code="checksum_mismatch")
            kept = self._files.keeping(incoming, filename=upload.filename, purpose=upload.purpose, keep_s=upload.keep_s)
            with kept as (db, entry):
                query = "UPDATE uploads SET status = 'completed', file_id = ? WHERE id = ? AND status = 'pending'"
                if not db.execute(query, (entry.id, upload.id)).rowcount:
                    raise ApiError(f"Upload '{upload.id}' has been ended meanwhile.", param="upload_id")
                names = self._let_go(db, upload.id)
        self._files.drop_loose(names)
        return replace(upload, status="completed", file_id=entry.id), entry

    def cancel(self, upload: UploadEntry) -> UploadEntry:
        """End an upload without a file; its parts are gone."""
        self._end(upload, "cancelled")
        return replace(upload, status="cancelled")

    def _parts(self, upload: UploadEntry, part_ids: list[str]) -> list[PartEntry]:
        with self._database.reading() as db:
            rows = db.execute("SELECT * FROM parts WHERE upload_id = ?", (upload.id,)).fetchall()
        known = {row["id"]: PartEntry(row["id"], upload.id, row["created_at"], row["size_bytes"]) for row in rows}
        seen: set[str] = set()
        for index, part_id in enumerate(part_ids):
            if part_id not in known or part_id in seen:
                what = "is given twice" if part_id in seen else f"is no part of upload '{upload.id}'"
                raise ApiError(f"'{part_id}' {what}.", param=f"part_ids[{index}]", code="invalid_value")
            seen.add(part_id)
        return [known[part_id] for part_id in part_ids]

    def _join(self, parts: list[PartEntry], incoming: Incoming, with_md5: bool) -> str | None:
        checksum = hashlib.md5(usedforsecurity=False) if with_md5 else None
        for part in parts:
            path = self._files.path_of(part.id)
            try:
                with path.open("rb", buffering=0) as file:
                    while data := file.read(_COPIED_BYTES):
                        incoming.write(data)
                        if checksum is not None:
                            checksum.update(data)
            except OSError as error:
                raise storage_error(path, error) from error
        return None if checksum is None else checksum.hexdigest()

    def _end(self, upload: UploadEntry, status: str) -> None:
        with self._database.writing() as db:
            db.execute("UPDATE uploads SET status = ? WHERE id = ? AND status = 'pending'", (status, upload.id))
            names = self._let_go(db, upload.id)
        self._files.drop_loose(names)

    def _let_go(self, db: Any, upload_id: str) -> list[str]:  # a connection with a transaction open
        names = [row["id"] for row in db.execute("SELECT id FROM parts WHERE upload_id = ?", (upload_id,))]
        db.execute("DELETE FROM parts WHERE upload_id = ?", (upload_id,))
        db.executemany("INSERT INTO loose VALUES (?, ?)", [(name, this_process()) for name in names])
        return names

    def _expire_all(self) -> None:
        query = "SELECT * FROM uploads WHERE status = 'pending' AND expires_at <= ?"
        with self._database.reading() as db:
            old = [_upload(row) for row in db.execute(query, (self._files.now(),))]
        for upload in old:
            self._end(upload, "expired")


def _wrong_size(upload: UploadEntry, total: int) -> ApiError:
    message = f"The parts have {total:,} bytes, but the upload was announced with {upload.size_bytes:,} bytes."
    return ApiError(message, param="bytes", code="invalid_upload_size")


def _upload(row: Any) -> UploadEntry:  # a sqlite3.Row
    names = ("id", "size_bytes", "created_at", "expires_at", "filename", "mime_type", "purpose", "status", "keep_s")
    return UploadEntry(**{name: row[name] for name in (*names, "file_id")})
