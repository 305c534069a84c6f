"""Which storage keeps the vector stores: the embedded one, or PostgreSQL where the environment names a server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from agentkit._install import install_command
from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    from agentkit.local.vector_stores.storage import VectorStorage

__all__ = ["VECTORS_VARIABLE", "choose_storage", "storage_at"]

VECTORS_VARIABLE = "AGENTKIT_VECTORS"
"""Environment variable: `postgresql://…` of a server with pgvector; unset or "embedded" for the home folder."""


def choose_storage(home: Path) -> VectorStorage:
    """Return what keeps the vector stores. Nothing is opened yet.

    Args:
        home: Folder of the platform's storage, for the embedded engine.

    Raises:
        StorageError: The setting is no address of a PostgreSQL server, or the extra for it isn't installed.
    """
    return storage_at(os.environ.get(VECTORS_VARIABLE, ""), home)


def storage_at(address: str, home: Path) -> VectorStorage:
    """Return what keeps the vector stores at an address. Nothing is opened yet.

    Args:
        address: As of the environment variable: `postgresql://…`, or "embedded" or "" for the home folder.
        home: Folder of the platform's storage.

    Raises:
        StorageError: It is no address of a PostgreSQL server, or the extra for it isn't installed.
    """
    address = address.strip()
    if address in ("", "embedded"):
        from agentkit.local.vector_stores.embedded import EmbeddedStorage

        return EmbeddedStorage(home)
    scheme, found, _ = address.partition("://")  # the rest may hold a password, and is not shown
    if not found or scheme not in ("postgresql", "postgres"):
        said = f"begins with '{scheme[:20]}://'" if found else "has no '://'"
        raise StorageError(
            f"{VECTORS_VARIABLE} {said}, so it is no address of a PostgreSQL server. "
            "Set it to postgresql://user@host/database, to 'embedded', or not at all."
        )
    try:
        import pgvector  # noqa: F401
        import psycopg  # noqa: F401

        from agentkit.local.vector_stores.postgres import PostgresStorage
    except ImportError as error:
        raise StorageError(
            f"{VECTORS_VARIABLE} names a PostgreSQL server, but {error.name or 'its client'} can't be imported. "
            f"Install it with: {install_command('postgres')}"
        ) from error
    return PostgresStorage(address, home=home)
