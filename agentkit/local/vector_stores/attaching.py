"""From the files that a request names to the records that a storage keeps."""

from __future__ import annotations

from collections.abc import Sequence

from agentkit.local.files.store import FileStore, file_not_found
from agentkit.local.vector_stores.requests import FileRequest, chunking_of
from agentkit.local.vector_stores.storage import FileRecord

__all__ = ["attached_files"]


def attached_files(
    files: FileStore,
    store_id: str,
    asked: Sequence[FileRequest],
    *,
    now: int,
    param: str,
    must_exist: bool,
    batch_id: str | None = None,
) -> list[FileRecord]:
    """Return files as they are attached to a store.

    Args:
        files: The uploaded files.
        store_id: The store.
        asked: What the request says of each.
        now: Unix time in seconds.
        param: Where they stand in the request, for errors.
        must_exist: Whether one that isn't there is an error at once. If not, its indexing will fail: on that file
            alone.
        batch_id: The batch that they belong to.

    Raises:
        ApiError: A file isn't there; chunks are to overlap by more than half.
    """
    file_ids = [request.file_id for request in asked]
    entries = files.entries(file_ids)
    if must_exist:
        for file_id in file_ids:
            if file_id not in entries:
                raise file_not_found(file_id, param=param)
    records = []
    for request in asked:
        chunking, automatic = chunking_of(request.chunking_strategy)
        entry = entries.get(request.file_id)
        records.append(
            FileRecord(
                store_id=store_id,
                file_id=request.file_id,
                filename=request.file_id if entry is None else entry.filename,
                created_at=now,
                attributes=dict(request.attributes or {}),
                chunking=chunking,
                auto_chunking=automatic,
                batch_id=batch_id,
            )
        )
    return records
