"""The widget of the browser of traces."""

from __future__ import annotations

from agentkit.notebook.display.waterfall_style import WATERFALL_CSS
from agentkit.notebook.widgets.channel import WidgetChannel

__all__ = ["BrowserWidget"]


class BrowserWidget(WidgetChannel):
    """A browser on the screen and the channel to it."""

    name = "AgentkitTraces"
    scripts = ("pictures.js", "cell_view.js", "browsing_view.js", "browser_parts.js", "browser_trace.js", "browser.js")
    styles = ("view.css", "browser.css")
    css = WATERFALL_CSS
