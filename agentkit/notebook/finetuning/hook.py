"""Who shows in a cell how a training is started. Loads nothing of that before it is needed."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from agentkit._watching import watch_trainings_with

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.finetuning.progress import FineTuningProgress

__all__ = ["unwatch_trainings", "watch_trainings"]


def watch_trainings(shell: InteractiveShell) -> None:
    """Show in the cell how examples are sent, and a training that `agentkit.finetune` waits for."""
    known = weakref.ref(shell)

    def watcher(name: str) -> Callable[[FineTuningProgress], object] | None:
        from agentkit.notebook.display.modes import render_mode

        here = known()
        mode = "console" if here is None else render_mode(here)
        if here is None or mode == "console":
            from agentkit.files.progress import TerminalLine

            return TerminalLine(sys.stderr) if sys.stderr is not None and sys.stderr.isatty() else None
        from agentkit.notebook.finetuning.start_watch import StartWatch

        return StartWatch(here, name, live=mode == "live")

    watch_trainings_with(watcher)


def unwatch_trainings() -> None:
    """Show it no longer."""
    watch_trainings_with(None)
