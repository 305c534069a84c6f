"""The widget in which a run is shown while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from agentkit.notebook.display.passages import PASSAGES_CSS
from agentkit.notebook.display.style import CONTROLS_CSS, CSS
from agentkit.notebook.widgets.channel import WidgetChannel
from agentkit.notebook.widgets.script import script

__all__ = ["RunPanel"]


class RunPanel(WidgetChannel):
    """A panel on the screen and the channel to it. Importing the widget packages waits until the first one is made.

    Args:
        on_message: Called with what the front end says, in whatever thread that arrives.
    """

    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(_widget_class, lambda content, buffers: on_message(content))

    def bundle(self, plain: str = "") -> dict[str, Any]:
        """Return the output that shows the panel; front ends without widgets show `plain`."""
        return {**super().bundle(), "text/plain": plain}


@cache
def _widget_class() -> Any:  # a class of anywidget's, which is imported only here
    import anywidget

    class AgentkitRun(anywidget.AnyWidget):
        _esm = script("panel.js", "kept.js", "run_panel.js")
        _css = CSS + CONTROLS_CSS + PASSAGES_CSS

        def __repr__(self) -> str:
            return "AgentkitRun()"

    return AgentkitRun
