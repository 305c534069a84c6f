"""The one record of a run, from which results, the model's input and traces are views. It only grows.

Nothing in it is copied, encoded or compared again: a view keeps how far it has read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from agentkit.models import History

__all__ = ["Entry", "EntryKind", "Ledger", "Outcome"]

Outcome = Literal["ok", "failed", "stopped"]
"""How a call ended: with a result, with an error that the model was told, or not at all since the run was stopped."""

EntryKind = Literal["message", "reasoning", "tool_call", "tool_output", "handoff_call", "handoff_output"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something said or done. JSON throughout, but for `value`."""

    kind: EntryKind
    """What it is."""
    item: dict[str, Any]
    """The item, in the shape of the Responses API."""
    agent: str
    """Name of the agent whose turn it was."""
    turn: int
    """Number of the model call it belongs to, from 1."""
    target: str | None = None
    """Name of the agent that a handoff went to."""
    value: Any = None
    """What a tool returned, as the Python object it is."""
    outcome: Outcome = "ok"
    """How a call ended."""


class Ledger:
    """What was said and done in one run, after the input that it was given.

    Args:
        input_items: The input, as items.
    """

    def __init__(self, input_items: list[dict[str, Any]]) -> None:
        self.history = History(input_items)
        """Input and entries as the model gets them."""
        self.entries: list[Entry] = []
        self._input_count = len(input_items)

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self.entries.append(entry)
        self.history.append(entry.item)

    def open_calls(self) -> list[Entry]:
        """Return the calls of function tools and handoffs that have no output yet, oldest first."""
        answered = {e.item.get("call_id") for e in self.entries if e.kind in ("tool_output", "handoff_output")}
        return [
            entry
            for entry in self.entries
            if entry.item.get("type") == "function_call" and entry.item.get("call_id") not in answered
        ]
