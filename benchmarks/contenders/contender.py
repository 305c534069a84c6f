"""What a contender has to be able to do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.functions import Function

__all__ = ["TOOLS", "TRACE_SPANS", "TURNS", "Contender", "Conversation", "Recorder", "Run", "Streamed"]

TURNS = 3
"""Model calls, and calls of a tool, in a trace of `Recorder`."""
TOOLS = 10
"""Names that its tools have."""
TRACE_SPANS = 1 + 2 * TURNS
"""Spans of such a trace: that of the agent, and those."""

Conversation = str | list[Any]
"""A user's message, or the items of a conversation in the shape of the Responses API."""

Run = Callable[[Conversation], Awaitable[str]]
"""Answers a conversation, calling tools on the way, and returns the text of the answer."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """What was seen of a streamed answer."""

    deltas: int
    """Pieces of text."""
    characters: int
    """Length of their text."""
    first_delta_s: float
    """Seconds from the call to the first of them."""


class Contender(Protocol):
    """One way of running agents. Made in an event loop, and used only there."""

    def runner(self, script: str, functions: Sequence[Function] = ()) -> Run:
        """Return an agent that uses the fake server's model `script` and may call `functions`, ready to run."""

    def in_process_runner(self, tool_turns: int, function: Function) -> Run:
        """Return an agent whose model is in this process, and calls `function` so many times, turn after turn."""

    async def stream(self, script: str, *, typed: bool) -> Streamed:
        """Have the model `script` answer, and read the text of every delta as it comes.

        Args:
            script: The fake server's model.
            typed: Whether to look at each event as the `openai` object that the SDK's documentation shows.
        """

    async def answer_each(self, script: str, questions: list[str], *, at_once: int) -> list[str]:
        """Return what the model `script` answers to each question, asked so many at a time."""

    def define_tools(self, functions: Sequence[Function]) -> list[Any]:
        """Return the functions as tools with schemas."""

    def settle(self) -> None:
        """Wait for what is still done in the background on behalf of earlier runs: that is part of their cost."""

    async def close(self) -> None:
        """Close the connections."""


class Recorder(Protocol):
    """What a contender in tracing has to be able to do."""

    most_spans: int
    """With so many recorded, its rates are known; more would take minutes."""

    def record(self, traces: int) -> None:
        """Record so many traces, each of an agent's span with `TURNS` model calls and calls of one of `TOOLS` tools."""

    def settle(self) -> None:
        """Wait until everything recorded is kept."""

    def all_spans(self) -> int:
        """Have all spans as a dataframe, and return its length."""

    def filtered(self, limit: int) -> int:
        """Have the calls of one tool as a dataframe, and return its length: `limit` rows at most."""

    async def close(self) -> None:
        """Close the connections."""
