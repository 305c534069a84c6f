"""The embedded platform as an ASGI application."""

from __future__ import annotations

import contextlib
import hmac
import re
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentkit._home import home as default_home
from agentkit.local.chat.routes import ChatRoutes
from agentkit.local.embedding.embedder import EmbedderError
from agentkit.local.embedding_routes import EmbeddingRoutes
from agentkit.local.engines.trained import TrainedEngine
from agentkit.local.errors import ApiError, storage_failed, too_large
from agentkit.local.files.routes import FileRoutes
from agentkit.local.files.store import FileStore
from agentkit.local.files.upload_routes import UploadRoutes
from agentkit.local.files.uploads import UploadStore
from agentkit.local.ids import new_id
from agentkit.local.model_routes import ModelRoutes
from agentkit.local.platform import Platform
from agentkit.local.replies import error_reply
from agentkit.local.responses.routes import ResponseRoutes
from agentkit.local.store import ResponseStore
from agentkit.local.training.launching import WORKER, Launcher
from agentkit.local.training.routes import FineTuningRoutes
from agentkit.local.training.store import JobStore
from agentkit.local.vector_stores.file_routes import VectorStoreFileRoutes
from agentkit.local.vector_stores.retrieval import Retrieval
from agentkit.local.vector_stores.routes import VectorStoreRoutes
from agentkit.local.vector_stores.storage import StorageError

if TYPE_CHECKING:
    from agentkit.local.embedding.embedder import Embedder
    from agentkit.local.engines.base import Engine
    from agentkit.local.vector_stores.storage import VectorStorage

__all__ = ["create_app"]


def create_app(
    *,
    home: Path | None = None,
    token: str | None = None,
    engine: Engine | None = None,
    max_body_bytes: int | None = None,
    storage: VectorStorage | None = None,
    embedder: Callable[[], Embedder | None] | None = None,
    clock: Callable[[], float] = time.time,
    trainer: Sequence[str] = WORKER,
) -> Starlette:
    """Return the platform: models, responses, chats, embeddings, files, uploads, vector stores and fine-tuning.

    It keeps nothing of one event loop and may serve several at once. Nothing is opened before the first request.

    Args:
        home: Folder of its storage; `AGENTKIT_HOME` or the user's data folder when None.
        token: What clients have to send as their API key; anything goes when None.
        engine: Who answers; rehearsal-1 when None.
        max_body_bytes: A request with a longer body is refused, unread; no limit when None. Uploads have limits of
            their own: they go to the disk as they come.
        storage: What keeps vector stores; as `AGENTKIT_VECTORS` says when None.
        embedder: Gives what makes vectors, or None for none; as `AGENTKIT_EMBEDDER` says when None.
        clock: Tells the Unix time in seconds, by which files, uploads and vector stores expire.
        trainer: The program that works on a fine-tuning job; it is given the home folder and the job's id.
    """
    if engine is None:
        from agentkit.local.engines.rehearsal import RehearsalEngine

        engine = RehearsalEngine()
    folder = home if home is not None else default_home()
    files = FileStore(folder, clock=clock)
    jobs = JobStore(folder, clock=clock)
    retrieval = Retrieval(folder, files, storage=storage, embedder=embedder)
    platform = Platform(engine, ResponseStore(folder), files, retrieval, jobs, TrainedEngine(folder))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None, None]:
        yield
        platform.close()

    app = Starlette(
        routes=[
            *ModelRoutes(retrieval, jobs).routes(),
            *ResponseRoutes(platform).routes(),
            *ChatRoutes(platform).routes(),
            *EmbeddingRoutes(retrieval).routes(),
            *FileRoutes(files, retrieval.forget).routes(),
            *UploadRoutes(UploadStore(files)).routes(),
            *VectorStoreRoutes(retrieval, files).routes(),
            *VectorStoreFileRoutes(retrieval, files).routes(),
            *FineTuningRoutes(jobs, files, Launcher(jobs, trainer), clock=clock).routes(),
        ],
        middleware=[Middleware(_Gate, token=token), Middleware(_BodyLimit, max_bytes=max_body_bytes)],
        exception_handlers={
            ApiError: _api_error,
            StorageError: _storage_error,
            EmbedderError: _storage_error,
            ClientDisconnect: _client_gone,
            HTTPException: _http_error,
            Exception: _unexpected_error,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.platform = platform
    return app


class _Gate:
    """Lets requests with the right token in, and gives every answer its id.

    Args:
        app: What lies behind.
        token: The token; None for an open gate.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_id("req").encode()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
            await send(message)

        refusal = self._refusal(scope)
        app = self._app if refusal is None else error_reply(refusal)
        await app(scope, receive, send_with_id)

    def _refusal(self, scope: Scope) -> ApiError | None:
        if self._token is None:
            return None
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, key = given.partition(b" ")
        if scheme.lower() != b"bearer" or not key.strip():
            message = (
                "You didn't provide an API key. Send the platform's token in an Authorization header: 'Bearer <token>'."
            )
        elif hmac.compare_digest(key.strip(), self._token):
            return None
        else:
            message = "Incorrect API key provided. Use the token that the platform printed when it started."
        return ApiError(message, status=401, code="invalid_api_key")


_UPLOADS = re.compile(r"/v1/files|/v1/uploads/[^/]+/parts")
"""Paths whose bodies go to the disk."""


class _BodyLimit:
    """Refuses requests with too long a body: at once where its length is announced, else where it gets too long.

    Args:
        app: What lies behind.
        max_bytes: The most that a body may have; None for no limit.
    """

    def __init__(self, app: ASGIApp, max_bytes: int | None) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (limit := self._max_bytes) is None or _UPLOADS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if announced.isdigit() and int(announced) > limit:
            await error_reply(too_large(limit))(scope, receive, send)
            return
        left = limit

        async def receive_within_limit() -> Message:
            nonlocal left
            message = await receive()
            if message["type"] == "http.request":
                left -= len(message.get("body", b""))
                if left < 0:
                    raise too_large(limit)
            return message

        await self._app(scope, receive_within_limit, send)


async def _api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_reply(error)


async def _storage_error(_: Request, error: Exception) -> Response:
    return error_reply(storage_failed(error))


async def _client_gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it


async def _http_error(http: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        message = f"Not allowed to {http.method} on {http.url.path}."
        return error_reply(ApiError(message, status=405, code="method_not_supported"))
    if error.status_code == 404:
        message = f"Invalid URL ({http.method} {http.url.path})"
        return error_reply(ApiError(message, status=404, code="unknown_url"))
    return error_reply(ApiError(str(error.detail), status=error.status_code))


async def _unexpected_error(_: Request, error: Exception) -> Response:
    """Answer for a mistake of our own; the server that runs the application gets the exception, too."""
    message = f"The embedded platform failed: {type(error).__name__}: {error}"
    return error_reply(
        ApiError(message, status=500, kind="server_error", code="server_error", headers={"x-should-retry": "false"})
    )
