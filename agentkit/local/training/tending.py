"""Looking after jobs whose workers are gone: killed, crashed, or ended with the machine."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence

from agentkit.local.training.launching import Launcher, exit_status, log_tail
from agentkit.local.training.records import Checkpoint, Job, JobStatus, Wanted
from agentkit.local.training.store import JobStore

__all__ = ["Tending"]

_STARTING_S = 30.0
"""How long whoever is starting a worker may take to say which it is."""


class Tending:
    """Sees to it that each job has a worker, or an end.

    Several platforms may do so at once for the same jobs: each change is made by one of them.

    Args:
        jobs: The jobs.
        launcher: Starts workers.
        clock: Tells the Unix time in seconds.
    """

    def __init__(self, jobs: JobStore, launcher: Launcher, *, clock: Callable[[], float] = time.time) -> None:
        self._jobs = jobs
        self._launcher = launcher
        self._clock = clock

    def look_after_all(self) -> None:
        """Tend all jobs that are not over."""
        for job in self._jobs.unfinished():
            self.look_after(job)

    def look_after(self, job: Job) -> None:
        """Start a worker for a job that should have one and hasn't, unless that leads nowhere."""
        if job.status == "paused" or self.has_worker(job):
            return
        if job.wanted:
            self.settle(job, job.wanted)
        elif job.starts == 0:
            self._start(job)
        elif job.step > job.furthest or job.tries < 2:
            self._start_again(job)
        else:
            self._give_up(job)

    def has_worker(self, job: Job) -> bool:
        """Return whether somebody works on a job, or is just being started."""
        if job.worker:
            return not self._jobs.is_lost(job)
        return self._clock() - job.heartbeat < _STARTING_S

    def settle(self, job: Job, wanted: Wanted) -> bool:
        """Do what is wanted of a job that has no worker to do it; return whether the job was still as it was seen.

        A job may also be cancelled over its worker's head: others wait a while for that to notice.
        """
        status: JobStatus = "cancelled" if wanted == "cancel" else "paused"
        worker = job.worker if self.has_worker(job) else ""
        changes = {"status": status, "wanted": "", "worker": worker, "heartbeat": self._clock()}
        if not self._jobs.update_if(job, estimated_finish=None, **changes):
            return False
        self._jobs.tell(job.id, f"The job was {status}.")
        return True

    def resume(self, job: Job) -> bool:
        """Start a worker for a paused job; return whether it was still paused."""
        if not self._claim(job, status="queued", tries=1):
            return False
        self._jobs.tell(job.id, "The job goes on, when its turn has come.")
        self._launch(job.id)
        return True

    def _start(self, job: Job) -> None:
        if self._claim(job, tries=1):
            self._launch(job.id)

    def _start_again(self, job: Job) -> None:
        how = _how(job)
        status: JobStatus = "queued" if job.status == "running" else job.status
        if not self._claim(job, status=status, tries=job.tries + 1, estimated_finish=None):
            return
        then = "goes on from where it was saved last" if job.step else "was started"
        self._jobs.tell(job.id, f"The trainer {how}{_where(job)}. Another one {then}.", level="warn")
        self._launch(job.id)

    def _claim(self, job: Job, **changes: object) -> bool:
        """Take a job for the starting of a worker: others leave it alone meanwhile."""
        now = self._clock()
        return self._jobs.update_if(
            job, worker="", wanted="", starts=job.starts + 1, heartbeat=now, furthest=job.step, **changes
        )

    def _launch(self, job_id: str) -> None:
        job = self._jobs.expect(job_id)
        if job.step and not (folder := self._jobs.folder(job_id)).is_dir():
            message = f"What was trained so far is gone with its folder {folder}: the training begins anew."
            self._jobs.tell(job_id, message, level="warn")
        self._launcher.start(job)

    def _give_up(self, job: Job) -> None:
        folder = self._jobs.folder(job.id)
        how, tail = _how(job), log_tail(folder)
        checkpoints = self._jobs.checkpoints(job.id)
        message = (
            f"The trainer {how}{_where(job)}, and did so again when it was started anew. It has likely run out of "
            "memory: try a smaller batch_size or max_length, a lora_rank, or a smaller model. "
            + (f"What was trained up to {_last(checkpoints)} can be used, and trained further. " if checkpoints else "")
            + (f"The last lines of {folder / 'log.txt'}:\n{tail}" if tail else "")
        )
        error = {"code": "trainer_killed", "message": message, "param": None}
        if self._jobs.update_if(job, status="failed", worker="", error=error):
            self._jobs.tell(job.id, message, level="error")


def _last(checkpoints: Sequence[Checkpoint]) -> str:
    return max(checkpoints, key=lambda each: each.step).model


def _how(job: Job) -> str:
    """Return how a worker has ended, as far as that is known."""
    status = exit_status(job.worker)
    if status is None:
        return "is gone"
    if status >= 0:
        return f"has ended with exit status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def _where(job: Job) -> str:
    if job.step:
        return f" after step {job.step}" + (f" of {job.total_steps}" if job.total_steps else "")
    return " before the first step"
