"""The widget of the browser of traces."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from agentkit.notebook.display.passages import PASSAGES_CSS
from agentkit.notebook.display.style import CONTROLS_CSS, CSS
from agentkit.notebook.widgets.channel import WidgetChannel
from agentkit.notebook.widgets.script import script

__all__ = ["BrowserWidget"]


class BrowserWidget(WidgetChannel):
    """A browser on the screen and the channel to it. Importing the widget packages waits until the first one is made.

    Args:
        on_message: Called with what the front end says, in whatever thread that arrives.
    """

    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(_widget_class, lambda content, buffers: on_message(content))


@cache
def _widget_class() -> Any:  # a class of anywidget's, which is imported only here
    import anywidget

    from agentkit.notebook.display.waterfall_style import WATERFALL_CSS

    class AgentkitTraces(anywidget.AnyWidget):
        _esm = script("panel.js", "kept.js", "browser_parts.js", "browser_trace.js", "browser.js")
        _css = (
            CSS
            + CONTROLS_CSS
            + PASSAGES_CSS
            + WATERFALL_CSS
            + (Path(__file__).parent / "browser.css").read_text(encoding="utf-8")
        )

        def __repr__(self) -> str:
            return "AgentkitTraces()"

    return AgentkitTraces
