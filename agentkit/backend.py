"""Which platform answers: OpenAI, a server that speaks its protocol, or the embedded one; and the clients for it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from agentkit import _logging, _secrets
from agentkit._called_as import called_as
from agentkit.exceptions import NoBackendError, UserError

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

__all__ = [
    "PLATFORMS",
    "Backend",
    "ModelInfo",
    "choose",
    "connect",
    "current_backend",
    "describe",
    "disconnect",
    "embedder_trouble",
    "key_source",
    "model_doubt",
    "no_such_platform",
    "prepare",
    "set_default_api",
    "set_default_client",
    "set_default_key",
    "set_default_model",
    "use_notebook_default",
]

OPENAI_URL = "https://api.openai.com/v1"
EMBEDDED_URL = "http://agentkit.local/v1"
EMBEDDED_MODEL = "rehearsal-1"
OPENAI_MODEL = "gpt-6-astra"
"""What OpenAI's documentation names for new work, as of 2026-11."""

_NO_BACKEND = """No model can answer: there is no API key and nothing to connect to. Three ways out:
  1. Set OPENAI_API_KEY, to use OpenAI.
  2. Set OPENAI_BASE_URL, or call agentkit.connect("http://…/v1"), to use a server that speaks OpenAI's protocol.
  3. Call agentkit.connect("embedded"), to use the offline platform inside agentkit."""


Api = Literal["responses", "chat_completions"]
"""Which of OpenAI's two APIs a server is asked by."""

_CLIENT_LOGGERS = ("openai._base_client", "openai._legacy_response", "openai._response", "httpx", "httpx2")

_PATHS: dict[Api, str] = {"responses": "/responses", "chat_completions": "/chat/completions"}


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a platform offers."""

    name: str
    """What it answers to."""
    owned_by: str = ""
    """Whose it is, where the platform says so."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to connect to, decided without importing the client."""

    name: str
    base_url: str = field(repr=False)
    api_key: str | None = field(repr=False)
    model: str | None
    api: Api | None = None
    organization: str | None = None
    project: str | None = None

    @property
    def shown_url(self) -> str:
        """The address without a password that may stand in it."""
        parts = urlsplit(self.base_url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class Backend:
    """A platform to send requests to.

    Attributes:
        name: "openai", "embedded", or the host of a server.
        base_url: Its address.
        listed_models: The models that it offered when it was last asked for them.
    """

    def __init__(self, plan: _Plan, client: AsyncOpenAI | None = None) -> None:
        self.name = plan.name
        self.base_url = plan.base_url
        self.plan = plan
        self._given_client = client
        self._model = plan.model
        self.listed_models: tuple[str, ...] = ()
        self._clients: dict[asyncio.AbstractEventLoop, AsyncOpenAI] = {}
        self._sync_client: OpenAI | None = None

    @classmethod
    def for_server(
        cls,
        base_url: str | None,
        api_key: str | None,
        *,
        organization: str | None = None,
        project: str | None = None,
    ) -> Backend:
        """Return a platform without choosing it: OpenAI, or the server at `base_url`."""
        plan = _plan(base_url or "openai", api_key, None)
        _secrets.register(plan.api_key)
        return cls(replace(plan, organization=organization, project=project))

    @classmethod
    def for_client(cls, client: AsyncOpenAI) -> Backend:
        """Return the platform that a client of the caller's speaks to, without choosing it."""
        url = str(client.base_url).rstrip("/")
        host = urlsplit(url).netloc.rpartition("@")[2]
        name = {"api.openai.com": "openai", urlsplit(EMBEDDED_URL).netloc: "embedded"}.get(host, host)
        model = os.environ.get("OPENAI_DEFAULT_MODEL") or _known_model(host)
        _secrets.register(client.api_key)
        _secrets.register_headers(client.default_headers)
        return cls(_Plan(name, url, client.api_key, model), client)

    @property
    def api(self) -> Api:
        """Which of OpenAI's two APIs it is asked by."""
        return self.plan.api or _default_api

    @property
    def is_server(self) -> bool:
        """Whether it is a server given by address, that is neither OpenAI nor the embedded platform."""
        return self.name not in ("openai", "embedded")

    def has_local_model(self, name: str) -> bool:
        """Return whether it is the embedded platform, and has a model of that name on this machine."""
        if self.name != "embedded":
            return False
        from agentkit.local.catalog import has_model

        return has_model(name)

    @property
    def client(self) -> AsyncOpenAI:
        """The async client for the running event loop.

        Connections belong to the loop they were opened in, and a notebook has two: the kernel's and agentkit's own.
        Outside a loop it is a new client each time.
        """
        if self._given_client is not None:
            return self._given_client
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

            transport = _embedded_transports()[1] if self.name == "embedded" else None
            self._sync_client = openai.OpenAI(
                base_url=self.base_url,
                api_key=self.plan.api_key or "none",
                organization=self.plan.organization,
                project=self.plan.project,
                http_client=openai.DefaultHttpx2Client(transport=transport),
            )
        return self._sync_client

    @property
    def default_model(self) -> str:
        """Name of the model for agents that name none.

        For a server given by address it is the first that the server lists, asked once.

        Raises:
            UserError: The server doesn't list its models.
        """
        if self._model is None and self._given_client is not None:  # it is async, and can't be asked from here
            raise UserError("No model is named.", hint='Name one: Agent(model="…") or RunConfig(model="…").')
        if self._model is None:
            with self._asking_for_models():
                said = self.sync_client.with_options(timeout=10, max_retries=0).get("/models", cast_to=object)
            self._model = self._first(self._models_in(said))
        return self._model

    async def find_default_model(self) -> str:
        """Return the same as `default_model`, leaving the event loop free while the server is asked."""
        if self._model is None:
            self._model = self._first(await self.list_models())
        return self._model

    async def list_models(self, *, timeout_s: float = 10) -> list[ModelInfo]:
        """Return the models that the platform offers, in its order.

        Args:
            timeout_s: Seconds to wait for it.

        Raises:
            UserError: It doesn't answer, refuses the key, or doesn't list its models.
        """
        with self._asking_for_models():
            said = await self.client.with_options(timeout=timeout_s, max_retries=0).get("/models", cast_to=object)
        models = self._models_in(said)
        self.listed_models = tuple(model.name for model in models)
        return models

    async def has_api(self, api: Api, *, timeout_s: float = 10) -> bool:
        """Tell whether the platform has that API, by a request that is empty: it costs nothing, whatever the answer.

        Args:
            api: Which one.
            timeout_s: Seconds to wait for it.
        """
        import openai

        client = self.client.with_options(timeout=timeout_s, max_retries=0)
        try:
            await client.post(_PATHS[api], body={}, cast_to=object)
        except openai.APIStatusError as error:
            return error.status_code not in (404, 405, 501)
        except openai.APIError:
            return False
        return True

    def set_model(self, model: str | None) -> None:
        """Let `model` be the default; None for the one that it was made with, or else its own."""
        self._model = model or self.plan.model

    @property
    def known_model(self) -> str | None:
        """Name of the default model as far as it is known without asking the server."""
        return self._model

    def _new_client(self) -> AsyncOpenAI:
        import openai

        _logging.guard_logs(*_CLIENT_LOGGERS)
        transport = _embedded_transports()[0] if self.name == "embedded" else None
        # The HTTP client that openai makes by itself closes its connections when it is forgotten, in whatever loop runs
        # then; where they belong to a loop that is over, that ends in a traceback.
        return openai.AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.plan.api_key or "none",
            organization=self.plan.organization,
            project=self.plan.project,
            http_client=openai.DefaultAsyncHttpx2Client(transport=transport),
            # where passages stand that a search in files finds: what isn't OpenAI ignores it, or tells more
            default_headers=None if self.name == "openai" else {"x-agentkit-details": "true"},
        )

    @contextlib.contextmanager
    def _asking_for_models(self) -> Iterator[None]:
        import openai

        try:
            yield
        except openai.APIError as error:
            if isinstance(error, openai.APIConnectionError):
                if isinstance(error, openai.APITimeoutError):
                    text = f"{self.plan.shown_url} has not answered in time."
                    raise UserError(text, hint="Is the server running, and the address right?") from error
                cause = error.__cause__ or error
                text = f"No connection to {self.plan.shown_url}: {cause}."
                raise UserError(text, hint="Is the server running, and the address right?") from error
            if getattr(error, "status_code", None) in (401, 403):
                text = f"{self.plan.shown_url} refused the key: {error}"
                raise UserError(text, hint="Pass one that it takes: agentkit.connect(…, api_key=…).") from error
            text = f"{self.plan.shown_url} does not say which models it has: {error}"
            raise UserError(text, hint=f"Is this the address of an API, with its /v1? {_NAME_ONE}") from error

    def _models_in(self, said: object) -> list[ModelInfo]:
        """Return the models of a reply to `GET /models`; the client's own method fails where it is no such list."""
        found = said.get("data") if isinstance(said, dict) else None
        if not isinstance(found, list) or not all(isinstance(model, dict) and "id" in model for model in found):
            text = f"{self.plan.shown_url} answers, but not as an API with a list of models."
            raise UserError(text, hint="Is this the address of an API, with its /v1?")
        return [ModelInfo(str(model["id"]), str(model.get("owned_by") or "")) for model in found]

    def _first(self, models: list[ModelInfo]) -> str:
        if not models:
            raise UserError(f"{self.plan.shown_url} lists no models.", hint=_NAME_ONE)
        return models[0].name

    def __repr__(self) -> str:
        return f"Backend({self.name!r}, base_url={self.plan.shown_url!r}, default_model={self._model!r})"


_NAME_ONE = 'Name one: agentkit.connect(…, model="…"), or Agent(model="…").'

_current: Backend | None = None
_chosen = False
_notebook_default = False
_default_key: str | None = None
_default_api: Api = "responses"
_default_model: str | None = None


@called_as("agentkit.connect")
def connect(
    backend: str = "auto", *, api_key: str | None = None, model: str | None = None, api: Api | None = None
) -> Backend:
    """Choose the platform that answers from now on, and return it.

    Args:
        backend: "auto" (the server at `OPENAI_BASE_URL`, or OpenAI where there is a key, or else the embedded
            platform), "openai", "embedded", or the address of a server, such as "http://localhost:8000/v1".
        api_key: The key. When None, that of `set_default_openai_key` or `OPENAI_API_KEY`, for OpenAI and for the server
            at `OPENAI_BASE_URL`; other servers get none.
        model: Model for agents that name none; `OPENAI_DEFAULT_MODEL` or the platform's own default when None.
        api: "responses", or "chat_completions", for servers that have no other; when None, what
            `set_default_openai_api` said, or else "responses".

    The server is not asked anything here: whether it is there, and has the model, the first question tells, at once
    where the connection is refused. `%agentkit connect` asks it first. Of the embedded platform it is known which
    models it has: for another there is a warning.

    Raises:
        NoBackendError: "openai" without a key.
        UserError: `backend` is none of these.
    """
    made = prepare(backend, api_key=api_key, model=model, api=api)
    if doubt := model_doubt(made):
        warnings.warn(doubt, stacklevel=3)  # called_as is between
    choose(made)
    return made


def model_doubt(made: Backend) -> str:
    """Return what is to be said of a platform's default model where it is known at once that there is none; or ""."""
    from agentkit.local.catalog import REHEARSAL_MODEL, has_model

    if made.name != "embedded" or made.known_model is None or has_model(made.known_model):
        return ""
    near = _near(made.known_model, [REHEARSAL_MODEL])
    return f"The embedded platform has no model {made.known_model!r}.{near or f' It has {REHEARSAL_MODEL}.'}"


PLATFORMS = ("embedded", "openai", "auto")
"""Names of platforms that `connect` takes besides addresses."""


def no_such_platform(word: object) -> str:
    """Return what is said of a platform that isn't there, in Python and by the magic. A long word may be a key."""
    use = 'Use "embedded", "openai", "auto" or an address such as "http://localhost:8000/v1".'
    if not isinstance(word, str):
        return f"A platform is given by its name or address, not by {type(word).__name__} {word!r:.30}. {use}"
    shown = word if len(word) <= 30 else f"{word[:3]}…"
    return f"There is no platform {shown!r}.{_near(word, PLATFORMS) or f' {use}'}"


def _near(word: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word.lower(), known, n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def prepare(
    backend: str = "auto", *, api_key: str | None = None, model: str | None = None, api: Api | None = None
) -> Backend:
    """Return the platform that `connect` would choose, without choosing it. Arguments and errors as for `connect`."""
    if api is not None:
        _check_api(api)
    made = Backend(replace(_plan(backend, api_key, model), api=api))
    made.set_model(None if model else _default_model)
    _secrets.register(made.plan.api_key)
    return made


def choose(backend: Backend) -> None:
    """Let a platform answer from now on."""
    global _current, _chosen
    _current = backend
    _chosen = True


def disconnect() -> None:
    """Forget the platform that `connect` chose, and what the `set_default_openai_…` functions set."""
    global _current, _chosen, _default_key, _default_api
    _current, _chosen, _default_key, _default_api = None, False, None, "responses"


def set_default_key(key: str) -> None:
    """Take `key` where `OPENAI_API_KEY` would be taken. A platform that `connect` chose keeps its own.

    Raises:
        UserError: It is empty.
    """
    global _default_key
    if not key:
        raise UserError("set_default_openai_key got an empty key.", hint="Pass the key itself.")
    _default_key = key
    _secrets.register(key)


def set_default_client(client: AsyncOpenAI) -> None:
    """Let the server of `client` answer from now on, asked through it; the next `connect` takes its place."""
    global _current, _chosen
    _current = Backend.for_client(client)
    _current.set_model(_default_model)
    _chosen = True


def set_default_api(api: Api) -> None:
    """Ask platforms by this API that were connected without saying by which.

    Raises:
        UserError: There is no such API.
    """
    global _default_api
    _check_api(api)
    _default_api = api


def set_default_model(model: str | None) -> None:
    """Let agents that name no model have this one, on the platform that answers now and on those to come.

    A later `connect(…, model=…)` goes before it. None goes back to what `connect` or the environment said, or to the
    platform's own.
    """
    global _default_model
    _default_model = model
    if _chosen and _current is not None:
        _current.set_model(model)


def _check_api(api: str) -> None:
    if api not in ("responses", "chat_completions"):
        raise UserError(f"There is no api {api!r}.", hint='Use "responses" or "chat_completions".')


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
    if _chosen and _current is not None:
        return _current
    plan = _automatic_plan()  # nothing was chosen: a key that is set in a later cell counts from then on
    if _current is None or _current.plan != plan:
        _current = Backend(plan)
    return _current


def key_source() -> str | None:
    """Return where the key of the platform that answers comes from: a variable's name, or the function it was given to.

    None where it needs none, or has none. Raises `NoBackendError` as `current_backend` does.
    """
    plan = current_backend().plan
    key = plan.api_key
    if not key or plan.name == "embedded":
        return None
    if key == _default_key:
        return "set_default_openai_key()"
    names = ["OPENAI_API_KEY", *sorted(os.environ)]
    return next((name for name in names if os.environ.get(name) == key), "connect(api_key=…)")


def describe() -> str:
    """Return a line on who answers, such as "embedded platform (offline) · model rehearsal-1"."""
    chosen = _current if _chosen else None
    plan = chosen.plan if chosen is not None else _automatic_plan()
    model = chosen.known_model if chosen is not None else plan.model
    who = {"openai": "OpenAI", "embedded": "embedded platform (offline)"}.get(plan.name, plan.shown_url)
    return f"{who} · model {model}" if model else f"{who} · the first model it lists"


def embedder_trouble() -> str:
    """Return why the embedded platform can't make vectors of files as `AGENTKIT_EMBEDDER` wants it; "" where it can."""
    from agentkit.local.embedding import EmbedderError, choose_embedder

    try:
        choose_embedder()
    except EmbedderError as error:
        return str(error)
    return ""


def _automatic_plan() -> _Plan:
    plan = _plan("auto", None, _default_model)
    if plan.name == "embedded" and not _notebook_default:
        raise NoBackendError(_NO_BACKEND)
    return plan


def _plan(backend: str, api_key: str | None, model: str | None) -> _Plan:
    if not isinstance(backend, str):
        raise UserError(no_such_platform(backend))
    key = api_key or _default_key or os.environ.get("OPENAI_API_KEY") or None
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
        raise UserError(no_such_platform(backend))
    host = urlsplit(backend).netloc.rpartition("@")[2]
    if host == "api.openai.com":
        if not key:
            raise NoBackendError("OpenAI needs a key.", hint="Set OPENAI_API_KEY, or pass api_key=….")
    elif backend != url:  # the key in the environment is for the server that the environment names, or for OpenAI
        key = api_key
    return _Plan("openai" if host == "api.openai.com" else host, backend.rstrip("/"), key, model or _known_model(host))


def _known_model(host: str) -> str | None:
    return {"api.openai.com": OPENAI_MODEL, urlsplit(EMBEDDED_URL).netloc: EMBEDDED_MODEL}.get(host)


def _embedded_transports() -> tuple[Any, Any]:
    """Return the embedded platform's transports for the async and the sync client."""
    from agentkit.local import embedded_transports

    transports: tuple[Any, Any] = embedded_transports()
    return transports
