"""Spans for a task and a turn, which runs don't make by themselves: those of agents and models tell as much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.tracing.create import Parent, make_span
from agentkit.tracing.record import Span
from agentkit.tracing.span_data import Fields, SpanData

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TaskSpanData", "TurnSpanData", "task_span", "turn_span"]


class TaskSpanData(SpanData):
    """A whole piece of work, such as one run of a workflow."""

    __slots__ = ("metadata", "name", "usage")
    type = "task"

    def __init__(
        self, name: str, usage: Mapping[str, Any] | None = None, metadata: Mapping[str, Any] | None = None
    ) -> None:
        self.name = name
        self.usage = usage
        self.metadata = metadata

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary: to other tools it is a custom span."""
        return _as_custom("task", {"name": self.name}, self.usage, self.metadata)

    def fields(self) -> Fields:
        """Return what the store keeps, by column."""
        return self.name, None, self.usage, None, None, None, self.metadata


class TurnSpanData(SpanData):
    """One turn of an agent: a model call and what it asked for."""

    __slots__ = ("agent_name", "metadata", "turn", "usage")
    type = "turn"

    def __init__(
        self,
        turn: int,
        agent_name: str,
        usage: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.turn = turn
        self.agent_name = agent_name
        self.usage = usage
        self.metadata = metadata

    def export(self) -> dict[str, Any]:
        """Return the data as a dictionary: to other tools it is a custom span."""
        return _as_custom("turn", {"turn": self.turn, "agent_name": self.agent_name}, self.usage, self.metadata)

    def fields(self) -> Fields:
        """Return what the store keeps, by column. The name is that of the agent."""
        return self.agent_name, None, self.usage, None, None, None, {"turn": self.turn, **(self.metadata or {})}


def task_span(
    name: str, span_id: str | None = None, parent: Parent = None, disabled: bool = False
) -> Span[TaskSpanData]:
    """Return a span, not yet started, for a whole piece of work. See `agent_span` for the last three arguments.

    Args:
        name: What is being done.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(TaskSpanData(name), span_id, parent, disabled)


def turn_span(
    turn: int, agent_name: str, span_id: str | None = None, parent: Parent = None, disabled: bool = False
) -> Span[TurnSpanData]:
    """Return a span, not yet started, for one turn of an agent. See `agent_span` for the last three arguments.

    Args:
        turn: Its number, counted from 1.
        agent_name: The agent's name.
        span_id: The span's id.
        parent: The trace or span it is part of.
        disabled: Record nothing.
    """
    return make_span(TurnSpanData(turn, agent_name), span_id, parent, disabled)


def _as_custom(
    kind: str, data: dict[str, Any], usage: Mapping[str, Any] | None, metadata: Mapping[str, Any] | None
) -> dict[str, Any]:
    data = {"sdk_span_type": kind, **data}
    if usage is not None:
        data["usage"] = usage
    if metadata is not None:
        data["metadata"] = metadata
    return {"type": "custom", "name": kind, "data": data}
