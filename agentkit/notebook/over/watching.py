"""Where the progress of a batch is shown while it goes on."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from agentkit.notebook.display.publish import publish
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.notebook.pumping import pump_widget_messages

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.widgets.run_panel import RunPanel
    from agentkit.runtime.batch import BatchProgress

__all__ = ["ConsoleWatch", "NoWatch", "PanelWatch", "Watch", "progress_html"]

_EVERY_S = 0.25
_ERROR_CHARS = 200


class Watch(Protocol):
    """Shows how far a batch has come. `show` is called on the loop's thread, all else on the cell's."""

    display_id: str
    """Of the output that is replaced by the kept one; "" where there is none."""

    def open(self, agent: str, on_stop: Callable[[], None]) -> None:
        """Begin; `on_stop` may be called when the reader wants it stopped."""

    def show(self, progress: BatchProgress) -> None:
        """Take note of the progress."""

    def pump(self, shell: InteractiveShell) -> None:
        """Let what the reader clicked come through, while the cell waits."""

    def end(self) -> None:
        """Show no more progress."""

    def close(self) -> None:
        """Take away what is left, once the kept output is there."""


class NoWatch:
    """Shows nothing."""

    display_id = ""

    def open(self, agent: str, on_stop: Callable[[], None]) -> None:
        """Begin."""

    def show(self, progress: BatchProgress) -> None:
        """Take note of the progress."""

    def pump(self, shell: InteractiveShell) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class ConsoleWatch(NoWatch):
    """Shows the progress in one line of a terminal.

    Args:
        stream: The terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        from agentkit.runtime.batch import ProgressLine

        self._line = ProgressLine(stream)
        self._lock = threading.Lock()
        self._ended = False

    def show(self, progress: BatchProgress) -> None:
        """Write it, at most four times a second; nothing after the end, when rows that were stopped still report."""
        with self._lock:
            if not self._ended:
                self._line.show(progress)

    def end(self) -> None:
        """Take the line away, for good."""
        with self._lock:
            self._ended = True
            self._line.clear()


class PanelWatch:
    """Shows a bar, numbers and a Stop button in the cell, with at most four messages a second.

    The panel is that of a single run. Each message is the whole state, so that none may be missed.

    Args:
        clock: Gives the time in seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.display_id = uuid.uuid4().hex
        self._clock = clock
        self._panel: RunPanel | None = None
        self._agent = ""
        self._progress: BatchProgress | None = None
        self._number = 0
        self._next_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._hears = False
        self._closed = False

    def open(self, agent: str, on_stop: Callable[[], None]) -> None:
        """Put the panel into the cell."""
        from agentkit.notebook.widgets.run_panel import RunPanel
        from agentkit.runtime.background import background_loop

        loop = background_loop()

        def front_end_says(message: dict[str, Any]) -> None:
            match message.get("kind"):
                case "ready":
                    loop.call_soon_threadsafe(self._greet)
                case "stop":
                    on_stop()

        self._agent = clean(agent)
        self._panel = RunPanel(front_end_says)
        publish(self._panel.bundle(f"{self._about()} …"), display_id=self.display_id)

    def show(self, progress: BatchProgress) -> None:
        """Send it now if the last message is long enough ago, else as soon as it is."""
        self._progress = progress
        if self._timer is not None or self._closed:
            return
        wait = self._next_at - self._clock()
        if wait <= 0:
            self._send()
        else:
            self._timer = asyncio.get_running_loop().call_later(wait, self._send)

    def pump(self, shell: InteractiveShell) -> None:
        """Let the click on Stop come through."""
        pump_widget_messages(shell)

    def end(self) -> None:
        """Send nothing any more."""
        from agentkit.runtime.background import background_loop

        self._closed = True
        background_loop().call_soon_threadsafe(self._cancel_timer)

    def close(self) -> None:
        """Take the panel away."""
        if self._panel is not None:
            self._panel.close()

    def _greet(self) -> None:
        self._hears = True
        self._send()

    def _send(self) -> None:
        self._cancel_timer()
        if self._closed or self._panel is None:
            return
        self._next_at = self._clock() + _EVERY_S
        shown = "" if self._progress is None else self._shown(self._progress)
        state = {"done": shown, "live": "", "steps": [], "asks": [], "status": self._about(), "channel": self._hears}
        self._panel.send({"n": self._number, "all": state})
        self._number += 1

    def _shown(self, progress: Any) -> str:  # of the kind that `show` is given
        return progress_html(progress)

    def _about(self) -> str:
        return f"{self._agent} is asked row by row"

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def progress_html(progress: BatchProgress) -> str:
    """Return a bar, how far the batch has come, and what went wrong last."""
    from agentkit.runtime.batch import progress_text

    said = escape(progress_text(progress))
    bar = f'<progress class="agk-bar" value="{progress.done}" max="{max(progress.rows, 1)}" aria-label="{said}">'
    shown = f"<div>{bar}</progress></div><div>{said}</div>"
    if progress.last_error:
        line = escape(one_line(clean(progress.last_error), _ERROR_CHARS))
        shown += f'<div class="agk-f"><span class="agk-no">✗</span> {line}</div>'
    return shown
