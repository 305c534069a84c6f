"""What is known of a fine-tuning job, and how it is looked at anew: what all its parts build on."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from agentkit._called_as import called_as
from agentkit.backend import Backend
from agentkit.exceptions import UserError
from agentkit.finetuning.asking import JobError, JobInfo
from agentkit.finetuning.following import Known, Progress, first_look, looked_again, seconds_left
from agentkit.finetuning.metrics import checkpoint_frame, event_frame, metric_frame, read_results
from agentkit.finetuning.snapshot import JobSnapshot, snapshot_of
from agentkit.runtime.background import run_blocking

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from openai import AsyncOpenAI

__all__ = ["JobBase"]


class JobBase:
    """A fine-tuning job of a platform.

    Properties tell what was known when it was last looked at; `refresh` looks anew, and so do `metrics`, `events` and
    `checkpoints` while it isn't over.
    """

    def __init__(self, backend: Backend, known: Known) -> None:
        self._backend = backend
        self._known = known
        self._lock = threading.Lock()

    @classmethod
    async def opened(cls, backend: Backend, info: JobInfo) -> Self:
        """Return the job of which the platform has told `info` just now, with all that is to be known of it."""
        return cls(backend, await first_look(backend.client, info))

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Its id: "ftjob-…"."""
        return self._known.info.id

    @property
    def status(self) -> str:
        """One of "validating_files", "queued", "running", "paused", "succeeded", "failed" and "cancelled"."""
        return self._known.info.status

    @property
    def is_over(self) -> bool:
        """Whether it has succeeded, failed or been cancelled."""
        return self._known.info.is_over

    @property
    def info(self) -> JobInfo:
        """All that the platform told of it: files, seed, suffix, trained tokens, metadata."""
        return self._known.info

    @property
    def model(self) -> str:
        """The model that it starts from."""
        return self._known.info.model

    @property
    def method(self) -> str:
        """How it trains: "sft" or "dpo"."""
        return self._known.info.method

    @property
    def fine_tuned_model(self) -> str | None:
        """The model that came of it; None before it has succeeded. `use` tells why there is none."""
        return self._known.info.fine_tuned_model

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """Its hyperparameters: "auto" until the platform has settled on a number."""
        return dict(self._known.info.hyperparameters)

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata that it was given."""
        return self._known.info.own_metadata

    @property
    def error(self) -> JobError | None:
        """Why it failed: `code`, `message` and `param`."""
        return self._known.info.error

    @property
    def progress(self) -> Progress:
        """Steps done and steps in all: `progress.step`, `progress.total`, and `progress.share`, 0 to 1."""
        return self._known.progress

    @property
    def time_left(self) -> timedelta | None:
        """How long it will still take; None where it isn't running, or nobody can tell."""
        seconds = seconds_left(self._known, time.time())
        return None if seconds is None else timedelta(seconds=round(seconds))

    @property
    def created_at(self) -> datetime:
        """When it was made."""
        return datetime.fromtimestamp(self._known.info.created_at, UTC)

    @property
    def finished_at(self) -> datetime | None:
        """When it was over."""
        at = self._known.info.finished_at
        return None if at is None else datetime.fromtimestamp(at, UTC)

    @property
    def client(self) -> AsyncOpenAI:
        """The client that it asks, for the running event loop."""
        return self._backend.client

    def snapshot(self, *, events: int = 50) -> JobSnapshot:
        """Return what is known of it as plain values, for a view. Nobody is asked.

        Args:
            events: Events that it has at most: the last ones.
        """
        return snapshot_of(self._known, self._backend.name, events=events)

    def __repr__(self) -> str:
        told = [self.status]
        if self.status in ("running", "paused") and self.progress.step:
            total = self.progress.total
            told.append(f"step {self.progress.step:,}" + (f" of {total:,}" if total else ""))
        told.append(self.fine_tuned_model or f"{self.method.upper()} of {self.model}")
        return f"{type(self).__name__}({self.id!r}, {', '.join(told)})"

    # -- looking ---------------------------------------------------------------------------------------------------

    def refresh(self) -> Self:
        """Look at it anew, and return it."""
        return run_blocking(self.arefresh())

    async def arefresh(self) -> Self:
        """Look at it anew, and return it, for async code.

        It costs a request for the job and one for its new events, and one for its checkpoints when there may be others.
        """
        self._learn(await looked_again(self.client, self._known))
        return self

    def _learn(self, known: Known) -> None:
        with self._lock:
            if known.asked_at >= self._known.asked_at:  # of two looks at once the later one counts
                self._known = known

    def _current(self) -> Known:
        if not self.is_over:
            self.refresh()
        return self._known

    @property
    def metrics(self) -> pd.DataFrame:
        """Its curves, a dataframe with a row for each step.

        Columns: `step` (Int64), `train_loss`, `train_mean_token_accuracy`, `valid_loss`, `valid_mean_token_accuracy`,
        `full_valid_loss`, `full_valid_mean_token_accuracy` and what else the platform tells, such as
        `train_reward_accuracy` with DPO (all Float64, NA where a step has none).
        """
        return metric_frame(self._current().rows)

    @property
    def events(self) -> pd.DataFrame:
        """What happened, the newest last: `time` (UTC), `level` (category), `message` (string) and `step` (Int64)."""
        return event_frame(self._current().events)

    @property
    def checkpoints(self) -> pd.DataFrame:
        """The models on the way that are kept, a dataframe.

        Columns: `step` (Int64), `model` (string), the metrics of that step as in `metrics`, and `time` (UTC).
        """
        return checkpoint_frame(self._current().checkpoints)

    @called_as("job.plot")
    def plot(self, *, smooth: int = 1, ax: Axes | None = None) -> tuple[Axes, ...]:
        """Draw its curves: losses, and accuracies beside them.

        Args:
            smooth: Steps that are averaged for a point of the curves of training.
            ax: Where to draw the losses alone; a new figure when None.

        Returns:
            The axes of each panel.

        Raises:
            UserError: An argument makes no sense.
        """
        from agentkit.finetuning.plotting import plot_job

        self._current()
        return plot_job(self.snapshot(events=0), smooth=smooth, ax=ax)

    @called_as("job.result_file")
    def result_file(self) -> pd.DataFrame:
        """Return the table of metrics that the platform has written at the end, as `metrics` has them.

        Raises:
            UserError: There is none yet.
        """
        known = self._current()
        if not known.info.result_files:
            text = f"The job {self.id} has no result file: it is {known.info.status}."
            raise UserError(text, hint="job.metrics has what is known so far.")

        async def read() -> pd.DataFrame:
            return metric_frame(await read_results(self.client, known.info.result_files[0]))

        return run_blocking(read())
