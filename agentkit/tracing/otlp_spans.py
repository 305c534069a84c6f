"""Rows of the store as spans of OpenTelemetry, by its GenAI conventions.

Source: https://github.com/open-telemetry/semantic-conventions-genai, as of November 2026 (status: development). What
has no name there is named `agentkit.…`; what a workflow or a function of the user's own was given and gave is named as
by OpenInference, whose `input.value` and `output.value` most receivers know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from agentkit import _json
from agentkit.tracing.filters import MODEL_KINDS
from agentkit.tracing.otlp_messages import input_messages, instructions, output_messages, tool_definitions, value_of

__all__ = ["CLIENT", "INTERNAL", "Attribute", "OtlpSpan", "SpanMaker", "otlp_span_id", "otlp_trace_id", "root_span_id"]

Attribute: TypeAlias = str | bool | int | float | list[str]
Row: TypeAlias = Mapping[str, Any]  # the columns of a table of the store

INTERNAL = 1
CLIENT = 3
"""Kinds of spans, as the protocol numbers them."""

_NAMED = {"function": "execute_tool", "agent": "invoke_agent"}
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


@dataclass(slots=True)
class OtlpSpan:
    """A span as the protocol has it, in neither of its encodings yet."""

    trace_id: bytes
    """16 bytes."""
    span_id: bytes
    """8 bytes."""
    parent_id: bytes | None
    """8 bytes; None for the root."""
    name: str
    """Such as "chat gpt-5.6"."""
    kind: int
    """`INTERNAL` or `CLIENT`."""
    started_ns: int
    """Nanoseconds since 1970."""
    ended_ns: int
    """Likewise."""
    attributes: dict[str, Attribute] = field(default_factory=dict)
    """What is known of it."""
    failure: str | None = None
    """What went wrong; None where nothing did."""


def otlp_trace_id(trace_id: str) -> bytes:
    """Return 16 bytes for a trace's id, always the same: those that it writes, where it is hexadecimal."""
    try:
        found = bytes.fromhex(trace_id.removeprefix("trace_"))
    except ValueError:
        found = b""
    return found if len(found) == 16 and any(found) else _hashed(trace_id, 16)


def otlp_span_id(trace_id: str, span_id: str) -> bytes:
    """Return 8 bytes for a span's id, always the same."""
    return _hashed(f"{trace_id}/{span_id}", 8)


def root_span_id(trace_id: str) -> bytes:
    """Return 8 bytes for the span that stands for the trace itself."""
    return _hashed(trace_id, 8)


def _hashed(text: str, size: int) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest()


class SpanMaker:
    """Makes spans of rows.

    Args:
        capture_content: Whether what was said, and what functions were given and gave, is in them.
    """

    def __init__(self, *, capture_content: bool) -> None:
        self._content = capture_content

    def root(self, row: Row) -> OtlpSpan:
        """Return the span that stands for a trace and is above all others of it.

        Args:
            row: The columns of `TRACE_COLUMNS`.
        """
        workflow = row["workflow"] or "workflow"
        attributes: dict[str, Attribute] = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": workflow,
            "agentkit.trace_id": row["trace_id"],
            "agentkit.status": row["status"] or "running",
        }
        _put(attributes, "agentkit.group_id", row["group_id"])
        _put(attributes, "agentkit.session_id", row["session_id"])
        _put(attributes, "gen_ai.conversation.id", conversation_of(row))
        metadata = _loaded(row["metadata"])
        if isinstance(metadata, dict):
            for key, value in metadata.items():
                _put(attributes, f"agentkit.metadata.{key}", value)
        attributes["openinference.span.kind"] = "CHAIN"
        if self._content:
            _put_json(attributes, "input.value", _loaded(row["input"]))
            _put_json(attributes, "output.value", _loaded(row["output"]))
        trace_id = row["trace_id"]
        span = OtlpSpan(
            otlp_trace_id(trace_id),
            root_span_id(trace_id),
            None,
            f"invoke_workflow {workflow}",
            INTERNAL,
            row["started_ns"],
            row["ended_ns"] or row["started_ns"],
            attributes,
        )
        self._note_failure(span, row)
        return span

    def span(self, row: Row, *, request: str | None, conversation: str | None) -> OtlpSpan:
        """Return a span.

        Args:
            row: The columns of `SPAN_COLUMNS`.
            request: What a model call sent beside its messages, as the store keeps it: JSON.
            conversation: What traces of one conversation share.
        """
        trace_id, parent = row["trace_id"], row["parent_id"]
        attributes: dict[str, Attribute] = {
            "agentkit.kind": row["kind"],
            "agentkit.trace_id": trace_id,
            "agentkit.span_id": row["span_id"],
        }
        _put(attributes, "gen_ai.conversation.id", conversation)
        _put(attributes, "gen_ai.agent.name", row["agent"])
        _put(attributes, "agentkit.cut_bytes", row["cut"])
        span = OtlpSpan(
            otlp_trace_id(trace_id),
            otlp_span_id(trace_id, row["span_id"]),
            root_span_id(trace_id) if parent is None else otlp_span_id(trace_id, parent),
            _name(row),
            CLIENT if row["kind"] in (*MODEL_KINDS, "mcp_tools", "speech", "transcription") else INTERNAL,
            row["started_ns"],
            row["ended_ns"] or row["started_ns"],
            attributes,
        )
        self._describe(span, row, request)
        self._note_failure(span, row)
        return span

    def _describe(self, span: OtlpSpan, row: Row, request: str | None) -> None:
        """Add what is known of a span of its kind."""
        kind, attributes, data = row["kind"], span.attributes, _loaded(row["data"])
        about: dict[str, Any] = data if isinstance(data, dict) else {}
        if kind in MODEL_KINDS:
            self._describe_call(span, row, about, _loaded(request))
        elif kind == "function":
            self._describe_tool(attributes, row, about)
        elif kind == "agent":
            attributes["gen_ai.operation.name"] = "invoke_agent"
            attributes["gen_ai.provider.name"] = "openai"
            for key in ("tools", "handoffs"):
                _put(attributes, f"agentkit.agent.{key}", about.get(key))
            _put(attributes, "agentkit.agent.output_type", about.get("output_type"))
        elif kind == "mcp_tools":
            attributes["mcp.method.name"] = "tools/list"
            _put(attributes, "agentkit.mcp.server", row["name"])
            _put(attributes, "agentkit.mcp.tools", about.get("result"))
        else:
            self._describe_other(attributes, row, about, data)

    def _describe_tool(self, attributes: dict[str, Attribute], row: Row, about: dict[str, Any]) -> None:
        attributes["gen_ai.operation.name"] = "execute_tool"
        attributes["gen_ai.tool.name"] = row["name"] or ""
        attributes["gen_ai.tool.type"] = "function"
        _put(attributes, "gen_ai.tool.call.id", about.get("call_id"))
        if self._content:
            _put_json(attributes, "gen_ai.tool.call.arguments", value_of(_loaded(row["input"])))
            _put_json(attributes, "gen_ai.tool.call.result", value_of(_loaded(row["output"])))

    def _describe_other(self, attributes: dict[str, Attribute], row: Row, about: dict[str, Any], data: Any) -> None:
        """Describe what the conventions have no span for: handoffs, guardrails, speech, a user's own."""
        kind = row["kind"]
        if kind == "handoff":
            _put(attributes, "agentkit.handoff.from", about.get("from_agent"))
            _put(attributes, "agentkit.handoff.to", about.get("to_agent"))
        elif kind == "guardrail":
            _put(attributes, "agentkit.guardrail.name", row["name"])
            _put(attributes, "agentkit.guardrail.triggered", about.get("triggered"))
        elif self._content:
            _put_json(attributes, "agentkit.data", data)
        attributes["openinference.span.kind"] = "GUARDRAIL" if kind == "guardrail" else "CHAIN"
        _put(attributes, "gen_ai.request.model", row["model"])
        if self._content:
            _put_json(attributes, "input.value", _loaded(row["input"]))
            _put_json(attributes, "output.value", _loaded(row["output"]))

    def _describe_call(self, span: OtlpSpan, row: Row, about: dict[str, Any], request: Any) -> None:
        """Add what is known of a model call."""
        attributes = span.attributes
        sent = request if isinstance(request, dict) else {}
        body = sent.get("body") or {**(sent.get("arguments") or {}), "model": sent.get("model")}
        settings = {**body, **(body.get("model_settings") or {})}
        asked = body.get("model") or row["model"]
        attributes["gen_ai.operation.name"] = "chat"
        attributes["gen_ai.provider.name"] = _provider(asked)
        _put(attributes, "gen_ai.request.model", asked)
        if asked:
            span.name = f"chat {asked}"
        if row["ended_ns"] and row["input_tokens"] is not None:  # it was answered
            _put(attributes, "gen_ai.response.model", row["model"])
        _put(attributes, "gen_ai.response.id", about.get("response_id"))
        _put(attributes, "gen_ai.response.time_to_first_chunk", row["first_token_s"])
        if row["first_token_s"] is not None or settings.get("stream") is True:
            attributes["gen_ai.request.stream"] = True
        for column, name in _USAGE.items():
            _put(attributes, name, row[column])
        for setting, (name, types) in _SETTINGS.items():
            value = settings.get(setting)
            if isinstance(value, types) and not isinstance(value, bool):
                attributes[name] = float(value) if types is _NUMBER else value
        reasoning = settings.get("reasoning")
        effort = reasoning.get("effort") if isinstance(reasoning, dict) else settings.get("reasoning_effort")
        _put(attributes, "gen_ai.request.reasoning.level", effort)
        _put_server(attributes, sent.get("url"))
        _put(attributes, "agentkit.cost_usd", row["cost_usd"])
        _put(attributes, "agentkit.retries", len(about.get("retries") or ()) or None)
        answer = output_messages(_loaded(row["output"]))
        if answer:
            attributes["gen_ai.response.finish_reasons"] = [answer[0]["finish_reason"]]
        if self._content:
            self._put_messages(attributes, row, about, body, answer)

    def _put_messages(
        self,
        attributes: dict[str, Attribute],
        row: Row,
        about: dict[str, Any],
        body: dict[str, Any],
        answer: list[dict[str, Any]],
    ) -> None:
        given = _loaded(row["input"])
        told = body.get("instructions") or body.get("system_instructions")
        if isinstance(given, list) and (prompt := _system_prompt(given)) is not None and told in (None, prompt):
            told, given = prompt, given[1:]
        if isinstance(told, str) and told:
            _put_json(attributes, "gen_ai.system_instructions", instructions(told))
        _put_json(attributes, "gen_ai.tool.definitions", tool_definitions(body.get("tools")) or None)
        _put_json(attributes, "gen_ai.input.messages", input_messages(given) or None)
        _put_json(attributes, "gen_ai.output.messages", answer or None)
        _put(attributes, "agentkit.input_start", about.get("input_start") or None)

    def _note_failure(self, span: OtlpSpan, row: Row) -> None:
        """Say on a span that it failed, and of which kind the failure is; the text may quote what was said."""
        status, error = row["status"], _loaded(row["error"])
        if error is None and status in ("ok", "running", None):
            return
        about = error.get("data") if isinstance(error, dict) else None
        kind = about.get("type") if isinstance(about, dict) else None
        message = str(error.get("message") or "") if isinstance(error, dict) else str(error or "")
        name = message.partition(":")[0]
        if not isinstance(kind, str):
            kind = name if name.isidentifier() else status if status not in ("error", "ok") else "_OTHER"
        if error is None and status == "waiting":  # it goes on later: no failure
            return
        span.attributes["error.type"] = str(kind)
        span.failure = message if self._content and message else str(kind)


def conversation_of(row: Row) -> str | None:
    """Return what traces of one conversation share: the session, or else the group."""
    found: str | None = row["session_id"] or row["group_id"]
    return found


def _name(row: Row) -> str:
    kind, name = row["kind"], row["name"]
    if kind == "mcp_tools":
        return "tools/list"
    if kind == "handoff":
        return f"handoff to {name}" if name else "handoff"
    if kind in MODEL_KINDS:
        return f"chat {row['model']}" if row["model"] else "chat"
    if kind in ("custom", "task"):
        return str(name or kind)
    return f"{_NAMED.get(kind, kind)} {name}" if name else str(_NAMED.get(kind, kind))


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


def _put(attributes: dict[str, Attribute], name: str, value: Any) -> None:
    """Set an attribute, unless there is no value; what isn't a plain value as JSON."""
    if value is None:
        return
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    if texts or isinstance(value, (str, bool, int, float)):
        attributes[name] = value
    else:
        _put_json(attributes, name, value)


def _put_json(attributes: dict[str, Attribute], name: str, value: Any) -> None:
    """Set an attribute to JSON text, the form that all receivers take; text as it is."""
    if value is not None:
        attributes[name] = value if isinstance(value, str) else _json.dumps(value).decode()


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


def _loaded(text: str | None) -> Any:
    """Return what a column holds. What was no JSON, which only a file from elsewhere has, comes as text."""
    return None if text is None else value_of(text)
