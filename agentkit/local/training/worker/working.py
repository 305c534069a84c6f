"""What the worker of a job does, from its files to its model."""

from __future__ import annotations

import contextlib
import shutil
import signal
import threading
import time
import traceback
from pathlib import Path
from typing import Any, Final

from agentkit._home import make_private_folder
from agentkit._process import this_process
from agentkit._secrets import Redactor
from agentkit.local.errors import ApiError
from agentkit.local.training.bases import resolve
from agentkit.local.training.records import OVER, Job
from agentkit.local.training.store import JobStore
from agentkit.local.training.worker.checkpoints import drop_state, prune, saved
from agentkit.local.training.worker.failures import JobFailure, StopWork, failure_of
from agentkit.local.training.worker.files import check_lines, file_path
from agentkit.local.training.worker.hyperparameters import method_of
from agentkit.local.training.worker.ranks import asked_configuration, end_with, is_first, launch, worker_of_rank
from agentkit.local.training.worker.starting import check_folder

__all__ = ["Work", "work"]

_POLL_S: Final = 0.2
_SIGN_OF_LIFE_S: Final = 5.0


def work(home: Path, job_id: str) -> int:
    """Work on a job until it is over, paused, or another process has it; return the exit status.

    Args:
        home: The platform's folder.
        job_id: The job.
    """
    terminated = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is meant for the kernel that started the job
    signal.signal(signal.SIGTERM, lambda *_: terminated.set())
    store = JobStore(home)
    try:
        return Work(home.absolute(), job_id, store, terminated).run()
    finally:
        store.close()


class Work:
    """The work on one job, in its worker or in one of the worker's ranks.

    Args:
        home: The platform's folder.
        job_id: The job.
        store: Where it is kept.
        terminated: Set when this process is asked to end.
    """

    def __init__(self, home: Path, job_id: str, store: JobStore, terminated: threading.Event) -> None:
        self.home = home
        self.job_id = job_id
        self.store = store
        self.folder = store.folder(job_id)
        self._terminated = terminated
        self._touched = 0.0
        self._of = worker_of_rank()
        self._me = self._of or this_process()

    @property
    def root(self) -> Path:
        """The folder of the trainer's checkpoints."""
        return self.folder / "trainer"

    def run(self) -> int:
        """Do it; return the exit status."""
        if self._of is None and not self.store.take(self.job_id, self._me):
            print(f"{self.job_id} is over, gone, or another process works on it.", flush=True)
            return 0
        try:
            make_private_folder(self.folder)
            self._whole()
        except StopWork as stop:
            self._stopped(stop)
        except KeyError as error:
            if self.store.get(self.job_id) is not None:
                self._failed(error)
                return 1
            shutil.rmtree(self.folder, ignore_errors=True)  # what was written meanwhile
        except (Exception, MemoryError) as error:  # whatever the libraries raise is told to the job's owner
            self._failed(error)
            return 1
        return 0

    def _whole(self) -> None:
        if self._of is not None:
            from agentkit.local.training.worker.learning import learn

            learn(self)
            return
        job = self.store.expect(self.job_id)
        if job.status == "paused":
            return
        if job.status == "validating_files":
            self._validate(job)
        self._wait_for_turn()
        configuration = asked_configuration()
        if configuration is None:
            from agentkit.local.training.worker.learning import learn

            learn(self)
            return
        status = launch(configuration, self.home, self.job_id, self._me, watch=self._watch)
        job = self.store.expect(self.job_id)
        if job.status == "running" and job.worker == self._me:  # none of the ranks has said how it ended
            raise JobFailure(
                "server_error",
                f"The processes that accelerate started by {configuration} ended with status {status}. What they said "
                f"is in {self.folder / 'log.txt'}.",
            )

    # -- before the training ---------------------------------------------------------------------------------------

    def _validate(self, job: Job) -> None:
        request = job.request
        kind = method_of(request)[0]
        for role in ("training", "validation"):
            file_id = request.get(f"{role}_file")
            if not file_id:
                continue
            self.store.tell(self.job_id, f"Validating {role} file: {file_id}")
            path = file_path(self.home, file_id, role)
            check_lines(path, file_id, role, "dpo" if kind == "dpo" else "sft")
            self.alive()
        base = resolve(str(request["model"]), self.home)
        if base.folder is not None and base.kind != "tiny":
            check_folder(base.folder)
        self.store.update(self.job_id, status="queued")
        self.store.tell(self.job_id, "Files validated, moving job to queued state")

    def _wait_for_turn(self) -> None:
        while not self.store.begin(self.job_id, self._me):
            self.alive()
            if self.store.expect(self.job_id).status not in ("queued", "running"):
                raise StopWork("nothing")
            time.sleep(_POLL_S)
        self.alive()

    # -- while it goes on ------------------------------------------------------------------------------------------

    def wanted(self) -> str:
        """Return "pause" or "cancel" where the work is to stop, else ""."""
        if self._of is not None:
            end_with(self._of)
        job = self.store.get(self.job_id)
        if job is None or job.status in OVER:
            return "cancel"
        if job.wanted:
            return job.wanted
        return "pause" if self._terminated.is_set() else ""

    def alive(self) -> None:
        """Give a sign of life.

        Raises:
            StopWork: The work is to stop.
        """
        if wanted := self.wanted():
            raise StopWork(wanted)
        if time.monotonic() - self._touched > _SIGN_OF_LIFE_S:
            self._touched = time.monotonic()
            self.store.update(self.job_id, heartbeat=time.time())

    def _watch(self) -> None:
        """Look after the ranks: they stop as their job does."""
        self.store.update(self.job_id, heartbeat=time.time())
        if self._terminated.is_set() and not self.store.wanted(self.job_id):
            self.store.ask(self.job_id, "pause")

    def tell(self, message: str, **options: Any) -> None:
        """Add an event; ranks but the first are silent."""
        if is_first():
            self.store.tell(self.job_id, message, **options)

    # -- how it ends -----------------------------------------------------------------------------------------------

    def _stopped(self, stop: StopWork) -> None:
        if not is_first():
            return
        if self.store.get(self.job_id) is None:  # it was deleted meanwhile
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        if stop.wanted == "pause":
            by_signal = self._terminated.is_set() and not self.store.wanted(self.job_id)
            reason = "its process was asked to end" if by_signal else "as asked"
            self.store.tell(self.job_id, f"The job is paused, {reason}; resume it to go on where it is.")
            self.store.update(self.job_id, status="paused", wanted="", worker="", estimated_finish=None)
        elif stop.wanted == "cancel":
            if self.store.expect(self.job_id).status != "cancelled":
                self.store.tell(self.job_id, f"The job is cancelled.{self._kept()}")
            self._over("cancelled")
        else:
            self.store.update(self.job_id, worker="")

    def _failed(self, error: BaseException) -> None:
        if is_first():
            self._make_room()
        with contextlib.suppress(OSError):  # the log is on the disk that may be full
            traceback.print_exception(error)
        if not is_first():
            return
        failure = failure_of(error, folder=self.folder)
        message = f"{Redactor().clean(failure.message)}{self._kept()}"
        for attempt in range(5):
            try:
                if self.store.get(self.job_id) is None:
                    return
                self.store.tell(self.job_id, message, level="error", data={"code": failure.code})
                self._over("failed", error={**failure.as_error(), "message": message})
            except ApiError as full:  # the disk, or another process holds the file
                _say(f"The failure can't be written down: {full}")
                self._drop_states()  # its room may do
                time.sleep(0.2 * 2**attempt)
            else:
                return

    def _kept(self) -> str:
        """Return a sentence on the checkpoints that can be asked; "" where there is none."""
        try:
            names = [each.model for each in self.store.checkpoints(self.job_id)]
        except ApiError:
            return ""
        return f" What was trained so far is kept, and can be asked: {', '.join(names)}." if names else ""

    def _make_room(self) -> None:
        """Remove what is left over of a checkpoint that was being written, and the samples."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        try:
            prune(self.store, self.job_id, self.root)
        except (ApiError, OSError) as error:
            _say(f"Left-over checkpoints can't be removed: {error}")

    def _over(self, status: str, **changes: Any) -> None:
        """Write down that the job is over, and remove what was only there to go on with it."""
        now = int(time.time())
        finish = {"finished_at": now, "estimated_finish": None, "wanted": "", "worker": ""}
        self.store.update(self.job_id, status=status, **finish, **changes)
        self._drop_states()  # not before: one that is killed here would be trained anew, from its beginning

    def _drop_states(self) -> None:
        with contextlib.suppress(OSError):  # a job that is over may be deleted at any time
            for each in saved(self.root):
                drop_state(each.folder)

    def succeeded(self, **changes: Any) -> None:
        """Write down that all went well."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        self._over("succeeded", **changes)


def _say(what: str) -> None:
    with contextlib.suppress(OSError):
        print(what, flush=True)
