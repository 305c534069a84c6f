"""How far it has come with the start of a training, told to whoever shows it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from agentkit._watching import training_watcher, watch_trainings_with
from agentkit.files.progress import TerminalLine
from agentkit.finetuning.snapshot import JobSnapshot

__all__ = ["FineTuningProgress", "Listener", "Stage", "listener_for", "waiting_for", "watch_with"]

Stage = Literal["checking", "uploading", "creating", "training", "done", "stopped"]


@dataclass(frozen=True, slots=True)
class FineTuningProgress:
    """How far it has come."""

    name: str
    """Name of the data set."""
    stage: Stage
    """What is being done: `checking` the examples, `uploading` them, `creating` the job, and, where it is waited for,
    `training`; at last `done` or `stopped`."""
    bytes_sent: int = 0
    """Bytes sent, of the examples and those for validation."""
    bytes_total: int = 0
    """Bytes to be sent; files that the platform has already are not among them."""
    job: JobSnapshot | None = None
    """The job, once there is one."""

    @property
    def share(self) -> float:
        """How much is done of what its stage is about, 0 to 1."""
        if self.stage == "uploading":
            return min(1.0, self.bytes_sent / max(self.bytes_total, 1))
        if self.stage == "training" and self.job is not None:
            return self.job.progress.share
        return 1.0 if self.stage in ("creating", "done") else 0.0

    @property
    def text(self) -> str:
        """Where it stands, in a line: "'train.jsonl' · uploading 12 of 40 MB"."""
        told = f"{self.name!r:.80} · {self.stage}"
        if self.stage == "uploading" and self.bytes_total:
            told += f" {_size(self.bytes_sent)} of {_size(self.bytes_total)}"
        if self.stage == "training" and self.job is not None:
            told = f"{self.name!r:.80} · {self.job.status.replace('_', ' ')}"
            if (step := self.job.progress.step) and (total := self.job.progress.total):
                told += f" · step {step:,} of {total:,}"
        return told


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count / 1e3:,.1f} kB"


Listener = Callable[[FineTuningProgress], object]
"""Is told of each step. For sync calls it is called in the thread that made the call."""


def watch_with(watcher: Callable[[str], Listener | None] | None) -> None:
    """Let `watcher` give the listener of calls that name none: a notebook shows a bar so.

    Args:
        watcher: Called with the data set's name when a training is started; None goes back to a line in a terminal.
    """
    watch_trainings_with(watcher)


def listener_for(name: str) -> Listener | None:
    """Return who is told of what happens, where the caller names nobody."""
    if (watcher := training_watcher()) is not None:
        return watcher(name)
    if sys.stderr is not None and sys.stderr.isatty():
        return TerminalLine(sys.stderr)
    return None


@contextlib.contextmanager
def waiting_for(
    name: str, listener: Callable[[JobSnapshot], object] | None
) -> Iterator[Callable[[JobSnapshot], object] | None]:
    """Give who is told of a job that is waited for: where the caller names nobody, who shows trainings.

    Args:
        name: What the job is called.
        listener: Whom the caller names.
    """
    shown = listener_for(name) if listener is None else None
    if shown is None:
        yield listener
        return
    try:
        yield lambda job: shown(FineTuningProgress(name, "training", job=job))
    except BaseException:
        shown(FineTuningProgress(name, "stopped"))
        raise
    shown(FineTuningProgress(name, "done"))
