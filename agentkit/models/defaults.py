"""What models use unless told otherwise: the key, the client and the API, set once for the process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agentkit import backend, tracing

if TYPE_CHECKING:
    from openai import AsyncOpenAI

__all__ = ["set_default_openai_api", "set_default_openai_client", "set_default_openai_key"]


def set_default_openai_key(key: str, use_for_tracing: bool = True) -> None:
    """Use `key` where `OPENAI_API_KEY` would be used: for OpenAI, and for the server that `OPENAI_BASE_URL` names.

    It wins over the environment. A platform that `agentkit.connect` chose keeps the key that it has.

    Args:
        key: The key.
        use_for_tracing: Whether traces that are sent to OpenAI are sent with it too. None are unless asked for.

    Raises:
        UserError: The key is empty.
    """
    backend.set_default_key(key)
    if use_for_tracing:
        _use_for_tracing(key)


def set_default_openai_client(client: AsyncOpenAI, use_for_tracing: bool = True) -> None:
    """Ask models through `client`: those of its server, whichever it is.

    It takes the place of what `agentkit.connect` chose, and the next `connect` takes its. The client's connections
    belong to the event loop in which they are opened; keep to one loop, or to `Runner.run_sync` and the magics, which
    have one of their own.

    Args:
        client: The client.
        use_for_tracing: Whether traces that are sent to OpenAI are sent with its key; a key for another server is
            never used for that.
    """
    backend.set_default_client(client)
    if use_for_tracing and client.base_url.host == "api.openai.com":
        _use_for_tracing(client.api_key)


def set_default_openai_api(api: Literal["chat_completions", "responses"]) -> None:
    """Ask by the Responses API, as is the default, or by Chat Completions.

    It holds for platforms that were connected without `api=`, and for providers without `use_responses=`.

    Raises:
        UserError: There is no such API.
    """
    backend.set_default_api(api)


def _use_for_tracing(key: str) -> None:
    set_key = getattr(tracing, "set_tracing_export_api_key", None)
    if set_key is not None:
        set_key(key)
