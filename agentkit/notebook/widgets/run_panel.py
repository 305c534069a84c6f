"""The widget in which a run is shown while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agentkit.notebook.widgets.channel import WidgetChannel

__all__ = ["RunPanel"]


class RunPanel(WidgetChannel):
    """A panel on the screen and the channel to it.

    Args:
        on_message: Called with what the front end says, in whatever thread that arrives.
    """

    name = "AgentkitRun"
    scripts = ("run_panel.js",)

    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(lambda content, buffers: on_message(content))

    def bundle(self, plain: str = "") -> dict[str, Any]:
        """Return the output that shows the panel; front ends without widgets show `plain`."""
        return {**super().bundle(), "text/plain": plain}
