"""The one record of a run, from which results, the model's input and traces are views. It only grows.

Nothing in it is copied, encoded or compared again: a view keeps how far it has read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from agentkit.models import History

__all__ = ["OUTPUT_KINDS", "Entry", "EntryKind", "Ledger", "Outcome", "call_id_of"]

Outcome = Literal["ok", "failed", "stopped", "rejected"]
"""How a call ended: with a result, with an error that the model was told, not at all since the run was stopped, or
not begun since a person or a guardrail said no."""

EntryKind = Literal[
    "message",
    "reasoning",
    "tool_call",
    "tool_output",
    "handoff_call",
    "handoff_output",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_list_tools",
    "compaction",
]

OUTPUT_KINDS: frozenset[str] = frozenset({"tool_output", "handoff_output", "mcp_approval_response"})
"""What the run adds in answer to the model; all else is the model's."""

_ANSWERED_HERE = frozenset({"function_call", "computer_call", "local_shell_call", "mcp_approval_request"})
"""Types of items that this side has to answer before the model can go on."""


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
        entries: What has been said and done before, where a run goes on.
    """

    def __init__(self, input_items: list[dict[str, Any]], entries: list[Entry] | None = None) -> None:
        self.input_items = input_items
        """The input, earlier conversation included."""
        self.entries: list[Entry] = list(entries or ())
        self.history = History([*input_items, *(entry.item for entry in self.entries)])
        """What the model gets: input and entries, unless an input filter has made something else of them."""

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self.entries.append(entry)
        self.history.append(entry.item)

    def rebase(self, items: list[dict[str, Any]], entries_since: int | None = None) -> None:
        """Let the model see `items` in place of what came before; nothing is lost of the entries.

        Args:
            items: What it sees.
            entries_since: Number of the first entry that comes on top of them; none yet when None.
        """
        later = [] if entries_since is None else self.entries[entries_since:]
        self.history = History([*items, *(entry.item for entry in later)])

    def all_items(self) -> list[dict[str, Any]]:
        """Return input and entries as items, whatever the model has seen of them."""
        return [*self.input_items, *(entry.item for entry in self.entries)]

    def open_calls(self) -> list[Entry]:
        """Return the calls that this side has to answer and hasn't yet, oldest first."""
        waiting: list[Entry] = []
        for entry in self.entries:
            if entry.kind in OUTPUT_KINDS:  # some models give an id twice: an output answers the first that waits
                call_id = call_id_of(entry.item)
                answered = next((call for call in waiting if call_id_of(call.item) == call_id), None)
                if answered is not None:
                    waiting.remove(answered)
            elif entry.item.get("type") in _ANSWERED_HERE:
                waiting.append(entry)
        return waiting


def call_id_of(item: dict[str, Any]) -> str:
    """Return the id that joins a call and its answer."""
    if item.get("type") == "mcp_approval_request":
        return str(item.get("id", ""))
    return str(item.get("approval_request_id") or item.get("call_id") or item.get("id") or "")
