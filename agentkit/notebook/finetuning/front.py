"""A watched job's side of its widget: what the front end is sent, and what it says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from agentkit.exceptions import UserError
from agentkit.notebook.display.job_view import job_bundle, job_pieces
from agentkit.notebook.display.kept_digest import digest_of
from agentkit.notebook.display.text import one_line
from agentkit.notebook.widgets.browsing_front import BrowsingFront

if TYPE_CHECKING:
    from agentkit.finetuning.snapshot import JobSnapshot
    from agentkit.notebook.display.live import Channel
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["EVENTS", "JobFront", "WatchedJob"]

EVENTS = 5_000
"""Events among which those are looked for that tell of no metrics: most do."""

_CAN = {
    "validating_files": ("cancel",),
    "queued": ("pause", "cancel"),
    "running": ("pause", "cancel"),
    "paused": ("resume", "cancel"),
}
_WORDS = {"pause": "Pausing", "resume": "Resuming", "cancel": "Cancelling"}
_MOST_FAILURES = 5
_KEPT_EVERY_S, _KEPT_ALONE_EVERY_S = 4.0, 1.0
"""How often what is kept follows: beneath a live view, and where it is all there is to see."""
_UNSEEN_S, _PAUSED_S = 3.0, 1.5


class WatchedJob(Protocol):
    """What is watched: a `FineTuningJob`, as far as it is needed here."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    def snapshot(self, *, events: int = 50) -> JobSnapshot:
        """Return what is known of it."""
        ...

    async def arefresh(self) -> Any:
        """Look at it anew."""
        ...

    async def acancel(self) -> Any:
        """End it."""
        ...

    async def apause(self) -> Any:
        """Let it rest."""
        ...

    async def aresume(self) -> Any:
        """Let it go on."""
        ...


class JobFront(BrowsingFront):
    """Sends what becomes of a job to the widget, and pauses, resumes and cancels it for the reader.

    It follows the job until that is over: often while the widget can be seen, seldom while not.

    Args:
        channel: Where messages go.
        loop: agentkit's loop.
        job: The job.
        kept: What the notebook keeps as it is shown first; None where that isn't known.
        on_kept: Called with what the notebook is to keep, in any thread.
        on_shown: Called when the front end has what is kept at the end.
        every_s: How often the job is looked at while something goes on.
    """

    def __init__(
        self,
        channel: Channel,
        loop: asyncio.AbstractEventLoop,
        job: WatchedJob,
        *,
        kept: Bundle | None = None,
        on_kept: Callable[[Bundle], None] = lambda bundle: None,
        on_shown: Callable[[], None] = lambda: None,
        every_s: float = 0.3,
    ) -> None:
        super().__init__(channel, loop, kept=kept, on_kept=on_kept)
        self._job = job
        self._on_shown = on_shown
        self._every_s = every_s
        self._shown: JobSnapshot = job.snapshot(events=EVENTS)
        self._sent: dict[str, str] = {}
        self._asked = ""
        self._note = ""
        self._heard = False
        self._kept_at = 0.0
        self._failures = 0
        self._final: str | None = None

    @property
    def heard(self) -> bool:
        """Whether the front end has ever said anything."""
        return self._heard

    @property
    def is_over(self) -> bool:
        """Whether the job is over, as far as is known."""
        return self._shown.is_over

    # -- from the front end -------------------------------------------------------------------------------------------

    def _receive(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        self._heard = True
        super()._receive(message, buffers)

    def _take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        match message.get("kind"):
            case "ready":
                self._send_all()
            case "kept":
                self._on_shown()
            case "pause" | "resume" | "cancel" as action:
                self._start(self._act, action)

    async def _act(self, action: str) -> None:
        self._asked = _WORDS[action]
        self._send(self._controls())
        try:
            act = {"pause": self._job.apause, "resume": self._job.aresume, "cancel": self._job.acancel}[action]
            await act()
        except Exception:
            self._asked = ""
            raise
        finally:
            self._show(self._job.snapshot(events=EVENTS))
            if not self._asked:
                self._send(self._controls())

    # -- following ----------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Follow the job, from any thread."""
        self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        if not self._closed and (self._following is None or self._following.done()):
            self._following = self._start(self._follow)

    def _is_to_follow(self) -> bool:
        return not self.is_over and self._final is None

    async def _follow(self) -> None:
        while self._is_to_follow() and not self._closed:
            await self._look()
            if self._is_to_follow():
                await asyncio.sleep(self._pause_s())

    async def _look(self) -> None:
        try:
            await self._job.arefresh()
        except Exception as error:  # of the platform: it may be back soon
            self._failures += 1
            if self._failures >= _MOST_FAILURES or isinstance(error, UserError):
                raise
            return
        self._failures = 0
        self._show(self._job.snapshot(events=EVENTS))

    def _pause_s(self) -> float:
        pause = _PAUSED_S if self._shown.status == "paused" and not self._asked else self._every_s
        if self._heard and not self.is_visible:
            pause = max(pause, _UNSEEN_S)
        if self._failures:
            pause = max(pause, 2.0 * self._failures)
        return pause if self._shown.platform == "embedded" else max(pause, 3.0)

    # -- to the front end ---------------------------------------------------------------------------------------------

    def _show(self, job: JobSnapshot) -> None:
        """Send what has changed, and have it kept now and then."""
        if self._final is not None:  # a look that was under way when the end was kept
            return
        changed_status = job.status != self._shown.status
        if changed_status:
            self._asked = ""
        self._shown = job
        pieces = job_pieces(job)
        changed = {name: html for name, html in pieces.items() if self._sent.get(name) != html}
        self._sent = pieces
        message: dict[str, Any] = {"pieces": changed} if changed else {}
        if changed_status:
            message |= self._controls()
        if message:
            self._send(message)
        if job.is_over:
            self._end_with("")
        elif changed_status or (changed and monotonic() - self._kept_at >= self._kept_every_s):
            self._keep()

    @property
    def _kept_every_s(self) -> float:
        return _KEPT_EVERY_S if self._heard else _KEPT_ALONE_EVERY_S

    def _controls(self) -> dict[str, Any]:
        can = () if self._final is not None else _CAN.get(self._shown.status, ())
        return {"can": list(can), "asked": self._asked, "job": one_line(self._shown.id, 80)}

    def _send_all(self) -> None:
        self._sent = job_pieces(self._shown)
        whole = {"pieces": self._sent, "note": self._note, **self._controls()}
        self._send_whole(whole)
        if self._final is not None:
            self._send({"over": self._final})

    def _keep(self) -> None:
        self._kept_at = monotonic()
        self._keep_as(job_bundle(self._shown, self._note, beneath=True))

    # -- the end ------------------------------------------------------------------------------------------------------

    def conclude(self, note: str, job: JobSnapshot | None = None) -> threading.Event:
        """Follow no more, and have what is known kept; from any thread. Return what tells when it is.

        Args:
            note: What to say beneath; "" for nothing.
            job: The job as whoever concludes knows it; None for as this one's job is known: others have looked at it,
                too, and later than the widget was sent anything.
        """
        kept = threading.Event()
        self._loop.call_soon_threadsafe(self._conclude, note, job, kept)
        return kept

    def _conclude(self, note: str, job: JobSnapshot | None, kept: threading.Event) -> None:
        try:
            if self._final is None and not self._shown.is_over:
                self._shown = job or self._job.snapshot(events=EVENTS)
            self._end_with(note)
        finally:
            kept.set()

    def _end_with(self, note: str) -> None:
        """Have the end kept, and the widget go once it has come."""
        if self._final is not None or self._closed:
            return
        self._note = note
        bundle = job_bundle(self._shown, note, beneath=True)
        self._final = digest_of(bundle)
        self._keep_as(bundle)
        self._send({**self._controls(), "note": note, "over": self._final})
