"""Vector stores in PostgreSQL with pgvector, shared by many users and machines. Needs the extra `postgres`."""

from __future__ import annotations

from agentkit.local.vector_stores.postgres.storage import PostgresStorage

__all__ = ["PostgresStorage"]
