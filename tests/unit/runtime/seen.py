"""What runs leave behind, written down and checked: spans, hooks, calls with their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from agentkit import RunHooks
from agentkit.tracing import Span, Trace, TracingProcessor

__all__ = ["ANSWERED_HERE", "HookLog", "SpanLog", "check_hooks", "unanswered"]

ANSWERED_HERE = {
    "function_call": "function_call_output",
    "computer_call": "computer_call_output",
    "local_shell_call": "local_shell_call_output",
    "mcp_approval_request": "mcp_approval_response",
}
"""Calls that this side answers, and the type of the answer."""


def unanswered(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the calls without an answer, having checked that each answer follows a call of its kind and id."""
    waiting: list[tuple[str, str, dict[str, Any]]] = []
    for item in items:
        kind = item.get("type")
        if kind in ANSWERED_HERE:
            call_id = item["id"] if kind == "mcp_approval_request" else item["call_id"]
            assert isinstance(call_id, str), item
            assert call_id, item
            waiting.append((ANSWERED_HERE[kind], call_id, item))
        elif kind in ANSWERED_HERE.values():
            call_id = item.get("approval_request_id") or item.get("call_id") or item.get("id")
            found = [call for call in waiting if call[:2] == (kind, call_id)]
            assert found, f"an answer to no call: {item}"
            waiting.remove(found[0])
    return [call for _, _, call in waiting]


class SpanLog(TracingProcessor):
    """Keeps what is traced, and notes what is out of order as it happens."""

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.spans: list[Span[Any]] = []
        self.open: dict[str, Trace | Span[Any]] = {}
        self.inside: dict[str, set[str]] = {}
        """By the id of what is open: the ids of the spans in it that are."""
        self.wrong: list[str] = []

    def on_trace_start(self, trace: Trace) -> None:
        self.traces.append(trace)
        self.open[trace.trace_id] = trace

    def on_trace_end(self, trace: Trace) -> None:
        self._close(trace.trace_id, trace)

    def on_span_start(self, span: Span[Any]) -> None:
        outer = span.parent_id or span.trace_id
        if outer not in self.open or span.trace_id not in self.open:
            self.wrong.append(f"{span} began in something that was not open")
        self.spans.append(span)
        self.open[span.span_id] = span
        self.inside.setdefault(outer, set()).add(span.span_id)

    def on_span_end(self, span: Span[Any]) -> None:
        self._close(span.span_id, span)
        self.inside.get(span.parent_id or span.trace_id, set()).discard(span.span_id)

    def _close(self, its_id: str, what: Trace | Span[Any]) -> None:
        self.wrong += [f"{what} ended before {self.open[each]}" for each in self.inside.pop(its_id, ())]
        if self.open.pop(its_id, None) is None:
            self.wrong.append(f"{what} ended, but was not open")

    def shutdown(self) -> None:
        pass

    def force_flush(self) -> None:
        pass

    def check(self, *, traces: int = 1) -> None:
        """Fail unless all is closed, well nested, and in as many traces as there were runs."""
        assert self.wrong == []
        assert list(self.open.values()) == []
        assert len(self.traces) == traces
        by_id: dict[str, Any] = {each.span_id: each for each in self.spans}
        for span in self.spans:
            outer = by_id[span.parent_id] if span.parent_id else span.trace
            assert outer.started_ns <= span.started_ns <= span.ended_ns <= outer.ended_ns, (span, outer)
            assert span.trace in self.traces
        assert all(trace.status != "running" for trace in self.traces)


class HookLog(RunHooks[Any]):
    """Writes down what it is called with, as tuples of event and name."""

    def __init__(self) -> None:
        self.events: list[tuple[str, ...]] = []

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        self.events.append(("agent_start", agent.name))

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        self.events.append(("agent_end", agent.name))

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
        self.events.append(("handoff", from_agent.name, to_agent.name))

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        self.events.append(("tool_start", tool.name))

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        self.events.append(("tool_end", tool.name))

    async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
        self.events.append(("llm_start", agent.name))

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        self.events.append(("llm_end", agent.name))


def check_hooks(events: list[tuple[str, ...]], *, whole: bool, waiting: bool = False) -> None:
    """Fail unless starts and ends belong together.

    Args:
        events: What a `HookLog` has seen of one run, from its beginning on.
        whole: Whether the run came to its end, or a rest: then nothing may be left open.
        waiting: Whether it rests, so that agents used as tools may be open.
    """
    model: str | None = None
    tools: Counter[str] = Counter()
    for event in events:
        match event:
            case ("llm_start", name):
                assert model is None, events
                model = name
            case ("llm_end", name):
                assert model == name, events
                model = None
            case ("tool_start", name):
                assert model is None, events
                tools[name] += 1
            case ("tool_end", name):
                assert model is None, events
                tools[name] -= 1
                assert tools[name] >= 0, events
            case _:
                assert model is None, events
    if whole:
        assert model is None, events
        assert {name: open_ for name, open_ in tools.items() if open_ and not (waiting and name == "ask_helper")} == {}
