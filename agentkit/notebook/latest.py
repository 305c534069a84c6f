"""What the notebook asked last."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from agentkit.notebook.display.transcript import Transcript
    from agentkit.notebook.resting import RestingRun
    from agentkit.notebook.running import Question
    from agentkit.runtime import RunResultBase

__all__ = ["Asked", "Latest", "last_error", "last_run", "latest", "still_waiting"]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a run was asked by a magic, for showing it."""

    question: Question
    """What was asked, and how."""
    earlier: int
    """Messages of the conversation that came before."""
    seen: Transcript
    """What was seen of the run while it went on."""

    @property
    def variable(self) -> str | None:
        """Name of the variable that holds the result, where one was wanted."""
        return self.question.out


@dataclass(slots=True)
class Latest:
    """The last run that a magic made, and how it went."""

    run: RunResultBase | None = None
    """Its result, complete or not."""
    error: Exception | None = None
    """The error of the last run that failed."""
    asked: weakref.WeakKeyDictionary[RunResultBase, Asked] = field(default_factory=weakref.WeakKeyDictionary)
    """How the runs that are still there were asked."""
    shown: RunResultBase | None = None
    """The result whose output the running cell has already, or is not to have. None again when the cell has ended."""
    told: RunResultBase | None = None
    """The result whose usage a terminal has been told in the running cell already."""
    gone_on: weakref.WeakSet[RunResultBase] = field(default_factory=weakref.WeakSet)
    """Results of runs that rested, and have gone on since."""
    waiting: dict[RunResultBase, Callable[[Callable[[], Question]], Any] | None] = field(default_factory=dict)
    """The runs of magics and chats that rest at calls that need approval, in their order; with each one of a chat, what
    lets the chat go on with it. That is given a function which returns what the run goes on as, once."""
    resting: dict[RunResultBase, RestingRun] = field(default_factory=dict)
    """The runs that rest at calls that need approval, with buttons beneath them, by their results."""
    front_end_answered: bool = False
    """Whether the front end has answered a live run's view, so that widgets and clicks come through."""

    def take_shown(self, result: RunResultBase) -> bool:
        """Tell, once, whether the running cell is done with showing `result`: who displays it again wants to see it."""
        if self.shown is not result:
            return False
        self.shown = None
        return True


latest = Latest()


def still_waiting() -> list[RunResultBase]:
    """Return the runs of magics and chats that rest at calls that need approval, in their order."""
    return [result for result in latest.waiting if result not in latest.gone_on]


def last_run() -> RunResultBase:
    """Return the result of the last run that `%ask`, `%%ask` or `chat.ask` made, stopped and failed ones included.

    Raises:
        UserError: There was none.
    """
    if latest.run is None:
        from agentkit.exceptions import UserError

        raise UserError(
            "Nothing has been asked in this kernel yet.",
            hint="Ask by %ask AGENT …, %%ask AGENT or chat.ask(…). "
            "What a chat was asked by its field is in chat.result.",
        )
    return latest.run


def last_error() -> Exception | None:
    """Return the exception that ended the last run that failed, with its whole chain; None where none has."""
    return latest.error
