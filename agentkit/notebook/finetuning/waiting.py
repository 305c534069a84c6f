"""A cell that waits for a job, and shows it meanwhile. The job doesn't wait for the cell."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentkit.notebook.cell_wait import CellWait, Work, was_stopped
from agentkit.notebook.display.job_view import job_bundle, job_text
from agentkit.notebook.display.job_words import found_again
from agentkit.notebook.display.modes import RenderMode, render_mode
from agentkit.notebook.display.publish import publish
from agentkit.notebook.failures import Interrupted, shortened
from agentkit.notebook.finetuning.front import EVENTS
from agentkit.notebook.finetuning.shown import shown_jobs
from agentkit.notebook.finetuning.view import JobView
from agentkit.notebook.pumping import pump_widget_messages

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.finetuning.job import FineTuningJob

__all__ = ["INTERRUPTED", "wait_for_job"]

INTERRUPTED = "The cell was interrupted; the job was not."
_PAUSED_S, _PAUSED_FAR_S = 0.5, 3.0
"""How often a paused job is looked at: on the platform in this process, and on others."""


class _Waiting(Work[None]):
    """Waits until a job is over; or paused, where nobody is there to let it go on."""

    def __init__(self, job: FineTuningJob, *, through_pauses: bool) -> None:
        super().__init__()
        self._job = job
        self._through_pauses = through_pauses

    async def _carry_out(self) -> None:
        while True:
            async for _ in self._job.watch():
                pass
            if self._job.is_over or not self._through_pauses:
                return
            near = self._job.snapshot(events=0).platform == "embedded"
            await asyncio.sleep(_PAUSED_S if near else _PAUSED_FAR_S)


def wait_for_job(
    shell: InteractiveShell, job: FineTuningJob, *, mode: RenderMode | None = None, view: JobView | None = None
) -> None:
    """Wait in the running cell until a job is over, and show it: live, or once at the end.

    Args:
        shell: The notebook's shell.
        job: The job.
        mode: How it is shown; None for as the settings say.
        view: A live view of it that the cell has already.

    Raises:
        Interrupted: The cell was interrupted. The job goes on.
        FineTuningError: The job failed.
    """
    from agentkit.finetuning.outcomes import failure_of

    mode = mode or render_mode(shell)
    if mode == "live" and view is None and not job.is_over:
        view = JobView(job)
        view.open()
    wait = CellWait(_Waiting(job, through_pauses=view is not None))
    error = wait.block(lambda: pump_widget_messages(shell))
    stopped = was_stopped(error)
    _show_end(job, mode, view, INTERRUPTED if stopped else "")
    if stopped:
        again = found_again(job.snapshot(events=0))
        raise Interrupted(f"{INTERRUPTED} {again} waits for it again." if again else INTERRUPTED)
    if error is not None:
        raise shortened(shell, error) if isinstance(error, Exception) else error
    if job.status == "failed":
        raise shortened(shell, failure_of(job))


def _show_end(job: FineTuningJob, mode: RenderMode, view: JobView | None, note: str) -> None:
    shown_jobs.note(job.id)
    if view is not None:
        view.conclude(note)
    elif mode == "console":
        print(job_text(job.snapshot(events=EVENTS), note))
    else:
        publish(job_bundle(job.snapshot(events=EVENTS), note))
