"""What `agentkit stores` does: list vector stores, and copy one from one place to another."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agentkit._home import home
from agentkit.local.vector_stores.choosing import VECTORS_VARIABLE, storage_at
from agentkit.local.vector_stores.moving import move_store
from agentkit.local.vector_stores.storage import FileCounts, Page, StorageError, VectorStorage

__all__ = ["copy_store", "list_stores"]

_PAGE = 100
_SHOWN_EVERY = 200


def list_stores(address: str | None, *, show: Callable[[str], None]) -> None:
    """Show the stores at an address, a line each, the newest first.

    Args:
        address: `postgresql://…` or "embedded"; None: as the environment says.
        show: Takes a line.

    Raises:
        StorageError: They can't be read.
    """
    with _opened(_address(address)) as storage:
        after: str | None = None
        while True:
            page = storage.list_stores(Page(limit=_PAGE, after=after))
            for store in page[:_PAGE]:
                counts = _counted(storage.count_files(store.id))
                name = "".join(letter if letter.isprintable() else "?" for letter in store.name)
                show(f"{store.id}  {counts}  {storage.usage_bytes(store.id):,} bytes  {name}".rstrip())
            if len(page) <= _PAGE:
                return
            after = page[_PAGE - 1].id


def copy_store(
    store_id: str, source: str | None, target: str, *, delete_source: bool, show: Callable[[str], None]
) -> None:
    """Copy a store, and show what was copied.

    Args:
        store_id: `vs_…`
        source: Where it is, as for `list_stores`.
        target: Where it shall be.
        delete_source: Whether it is deleted there once the copy is known to be good.
        show: Takes a line.

    Raises:
        StorageError: It can't be copied.
    """
    given = _address(source)
    if given == target.strip():
        raise StorageError("Source and target are the same place. Name another with --from or --to.")
    with _opened(given) as giving, _opened(target) as taking:
        moved = move_store(store_id, giving, taking, delete_source=delete_source, progress=_progress)
    what = f"{moved.files:,} files, {moved.chunks:,} passages, {moved.vectors:,} of them with vectors"
    earlier = f" ({moved.already_there:,} files were there already)" if moved.already_there else ""
    gone = " The source was deleted." if delete_source else ""
    show(f"{store_id}: {what}, copied and compared{earlier}; SHA-256 {moved.digest[:16]}….{gone}")


def _address(given: str | None) -> str:
    return (given if given is not None else os.environ.get(VECTORS_VARIABLE, "")).strip() or "embedded"


@contextmanager
def _opened(address: str) -> Iterator[VectorStorage]:
    storage = storage_at(address, home())
    try:
        yield storage
    finally:
        storage.close()


def _counted(counts: FileCounts) -> str:
    names = ("completed", "in progress", "failed", "cancelled")
    numbers = (counts.completed, counts.in_progress, counts.failed, counts.cancelled)
    parts = [f"{number:,} {name}" for name, number in zip(names, numbers, strict=True) if number]
    return f"{counts.total:,} files" + (f" ({', '.join(parts)})" if parts else "")


def _progress(done: int, total: int) -> None:
    if done % _SHOWN_EVERY == 0 and sys.stderr.isatty():
        print(f"{done:,} of {total:,} files", file=sys.stderr)
