"""`agentkit.FineTuningJob`: a training on whatever platform is connected."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

from agentkit._called_as import called_as
from agentkit._repr import brief
from agentkit.exceptions import ModelServerError, UserError
from agentkit.files.checks import check_listener, check_switch
from agentkit.finetuning import asking
from agentkit.finetuning.following import Known, Pace
from agentkit.finetuning.job_base import JobBase
from agentkit.finetuning.outcomes import delete_job, failure_of, model_of, what_would_go
from agentkit.finetuning.snapshot import JobSnapshot
from agentkit.runtime.background import run_blocking

__all__ = ["FineTuningJob"]


class FineTuningJob(JobBase):
    """A training: how far it is, its curves, and the models that come of it.

    `agentkit.finetune` starts one, and `agentkit.finetuning_job` finds it again: it goes on when the kernel is gone.
    Properties tell what was known when it was last looked at; `refresh` looks anew, and so do `metrics`, `events` and
    `checkpoints` while it isn't over.
    """

    # -- waiting ---------------------------------------------------------------------------------------------------

    @called_as("job.wait")
    def wait(
        self, *, timeout_s: float | None = None, on_progress: Callable[[JobSnapshot], object] | None = None
    ) -> FineTuningJob:
        """Wait until it is over or paused, and return it. It goes on where the waiting is interrupted.

        Args:
            timeout_s: Seconds to wait at most.
            on_progress: Told of each change, in the calling thread.

        Raises:
            FineTuningError: It failed.
            TimeoutError: It takes longer.
            UserError: An argument makes no sense.
        """
        from agentkit.files.relay import run_told
        from agentkit.finetuning.progress import waiting_for

        check_listener(on_progress, "JobSnapshot")
        with waiting_for(self.id, on_progress) as listener:
            return run_told(lambda told: self.wait_async(timeout_s=timeout_s, on_progress=told), listener)  # type: ignore[no-any-return]

    @called_as("job.wait_async")
    async def wait_async(
        self, *, timeout_s: float | None = None, on_progress: Callable[[JobSnapshot], object] | None = None
    ) -> FineTuningJob:
        """Wait until it is over or paused, for async code. Arguments and errors as for `wait`."""
        limit = _checked_timeout(timeout_s)
        if self.is_over:
            limit = None  # one look, and no waiting
        check_listener(on_progress, "JobSnapshot")
        try:
            async with asyncio.timeout(limit) as patience:
                async for snapshot in self.watch():
                    if on_progress is not None:
                        on_progress(snapshot)
        except TimeoutError:
            if not patience.expired():  # it is the listener's
                raise
            text = f"The job {self.id} is {self.status} after {limit:g} s of waiting. It goes on."
            raise TimeoutError(text) from None
        if self.status == "failed":
            raise failure_of(self)
        return self

    async def watch(self) -> AsyncIterator[JobSnapshot]:
        """Go through what becomes of it: as it is now, and again whenever something has changed, until it is over.

        It also ends when the job is paused. Looks are rare while nothing happens.
        """
        pace = Pace(near=self._backend.name == "embedded")
        before: Known | None = None
        while True:
            try:
                await self.arefresh()
                pace.answered()
            except ModelServerError as error:
                if not pace.bears(error):
                    raise
            known = self._known
            moved = before is None or (before.info, len(before.events)) != (known.info, len(known.events))
            if moved:
                yield self.snapshot()
            if known.info.is_over or known.info.status == "paused":
                return
            before = known
            await asyncio.sleep(pace.next_s(moved=moved))

    # -- acting ----------------------------------------------------------------------------------------------------

    def cancel(self) -> FineTuningJob:
        """End it, and return it. Checkpoints that there are stay.

        Raises:
            UserError: It is over already.
        """
        return run_blocking(self.acancel())

    async def acancel(self) -> FineTuningJob:
        """End it, for async code. Errors as for `cancel`."""
        return await self._act("cancel")

    def pause(self) -> FineTuningJob:
        """Let it rest after the step that it is at, and return it. `resume` lets it go on where it was.

        Raises:
            UserError: It can't be paused in its status.
        """
        return run_blocking(self.apause())

    async def apause(self) -> FineTuningJob:
        """Let it rest, for async code. Errors as for `pause`."""
        return await self._act("pause")

    def resume(self) -> FineTuningJob:
        """Let it go on, and return it.

        Raises:
            UserError: It isn't paused.
        """
        return run_blocking(self.aresume())

    async def aresume(self) -> FineTuningJob:
        """Let it go on, for async code. Errors as for `resume`."""
        return await self._act("resume")

    async def _act(self, action: Literal["cancel", "pause", "resume"]) -> FineTuningJob:
        await asking.acted(self.client, self.id, action)
        return await self.arefresh()

    @called_as("job.use")
    def use(self, checkpoint: int | Literal["best", "last"] | None = None) -> str:
        """Return the name of a model that came of it, for `Agent(model=…)`.

        Args:
            checkpoint: None for the model at the end; the step of a checkpoint; "best" for the checkpoint with the
                lowest loss on the validation data, which is the last one without such data; or "last".

        Raises:
            UserError: There is no such model (yet).
        """
        return model_of(self._current(), checkpoint)

    @called_as("job.delete")
    def delete(self, *, confirm: bool = False) -> None:
        """Delete the models that came of it; on the embedded platform the job, too. Its files of examples stay.

        Args:
            confirm: That this is meant: they can't be had again.

        Raises:
            UserError: It isn't confirmed, which tells what would go; or it isn't over.
        """
        check_switch("confirm", confirm)
        run_blocking(self.adelete(confirm=confirm))

    async def adelete(self, *, confirm: bool = False) -> None:
        """Delete the models that came of it, for async code. Arguments and errors as for `delete`."""
        check_switch("confirm", confirm)
        await self.arefresh()
        if not confirm:
            gone = what_would_go(self._known, self._backend.name)
            raise UserError(f"Nothing was deleted. This would go: {gone}.", hint="job.delete(confirm=True) deletes it.")
        await delete_job(self.client, self._known, self._backend.name)


def _checked_timeout(given: Any) -> float | None:
    """Return how long to wait at most, in seconds; None for as long as it takes.

    Raises:
        UserError: It is no such number.
    """
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or math.isnan(given) or given < 0:
        raise UserError(f"timeout_s is a number of seconds, not {brief(given)}.", hint="None waits until it is over.")
    return float(given)
