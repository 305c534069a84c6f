"""A run shown while it goes on: at most 20 messages a second, and bytes in proportion to the text."""

from __future__ import annotations

import asyncio
import html
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from agentkit.notebook.approving import Decision
from agentkit.notebook.display.approvals import approval_html
from agentkit.notebook.display.blocks import BlockSplitter
from agentkit.notebook.display.filling import PartialView
from agentkit.notebook.display.markdown import render_markdown
from agentkit.notebook.display.run_view import step_html
from agentkit.notebook.display.text import clean, showable_length
from agentkit.notebook.display.transcript import Step
from agentkit.notebook.latest import latest

if TYPE_CHECKING:
    from agentkit.models import AgentOutputSchemaBase
    from agentkit.runtime import ToolApprovalItem

__all__ = ["Channel", "LiveView"]

_FAST_S, _SLOW_S = 0.05, 0.1
_FAST_FOR_S = 10.0
"""A long answer is sent half as often once it has run for so long: every message costs some 600 bytes of envelope."""

_SNAPSHOTS_AT_S = (0.3, 0.8, 2.0, 4.0)
"""When the whole state is sent, until the front end has said that it is there: it may miss what comes before it is."""

_PATIENCE_S = 2.0
"""How long a call that needs approval waits for the front end to say that it is there."""

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
        patience_s: How long a call that needs approval waits for the front end to say that it is there: where clicks
            don't come through while a cell runs, it never does. None for as long as it takes.
        on_ask: Called when the reader is asked about calls, on the loop's thread.
        clock: Gives the time in seconds.
    """

    def __init__(
        self,
        channel: Channel,
        loop: asyncio.AbstractEventLoop,
        *,
        on_stop: Callable[[], None],
        patience_s: float | None = _PATIENCE_S,
        on_ask: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._loop = loop
        self._on_stop = on_stop
        self._patience_s = patience_s
        self._on_ask = on_ask
        self._clock = clock
        self._started = clock()
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._number = 0
        self._front_end_ready = asyncio.Event()
        self._greetings: list[asyncio.TimerHandle] = []
        self._closed = False
        self._schema: AgentOutputSchemaBase | None = None
        self._filling: PartialView | None = None
        self._done: list[str] = []
        self._steps: dict[str, str] = {}
        self._changed: dict[str, Step] = {}
        self._status = ""
        self._ops: list[Op] = []
        self._text_chars = self._spent_bytes = 0
        self._asked: dict[str, tuple[str, asyncio.Future[Decision]]] = {}
        self._asks = 0
        self._begin_text()

    def start(self) -> None:
        """Begin, on the loop's thread."""
        self._greetings = [self._loop.call_later(at, self._send_unasked) for at in _SNAPSHOTS_AT_S]

    # -- what happens in the run ------------------------------------------------------------------------------------

    def text(self, delta: str) -> None:
        """Show a piece of the answer."""
        self._splitter.feed(delta)
        if self._schema is not None:
            if self._filling is None:
                self._filling = PartialView(self._schema)
            self._filling.feed(delta)
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

    def status(self, text: str, *, schema: AgentOutputSchemaBase | None = None) -> None:
        """Say what goes on, below.

        Args:
            text: Such as who answers.
            schema: The type of what streams from here on, which is shown as a table that fills; None for Markdown.
        """
        self._status = clean(text)
        self._schema = None if schema is None or schema.is_plain_text() else schema
        self._ops.append(["status", self._status])
        self._soon()

    def notice(self, text: str) -> None:
        """Say what has just happened, until the status changes."""
        self.status(text, schema=self._schema)

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
            case "decide":
                self._loop.call_soon_threadsafe(self._take_decision, message)

    def _greet(self) -> None:
        self._front_end_ready.set()
        latest.front_end_answered = True
        self._send_all()

    def _send_unasked(self) -> None:
        if not self._front_end_ready.is_set():
            self._send_all()

    # -- approvals ----------------------------------------------------------------------------------------------------

    async def decide(self, items: Sequence[ToolApprovalItem]) -> list[Decision | None]:
        """Ask the reader about calls that need approval, and return the decisions once all are there.

        None for each where the front end can't answer while the cell runs.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                await self._front_end_ready.wait()
        except TimeoutError:
            return [None] * len(items)
        self._on_ask()
        keys = [self._ask(item) for item in items]
        try:
            return list(await asyncio.gather(*(self._asked[key][1] for key in keys)))
        finally:
            for key in keys:
                self._asked.pop(key, None)
                self._ops.append(["answered", key])
            self._soon()

    def _ask(self, item: ToolApprovalItem) -> str:
        self._asks += 1
        key, shown = str(self._asks), approval_html(item)
        self._asked[key] = shown, self._loop.create_future()
        self._ops.append(["ask", key, shown])
        self._soon()
        return key

    def _take_decision(self, message: dict[str, Any]) -> None:
        """Take the reader's word on one call; what is not understood decides nothing."""
        _, future = self._asked.get(str(message.get("key")), ("", None))
        verdict = message.get("verdict")
        if future is None or future.done() or verdict not in ("approve", "always", "reject"):
            return
        reason = str(message.get("reason") or "").strip() or None
        future.set_result(Decision(verdict != "reject", always=verdict == "always", reason=reason))
        self._ops.append(["answered", str(message["key"])])
        self._soon()

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
            "asks": [[key, shown] for key, (shown, future) in self._asked.items() if not future.done()],
            "status": self._status,
            "channel": self._front_end_ready.is_set(),
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
        self._filling = None
        self._done = []
        self._showable = ""
        self._sent = 0
        self._rendered = 0

    def _text_ops(self) -> list[Op]:
        """Return what changed in the text: blocks that are complete, then the open one, whole or its new end."""
        if self._table is not None:
            return [["live", self._table.html()]] if self._table.wants_rendering else []
        if self._schema is not None:
            return self._live_ops(self._splitter.live)
        ops: list[Op] = []
        for block in self._splitter.take_closed():
            shown = render_markdown(block, math="mathml")
            self._done.append(shown)
            ops.append(["block", shown])
            self._sent = self._rendered = 0
        return ops + self._live_ops(self._splitter.live)

    @property
    def _table(self) -> PartialView | None:
        """The table that fills; None for Markdown, and for what was to be a structured answer and is no JSON."""
        return self._filling if self._filling is not None and not self._filling.is_text else None

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
        if self._schema is not None:
            return False
        grown = len(self._showable) - self._rendered
        if grown >= max(16, self._rendered // 4):
            return True
        return "\n" in new and self._spent_bytes < _FREE_BYTES + _BYTES_PER_CHAR * self._text_chars

    def _render_live(self) -> str:
        if self._table is not None:
            return self._table.html()
        self._sent = self._rendered = len(self._showable)
        if self._schema is not None:
            return f"<pre><code>{html.escape(clean(self._showable))}</code></pre>" if self._showable else ""
        shown = render_markdown(self._showable, math="mathml")
        self._spent_bytes += len(shown)
        if not shown.rstrip().endswith("</code></pre>"):  # elsewhere a space at the end is not rendered
            self._sent = len(self._showable.rstrip())
        return shown
