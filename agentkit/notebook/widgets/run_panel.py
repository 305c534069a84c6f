"""The widget in which a run is shown while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from agentkit.notebook.display.style import CONTROLS_CSS, CSS
from agentkit.notebook.widgets.script import script

__all__ = ["RunPanel", "free_routing"]


class RunPanel:
    """A panel on the screen and the channel to it. Importing the widget packages waits until the first one is made.

    Args:
        on_message: Called with what the front end says, in whatever thread that arrives.
    """

    def __init__(self, on_message: Callable[[dict[str, Any]], None]) -> None:
        self._widget = _widget_class()()
        free_routing(self._widget)
        self._widget.on_msg(lambda widget, content, buffers: on_message(content))

    def send(self, content: dict[str, Any]) -> None:
        """Send one message to the front end."""
        self._widget.send(content)

    def bundle(self, plain: str) -> dict[str, Any]:
        """Return the output that shows the panel; front ends without widgets show `plain`."""
        shown: Any = self._widget._repr_mimebundle_() or ({},)
        data = dict(shown[0] if isinstance(shown, tuple) else shown)
        return {**data, "text/plain": plain}

    def close(self) -> None:
        """Take the panel off the screen, and forget it in kernel and front end."""
        layout = self._widget.layout
        self._widget.close()
        if layout is not None:
            layout.close()


@cache
def _widget_class() -> Any:  # a class of anywidget's, which is imported only here
    import anywidget

    class AgentkitRun(anywidget.AnyWidget):
        _esm = script("panel.js", "run_panel.js")
        _css = CSS + CONTROLS_CSS

        def __repr__(self) -> str:
            return "AgentkitRun()"

    return AgentkitRun


def free_routing(widget: Any) -> None:
    """Let what the front end sends be handled while the cell runs.

    From 7.4 on ipykernel hands a comm's incoming messages to the shell that last sent on it: the one that is busy with
    this cell. The name is private to ipykernel; where it isn't there, there is nothing to undo.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, default: default
