"""The engine of trained models: it asks the process that runs them, and hands on what that says."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

from agentkit._install import install_command
from agentkit.local.catalog import check_is_here
from agentkit.local.engines.base import FileSearch, FunctionCall, Piece, Prompt, TextDelta, Usage
from agentkit.local.engines.trained.asking import SEARCH_TOOL, request_of
from agentkit.local.engines.trained.process import ModelProcess
from agentkit.local.errors import ApiError, model_gone
from agentkit.local.training.bases import UnknownBaseError, resolve

__all__ = ["TrainedEngine"]

_NEEDED = ("torch", "transformers", "jinja2", "llguidance")
_BYTES_PER_TOKEN = 4


class TrainedEngine:
    """Answers with the models of a home folder, of other folders, and of Hugging Face's cache.

    They run in another process, which all event loops share: this one imports nothing of them.

    Args:
        home: The platform's folder.
        idle_s: Seconds without a request after which the process ends.
    """

    def __init__(self, home: Path, *, idle_s: float = 300.0) -> None:
        self._home = home
        self.process = ModelProcess(idle_s=idle_s)

    async def answer(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Yield the answer: text as it is made, whole calls, a search, and what it took.

        Raises:
            ApiError: There is no such model, it can't be used, or the prompt is too long for it.
        """
        request = {"do": "answer", **request_of(prompt)}
        search: FileSearch | None = None
        called = False
        async with contextlib.aclosing(self._ask(prompt.model, request)) as messages:
            async for message in messages:
                if "text" in message:
                    yield TextDelta(message["text"], message["tokens"])
                elif "call" not in message:
                    yield Usage(**message["done"])
                elif message["call"]["name"] == SEARCH_TOOL:
                    search = None if called else _search(message["call"]["arguments"])
                else:
                    called = True
                    yield FunctionCall(**message["call"], tokens=message["tokens"])
        if search is not None:
            yield search

    async def count_prompt(self, prompt: Prompt) -> int:
        """Return the tokens of `prompt`, in its model's chat template.

        Raises:
            ApiError: As for `answer`.
        """
        request = {"do": "count", **request_of(prompt)}
        async with contextlib.aclosing(self._ask(prompt.model, request)) as messages:
            async for message in messages:
                return int(message["done"]["input_tokens"])
        raise AssertionError("an answer has a last line")

    def count_tokens(self, text: str) -> int:
        """Return about how many tokens `text` is. What counts is told with each answer, and by `count_prompt`."""
        return -(-len(text.encode()) // _BYTES_PER_TOKEN)

    def close(self) -> None:
        """End the process as soon as nobody waits for it. It is started again when it is needed again."""
        self.process.close()

    async def _ask(self, model: str, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what the process says to a request, up to its last line."""
        loop = asyncio.get_running_loop()
        said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        def deliver(message: dict[str, Any]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(said.put_nowait, message)

        asking = _Asking(lambda: self.process.ask({**request, **_place_of(model, self._home)}, deliver))
        try:
            await asyncio.to_thread(asking.run)
            while True:
                message = await said.get()
                if "error" in message:
                    raise _error(model, message["error"])
                yield message
                if "done" in message:
                    return
        finally:
            asking.cancel()


class _Asking:
    """A request that is sent by one thread and may be cancelled by another, before it is sent too."""

    def __init__(self, ask: Callable[[], Callable[[], None]]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._cancelled = False
        self._cancel: Callable[[], None] | None = None

    def run(self) -> None:
        cancel = self._ask()
        with self._lock:
            self._cancel = cancel
            cancelled = self._cancelled
        if cancelled:
            cancel()

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            cancel = self._cancel
        if cancel is not None:
            cancel()


def _place_of(model: str, home: Path) -> dict[str, Any]:
    """Return where the process finds a model.

    Raises:
        ApiError: There is none, or what runs it isn't installed.
    """
    try:
        base = resolve(model, home)
    except UnknownBaseError as error:
        raise model_gone(str(error)) from None
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        message = (
            f"'{model}' can't run: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed. "
            f"Install what runs models: {install_command('train')}."
        )
        raise ApiError(message, param="model", code="training_unavailable")
    check_is_here(base)
    return {"model": model, "folder": None if base.folder is None else str(base.folder), "home": str(home)}


def _error(model: str, error: dict[str, Any]) -> ApiError:
    headers = {"x-should-retry": "false"}
    if error.get("gone"):
        message = f"The model '{model}' failed while answering. {error['message']}"
        return ApiError(message, status=500, kind="server_error", code="server_error", headers=headers)
    kind = "server_error" if error["status"] >= 500 else "invalid_request_error"
    return ApiError(
        error["message"],
        status=error["status"],
        kind=kind,
        param=error["param"],
        code=error["code"],
        headers=headers if error["status"] >= 500 else None,
    )


def _search(arguments: str) -> FileSearch | None:
    """Return the search of a call that the model made; None where it names nothing to look for."""
    try:
        asked = json.loads(arguments)
    except ValueError:
        return None
    queries = asked.get("queries") if isinstance(asked, dict) else None
    texts = [query for query in queries if isinstance(query, str)] if isinstance(queries, list) else []
    return FileSearch(tuple(texts)) if texts else None
