"""The widget of the browser of a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from agentkit.notebook.display.passages import PASSAGES_CSS
from agentkit.notebook.display.style import CONTROLS_CSS, CSS
from agentkit.notebook.widgets.channel import WidgetChannel
from agentkit.notebook.widgets.script import script

__all__ = ["StoreWidget"]


class StoreWidget(WidgetChannel):
    """A store on the screen and the channel to it. Importing the widget packages waits until the first one is made.

    Args:
        on_message: Called with what the front end says and the data that came with it, in whatever thread that arrives.
    """

    def __init__(self, on_message: Callable[[dict[str, Any], Sequence[Any]], None]) -> None:
        super().__init__(_widget_class, on_message)


@cache
def _widget_class() -> Any:  # a class of anywidget's, which is imported only here
    import anywidget

    class AgentkitStore(anywidget.AnyWidget):
        _esm = script("panel.js", "kept.js", "store_files.js", "store.js")
        _css = CSS + CONTROLS_CSS + PASSAGES_CSS + (Path(__file__).parent / "store.css").read_text(encoding="utf-8")

        def __repr__(self) -> str:
            return "AgentkitStore()"

    return AgentkitStore
