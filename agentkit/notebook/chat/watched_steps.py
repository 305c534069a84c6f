"""How long the steps of a run take, noted as they pass on to where it is shown."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentkit.notebook.display.transcript import Step
    from agentkit.notebook.display.view import View

__all__ = ["WatchedSteps"]


class WatchedSteps:
    """A view that also notes how long calls take, without the time that the reader takes to approve them.

    Args:
        view: Where the run is shown; told by its method `took`, if it has one.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._began: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        """Time that calls took, in seconds, by the keys of their steps."""
        self._now = asyncio.get_running_loop().time
        self.start = view.start
        self.text = view.text
        self.inner_step = view.inner_step
        self.clear_text = view.clear_text
        self.status = view.status
        self.notice = view.notice
        self.close = view.close

    def step(self, step: Step) -> None:
        """Show a step, or that it has changed."""
        if step.kind == "call":
            if step.state in ("running", "waiting"):
                self._began.setdefault(step.key, self._now())
                if step.state == "waiting":  # the time that the reader takes is not the tool's
                    self._began.pop(step.key)
            elif step.key in self._began:
                self.seconds[step.key] = round(self._now() - self._began.pop(step.key), 3)
                took = getattr(self._view, "took", None)
                if took is not None:
                    took(step.key, self.seconds[step.key])
        self._view.step(step)
