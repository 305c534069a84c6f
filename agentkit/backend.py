"""Which platform answers: OpenAI, a server that speaks its protocol, or the embedded one; and the clients for it."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import NoBackendError, UserError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

__all__ = ["Backend", "connect", "current_backend", "describe", "disconnect", "use_notebook_default"]

OPENAI_URL = "https://api.openai.com/v1"
EMBEDDED_URL = "http://agentkit.local/v1"
EMBEDDED_MODEL = "rehearsal-1"
OPENAI_MODEL = "gpt-6-astra"
"""What OpenAI's documentation names for new work, as of 2026-11."""

_NO_BACKEND = """No model can answer: there is no API key and nothing to connect to. Three ways out:
  1. Set OPENAI_API_KEY, to use OpenAI.
  2. Set OPENAI_BASE_URL, or call agentkit.connect("http://…/v1"), to use a server that speaks OpenAI's protocol.
  3. Call agentkit.connect("embedded"), to use the offline platform inside agentkit."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to connect to, decided without importing the client."""

    name: str
    base_url: str
    api_key: str | None
    model: str | None


class Backend:
    """A platform to send requests to.

    Attributes:
        name: "openai", "embedded", or the host of a server.
        base_url: Its address.
    """

    def __init__(self, plan: _Plan) -> None:
        self.name = plan.name
        self.base_url = plan.base_url
        self._api_key = plan.api_key
        self._model = plan.model
        self._clients: dict[asyncio.AbstractEventLoop, AsyncOpenAI] = {}
        self._sync_client: OpenAI | None = None

    @classmethod
    def for_server(cls, base_url: str | None, api_key: str | None) -> Backend:
        """Return a platform without choosing it: OpenAI, or the server at `base_url`."""
        return cls(_plan(base_url or "openai", api_key, None))

    @property
    def client(self) -> AsyncOpenAI:
        """The async client for the running event loop.

        Connections belong to the loop they were opened in, and a notebook has two: the kernel's and agentkit's own.
        Outside a loop it is a new client each time.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return self._new_client()
        if (client := self._clients.get(loop)) is None:
            # a client keeps its loop alive, so those of loops that are over have to be dropped by hand
            self._clients = {known: its for known, its in self._clients.items() if not known.is_closed()}
            client = self._clients[loop] = self._new_client()
        return client

    @property
    def sync_client(self) -> OpenAI:
        """The blocking client."""
        if self._sync_client is None:
            import openai

            extra: dict[str, Any] = {}
            if self.name == "embedded":
                extra["http_client"] = openai.DefaultHttpx2Client(transport=_embedded_transports()[1])
            self._sync_client = openai.OpenAI(base_url=self.base_url, api_key=self._api_key or "none", **extra)
        return self._sync_client

    @property
    def default_model(self) -> str:
        """Name of the model for agents that name none.

        For a server given by address it is the first that the server lists, asked once.

        Raises:
            UserError: The server doesn't list its models.
        """
        if self._model is None:
            self._model = self._first_model()
        return self._model

    @property
    def known_model(self) -> str | None:
        """Name of the default model as far as it is known without asking the server."""
        return self._model

    def _new_client(self) -> AsyncOpenAI:
        import openai

        extra: dict[str, Any] = {}
        if self.name == "embedded":
            extra["http_client"] = openai.DefaultAsyncHttpx2Client(transport=_embedded_transports()[0])
        return openai.AsyncOpenAI(base_url=self.base_url, api_key=self._api_key or "none", **extra)

    def _first_model(self) -> str:
        import openai

        hint = 'Name one: agentkit.connect(…, model="…"), or Agent(model="…").'
        try:
            models = self.sync_client.with_options(timeout=10, max_retries=0).models.list().data
        except openai.APIError as error:
            raise UserError(f"{self.base_url} does not say which models it has: {error}", hint=hint) from error
        if not models:
            raise UserError(f"{self.base_url} lists no models.", hint=hint)
        return models[0].id

    def __repr__(self) -> str:
        return f"Backend({self.name!r}, base_url={self.base_url!r}, default_model={self._model!r})"


_current: Backend | None = None
_notebook_default = False


def connect(backend: str = "auto", *, api_key: str | None = None, model: str | None = None) -> Backend:
    """Choose the platform that answers from now on, and return it.

    Args:
        backend: "auto" (the server at `OPENAI_BASE_URL`, or OpenAI where there is a key, or else the embedded
            platform), "openai", "embedded", or the address of a server, such as "http://localhost:8000/v1".
        api_key: The key; `OPENAI_API_KEY` when None.
        model: Model for agents that name none; `OPENAI_DEFAULT_MODEL` or the platform's own default when None.

    Raises:
        NoBackendError: "openai" without a key.
        UserError: `backend` is none of these.
    """
    global _current
    _current = Backend(_plan(backend, api_key, model))
    return _current


def disconnect() -> None:
    """Forget the platform that `connect` chose."""
    global _current
    _current = None


def use_notebook_default(enabled: bool = True) -> None:
    """Let the embedded platform answer where there is no key, as in a notebook that loaded the extension."""
    global _notebook_default
    _notebook_default = enabled


def current_backend() -> Backend:
    """Return the platform that `connect` chose, or that the environment names.

    Raises:
        NoBackendError: There is none. A plain script has to choose the embedded platform itself, so that
            rehearsed answers are never taken for a model's.
    """
    global _current
    if _current is None:
        _current = Backend(_automatic_plan())
    return _current


def describe() -> str:
    """Return a line on who answers, such as "embedded platform (offline) · model rehearsal-1"."""
    plan = _current or _automatic_plan()
    model = plan.known_model if isinstance(plan, Backend) else plan.model
    who = {"openai": "OpenAI", "embedded": "embedded platform (offline)"}.get(plan.name, plan.base_url)
    return f"{who} · model {model}" if model else f"{who} · the first model it lists"


def _automatic_plan() -> _Plan:
    plan = _plan("auto", None, None)
    if plan.name == "embedded" and not _notebook_default:
        raise NoBackendError(_NO_BACKEND)
    return plan


def _plan(backend: str, api_key: str | None, model: str | None) -> _Plan:
    key = api_key or os.environ.get("OPENAI_API_KEY") or None
    url = os.environ.get("OPENAI_BASE_URL")
    model = model or os.environ.get("OPENAI_DEFAULT_MODEL") or None
    if backend == "auto":
        backend = url or ("openai" if key else "embedded")
    if backend == "embedded":
        return _Plan("embedded", EMBEDDED_URL, "embedded", model or EMBEDDED_MODEL)
    if backend == "openai":
        if not key:
            raise NoBackendError("OpenAI needs a key.", hint="Set OPENAI_API_KEY, or pass api_key=….")
        return _Plan("openai", OPENAI_URL, key, model or OPENAI_MODEL)
    if not backend.startswith(("http://", "https://")):
        raise UserError(
            f"No backend named {backend!r}.",
            hint='Use "auto", "openai", "embedded" or an address such as "http://localhost:8000/v1".',
        )
    host = backend.split("://", 1)[1].split("/", 1)[0].rpartition("@")[2]
    return _Plan("openai" if host == "api.openai.com" else host, backend.rstrip("/"), key, model or _known_model(host))


def _known_model(host: str) -> str | None:
    return OPENAI_MODEL if host == "api.openai.com" else None


def _embedded_transports() -> tuple[Any, Any]:
    """Return the embedded platform's transports for the async and the sync client."""
    from agentkit.local import embedded_transports

    transports: tuple[Any, Any] = embedded_transports()
    return transports
