"""What OpenTelemetry's GenAI conventions tell of a model call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from agentkit.tracing.otlp_attributes import Attribute, loaded, put, put_json
from agentkit.tracing.otlp_messages import input_messages, instructions, output_messages, tool_definitions

__all__ = ["call_attributes"]

Row: TypeAlias = Mapping[str, Any]  # the columns of a table of the store

_NUMBER = (int, float)
_SETTINGS: dict[str, tuple[str, Any]] = {
    "temperature": ("gen_ai.request.temperature", _NUMBER),
    "top_p": ("gen_ai.request.top_p", _NUMBER),
    "frequency_penalty": ("gen_ai.request.frequency_penalty", _NUMBER),
    "presence_penalty": ("gen_ai.request.presence_penalty", _NUMBER),
    "max_output_tokens": ("gen_ai.request.max_tokens", int),
    "max_completion_tokens": ("gen_ai.request.max_tokens", int),
    "max_tokens": ("gen_ai.request.max_tokens", int),
    "seed": ("gen_ai.request.seed", int),
    "previous_response_id": ("gen_ai.request.previous_response.id", str),
}
_USAGE = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_write.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}
_PROVIDERS = {
    "anthropic": "anthropic", "azure": "azure.ai.openai", "bedrock": "aws.bedrock", "cohere": "cohere",
    "deepseek": "deepseek", "gemini": "gcp.gemini", "groq": "groq", "mistral": "mistral_ai",
    "moonshot": "moonshot_ai", "openai": "openai", "perplexity": "perplexity", "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai", "xai": "x_ai",
}  # fmt: skip
"""The conventions' names of those that a model's name, such as "anthropic/claude-opus-5", may begin with."""


def call_attributes(row: Row, about: Mapping[str, Any], request: Any, *, content: bool) -> dict[str, Attribute]:
    """Return what is known of a model call, by the conventions' names.

    Args:
        row: The columns of `SPAN_COLUMNS`.
        about: Its column `data`.
        request: What it sent beside its messages, as the store keeps it.
        content: Whether what was said is among it.
    """
    sent = _dict(request)
    body = _dict(sent.get("body")) or {**_dict(sent.get("arguments")), "model": sent.get("model")}
    asked = body.get("model") or row["model"]
    attributes: dict[str, Attribute] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(asked),
    }
    put(attributes, "gen_ai.request.model", asked)
    if row["ended_ns"] and row["input_tokens"] is not None:  # it was answered
        put(attributes, "gen_ai.response.model", row["model"])
    put(attributes, "gen_ai.response.id", about.get("response_id"))
    put(attributes, "gen_ai.response.time_to_first_chunk", row["first_token_s"])
    for column, name in _USAGE.items():
        put(attributes, name, row[column])
    _put_settings(attributes, {**body, **_dict(body.get("model_settings"))}, streamed=row["first_token_s"] is not None)
    _put_server(attributes, sent.get("url"))
    put(attributes, "agentkit.cost_usd", row["cost_usd"])
    if isinstance(retries := about.get("retries"), list):
        attributes["agentkit.retries"] = len(retries)
    answer = output_messages(loaded(row["output"]))
    if answer:
        attributes["gen_ai.response.finish_reasons"] = [answer[0]["finish_reason"]]
    if content:
        _put_messages(attributes, loaded(row["input"]), body, answer)
        put(attributes, "agentkit.input_start", about.get("input_start") or None)
    return attributes


def _put_settings(attributes: dict[str, Attribute], settings: Mapping[str, Any], *, streamed: bool) -> None:
    if streamed or settings.get("stream") is True:
        attributes["gen_ai.request.stream"] = True
    for setting, (name, types) in _SETTINGS.items():
        value = settings.get(setting)
        if isinstance(value, types) and not isinstance(value, bool):
            attributes[name] = float(value) if types is _NUMBER else value
    effort = _dict(settings.get("reasoning")).get("effort") or settings.get("reasoning_effort")
    put(attributes, "gen_ai.request.reasoning.level", effort)


def _put_messages(
    attributes: dict[str, Attribute], given: Any, body: Mapping[str, Any], answer: list[dict[str, Any]]
) -> None:
    told = body.get("instructions") or body.get("system_instructions")
    if isinstance(given, list) and (prompt := _system_prompt(given)) is not None and told in (None, prompt):
        told, given = prompt, given[1:]
    if isinstance(told, str) and told:
        put_json(attributes, "gen_ai.system_instructions", instructions(told))
    put_json(attributes, "gen_ai.tool.definitions", tool_definitions(body.get("tools")) or None)
    put_json(attributes, "gen_ai.input.messages", input_messages(given) or None)
    put_json(attributes, "gen_ai.output.messages", answer or None)


def _dict(value: Any) -> Mapping[str, Any]:
    """Return a dictionary; an empty one for what is none, as after a cut."""
    return value if isinstance(value, dict) else {}


def _system_prompt(items: list[Any]) -> str | None:
    """Return the instructions that stand before a model call's input, where they have changed."""
    first = items[0] if items else None
    if not isinstance(first, dict) or first.get("role") != "system":
        return None
    content = first.get("content")
    return content if isinstance(content, str) else None


def _provider(model: Any) -> str:
    """Return whose conventions a call follows: by the beginning of the model's name, or else OpenAI's."""
    beginning, slash, _ = str(model or "").partition("/")
    return _PROVIDERS.get(beginning, "openai") if slash else "openai"


def _put_server(attributes: dict[str, Attribute], url: Any) -> None:
    if not isinstance(url, str):
        return
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return
    if parts.hostname and port:
        attributes["server.address"], attributes["server.port"] = parts.hostname, port
