"""Who shows in a cell what becomes of files that are put into stores. Loads nothing of that before it is needed."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.files.progress import StoreProgress, TerminalLine, watch_with

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["shown_reports", "unwatch_stores", "watch_stores"]


def watch_stores(shell: InteractiveShell) -> None:
    """Show in the cell what becomes of files that are put into stores."""
    known = weakref.ref(shell)

    def watcher(store: str) -> Callable[[StoreProgress], None] | None:
        from agentkit.notebook.display.modes import render_mode

        here = known()
        mode = "console" if here is None else render_mode(here)
        if here is None or mode == "console":
            return TerminalLine(sys.stderr) if sys.stderr is not None and sys.stderr.isatty() else None
        from agentkit.notebook.filling_watch import FillingWatch

        return FillingWatch(here, store, live=mode == "live")

    watch_with(watcher)


def unwatch_stores() -> None:
    """Show it no longer."""
    watch_with(None)


class _ShownReports:
    """What the running cell shows of files already: reports, not to be shown again as its value, and stops."""

    def __init__(self) -> None:
        self._known: list[tuple[str, frozenset[str]]] = []
        self._stops: set[str] = set()

    def note(self, store: str, names: list[str]) -> None:
        self._known.append((store, frozenset(names)))

    def holds(self, report: Any) -> bool:  # an AddReport
        shown = report.attrs.get("store"), frozenset(str(name) for name in report["name"])
        return shown in self._known

    def note_stop(self, text: str) -> None:
        self._stops.add(text)

    def tells_stop(self, text: str) -> bool:
        """Tell whether the running cell says this of a stop already."""
        return text in self._stops

    def forget(self) -> None:
        self._known.clear()
        self._stops.clear()


shown_reports = _ShownReports()
"""Those of this process."""
