"""Vector stores, their files and batches as the API gives them."""

from __future__ import annotations

from typing import Any

from agentkit.local.vector_stores.passages import Found
from agentkit.local.vector_stores.storage import BatchRecord, FileCounts, FileRecord, StoreRecord

__all__ = ["DAY_S", "batch_object", "expires_at", "file_object", "found_object", "is_expired", "store_object"]

DAY_S = 24 * 3600


def expires_at(store: StoreRecord) -> int | None:
    """Return when a store expires, in Unix seconds; None: never."""
    return None if store.expires_after_days is None else store.last_active_at + store.expires_after_days * DAY_S


def is_expired(store: StoreRecord, now: int) -> bool:
    """Return whether a store's time is up."""
    end = expires_at(store)
    return end is not None and end <= now


def store_object(store: StoreRecord, counts: FileCounts, usage_bytes: int, now: int) -> dict[str, Any]:
    """Return a vector store as the API gives it."""
    status = "expired" if is_expired(store, now) else "in_progress" if counts.in_progress else "completed"
    days = store.expires_after_days
    made = {
        "id": store.id,
        "object": "vector_store",
        "created_at": store.created_at,
        "name": store.name,
        "usage_bytes": usage_bytes,
        "file_counts": _counts(counts),
        "status": status,
        "expires_after": None if days is None else {"anchor": "last_active_at", "days": days},
        "expires_at": expires_at(store),
        "last_active_at": store.last_active_at,
        "metadata": store.metadata,
    }
    return made if store.description is None else {**made, "description": store.description}


def file_object(file: FileRecord) -> dict[str, Any]:
    """Return a file of a vector store as the API gives it."""
    error = None
    if file.error_code is not None:
        error = {"code": file.error_code, "message": file.error_message or ""}
    return {
        "id": file.file_id,
        "object": "vector_store.file",
        "created_at": file.created_at,
        "usage_bytes": file.usage_bytes,
        "vector_store_id": file.store_id,
        "status": file.status,
        "last_error": error,
        "chunking_strategy": {
            "type": "static",
            "static": {
                "max_chunk_size_tokens": file.chunking.max_tokens,
                "chunk_overlap_tokens": file.chunking.overlap_tokens,
            },
        },
        "attributes": file.attributes,
    }


def batch_object(batch: BatchRecord, counts: FileCounts) -> dict[str, Any]:
    """Return a batch of files as the API gives it."""
    if counts.in_progress:
        status = "in_progress"
    elif batch.cancelled:
        status = "cancelled"
    else:
        status = "failed" if counts.total and counts.failed == counts.total else "completed"
    return {
        "id": batch.id,
        "object": "vector_store.files_batch",
        "created_at": batch.created_at,
        "vector_store_id": batch.store_id,
        "status": status,
        "file_counts": _counts(counts),
    }


def found_object(found: Found) -> dict[str, Any]:
    """Return a passage as a search answers it."""
    return {
        "file_id": found.file_id,
        "filename": found.filename,
        "score": found.score,
        "attributes": found.attributes,
        "content": [{"type": "text", "text": found.chunk.text}],
    }


def _counts(counts: FileCounts) -> dict[str, int]:
    return {
        "in_progress": counts.in_progress,
        "completed": counts.completed,
        "cancelled": counts.cancelled,
        "failed": counts.failed,
        "total": counts.total,
    }
