"""The widget of the browser of traces."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from agentkit.notebook.display.style import CONTROLS_CSS, CSS
from agentkit.notebook.widgets.run_panel import free_routing
from agentkit.notebook.widgets.script import script

__all__ = ["BrowserWidget"]


class BrowserWidget:
    """A browser on the screen and the channel to it. Importing the widget packages waits until the first one is made.

    Args:
        on_message: Called with what the front end says, in whatever thread that arrives.
    """

    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        self._widget = _widget_class()()
        self._open = True
        free_routing(self._widget)
        self._widget.on_msg(lambda widget, content, buffers: on_message(content))

    def send(self, content: dict[str, Any]) -> None:
        """Send one message to the front end; nothing once it is closed."""
        if self._open:
            self._widget.send(content)

    def bundle(self) -> dict[str, Any]:
        """Return the output that shows it. It has no text: what there is to read is in the output above it."""
        shown: Any = self._widget._repr_mimebundle_() or ({},)
        data = dict(shown[0] if isinstance(shown, tuple) else shown)
        data.pop("text/plain", None)
        return data

    def close(self) -> None:
        """Take it off the screen, and forget it in kernel and front end."""
        if not self._open:
            return
        self._open = False
        layout = self._widget.layout
        self._widget.close()
        if layout is not None:
            layout.close()


@cache
def _widget_class() -> Any:  # a class of anywidget's, which is imported only here
    import anywidget

    from agentkit.notebook.display.waterfall_style import WATERFALL_CSS

    class AgentkitTraces(anywidget.AnyWidget):
        _esm = script("panel.js", "browser_parts.js", "browser_trace.js", "browser.js")
        _css = CSS + CONTROLS_CSS + WATERFALL_CSS + (Path(__file__).parent / "browser.css").read_text(encoding="utf-8")

        def __repr__(self) -> str:
            return "AgentkitTraces()"

    return AgentkitTraces
