"""Traces and spans in the shape in which OpenAI's dashboard takes them: documented keys, and not too much in any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.tracing.rows import loosely

if TYPE_CHECKING:
    from agentkit.tracing.record import Span, Trace

__all__ = ["ingest_item"]

_MAX_FIELD_BYTES = 100_000
_CUT = "… [truncated]"

_KEYS = {
    "agent": ("name", "handoffs", "tools", "output_type"),
    "custom": ("name", "data"),
    "function": ("name", "input", "output", "mcp_data"),
    "generation": ("input", "output", "model", "model_config", "usage"),
    "guardrail": ("name", "triggered"),
    "handoff": ("from_agent", "to_agent"),
    "mcp_tools": ("server", "result"),
    "response": ("response_id",),
    "speech": ("input", "output", "model", "model_config", "first_content_at"),
    "speech_group": ("input",),
    "transcription": ("input", "output", "model", "model_config"),
}
"""What is taken of each kind of span; all of it of other kinds."""


def ingest_item(item: Trace | Span[Any]) -> dict[str, Any] | None:
    """Return a trace or span as it is uploaded; None for one that isn't recorded."""
    exported = item.export()
    if exported is None or "span_data" not in exported:
        return exported
    data = exported["span_data"]
    kept = _KEYS.get(data["type"])
    shown = dict(data) if kept is None else {"type": data["type"], **{key: data.get(key) for key in kept}}
    for field in ("input", "output"):
        if shown.get(field) is not None:
            shown[field] = _cut(shown[field])
    if shown.get("usage") is not None:
        shown["usage"] = _usage(shown["usage"])
    return {**exported, "span_data": shown}


def _usage(usage: dict[str, Any]) -> dict[str, Any] | None:
    """Return counts with all but the two main ones among the details."""
    main = {key: usage.get(key) for key in ("input_tokens", "output_tokens")}
    if any(type(value) is not int for value in main.values()):
        return None
    details = {key: value for key, value in usage.items() if key not in main and value is not None}
    return {**main, "details": details} if details else main


def _cut(value: Any) -> Any:
    """Return a field's value, its texts shortened until the whole fits."""
    if isinstance(value, str) and len(value) <= _MAX_FIELD_BYTES // 4:
        return value
    if len(loosely(value)) <= _MAX_FIELD_BYTES:
        return value
    for chars in (20_000, 5_000, 1_000, 200):
        shortened = _shortened(value, chars)
        if len(loosely(shortened)) <= _MAX_FIELD_BYTES:
            return shortened
    preview = loosely(value).decode()[:1_000] + _CUT
    return [{"preview": preview}] if isinstance(value, list) else preview


def _shortened(value: Any, chars: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= chars else value[:chars] + _CUT
    if isinstance(value, dict):
        return {key: _shortened(item, chars) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item, chars) for item in value]
    return value
