"""How the tables of the embedded engine are asked."""

from __future__ import annotations

from agentkit.local.vector_stores.tables import Tables, whole

__all__ = ["TABLES"]


def _readable(text: str) -> str:
    return text


TABLES = Tables(mark="?", storable=whole, readable=_readable)
