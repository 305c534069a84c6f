"""A browser in a cell, as the notebook's user holds it."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from agentkit.exceptions import UserError
from agentkit.notebook.widgets.browsing_front import BrowsingFront

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.display.run_view import Bundle
    from agentkit.notebook.widgets.channel import WidgetChannel

__all__ = ["CellBrowser"]

_MOST_OPEN = 8
"""Browsers of a kind that are kept alive; of more, the oldest that nobody looks at is closed."""

FrontT = TypeVar("FrontT", bound=BrowsingFront)


class CellBrowser(ABC, Generic[FrontT]):
    """Shows itself as a cell's value: live where somebody sits at the notebook, else as what the notebook would keep.

    Args:
        alive: The browsers of its kind that are live.
    """

    opened_by: ClassVar[str]
    """The code that opens another."""

    def __init__(self, alive: deque[Any]) -> None:
        self._alive = alive
        self._widget: WidgetChannel | None = None
        self._front: FrontT | None = None
        self._display_id = uuid.uuid4().hex
        self._closed = False

    @property
    def is_visible(self) -> bool:
        """Whether it can be seen, as far as is known."""
        return self._front is not None and self._front.is_visible

    def close(self) -> None:
        """Take it off the screen. What it last showed stays in the notebook."""
        if self._closed:
            return
        self._closed = True
        if self in self._alive:
            self._alive.remove(self)
        if self._front is not None:
            self._front.close()
        if self._widget is not None:
            self._widget.close()

    def _ipython_display_(self) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        self.show(InteractiveShell.instance())

    def show(self, shell: InteractiveShell | None = None) -> None:
        """Show it in the cell that runs: live where somebody sits at the notebook, else what would be kept.

        Args:
            shell: The notebook's shell; the one there is when None.

        Raises:
            UserError: It is closed, or what it shows can't be read.
        """
        from IPython.core.interactiveshell import InteractiveShell

        from agentkit.notebook.display.modes import render_mode
        from agentkit.notebook.display.publish import publish

        self._check_open()
        mode = render_mode(shell or InteractiveShell.instance())
        kept = self._kept()
        if mode == "console":
            print(f"\n{kept['text/plain']}")  # a terminal has written "Out[3]: " already
            return
        if mode == "static":
            publish(kept)
            return
        publish(kept, display_id=self._display_id)
        publish(self._live(kept))

    def _live(self, kept: Bundle) -> dict[str, Any]:
        """Return the output of the widget, which is made when it is first wanted.

        Args:
            kept: What the notebook keeps of it for now.
        """
        if self._widget is None:
            from agentkit.notebook.display.publish import publish

            def keep(bundle: Bundle) -> None:
                publish(bundle, display_id=self._display_id, update=True)

            self._widget, self._front = self._made(kept, keep)
            self._begin(self._front)
            self._make_room()
        return self._widget.bundle()

    @abstractmethod
    def _kept(self) -> Bundle:
        """Return what the notebook keeps of it as it is now."""

    @abstractmethod
    def _made(self, kept: Bundle, keep: Callable[[Bundle], None]) -> tuple[WidgetChannel, FrontT]:
        """Return its widget and the kernel's side of that.

        Args:
            kept: What the notebook keeps of it for now.
            keep: Has the notebook keep something else.
        """

    def _says(self, message: dict[str, Any], buffers: Sequence[Any]) -> None:
        """Take a message from the widget."""
        if self._front is not None:
            self._front.says(message, buffers)

    def _begin(self, front: FrontT) -> None:
        """Have the widget show what it is to show first."""

    def _check_open(self) -> None:
        if self._closed:
            raise UserError("This browser is closed.", hint=f"Open another: {self.opened_by}.")

    def _make_room(self) -> None:
        """Note that it is live; of too many, which cells that ran again have left, close the oldest."""
        self._alive.append(self)
        while len(self._alive) > _MOST_OPEN:
            hidden = (browser for browser in self._alive if not browser.is_visible and browser is not self)
            next(hidden, self._alive[0]).close()
