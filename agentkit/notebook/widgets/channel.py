"""What all widgets have in common: something on the screen, and the channel to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, ClassVar

from agentkit.notebook.display.passages import PASSAGES_CSS
from agentkit.notebook.display.style import CONTROLS_CSS, CSS
from agentkit.notebook.widgets.script import together

__all__ = ["WidgetChannel"]


class WidgetChannel:
    """A widget on the screen and the channel to it. Importing the widget packages waits until the first one is made.

    Args:
        on_message: Called with what the front end says and the data that came with it, in whatever thread that arrives.
    """

    name: ClassVar[str]
    """What the widget's class is called."""
    scripts: ClassVar[tuple[str, ...]]
    """Files of its script, besides those that all widgets have; the last exports `render`."""
    styles: ClassVar[tuple[str, ...]] = ()
    """Files of its style sheet."""
    css: ClassVar[str] = ""
    """Rules that come before these, besides those that all widgets have."""

    def __init__(self, on_message: Callable[[dict[str, Any], Sequence[Any]], None]) -> None:
        script = together("panel.js", "kept.js", *self.scripts)
        style_sheet = CSS + CONTROLS_CSS + PASSAGES_CSS + self.css + together(*self.styles)
        self._widget = _widget_class(self.name, type(self).__module__, script, style_sheet)()
        self._open = True
        _free_routing(self._widget)
        self._widget.on_msg(lambda widget, content, buffers: on_message(content, buffers or ()))

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
def _widget_class(name: str, module: str, script: str, style_sheet: str) -> Any:
    """Return a class of anywidget's, which is imported only here."""
    import anywidget

    class Made(anywidget.AnyWidget):
        _esm = script
        _css = style_sheet

        def __repr__(self) -> str:
            return f"{name}()"

    Made.__name__, Made.__module__ = name, module  # by which front ends know it
    return Made


def _free_routing(widget: Any) -> None:
    """Let what the front end sends be handled while the cell runs.

    From 7.4 on ipykernel hands a comm's incoming messages to the shell that last sent on it: the one that is busy with
    this cell. The name is private to ipykernel; where it isn't there, there is nothing to undo.
    """
    if hasattr(widget.comm, "_reply_subshell_for"):
        widget.comm._reply_subshell_for = lambda data, default: default
