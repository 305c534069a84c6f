"""A run shown while it goes on: at most 20 messages a second, and bytes in proportion to the text."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from agentkit.notebook.display.blocks import BlockSplitter
from agentkit.notebook.display.markdown import render_markdown
from agentkit.notebook.display.run_view import step_html
from agentkit.notebook.display.text import clean, showable_length
from agentkit.notebook.display.transcript import Step

if TYPE_CHECKING:
    import asyncio

__all__ = ["Channel", "LiveView"]

_FAST_S, _SLOW_S = 0.05, 0.1
_FAST_FOR_S = 10.0
"""A long answer is sent half as often once it has run for so long: every message costs some 600 bytes of envelope."""

_SNAPSHOTS_AT_S = (0.3, 0.8, 2.0, 4.0)
"""When the whole state is sent, until the front end has said that it is there: it may miss what comes before it is."""

_STEP_LIMIT = 1_000
_FREE_BYTES, _BYTES_PER_CHAR = 40_000, 8
"""What renderings of open blocks may cost together, beyond what growing by quarters costs anyway."""

Op = list[str]
"""One change to the view: its name, and its texts."""


class Channel(Protocol):
    """Where messages go: the widget, or a test."""

    def send(self, content: dict[str, Any]) -> None:
        """Send one message."""


class LiveView:
    """Collects what happens in a run and sends it on in batches.

    Lives on the loop's thread; `close` and `front_end_says` may be called in any.
    A message is `{"n": number, "ops": [...]}`, or `{"n": number, "all": {...}}` with the whole state. Numbers have no
    gaps: a front end that misses one asks for the whole state by `{"kind": "ready"}`.

    Args:
        channel: Where messages go.
        loop: The loop on whose thread the view lives.
        on_stop: Called, in any thread, when the reader wants the run stopped.
        clock: Gives the time in seconds.
    """

    def __init__(
        self,
        channel: Channel,
        loop: asyncio.AbstractEventLoop,
        *,
        on_stop: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._loop = loop
        self._on_stop = on_stop
        self._clock = clock
        self._started = clock()
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._number = 0
        self._front_end_ready = False
        self._greetings: list[asyncio.TimerHandle] = []
        self._closed = False
        self._plain = False
        self._done: list[str] = []
        self._steps: dict[str, str] = {}
        self._changed: dict[str, Step] = {}
        self._status = ""
        self._ops: list[Op] = []
        self._text_chars = self._spent_bytes = 0
        self._begin_text()

    def start(self) -> None:
        """Begin, on the loop's thread."""
        self._greetings = [self._loop.call_later(at, self._send_unasked) for at in _SNAPSHOTS_AT_S]

    # -- what happens in the run ------------------------------------------------------------------------------------

    def text(self, delta: str) -> None:
        """Show a piece of the answer."""
        self._splitter.feed(delta)
        self._text_chars += len(delta)
        self._soon()

    def step(self, step: Step) -> None:
        """Show a step, or that it has changed."""
        self._changed[step.key] = step
        self._soon()

    def inner_step(self, step: Step, depth: int) -> None:
        """Nothing to do: it is part of the step that it belongs to."""

    def clear_text(self) -> None:
        """Take the text away: it was no answer, and is shown as a step."""
        self._begin_text()
        self._ops.append(["clear"])
        self._soon()

    def status(self, text: str, *, plain_text: bool = False) -> None:
        """Say what goes on, below.

        Args:
            text: Such as who answers.
            plain_text: Whether what streams from here on is no Markdown.
        """
        self._status = clean(text)
        self._plain = plain_text
        self._ops.append(["status", self._status])
        self._soon()

    def notice(self, text: str) -> None:
        """Say what has just happened, until the status changes."""
        self.status(text, plain_text=self._plain)

    def close(self) -> None:
        """Send nothing any more; called in any thread."""
        self._closed = True
        self._loop.call_soon_threadsafe(self._cancel_timers)

    def _cancel_timers(self) -> None:
        for timer in (self._timer, *self._greetings):
            if timer is not None:
                timer.cancel()

    # -- what the front end says ------------------------------------------------------------------------------------

    def front_end_says(self, message: dict[str, Any]) -> None:
        """Take a message from the widget, in whatever thread it arrives."""
        match message.get("kind"):
            case "ready":
                self._loop.call_soon_threadsafe(self._greet)
            case "stop":
                self._on_stop()

    def _greet(self) -> None:
        self._front_end_ready = True
        self._send_all()

    def _send_unasked(self) -> None:
        if not self._front_end_ready:
            self._send_all()

    # -- sending ------------------------------------------------------------------------------------------------------

    def _soon(self) -> None:
        """Send now if the last message is long enough ago, else as soon as it is."""
        if self._timer is not None or self._closed:
            return
        wait = self._next_at - self._clock()
        if wait <= 0:
            self.flush()
        else:
            self._timer = self._loop.call_later(wait, self.flush)

    def flush(self) -> None:
        """Send what has happened since the last message."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed:
            return
        now = self._clock()
        self._next_at = now + (_FAST_S if now - self._started < _FAST_FOR_S else _SLOW_S)
        ops = [*self._ops, *self._step_ops(), *self._text_ops()]
        self._ops = []
        if ops:
            self._send({"ops": ops})

    def _send(self, content: dict[str, Any]) -> None:
        self._channel.send({"n": self._number, **content})
        self._number += 1

    def _send_all(self) -> None:
        if self._closed:
            return
        self._step_ops()
        self._text_ops()
        self._ops = []
        state = {
            "done": "".join(self._done),
            "live": self._render_live(),
            "steps": [[key, shown] for key, shown in self._steps.items()],
            "status": self._status,
            "channel": self._front_end_ready,
        }
        self._send({"all": state})

    def _step_ops(self) -> list[Op]:
        """Return the steps that have changed, each once."""
        changed = {key: step_html(step, _STEP_LIMIT, live=True) for key, step in self._changed.items()}
        self._changed = {}
        self._steps |= changed
        return [["step", key, shown] for key, shown in changed.items()]

    # -- the text -----------------------------------------------------------------------------------------------------

    def _begin_text(self) -> None:
        self._splitter = BlockSplitter()
        self._done = []
        self._showable = ""
        self._sent = 0
        self._rendered = 0

    def _text_ops(self) -> list[Op]:
        """Return what changed in the text: blocks that are complete, then the open one, whole or its new end."""
        if self._plain:
            return self._live_ops(self._splitter.live)
        ops: list[Op] = []
        for block in self._splitter.take_closed():
            shown = render_markdown(block)
            self._done.append(shown)
            ops.append(["block", shown])
            self._sent = self._rendered = 0
        return ops + self._live_ops(self._splitter.live)

    def _live_ops(self, text: str) -> list[Op]:
        self._showable = text[: showable_length(text)]
        new = self._showable[self._sent :]
        if not new:
            return []
        if self._wants_rendering(new):
            return [["live", self._render_live()]]
        self._sent = len(self._showable)
        return [["tail", clean(new)]]

    def _wants_rendering(self, new: str) -> bool:
        """Tell whether the open block is to be rendered again, rather than its new end added as plain text.

        It is whenever it has grown by a quarter: then all its renderings together are in proportion to its length.
        Lists and tables look right at once if it is at each line's end, too, which is done while the budget lasts.
        """
        if not self._rendered:
            return True
        if self._plain:
            return False
        grown = len(self._showable) - self._rendered
        if grown >= max(16, self._rendered // 4):
            return True
        return "\n" in new and self._spent_bytes < _FREE_BYTES + _BYTES_PER_CHAR * self._text_chars

    def _render_live(self) -> str:
        self._sent = self._rendered = len(self._showable)
        if self._plain:
            return f"<pre><code>{html.escape(clean(self._showable))}</code></pre>" if self._showable else ""
        shown = render_markdown(self._showable)
        self._spent_bytes += len(shown)
        return shown
