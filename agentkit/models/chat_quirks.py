"""In what servers of the Chat Completions API differ from OpenAI's: known beforehand, or learned from a refusal."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, Literal

from agentkit._repr import fields_repr

__all__ = ["ChatQuirks", "Lessons", "known_quirks", "learn_from"]


@dataclass(frozen=True)
class ChatQuirks:
    """How a server of the Chat Completions API wants to be asked."""

    __repr__ = fields_repr

    structured_output: Literal["json_schema", "json_object", "instructions"] = "json_schema"
    """How an answer of an output type is asked for: by its schema; as JSON, with the schema in the instructions; or by
    the instructions alone."""
    reasoning_field: str | None = None
    """Under which name the model's reasoning is sent back with its messages, such as "reasoning_content"; None sends
    none back. Models that reason between tool calls may demand it."""
    parallel_tool_calls: bool = True
    """Whether the setting of that name is sent."""
    strict_tools: bool = True
    """Whether tools say that their schema is strict."""
    stream_options: bool = True
    """Whether a stream is asked to end with its usage."""
    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Name of the limit: OpenAI has given it a new one, which others refuse or pass over."""
    learn: bool = True
    """Whether a refusal that names one of these changes it, for all calls from then on."""


@functools.cache
def _table() -> dict[str, Any]:
    text = resources.files("agentkit.models").joinpath("chat_quirks.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


@functools.lru_cache(maxsize=256)
def known_quirks(host: str, model: str) -> ChatQuirks:
    """Return what is known of a model on a host beforehand; what the host is known for wins.

    Args:
        host: The server's host name.
        model: The model's name there; what comes before its last slash doesn't count.
    """
    name = model.rpartition("/")[2].lower()
    found: dict[str, Any] = {}
    for prefix, its in _table()["models"].items():
        if name.startswith(prefix):
            found |= its
    return ChatQuirks(**(found | _table()["hosts"].get(host, {})))


class Lessons:
    """What servers have taught this process: kept until it ends, as no server changes so soon."""

    def __init__(self) -> None:
        self._learned: dict[tuple[str, str, ChatQuirks], ChatQuirks] = {}

    def of(self, server: str, model: str, known: ChatQuirks) -> ChatQuirks:
        """Return `known`, with what was learned since for the model on the server."""
        return self._learned.get((server, model, known), known)

    def keep(self, server: str, model: str, known: ChatQuirks, learned: ChatQuirks) -> None:
        """Remember it."""
        self._learned[server, model, known] = learned


_UNKNOWN = re.compile(
    r"unsupported|not (?:yet )?(?:be )?(?:support|available|permitted|allowed|enabled|recogni[sz]ed|implemented)"
    r"|n't (?:support|allow|recogni[sz]e)|unavailable|unknown|unrecogni[sz]ed|unexpected|extra (?:inputs|field)|use '",
    re.IGNORECASE,
)
"""What a server says that doesn't know a field, as against one that finds a fault in its value."""

_NO_SUCH_FORMAT = re.compile(
    r"should be|must be|only supports?|invalid (?:type|value)|no such|not a valid", re.IGNORECASE
)
"""The same of one that knows the field and not the kind of format."""

_DEMANDED = re.compile(r"missing|must be|required|passed back", re.IGNORECASE)
"""What a server says that wants a field."""

_BAD_SCHEMA = re.compile(r"invalid (?:json )?schema|schema is invalid", re.IGNORECASE)


def learn_from(refusal: str, quirks: ChatQuirks, sent: Mapping[str, Any]) -> tuple[ChatQuirks, str] | None:
    """Return how to ask after a refusal, and what it taught; None where it has nothing to do with quirks.

    Args:
        refusal: What the server said, with status 400 or the like.
        quirks: How it was asked.
        sent: The fields of the request; `tools` among them where there were some.
    """
    if not quirks.learn:
        return None
    text = refusal.lower()
    unknown = bool(_UNKNOWN.search(text))
    if _names(text, "response_format", "json_schema") and "response_format" in sent and not _BAD_SCHEMA.search(text):
        if unknown or _NO_SUCH_FORMAT.search(text):
            return _simpler_output(quirks)
    elif _names(text, "reasoning_content"):
        if quirks.reasoning_field is None and _DEMANDED.search(text):
            return replace(quirks, reasoning_field="reasoning_content"), "calls only with what it thought before them"
        if quirks.reasoning_field is not None and unknown:
            return replace(quirks, reasoning_field=None), "no reasoning sent back"
    elif unknown:
        return _without_field(text, quirks, sent)
    return None


def _simpler_output(quirks: ChatQuirks) -> tuple[ChatQuirks, str]:
    if quirks.structured_output == "json_schema":
        return replace(quirks, structured_output="json_object"), "no JSON schemas: they go into the instructions"
    return replace(quirks, structured_output="instructions"), "no JSON mode: the instructions ask for it"


def _without_field(text: str, quirks: ChatQuirks, sent: Mapping[str, Any]) -> tuple[ChatQuirks, str] | None:
    if "stream_options" in sent and _names(text, "stream_options"):
        return replace(quirks, stream_options=False), "no stream_options: usage may be missing from streams"
    if "parallel_tool_calls" in sent and _names(text, "parallel_tool_calls"):
        return replace(quirks, parallel_tool_calls=False), "no parallel_tool_calls"
    if quirks.token_limit in sent and _names(text, quirks.token_limit):
        other: Any = "max_completion_tokens" if quirks.token_limit == "max_tokens" else "max_tokens"
        return replace(quirks, token_limit=other), f"no {quirks.token_limit}, but {other}"
    if quirks.strict_tools and "tools" in sent and _names(text, "strict"):
        return replace(quirks, strict_tools=False), "no strict tools"
    return None


def _names(text: str, *fields: str) -> bool:
    return any(re.search(rf"(?<![a-z_]){field}(?![a-z_])", text) for field in fields)
