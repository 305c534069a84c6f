"""The browser of a store, as the notebook's user holds it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.files import contents
from agentkit.notebook.store_browser.front import StoreFront
from agentkit.notebook.store_browser.kept import kept_store
from agentkit.notebook.widgets.cell_browser import CellBrowser
from agentkit.runtime.background import background_loop, run_blocking

if TYPE_CHECKING:
    from agentkit.files.listing import StoreFile
    from agentkit.files.search import SearchResult
    from agentkit.files.store import VectorStore
    from agentkit.notebook.display.run_view import Bundle
    from agentkit.notebook.widgets.store_widget import StoreWidget

__all__ = ["StoreBrowser", "browse"]

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


class StoreBrowser(CellBrowser[StoreFront]):
    """A browser of a store. Made by `store.browse()`.

    Args:
        store: The store.
    """

    opened_by = "store.browse()"

    def __init__(self, store: VectorStore) -> None:
        super().__init__(_open)
        self._store = store
        self._files: list[StoreFile] = []

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
        super().close()

    def __repr__(self) -> str:
        return "StoreBrowser(closed)" if self._closed else f"StoreBrowser({self._store!r})"

    def _kept(self) -> Bundle:
        self._files = run_blocking(self._look())
        return kept_store(self._store, self._files, self.found)

    async def _look(self) -> list[StoreFile]:
        await self._store.arefresh()
        return await contents.all_files(self._store.client, self._store.id)

    def _made(self, kept: Bundle, keep: Callable[[Bundle], None]) -> tuple[StoreWidget, StoreFront]:
        from agentkit.notebook.widgets.store_widget import StoreWidget

        widget = StoreWidget(self._says)
        front = StoreFront(widget, background_loop(), self._store, self._files, kept=kept, on_kept=keep)
        return widget, front
