"""One run of an agent for each row of a dataframe: a few at a time, each kept as soon as it is over."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.runtime.agent import Agent
from agentkit.runtime.batch.budget import Budget
from agentkit.runtime.batch.checkpoint import Checkpoint
from agentkit.runtime.batch.columns import columns_of, result_frame
from agentkit.runtime.batch.options import BatchOptions
from agentkit.runtime.batch.outcome import BatchProgress, Outcome
from agentkit.runtime.batch.place import place_of
from agentkit.runtime.batch.plan import Plan
from agentkit.runtime.batch.row import RowRunner, refuses_all
from agentkit.runtime.batch.tally import Tally
from agentkit.runtime.run_config import RunConfig
from agentkit.runtime.stopping import stop_all
from agentkit.tooling.callers_thread import spare_lent_thread

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Batch"]

_NOT_BEGUN = "Stopped before it was asked."


class Batch:
    """One run of an agent for each row. `run()` does it; `result()` gives what there is, also after a stop.

    Args:
        agent: Who is asked.
        data: The rows: a DataFrame, a Series, dicts, or plain values.
        template: What each asks, with places such as `{{text}}` for columns.
        options: How it is to go.
        on_progress: Called in the event loop's thread whenever a row begins or is over.

    Raises:
        UserError: Something can't be used. Nothing has been asked.
    """

    def __init__(
        self,
        agent: Agent[Any],
        data: Any,
        template: str,
        options: BatchOptions | None = None,
        *,
        on_progress: Callable[[BatchProgress], object] | None = None,
    ) -> None:
        if not isinstance(agent, Agent):
            raise UserError(f"A batch needs an Agent, not {type(agent).__name__} {agent!r:.60}.")
        self.agent = agent
        self.options = options or BatchOptions()
        self.config = self.options.run_config or RunConfig()
        self.columns = columns_of(agent.output_type)
        self.batch_id = ""
        """Set when it runs; the `group_id` of its traces."""
        self._plan = Plan.of(data, template, self.options)
        self._on_progress = on_progress
        self._checkpoint: Checkpoint | None = None
        self._todo: deque[int] = deque()
        self._budget = Budget(self.options.budget_usd, self.options.budget_tokens)
        self._rows = RowRunner(agent, self.options)
        self._tally = Tally(len(self._plan.prompts))
        for index, prompt in enumerate(self._plan.prompts):
            if prompt.problem:
                self._tally.note(index, Outcome("skipped" if prompt.skipped else "failed", error=prompt.problem))

    # -- looking at it ------------------------------------------------------------------------------------------------

    @property
    def frame(self) -> pd.DataFrame:
        """The rows."""
        return self._plan.frame

    @property
    def outcomes(self) -> list[Outcome | None]:
        """What came of each row so far; None where nothing has."""
        return self._tally.outcomes

    @property
    def is_kept(self) -> bool:
        """Whether its finished rows are kept for a later run."""
        return self._checkpoint is not None and self._checkpoint.is_kept

    @property
    def progress(self) -> BatchProgress:
        """How far it has come."""
        return self._tally.progress()

    def result(self) -> pd.DataFrame:
        """Return the rows with their answers, and what is known of the runs; see `run_over`."""
        outcomes = [outcome or Outcome("cancelled", error=_NOT_BEGUN) for outcome in self.outcomes]
        result, names = result_frame(self.frame, outcomes, self.columns)
        counts = Counter(outcome.status for outcome in outcomes)
        result.attrs.update(
            batch_id=self.batch_id,
            batch={
                "agent": self.agent.name,
                "rows": len(outcomes),
                **{status: counts[status] for status in ("ok", "failed", "waiting", "skipped", "cancelled")},
                "reused": self.progress.reused,
                "columns": names,
            },
        )
        return result

    # -- running it ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Ask for every row that has no answer yet. A row's failure is noted, and stops no other.

        Raises:
            UserError: The batch can't begin: rows can't be kept, or there is a budget and no price.
            AgentsException: The platform refuses every request: nothing answers, the key is wrong, the model unknown.
            asyncio.CancelledError: It was stopped. What was finished is kept.
        """
        self._tally.begin()
        if self.config.model is None and self.agent.model is None:
            await self.config.model_provider.prepare()
        self._budget.check_price(self.agent, self.config)
        self._checkpoint = checkpoint = self._open()
        self._go_on_from(checkpoint)
        try:
            self._tell()
            count = min(self.options.concurrency, len(self._todo))
            workers = [asyncio.create_task(self._work(checkpoint)) for _ in range(count)]
            try:
                if workers:
                    await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            finally:
                await stop_all(workers)
            for worker in workers:
                if not worker.cancelled() and (error := worker.exception()) is not None:
                    raise error
            while self._todo:  # the budget didn't suffice for them
                self._tally.note(self._todo.popleft(), Outcome("skipped", error=self._budget.spent_text()))
        finally:
            checkpoint.close()
            self._tell()

    def _open(self) -> Checkpoint:
        """Find out which batch this is, and where its finished rows are kept."""
        options = self.options
        place = place_of(options.name)
        self.batch_id = self._plan.batch_id(place, self.agent, self.config)
        kept_at = place if options.resume else None
        checkpoint = Checkpoint(self.batch_id, kept_at, agent=self.agent.name, afresh=options.afresh)
        self.config = replace(self.config, group_id=self.config.group_id or self.batch_id)
        return checkpoint

    def _go_on_from(self, checkpoint: Checkpoint) -> None:
        """Take over what earlier runs have finished and spent, and note what is left to do."""
        self._budget.spent = checkpoint.spent
        for index, key in enumerate(self._plan.keys):
            if self.outcomes[index] is not None:
                continue
            if (known := checkpoint.finished.get(key)) is None:
                self._todo.append(index)
            else:
                self._tally.note(index, replace(known, reused=True))

    async def _work(self, checkpoint: Checkpoint) -> None:
        spare_lent_thread()
        while self._todo and not self._budget.is_spent:
            index = self._todo.popleft()
            self._tally.running += 1
            self._tell()
            try:
                await self._ask(index, checkpoint)
            finally:
                self._tally.running -= 1
            self._tell()
            await asyncio.sleep(0)  # a model that never waits would keep everybody else from running

    async def _ask(self, index: int, checkpoint: Checkpoint) -> None:
        """Run the agent for one row, and keep what comes of it.

        Raises:
            AgentsException: The platform refuses every request.
            asyncio.CancelledError: The batch was stopped.
        """
        outcome, error = await self._rows.ask(self._plan.prompts[index].text, self._limited)
        if error is not None and outcome.status == "failed" and not self._tally.has_answers and refuses_all(error):
            self._todo.appendleft(index)
            raise error
        self._budget.spent = self._budget.spent.plus(outcome)
        checkpoint.keep(self._plan.keys[index], outcome)
        self._tally.note(index, outcome)
        if outcome.status == "cancelled" and error is not None:
            raise error

    def _limited(self) -> RunConfig:
        return self._budget.limited(self.config)

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.progress)
