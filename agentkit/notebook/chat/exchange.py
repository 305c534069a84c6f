"""What a conversation is given, what it gives back, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from agentkit.notebook.chat.turns import Turn

if TYPE_CHECKING:
    from agentkit.notebook.approving import Approver
    from agentkit.notebook.display.view import View
    from agentkit.notebook.running import Question, ShownRun
    from agentkit.runtime import Agent, RunConfig

__all__ = ["Answered", "Listener", "Terms", "Watch", "reachable"]

Watch = Callable[[Turn], "tuple[View, Approver | None]"]
"""Gives where a turn's run is shown, and who decides on its calls."""


class Listener(Protocol):
    """Is told what changes in a chat, on agentkit's loop thread."""

    async def changed(self, turns: Sequence[Turn]) -> None:
        """These turns are new, have changed, or are shown from now on; others may not be shown any more."""

    def rested(self) -> None:
        """What went on has come to its end: a message may be sent again."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all runs of a chat."""

    context: Any = None
    """Object for the agent's tools."""
    max_turns: int | None = None
    """Model calls that a run may make."""
    config: RunConfig | None = None
    """Settings of the runs."""


@dataclass(frozen=True, slots=True)
class Answered:
    """How a message was answered."""

    turn: Turn
    """The message, with what is shown of the answer."""
    question: Question
    """What the run was asked."""
    shown: ShownRun
    """The run."""
    error: Exception | None
    """What ended the run, if it failed."""


def reachable(agent: Agent[Any]) -> Mapping[str, Agent[Any]]:
    """Return the agents that a conversation may be handed over to, by name; the nearer of two alike."""
    from agentkit.runtime import Handoff

    found: dict[str, Agent[Any]] = {}
    ahead = [agent]
    while ahead:
        each = ahead.pop(0)
        if each.name not in found:
            found[each.name] = each
            targets = (target.agent if isinstance(target, Handoff) else target for target in each.handoffs)
            ahead += [target for target in targets if target is not None]
    return found
