"""Where a run is shown while it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agentkit.models import AgentOutputSchemaBase
    from agentkit.notebook.display.transcript import Step

__all__ = ["NoView", "View"]


class View(Protocol):
    """Where a run is shown while it goes on; called on the loop's thread, but for `close`."""

    def start(self) -> None:
        """Begin."""

    def text(self, delta: str) -> None:
        """Show a piece of the answer."""

    def step(self, step: Step) -> None:
        """Show a step, or that it has changed."""

    def inner_step(self, step: Step, depth: int) -> None:
        """Show a step of the run of an agent used as a tool; `depth` tools deep."""

    def clear_text(self) -> None:
        """Take the text away: it was no answer."""

    def status(self, text: str, *, schema: AgentOutputSchemaBase | None = None) -> None:
        """Say who answers, and with what type of answer; None is text."""

    def notice(self, text: str) -> None:
        """Say what has just happened."""

    def close(self) -> None:
        """Show nothing any more."""


class NoView:
    """Shows nothing while the run goes on."""

    def start(self) -> None:
        """Begin."""

    def text(self, delta: str) -> None:
        """Show a piece of the answer."""

    def step(self, step: Step) -> None:
        """Show a step, or that it has changed."""

    def inner_step(self, step: Step, depth: int) -> None:
        """Show a step of the run of an agent used as a tool; `depth` tools deep."""

    def clear_text(self) -> None:
        """Take the text away: it was no answer."""

    def status(self, text: str, *, schema: AgentOutputSchemaBase | None = None) -> None:
        """Say who answers, and with what type of answer; None is text."""

    def notice(self, text: str) -> None:
        """Say what has just happened."""

    def close(self) -> None:
        """Show nothing any more."""
