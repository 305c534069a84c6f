"""Traces made by hand, for pictures: exact times, any size."""

from __future__ import annotations

from typing import Any

from agentkit.records.opened import RecordedTrace

ZERO_NS = 1_795_000_000_000_000_000


class MadeTrace:
    """Collects spans, and opens the trace that they make."""

    def __init__(self, workflow: str = "Agent workflow", status: str = "ok") -> None:
        self._rows: list[dict[str, Any]] = []
        self._workflow = workflow
        self._status = status

    def add(
        self, kind: str, start_s: float, duration_s: float | None, name: str | None = None, *, agent: str | None = None,
        parent: str | None = None, status: str = "ok", **columns: Any,
    ) -> str:  # fmt: skip
        """Add a span, and return its id. `duration_s` is None for one that hasn't ended."""
        started_ns = ZERO_NS + round(start_s * 1e9)
        span_id = f"span_{len(self._rows):024x}"
        row = {
            "trace_id": "trace_made", "span_id": span_id, "parent_id": parent, "depth": 0, "kind": kind, "name": name,
            "agent": agent, "status": status, "started_ns": started_ns,
            "ended_ns": None if duration_s is None else started_ns + round(duration_s * 1e9),
        }  # fmt: skip
        self._rows.append(row | columns)
        return span_id

    def open(self) -> RecordedTrace:
        """Return the trace."""
        rows = sorted(self._rows, key=lambda row: row["started_ns"])
        ends = [row["ended_ns"] for row in rows if row["ended_ns"] is not None]
        trace = {
            "trace_id": "trace_made", "workflow": self._workflow, "status": self._status, "started_ns": ZERO_NS,
            "ended_ns": max(ends, default=None) if self._status == "ok" else None,
        }  # fmt: skip
        return RecordedTrace(trace, rows)


def small() -> RecordedTrace:
    """Return a run of two agents: streamed calls, parallel tools, a failure, a handoff."""
    made = MadeTrace("Two agents")
    first = made.add("agent", 0, 4, "first", agent="first")
    made.add(
        "response", 0, 1, agent="first", parent=first, model="m-1", first_token_s=0.4, input_tokens=100,
        cached_tokens=60, output_tokens=30, reasoning_tokens=10, cost_usd=0.02,
    )  # fmt: skip
    made.add("function", 1.0, 1.0, "search", agent="first", parent=first)
    made.add("function", 1.1, 1.5, "search", agent="first", parent=first)
    made.add("function", 1.2, 0.5, "read", agent="first", parent=first, status="error", error='{"message": "no file"}')
    made.add("handoff", 4, 0.001, "second", agent="first", parent=first)
    second = made.add("agent", 4, 2, "second", agent="second")
    made.add("response", 4.1, 1.5, agent="second", parent=second, model="m-2", input_tokens=50, output_tokens=20,
             cost_usd=0.01)  # fmt: skip
    made.add("response", 5.7, 0.2, agent="second", parent=second, model="m-2", input_tokens=50, output_tokens=5)
    return made.open()


def large(spans: int = 5_000) -> RecordedTrace:
    """Return a run of many agents, each with many tools, up to 20 in parallel, from a single one's two spans up."""
    made = MadeTrace("Large")
    for number in range(spans // 25):
        agent = f"agent {number % 30}"
        start = number * 1.0
        parent = made.add("agent", start, 0.9, agent, agent=agent)
        for call in range(4):
            made.add(
                "response", start + call * 0.2, 0.1, agent=agent, parent=parent, model=f"m-{number % 3}",
                first_token_s=0.05, input_tokens=10, output_tokens=5, cost_usd=0.001,
            )  # fmt: skip
        for tool in range(20):
            status = "error" if tool == 7 else "ok"
            made.add("function", start + tool * 0.01, 0.5, f"tool {tool}", agent=agent, parent=parent, status=status)
    return made.open()
