"""Settings of a trace."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["TracingConfig"]


class TracingConfig(TypedDict, total=False):
    """Settings of a trace: `RunConfig(tracing={"api_key": …})` or `trace(…, tracing={…})`."""

    api_key: str
    """Key to upload the trace with, where `BackendSpanExporter` does. It is never stored."""
    include_task_and_turn_spans: bool
    """Taken for compatibility: agentkit's own traces have none of these spans, but the agents' and models'."""
