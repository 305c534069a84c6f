"""The widget of a chat."""

from __future__ import annotations

from agentkit.notebook.chat.kept import TURNS_CSS
from agentkit.notebook.widgets.channel import WidgetChannel

__all__ = ["ChatWidget"]


class ChatWidget(WidgetChannel):
    """A chat on the screen and the channel to it."""

    name = "AgentkitChat"
    scripts = ("pictures.js", "cell_view.js", "incoming.js", "chat_turn.js", "chat_files.js", "chat.js")
    styles = ("view.css", "chat.css")
    css = TURNS_CSS
