"""The widget of a fine-tuning job that is watched."""

from __future__ import annotations

from agentkit.notebook.display.tuning_style import TUNING_CSS
from agentkit.notebook.widgets.channel import WidgetChannel

__all__ = ["JobWidget"]


class JobWidget(WidgetChannel):
    """A job on the screen and the channel to it."""

    name = "AgentkitJob"
    scripts = ("pictures.js", "cell_view.js", "browsing_view.js", "job.js")
    styles = ("view.css", "job.css")
    css = TUNING_CSS
