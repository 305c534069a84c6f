"""A job in a cell: live while somebody looks on, and what the notebook keeps of it."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.job_view import job_bundle, job_text
from agentkit.notebook.display.modes import RenderMode, render_mode
from agentkit.notebook.display.publish import EMPTY, publish
from agentkit.notebook.finetuning.front import EVENTS, JobFront, WatchedJob
from agentkit.notebook.finetuning.shown import shown_jobs

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.finetuning.snapshot import JobSnapshot
    from agentkit.notebook.display.run_view import Bundle
    from agentkit.notebook.widgets.job_widget import JobWidget

__all__ = ["JobView", "show_job"]

_MOST_OPEN = 8
"""Live views that are kept; of more, the oldest that nobody looks at is closed."""
_GRACE_S = 1.0
"""How long the end of a cell waits for the front end to have what is kept."""

_open: deque[JobView] = deque()


def show_job(shell: InteractiveShell, job: WatchedJob, *, mode: RenderMode | None = None) -> JobView | None:
    """Show a job in the running cell as it is now; live, a view that goes on for as long as the job does.

    Args:
        shell: The notebook's shell.
        job: The job.
        mode: How; None for as the settings say.

    Returns:
        The view, where there is one.
    """
    mode = mode or render_mode(shell)
    shown_jobs.note(job.id)
    snapshot = job.snapshot(events=EVENTS)
    if mode == "console":
        print(f"\n{job_text(snapshot)}")  # a terminal has written "Out[3]: " already
        return None
    if mode == "static" or snapshot.is_over:
        publish(job_bundle(snapshot))
        return None
    view = JobView(job)
    view.open()
    return view


class JobView:
    """A live view of a job: what is kept, and beneath it the widget that stands for it as long as it is there.

    Args:
        job: The job.
        display_id: That of the output which is to become what is kept; None for another one.
    """

    def __init__(self, job: WatchedJob, *, display_id: str | None = None) -> None:
        self._job = job
        self._replaces = display_id is not None
        self._display_id = display_id or uuid.uuid4().hex
        self._widget_id = uuid.uuid4().hex
        self._widget: JobWidget | None = None
        self._front: JobFront | None = None
        self._gone = threading.Event()

    def open(self) -> None:
        """Put it into the running cell, and follow the job."""
        from agentkit.notebook.widgets.job_widget import JobWidget
        from agentkit.runtime.background import background_loop

        shown_jobs.note(self._job.id)
        kept = job_bundle(self._job.snapshot(events=EVENTS), beneath=True)
        publish(kept, display_id=self._display_id, update=self._replaces)
        self._widget = JobWidget(self._says)
        self._front = JobFront(
            self._widget, background_loop(), self._job, kept=kept, on_kept=self._keep, on_shown=self._leave
        )
        publish(self._widget.bundle() | {"text/plain": ""}, display_id=self._widget_id)
        _open.append(self)
        while len(_open) > _MOST_OPEN:
            next((view for view in _open if not view.is_visible and view is not self), _open[0]).close()
        self._front.begin()

    @property
    def is_visible(self) -> bool:
        """Whether it can be seen, as far as is known."""
        return self._front is not None and self._front.is_visible

    def conclude(self, note: str = "", job: JobSnapshot | None = None) -> None:
        """Keep what is known, and take the live view away; from the cell's thread, which waits a moment for that.

        Where the page was loaded anew, it can't be kept any more: then the live view stays.

        Args:
            note: What to say beneath.
            job: The job as the cell knows it; None for as this view's job is known.
        """
        front = self._front
        if front is None:
            return
        front.conclude(note, job).wait(_GRACE_S)  # what comes after the end of the cell isn't the cell's any more
        if front.heard:
            self._gone.wait(_GRACE_S)
        else:
            self._leave()

    def close(self) -> None:
        """Take the live view away. What is kept stays as it is."""
        if self in _open:
            _open.remove(self)
        if self._front is not None:
            self._front.close()
        if self._widget is not None:
            self._widget.close()

    def _says(self, message: dict[str, Any], buffers: Any) -> None:
        if self._front is not None:
            self._front.says(message, buffers)

    def _keep(self, bundle: Bundle) -> None:
        publish(bundle, display_id=self._display_id, update=True)

    def _leave(self) -> None:
        """Take the widget's output away, once what is kept is there."""
        if not self._gone.is_set():
            publish(EMPTY, display_id=self._widget_id, update=True)
            self._gone.set()
            self.close()
