"""A training that is started, shown in the cell: a bar while examples are sent, then the job where it is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import AgentsException
from agentkit.finetuning.progress import FineTuningProgress
from agentkit.notebook.display.job_view import job_bundle
from agentkit.notebook.display.publish import EMPTY, publish
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.notebook.failures import Interrupted
from agentkit.notebook.finetuning.shown import shown_jobs
from agentkit.notebook.finetuning.view import JobView
from agentkit.notebook.over.watching import PanelWatch

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.finetuning.snapshot import JobSnapshot

__all__ = ["StartWatch", "start_html"]

_NAME_CHARS = 80
NO_LONGER = "The cell waits no longer; the job goes on."
_AT_ONCE_S = 0.4
"""How long a start may take without anything being shown."""
_CLOSED_AFTER_S = 10.0
_STAGES = {"checking": "checking the examples", "uploading": "sending the examples", "creating": "making the job"}


class StartWatch:
    """Shows in a cell how far the start of a training is; called in the thread of the cell.

    Args:
        shell: The notebook's shell.
        name: Name of the data set.
        live: Whether somebody looks on; else only a job that was waited for is shown, at the end.
        clock: Gives the time in seconds.
    """

    def __init__(
        self, shell: InteractiveShell, name: str, *, live: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shell = shell
        self._name = name
        self._panel = _StartPanel() if live else None
        self._live = live
        self._clock = clock
        self._began = clock()
        self._opened = False
        self._stopped = False
        self._job: JobSnapshot | None = None
        self._view: JobView | None = None

    def __call__(self, event: FineTuningProgress) -> None:
        """Show it.

        Raises:
            Interrupted: The reader wants it stopped, before there is a job.
        """
        if event.stage in ("done", "stopped"):
            self._end(stopped=event.stage == "stopped")
        elif event.job is not None:
            self._train(event.job)
        elif (panel := self._panel) is not None:
            if not self._opened:
                if self._clock() - self._began < _AT_ONCE_S:
                    return
                self._opened = True
                panel.open(self._name, self._stop)
            panel.show_soon(event)
            panel.pump(self._shell)
            if self._stopped:
                raise Interrupted("Stopped before there was a job: nothing is trained.")

    def _stop(self) -> None:
        self._stopped = True

    def _train(self, job: JobSnapshot) -> None:
        """Show a job that is waited for: it looks after itself from the first time on."""
        if self._job is None and self._live and not job.is_over:
            self._close_panel()
            self._view = _opened_view(job.id)
        self._job = job
        if self._panel is not None:
            self._panel.pump(self._shell)

    def _end(self, *, stopped: bool) -> None:
        self._close_panel()
        job = self._job
        if job is None:
            return
        note = NO_LONGER if stopped and not job.is_over else ""
        if self._view is not None:
            self._view.conclude(note, job)
        else:
            shown_jobs.note(job.id)
            publish(job_bundle(job, note))

    def _close_panel(self) -> None:
        """Take the bar away: what comes next shows itself."""
        if self._panel is not None and self._opened:
            self._opened = False
            self._panel.end()
            publish(EMPTY, display_id=self._panel.display_id, update=True)
            self._panel.close_later()


def _opened_view(job_id: str) -> JobView | None:
    """Return a view of a job, in the running cell; None where the connected platform isn't the one that has it."""
    from agentkit.finetuning.jobs import finetuning_job

    try:
        view = JobView(finetuning_job(job_id))
    except AgentsException:  # started by a client of the user's own
        return None
    view.open()
    return view


class _StartPanel(PanelWatch):
    """The panel of a run, with the progress of a start in it."""

    def show_soon(self, event: FineTuningProgress) -> None:
        """Show it from another thread than the loop's."""
        from agentkit.runtime.background import background_loop

        show: Callable[[Any], None] = self.show  # which `_shown` takes
        background_loop().call_soon_threadsafe(show, event)

    def close_later(self) -> None:
        """Close its channel when the job's view has one.

        JupyterLab has a subshell for all widgets together, and ends it with the last of them: what the next one says
        just then would be lost.
        """
        from agentkit.runtime.background import background_loop

        loop = background_loop()
        loop.call_soon_threadsafe(loop.call_later, _CLOSED_AFTER_S, self.close)

    def _shown(self, progress: Any) -> str:
        return start_html(progress)

    def _about(self) -> str:
        return f"Fine-tuning with {one_line(self._agent, _NAME_CHARS)}"


def start_html(event: FineTuningProgress) -> str:
    """Return a bar and what is being done."""
    said = _STAGES.get(event.stage, event.stage)
    if event.stage == "uploading" and event.bytes_total:
        said += f" · {event.bytes_sent / 1e6:,.1f} of {event.bytes_total / 1e6:,.1f} MB"
    label = escape(clean(said))
    amount = f' value="{event.share:.4g}" max="1"' if event.stage == "uploading" else ""
    return f'<div><progress class="agk-bar"{amount} aria-label="{label}"></progress></div><div>{label}</div>'
