"""What a run hands to the code it calls: the user's context object, and the tokens used so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic

from typing_extensions import TypeVar

from agentkit.usage import Usage

__all__ = ["RunContextWrapper", "TContext", "ToolContext"]

TContext = TypeVar("TContext", default=Any)


@dataclass
class RunContextWrapper(Generic[TContext]):
    """Carries the object given as `context` to every tool, instruction function and callback of one run.

    The object itself never reaches the model.
    """

    context: TContext
    """The object passed to `Runner.run(..., context=…)`, or None."""
    usage: Usage = field(default_factory=Usage)
    """Tokens used by the run so far. While a streamed answer arrives it is behind by that answer."""


@dataclass
class ToolContext(RunContextWrapper[TContext]):
    """What a tool may ask for instead of `RunContextWrapper`: the same, and the call it answers."""

    tool_name: str = ""
    """Name under which the model called the tool."""
    tool_call_id: str = ""
    """Id of the call, as in the model's answer."""
    tool_arguments: str = ""
    """The arguments as the model sent them: JSON text."""
    agent: Any = None  # an Agent, which lives two layers up
    """The agent on whose behalf the tool runs."""
    error: Exception | None = None
    """What went wrong, when the call failed and the model gets a text in place of a result."""
