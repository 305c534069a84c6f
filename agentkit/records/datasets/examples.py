"""Examples: parts of runs with their messages cleaned, and what is known of where they come from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from agentkit.records.datasets.cleaning import Cleaner
from agentkit.records.datasets.messages import Said, said_in
from agentkit.records.datasets.parts import Part
from agentkit.records.opened import RecordedTrace

__all__ = ["Example", "Row", "Source", "example_of", "fingerprint", "sft_line"]

Message = dict[str, Any]
JSON = Any  # a value of JSON

_ABOUT = ("trace_id", "remark")
"""What a case has that isn't part of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A run that examples come from."""

    trace: RecordedTrace
    """The run as it was recorded."""
    rating: str | None
    """What a reader thought of the answer: "up" or "down"."""
    remark: str | None
    """In the reader's words."""
    reason: str
    """Why it was chosen."""


@dataclass(frozen=True, slots=True)
class Example:
    """What one agent's model was told and answered, ready to be written."""

    source: Source
    """The run."""
    part: Part
    """The part of it."""
    told: list[Message]
    """What came before the first answer."""
    own: list[Message]
    """The answers, and what tools gave back between them."""
    tools: list[Message]
    """The functions that could be called."""

    @property
    def prompt(self) -> bytes:
        """The same for examples whose model was told the same, by the same instructions and with the same tools."""
        return fingerprint([self.told, self.tools])

    @property
    def settings(self) -> dict[str, JSON]:
        """What a line has beside messages."""
        parallel = self.part.parallel_tool_calls
        if not self.tools:
            return {}
        return {"tools": self.tools} | ({} if parallel is None else {"parallel_tool_calls": parallel})


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the data set and its row in the frame."""

    line: dict[str, JSON]
    """What is written."""
    example: Example
    """Where it comes from."""
    other: Example | None = None
    """Of a pair: the disliked answer."""

    @property
    def same_as(self) -> bytes:
        """The same for lines that say the same."""
        return fingerprint({key: _without_weights(value) for key, value in self.line.items() if key not in _ABOUT})


def example_of(part: Part, source: Source, cleaner: Cleaner, *, tools: bool, images: bool) -> Example:
    """Return an example made of a part.

    Raises:
        LeftOutError: It can't be one.
        UserError: The user's function returned no text.
    """
    said: Said = said_in(part, tools=tools, images=images)
    told, own = cleaner.messages(said.told), cleaner.messages(said.own)
    return Example(source, part, told, own, cleaner.tools(part.tools) if tools else [])


def sft_line(example: Example) -> dict[str, JSON]:
    """Return an example for supervised fine-tuning. What the model was told that it had said carries no weight."""
    told = [{**message, "weight": 0} if message["role"] == "assistant" else message for message in example.told]
    return {"messages": [*told, *example.own], **example.settings}


def fingerprint(value: JSON) -> bytes:
    """Return a short text that is the same for JSON that is the same."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).digest()


def _without_weights(value: JSON) -> JSON:
    if isinstance(value, list):
        return [_without_weights(each) for each in value]
    return {key: each for key, each in value.items() if key != "weight"} if isinstance(value, dict) else value
