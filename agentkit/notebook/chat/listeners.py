"""Who is told what changes in a chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentkit.notebook.chat.front import FrontEnd
    from agentkit.notebook.chat.output import ChatOutput
    from agentkit.notebook.chat.turns import Turn

__all__ = ["Listeners"]


class Listeners:
    """Tells the widget and the output of a chat what changes in it, those that there are."""

    def __init__(self) -> None:
        self.front: FrontEnd | None = None
        self.output: ChatOutput | None = None

    async def changed(self, turns: Sequence[Turn]) -> None:
        """Tell both, the reader first."""
        for listener in (self.front, self.output):
            if listener is not None:
                await listener.changed(turns)

    def rested(self) -> None:
        """Tell the widget."""
        if self.front is not None:
            self.front.rested()

    def kept_as(self, digest: str) -> None:
        """Tell the widget what the notebook keeps; from any thread."""
        if self.front is not None:
            self.front.kept_as(digest)
