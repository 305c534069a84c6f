"""The widget of the browser of a store."""

from __future__ import annotations

from agentkit.notebook.widgets.channel import WidgetChannel

__all__ = ["StoreWidget"]


class StoreWidget(WidgetChannel):
    """A store on the screen and the channel to it."""

    name = "AgentkitStore"
    scripts = ("pictures.js", "cell_view.js", "browsing_view.js", "incoming.js", "store_files.js", "store.js")
    styles = ("view.css", "store.css")
