"""What a model is sent, for whoever wants to keep it: references are noted on the way, and encoded later."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from agentkit import _json
from agentkit.models.output_schema import AgentOutputSchemaBase
from agentkit.models.settings import ModelSettings

__all__ = ["OnRequest", "SentRequest", "json_with", "output_format", "plain_address", "telling"]


@dataclass(frozen=True, slots=True, eq=False)
class SentRequest:
    """A request of one of the adapters, as it was sent. Nothing in it changes later: what could is encoded already."""

    api: str
    """Name of the API: "responses" or "chat_completions"."""
    path: str
    """Path of its endpoint."""
    base_url: Any  # an httpx2.URL, or what can be written as one
    """Address of the server."""
    settings: ModelSettings
    """Settings of the call, for the names of its extra headers and query parameters."""
    values: bytes
    """JSON object of the body, without what follows."""
    tools: bytes | None
    """JSON list of the tools; None without any, or where they are among the values."""
    messages: Mapping[str, Any] | None
    """How the messages are made of the conversation: "key" in the body, and what the encoder wants to know beside the
    items. None where they are among the values."""
    made_by: str | None = None
    """What made the request from this body, where it wasn't sent as it is."""

    def encode(self) -> bytes:
        """Return everything that the request holds beside its messages, as JSON."""
        about = {
            "api": self.api,
            "method": "POST",
            "url": plain_address(str(self.base_url)) + self.path,
            "headers": _names(self.settings.extra_headers),
            "query": _names(self.settings.extra_query),
            "messages": self.messages,
            "made_by": self.made_by,
        }
        known = {name: value for name, value in about.items() if value}
        tools = b"" if self.tools is None else b',"tools":' + self.tools
        return _json.dumps(known)[:-1] + b',"body":' + json_with(self.values, tools) + b"}"


OnRequest: TypeAlias = Callable[[SentRequest], object]
"""Is told what is sent, each time something is."""

telling: ContextVar[OnRequest | None] = ContextVar("agentkit_telling_requests", default=None)
"""Who is told of requests that are made here."""


def output_format(schema: AgentOutputSchemaBase) -> dict[str, Any]:
    """Return an output schema as both APIs take it."""
    return {"name": "final_output", "strict": schema.is_strict_json_schema(), "schema": schema.json_schema()}


def plain_address(base_url: str) -> str:
    """Return an address without what may be secret in it: a name, a password, a query."""
    url = urlsplit(base_url)
    return url._replace(netloc=url.netloc.rpartition("@")[2], query="", fragment="").geturl().rstrip("/")


def json_with(values: bytes, more: bytes) -> bytes:
    """Return a JSON object with members added: `more` begins with a comma, or is empty."""
    return b"{" + more[1:] + b"}" if values == b"{}" else values[:-1] + more + b"}"


def _names(given: Mapping[str, Any] | None) -> list[str]:
    return sorted(given) if given else []
