"""Starting workers: processes of their own, which go on when the platform's ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from agentkit._home import make_private_folder
from agentkit._process import child_environment, process_with
from agentkit._secrets import Redactor
from agentkit.local.training.records import Job
from agentkit.local.training.store import JobStore

__all__ = ["LOG_NAME", "WORKER", "Launcher", "exit_status", "log_tail"]

WORKER = (sys.executable, "-P", "-m", "agentkit.local.training.worker")
"""What is started for a job; the home folder and the job's id are its arguments."""
LOG_NAME = "log.txt"
"""What a worker writes goes there, in its job's folder."""

_TAIL_BYTES = 8192
_TAIL_LINES = 6

_children: dict[str, subprocess.Popen[bytes]] = {}
"""Workers that this process has started. They outlive every platform."""


class Launcher:
    """Starts a worker for a job.

    Args:
        jobs: The jobs.
        command: The program, and the arguments before the home folder and the job's id.
    """

    def __init__(self, jobs: JobStore, command: Sequence[str] = WORKER) -> None:
        self._jobs = jobs
        self._command = tuple(command)

    def start(self, job: Job) -> None:
        """Start a worker. Where that can't be done, the job has failed.

        Args:
            job: The job, without a worker.
        """
        _reap()
        try:
            child = self._spawn(job.id)
        except OSError as error:
            self._failed(job, error)
            return
        worker = process_with(child.pid)
        _children[worker] = child
        self._jobs.update_if(job, worker=worker)  # unless it has said so itself already

    def _spawn(self, job_id: str) -> subprocess.Popen[bytes]:
        folder = self._jobs.folder(job_id)
        make_private_folder(folder)
        log = os.open(folder / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return subprocess.Popen(
                [*self._command, str(self._jobs.home.absolute()), job_id],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=child_environment(PYTHONUNBUFFERED="1"),
                start_new_session=True,  # an interrupt in the notebook is none of its business
            )
        finally:
            os.close(log)

    def _failed(self, job: Job, error: OSError) -> None:
        message = (
            f"The trainer could not be started: {error}. Make room on the disk and in memory, and make a new job; "
            f"the program is {self._command[0]}."
        )
        if self._jobs.update_if(
            job, status="failed", error={"code": "server_error", "message": message, "param": None}
        ):
            self._jobs.tell(job.id, message, level="error")


def exit_status(worker: str) -> int | None:
    """Return how a worker has ended: its exit status, or the negative number of the signal that has killed it.

    None where it hasn't ended, or was another process's child.
    """
    _reap()
    child = _children.get(worker)
    return None if child is None else child.returncode


def _reap() -> None:
    """Ask how our children are: the system keeps those that have ended until somebody does."""
    for child in list(_children.values()):
        child.poll()


def log_tail(folder: Path) -> str:
    """Return the last lines that the workers of a job have written, without keys; "" for none."""
    try:
        with (folder / LOG_NAME).open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line.rstrip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    return Redactor().clean("\n".join(lines[-_TAIL_LINES:]))
