"""The embedded engine: vector stores in files of this machine."""

from __future__ import annotations

from agentkit.local.vector_stores.embedded.storage import EmbeddedStorage

__all__ = ["EmbeddedStorage"]
