"""Traces as they lie in the store, made to measure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from agentkit._process import this_process
from agentkit.records.opened import RecordedTrace, open_trace
from agentkit.tracing.database import SPAN_COLUMNS, TRACE_COLUMNS, Batch, Database
from agentkit.tracing.store import store_path

__all__ = ["START_NS", "put", "span", "stored", "trace_row"]

START_NS = 1_795_000_000_000_000_000
"""When traces begin, unless it is said: 2026-11-18."""

_COUNTS = (
    *("turns", "tool_calls", "handoffs", "requests", "input_tokens", "output_tokens", "total_tokens"),
    *("cached_tokens", "cache_write_tokens", "reasoning_tokens", "unpriced"),
)


def span(number: int, kind: str = "function", **fields: Any) -> dict[str, Any]:
    """Return a span: of one second, `number` seconds after the beginning, directly below the trace."""
    started = START_NS + number * 1_000_000_000
    own = {
        "span_id": f"span_{number:024x}",
        "kind": kind,
        "status": "ok",
        "depth": 0,
        "started_ns": started,
        "ended_ns": started + 1_000_000_000,
    }
    for name in ("input", "output", "error", "data"):
        if name in fields:
            fields[name] = json.dumps(fields[name])
    if isinstance(parent := fields.pop("parent", None), int):
        fields |= {"parent_id": f"span_{parent:024x}", "depth": fields.get("depth", 1)}
    return own | fields


def trace_row(number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a trace that ended well after ten seconds."""
    started = fields.pop("started_ns", START_NS)
    for name in ("input", "output", "error", "metadata"):
        if name in fields:
            fields[name] = json.dumps(fields[name])
    own = {"trace_id": f"trace_{number:032x}", "workflow": "Agent workflow", "status": "ok", "process": this_process()}
    times = {"started_ns": started, "ended_ns": started + 10_000_000_000}
    return dict.fromkeys(_COUNTS, 0) | own | times | fields


def put(trace: dict[str, Any], spans: Sequence[dict[str, Any]] = ()) -> str:
    """Write a trace and its spans into the store, and return its id."""
    database = Database(store_path())
    rows = [tuple((each | {"trace_id": trace["trace_id"]}).get(name) for name in SPAN_COLUMNS) for each in spans]
    database.write(Batch([tuple(trace.get(name) for name in TRACE_COLUMNS)], rows, {}))
    database.close()
    return str(trace["trace_id"])


def stored(trace: dict[str, Any], spans: Sequence[dict[str, Any]] = ()) -> RecordedTrace:
    """Return a trace that was written into the store and opened."""
    return open_trace(put(trace, spans))
