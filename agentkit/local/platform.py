"""What the paths of the platform share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agentkit.local.catalog import REHEARSAL_MODEL, ChosenModel, choose_model
from agentkit.local.engines.base import Engine
from agentkit.local.engines.trained import TrainedEngine
from agentkit.local.files.store import FileStore
from agentkit.local.pace import Pace
from agentkit.local.store import ResponseStore
from agentkit.local.training.store import JobStore
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
    jobs: JobStore
    """Fine-tuning jobs, and the models that came of them."""
    trained: TrainedEngine
    """Who answers as those models, as tiny-1, and as models in folders."""

    async def choose(self, name: str) -> ChosenModel:
        """Return the model that answers to `name`.

        Raises:
            ApiError: There is none.
        """
        return await asyncio.to_thread(choose_model, name, self.jobs.home)

    def engine_for(self, name: str) -> Engine:
        """Return who answers as the model of a name, which `choose` gave."""
        return self.engine if name == REHEARSAL_MODEL else self.trained

    def pace_for(self, name: str) -> Pace:
        """Return how fast a model's stream comes: as fast as it is made, but for rehearsal-1, which would be too fast.

        Raises:
            ApiError: The environment asks for a pace that is none.
        """
        return Pace.from_environment() if name == REHEARSAL_MODEL else Pace(0)

    def close(self) -> None:
        """Let go of all storage, and of models in memory. They are there again when they are needed again."""
        self.trained.close()
        self.jobs.close()
        self.retrieval.close()
        self.files.close()
        self.store.close()
