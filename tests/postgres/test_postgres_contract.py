"""PostgreSQL does what every storage does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import Cluster

sys.path.append(str(Path(__file__).parents[1] / "unit" / "local" / "vector_stores"))
pytest.register_assert_rewrite("storage_contract")

from storage_contract import Opened, StorageContract  # noqa: E402

from agentkit.local.vector_stores.postgres import PostgresStorage  # noqa: E402

TABLES = ("stores", "batches", "files", "chunks", "vectors", "waiting", "words", "segments", "postings", "leases")


@pytest.fixture(scope="module")
def shared(cluster: Cluster) -> str:
    """A database for all of these tests: to make one takes longer than a test."""
    name = f"contract_{os.urandom(4).hex()}"
    cluster.sql(f"CREATE DATABASE {name}")
    storage = PostgresStorage(f"postgresql://agentkit@/{name}?host={cluster.folder}")
    storage.get_store("vs_none")  # makes the tables
    storage.close()
    return name


class TestPostgresContract(StorageContract):
    @pytest.fixture
    def opened(self, cluster: Cluster, shared: str) -> Iterator[Opened]:
        made: list[PostgresStorage] = []

        def open_another() -> PostgresStorage:
            made.append(PostgresStorage(f"postgresql://agentkit@/{shared}?host={cluster.folder}"))
            return made[-1]

        yield open_another
        for storage in made:
            storage.close()
        cluster.sql(f"TRUNCATE {', '.join(f'agentkit.{table}' for table in TABLES)}", database=shared)
