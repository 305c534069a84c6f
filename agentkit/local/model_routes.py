"""The paths `/v1/models`."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from agentkit.local.catalog import REHEARSAL_MODEL, describe_model
from agentkit.local.embedding.embedder import EmbedderError
from agentkit.local.errors import ApiError, model_not_found
from agentkit.local.replies import json_reply
from agentkit.local.training.bases import TINY_MODEL
from agentkit.local.training.models import delete_model, finished_models, model_object
from agentkit.local.training.records import TrainedModel
from agentkit.local.training.store import JobStore
from agentkit.local.vector_stores.retrieval import Retrieval

__all__ = ["ModelRoutes"]


class ModelRoutes:
    """Answers requests about models.

    Args:
        retrieval: Has what makes vectors, which is a model too.
        jobs: Has the models that were trained.
    """

    def __init__(self, retrieval: Retrieval, jobs: JobStore) -> None:
        self._retrieval = retrieval
        self._jobs = jobs

    def routes(self) -> list[Route]:
        """Return the paths."""
        return [
            Route("/v1/models", self.list_models, methods=["GET"]),
            Route("/v1/models/{model:path}", self.retrieve, methods=["GET"]),
            Route("/v1/models/{model:path}", self.delete, methods=["DELETE"]),
        ]

    async def list_models(self, _: Request) -> Response:
        """Return all models but checkpoints."""
        return json_reply({"object": "list", "data": await asyncio.to_thread(self._all)})

    async def retrieve(self, http: Request) -> Response:
        """Return a model, or a checkpoint."""
        name = _name(http)
        if (found := await asyncio.to_thread(self._trained, name)) is not None:
            return json_reply(model_object(found))
        models = {str(model["id"]): model for model in await asyncio.to_thread(self._all)}
        if name not in models:
            raise model_not_found(name, models)
        return json_reply(models[name])

    async def delete(self, http: Request) -> Response:
        """Delete a model that was trained here, or a checkpoint."""
        name = _name(http)
        await asyncio.to_thread(self._delete, name)
        return json_reply({"id": name, "object": "model", "deleted": True})

    # -- in a thread --------------------------------------------------------------------------------------------------

    def _all(self) -> list[dict[str, object]]:
        try:
            embedder = self._retrieval.embedder
        except EmbedderError:
            embedder = None
        names = [REHEARSAL_MODEL, TINY_MODEL, *([] if embedder is None else [embedder.name])]
        return [*map(describe_model, names), *map(model_object, finished_models(self._jobs))]

    def _trained(self, name: str) -> TrainedModel | None:
        found = self._jobs.model(name)
        return found if found is not None and found.folder.is_dir() else None

    def _delete(self, name: str) -> None:
        if (found := self._jobs.model(name)) is not None:  # its folder may be gone already
            delete_model(self._jobs, found)
            return
        models = [str(model["id"]) for model in self._all()]
        if name not in models:
            raise model_not_found(name, models)
        message = (
            f"'{name}' can't be deleted: it belongs to the platform. Only models that were trained here ('ft:…') can."
        )
        raise ApiError(message, param="model", code="model_not_deletable")


def _name(http: Request) -> str:
    name: str = http.path_params["model"]
    if not name:
        raise HTTPException(404)
    return name
