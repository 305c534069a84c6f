"""What the paths of the platform share."""

from __future__ import annotations

from dataclasses import dataclass

from agentkit.local.engines.base import Engine
from agentkit.local.files.store import FileStore
from agentkit.local.store import ResponseStore
from agentkit.local.vector_stores.retrieval import Retrieval

__all__ = ["Platform"]


@dataclass(frozen=True, slots=True)
class Platform:
    """The parts behind the paths."""

    engine: Engine
    """Who answers as rehearsal-1. It may be asked from several event loops at once."""
    store: ResponseStore
    """Where responses are kept."""
    files: FileStore
    """Where uploaded files are kept."""
    retrieval: Retrieval
    """The vector stores."""

    def close(self) -> None:
        """Let go of all storage. It is opened again when it is needed again."""
        self.retrieval.close()
        self.files.close()
        self.store.close()
