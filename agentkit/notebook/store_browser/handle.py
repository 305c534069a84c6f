"""The browser of a store, as the notebook's user holds it."""

from __future__ import annotations

import uuid
from collections import deque
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.files import contents
from agentkit.notebook.store_browser.front import StoreFront
from agentkit.notebook.store_browser.kept import kept_store
from agentkit.runtime.background import background_loop, run_blocking

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.files.listing import StoreFile
    from agentkit.files.search import SearchResult
    from agentkit.files.store import VectorStore
    from agentkit.notebook.display.run_view import Bundle
    from agentkit.notebook.widgets.store_widget import StoreWidget

__all__ = ["StoreBrowser", "browse"]

_MOST_OPEN = 8
"""Browsers that are kept alive; of more, the oldest that nobody looks at is closed."""

_open: deque[StoreBrowser] = deque()


def browse(store: Any) -> StoreBrowser:  # a VectorStore, and what is mistaken for one
    """Return a browser of a store, which shows itself as a cell's value.

    Files are dropped on it or chosen, and watched until they can be found; passages are searched for and opened; files
    are deleted. What it last showed is kept in the notebook, for when no kernel is there.

    Args:
        store: The store.

    Raises:
        UserError: It is no vector store.
    """
    from agentkit.files.store import VectorStore

    if not isinstance(store, VectorStore):
        hint = 'Open one: browse(agentkit.VectorStore("handbook")).'
        raise UserError(f"browse takes a VectorStore, not {type(store).__name__} {store!r:.60}.", hint=hint)
    return StoreBrowser(store)


class StoreBrowser:
    """A browser of a store. Made by `store.browse()`.

    Args:
        store: The store.
    """

    def __init__(self, store: VectorStore) -> None:
        self._store = store
        self._widget: StoreWidget | None = None
        self._front: StoreFront | None = None
        self._display_id = uuid.uuid4().hex
        self._closed = False

    @property
    def store(self) -> VectorStore:
        """The store."""
        return self._store

    @property
    def found(self) -> SearchResult | None:
        """What was last searched for in it, to go on with in code; None for nothing."""
        return None if self._front is None else self._front.found

    def close(self) -> None:
        """Take it off the screen. What it last showed stays in the notebook; files on their way still go in."""
        if self._closed:
            return
        self._closed = True
        if self in _open:
            _open.remove(self)
        if self._front is not None:
            self._front.close()
        if self._widget is not None:
            self._widget.close()

    @property
    def is_visible(self) -> bool:
        """Whether it can be seen, as far as is known."""
        return self._front is not None and self._front.is_visible

    def __repr__(self) -> str:
        return "StoreBrowser(closed)" if self._closed else f"StoreBrowser({self._store!r})"

    def _ipython_display_(self) -> None:
        from IPython.core.interactiveshell import InteractiveShell

        self.show(InteractiveShell.instance())

    def show(self, shell: InteractiveShell | None = None) -> None:
        """Show it in the cell that runs: live where somebody sits at the notebook, else what would be kept.

        Args:
            shell: The notebook's shell; the one there is when None.

        Raises:
            UserError: It is closed, or the store isn't there any more.
        """
        from IPython.core.interactiveshell import InteractiveShell

        from agentkit.notebook.display.modes import render_mode
        from agentkit.notebook.display.publish import publish

        if self._closed:
            raise UserError("This browser is closed.", hint="Open another: store.browse().")
        mode = render_mode(shell or InteractiveShell.instance())
        files = run_blocking(self._look())
        kept = kept_store(self._store, files, self.found)
        if mode == "console":
            print(f"\n{kept['text/plain']}")  # a terminal has written "Out[3]: " already
            return
        if mode == "static":
            publish(kept)
            return
        publish(kept, display_id=self._display_id)
        publish(self._live(kept, files))

    async def _look(self) -> list[StoreFile]:
        await self._store.arefresh()
        return await contents.all_files(self._store.client, self._store.id)

    def _live(self, kept: Bundle, files: list[StoreFile]) -> dict[str, Any]:
        """Return the output of the widget, which is made when it is first wanted.

        Args:
            kept: What the notebook keeps of it for now.
            files: What is in the store.
        """
        if self._widget is None:
            from agentkit.notebook.display.publish import publish
            from agentkit.notebook.widgets.store_widget import StoreWidget

            def keep(bundle: Bundle) -> None:
                publish(bundle, display_id=self._display_id, update=True)

            self._widget = widget = StoreWidget(lambda content, buffers: front.says(content, buffers))
            self._front = front = StoreFront(widget, background_loop(), self._store, files, kept=kept, on_kept=keep)
            _make_room(self)
        return self._widget.bundle()


def _make_room(new: StoreBrowser) -> None:
    """Note a browser that is live; of too many, which cells that ran again have left, close the oldest."""
    _open.append(new)
    while len(_open) > _MOST_OPEN:
        hidden = (browser for browser in _open if not browser.is_visible and browser is not new)
        next(hidden, _open[0]).close()
