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

from agentkit.tracing.filters import MODEL_KINDS
from agentkit.tracing.otlp_attributes import Attribute, loaded, put, put_json
from agentkit.tracing.otlp_calls import call_attributes
from agentkit.tracing.otlp_messages import value_of

__all__ = [
    "CLIENT",
    "INTERNAL",
    "OtlpSpan",
    "SpanMaker",
    "conversation_of",
    "otlp_span_id",
    "otlp_trace_id",
    "root_span_id",
]

Row: TypeAlias = Mapping[str, Any]  # the columns of a table of the store

INTERNAL = 1
CLIENT = 3
"""Kinds of spans, as the protocol numbers them."""

_NAMED = {"function": "execute_tool", "agent": "invoke_agent"}


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
        put(attributes, "agentkit.group_id", row["group_id"])
        put(attributes, "agentkit.session_id", row["session_id"])
        put(attributes, "gen_ai.conversation.id", conversation_of(row))
        metadata = loaded(row["metadata"])
        if isinstance(metadata, dict):
            for key, value in metadata.items():
                put(attributes, f"agentkit.metadata.{key}", value)
        attributes["openinference.span.kind"] = "CHAIN"
        if self._content:
            put_json(attributes, "input.value", loaded(row["input"]))
            put_json(attributes, "output.value", loaded(row["output"]))
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
        put(attributes, "gen_ai.conversation.id", conversation)
        put(attributes, "gen_ai.agent.name", row["agent"])
        put(attributes, "agentkit.cut_bytes", row["cut"])
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
        kind, attributes, data = row["kind"], span.attributes, loaded(row["data"])
        about: dict[str, Any] = data if isinstance(data, dict) else {}
        if kind in MODEL_KINDS:
            attributes |= call_attributes(row, about, loaded(request), content=self._content)
            if (asked := attributes.get("gen_ai.request.model")) is not None:
                span.name = f"chat {asked}"
        elif kind == "function":
            self._describe_tool(attributes, row, about)
        elif kind == "agent":
            attributes["gen_ai.operation.name"] = "invoke_agent"
            attributes["gen_ai.provider.name"] = "openai"
            for key in ("tools", "handoffs"):
                put(attributes, f"agentkit.agent.{key}", about.get(key))
            put(attributes, "agentkit.agent.output_type", about.get("output_type"))
        elif kind == "mcp_tools":
            attributes["mcp.method.name"] = "tools/list"
            put(attributes, "agentkit.mcp.server", row["name"])
            put(attributes, "agentkit.mcp.tools", about.get("result"))
        else:
            self._describe_other(attributes, row, about, data)

    def _describe_tool(self, attributes: dict[str, Attribute], row: Row, about: dict[str, Any]) -> None:
        attributes["gen_ai.operation.name"] = "execute_tool"
        attributes["gen_ai.tool.name"] = row["name"] or ""
        attributes["gen_ai.tool.type"] = "function"
        put(attributes, "gen_ai.tool.call.id", about.get("call_id"))
        if self._content:
            put_json(attributes, "gen_ai.tool.call.arguments", value_of(loaded(row["input"])))
            put_json(attributes, "gen_ai.tool.call.result", value_of(loaded(row["output"])))

    def _describe_other(self, attributes: dict[str, Attribute], row: Row, about: dict[str, Any], data: Any) -> None:
        """Describe what the conventions have no span for: handoffs, guardrails, speech, a user's own."""
        kind = row["kind"]
        if kind == "handoff":
            put(attributes, "agentkit.handoff.from", about.get("from_agent"))
            put(attributes, "agentkit.handoff.to", about.get("to_agent"))
        elif kind == "guardrail":
            put(attributes, "agentkit.guardrail.name", row["name"])
            put(attributes, "agentkit.guardrail.triggered", about.get("triggered"))
        elif self._content:
            put_json(attributes, "agentkit.data", data)
        attributes["openinference.span.kind"] = "GUARDRAIL" if kind == "guardrail" else "CHAIN"
        put(attributes, "gen_ai.request.model", row["model"])
        if self._content:
            put_json(attributes, "input.value", loaded(row["input"]))
            put_json(attributes, "output.value", loaded(row["output"]))

    def _note_failure(self, span: OtlpSpan, row: Row) -> None:
        """Say on a span that it failed, and of which kind the failure is; the text may quote what was said."""
        status, error = row["status"], loaded(row["error"])
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
