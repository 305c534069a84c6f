"""One run of an agent for each row of a dataframe: a few at a time, each kept as soon as it is over."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import NoBackendError, UnknownModelError, UserError
from agentkit.models import Model
from agentkit.pricing import price_of
from agentkit.runtime.agent import Agent
from agentkit.runtime.batch.columns import answer_json, as_frame, columns_of, result_frame
from agentkit.runtime.batch.fingerprint import fingerprint
from agentkit.runtime.batch.outcome import BatchProgress, Outcome, RowStatus
from agentkit.runtime.batch.place import PROCESS, place_of
from agentkit.runtime.batch.prompts import Missing, fill_rows
from agentkit.runtime.batch.store import BatchStore, FileStore, MemoryStore, RowKey, Spent, batches_file
from agentkit.runtime.loop import run_loop
from agentkit.runtime.run import new_run
from agentkit.runtime.run_config import DEFAULT_MAX_TURNS, RunConfig
from agentkit.runtime.run_state import RunState
from agentkit.runtime.stopping import stop_all
from agentkit.tools.callers_thread import spare_lent_thread
from agentkit.tracing.redaction import Redactor

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.runtime.hooks import RunHooks
    from agentkit.runtime.progress import RunProgress

__all__ = ["DEFAULT_CONCURRENCY", "Batch", "BatchOptions"]

DEFAULT_CONCURRENCY = 8
"""Rows that are asked at the same time unless told otherwise."""

_REFUSED = (401, 403)
_NOT_BEGUN = "Stopped before it was asked."
_in_memory = MemoryStore()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How a batch is to go. `run_over` says what each means."""

    context: Any = None
    """Object for the agent's tools, the same in all runs."""
    run_config: RunConfig | None = None
    """Settings of each run."""
    max_turns: int | None = DEFAULT_MAX_TURNS
    """Model calls that a row's run may make."""
    hooks: RunHooks[Any] | None = None
    """Called at the events of each run."""
    concurrency: int = DEFAULT_CONCURRENCY
    """Rows that are asked at the same time."""
    budget_usd: float | None = None
    """Dollars that the batch may cost, in all its runs."""
    budget_tokens: int | None = None
    """Tokens that it may use, likewise."""
    missing: Missing = "empty"
    """What becomes of rows in which a value is missing."""
    variables: Mapping[str, Any] = field(default_factory=dict)
    """What places of the template may name besides columns."""
    approve: bool | None = None
    """Whether calls that need approval are approved; None leaves such rows waiting."""
    name: str | None = None
    """What finished rows are kept under; the notebook's or script's file when None."""
    resume: bool = True
    """Whether finished rows are kept, and taken from an earlier run of the batch."""
    afresh: bool = False
    """Whether the rows of earlier runs are forgotten first."""

    def __post_init__(self) -> None:
        _check_count("concurrency", self.concurrency)
        for name in ("budget_usd", "budget_tokens"):
            limit = getattr(self, name)
            if limit is not None and (isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit < 0):
                raise UserError(f"{name} has to be a number of 0 or more, not {limit!r}.")
        if self.missing not in ("empty", "skip", "fail"):
            raise UserError(f"missing can't be {self.missing!r}.", hint='Use "empty", "skip" or "fail".')


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UserError(f"{name} has to be a whole number of 1 or more, not {value!r}.")


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
        if not isinstance(template, str):
            raise UserError(f"A batch needs a text to ask, not {type(template).__name__} {template!r:.60}.")
        self.agent = agent
        self.frame = as_frame(data)
        self.template = template.strip()
        self.options = options or BatchOptions()
        self.config = self.options.run_config or RunConfig()
        self.columns = columns_of(agent.output_type)
        self.batch_id = ""
        """Set when it runs; the `group_id` of its traces."""
        self.outcomes: list[Outcome | None] = []
        """What came of each row so far; None where nothing has."""
        self._prompts = fill_rows(self.template, self.frame, self.options.variables, self.options.missing)
        self._keys = _row_keys([prompt.text for prompt in self._prompts])
        self._on_progress = on_progress
        self._store: BatchStore | None = None
        self._todo: deque[int] = deque()
        self._counts: Counter[RowStatus] = Counter()
        self._running = self._reused = self._sent = self._received = 0
        self._cost_usd = 0.0
        self._last_error = ""
        self._spent = Spent()
        self._clean = Redactor().clean
        self._began = time.monotonic()
        for prompt in self._prompts:
            self.outcomes.append(None)
            if prompt.problem:
                self._note(
                    len(self.outcomes) - 1, Outcome("skipped" if prompt.skipped else "failed", error=prompt.problem)
                )

    # -- looking at it ------------------------------------------------------------------------------------------------

    @property
    def is_kept(self) -> bool:
        """Whether its finished rows are kept for a later run."""
        return self._store is not None

    @property
    def progress(self) -> BatchProgress:
        """How far it has come."""
        counts = self._counts
        return BatchProgress(
            rows=len(self.outcomes),
            ok=counts["ok"],
            failed=counts["failed"] + counts["waiting"],
            skipped=counts["skipped"],
            running=self._running,
            reused=self._reused,
            input_tokens=self._sent,
            output_tokens=self._received,
            cost_usd=self._cost_usd,
            elapsed_s=time.monotonic() - self._began,
            last_error=self._last_error,
        )

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
                "reused": self._reused,
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
        self._began = time.monotonic()
        if self.config.model is None and self.agent.model is None:
            await self.config.model_provider.prepare()
        self._check_price()
        self._open()
        try:
            self._tell()
            workers = [asyncio.create_task(self._work()) for _ in range(min(self.options.concurrency, len(self._todo)))]
            try:
                if workers:
                    await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            finally:
                await stop_all(workers)
            for worker in workers:
                if not worker.cancelled() and (error := worker.exception()) is not None:
                    raise error
            self._skip_rest()
        finally:
            if self._store is not None:
                self._store.close()
            self._tell()

    def _check_price(self) -> None:
        """Refuse a budget in dollars where it can't be kept to, rather than let every row fail for it."""
        if self.options.budget_usd is None:
            return
        model = self.config.model if self.config.model is not None else self.agent.model
        if model is None:
            model = self.config.model_provider.get_model(None)
        name = getattr(model, "model", None) if isinstance(model, Model) else model
        if price_of(name) is None:
            raise UserError(
                f"The batch has a budget in dollars, but the price of model {name!r} isn't known.",
                hint=f"Say it with agentkit.set_price({name!r}, input=…, output=…), or use a budget in tokens.",
            )

    def _open(self) -> None:
        """Find what earlier runs of the batch have finished, and what is left to do."""
        options = self.options
        place = place_of(options.name)
        identity = "\x00".join((place or "", fingerprint(self.agent, self.config), self.template))
        self.batch_id = f"batch_{hashlib.sha256(identity.encode(errors='replace')).hexdigest()[:32]}"
        finished: dict[RowKey, Outcome] = {}
        if options.resume and place is not None:
            store: BatchStore = _in_memory if place == PROCESS else FileStore(batches_file())
            self._store = store
            begun = store.begin(self.batch_id, place=place, agent=self.agent.name, afresh=options.afresh)
            self._spent = begun
            finished = store.finished(self.batch_id)
        for index, key in enumerate(self._keys):
            if self.outcomes[index] is not None:
                continue
            if (known := finished.get(key)) is None:
                self._todo.append(index)
            else:
                self._reused += 1
                self._note(index, replace(known, reused=True))
        group = self.config.group_id or self.batch_id
        self.config = replace(self.config, group_id=group)

    async def _work(self) -> None:
        spare_lent_thread()
        while self._todo and not self._spent_all():
            index = self._todo.popleft()
            self._running += 1
            self._tell()
            try:
                await self._ask(index)
            finally:
                self._running -= 1
            self._tell()
            await asyncio.sleep(0)  # a model that never waits would keep everybody else from running

    async def _ask(self, index: int) -> None:
        """Run the agent for one row, and keep what comes of it.

        Raises:
            AgentsException: The platform refuses every request.
        """
        started = time.perf_counter()
        run = self._new_run(self._prompts[index].text)
        error: BaseException | None = None
        try:
            run = await self._carried_out(run)
        except asyncio.CancelledError as raised:
            task = asyncio.current_task()
            error = raised
            if task is not None and task.cancelling():
                self._keep(index, self._outcome(run, error, started, "cancelled"))
                raise
        except Exception as raised:  # whatever the user's tools, hooks and models raise
            error = raised
        if error is not None and self._counts["ok"] == self._reused and _refuses_all(error):
            self._todo.appendleft(index)
            raise error
        status: RowStatus = "ok" if run.status == "completed" else "waiting" if run.status == "waiting" else "failed"
        self._keep(index, self._outcome(run, error, started, "failed" if error is not None else status))

    def _new_run(self, given: str | RunState) -> RunProgress:
        options = self.options
        return new_run(
            self.agent,
            given,
            context=options.context,
            max_turns=options.max_turns,
            hooks=options.hooks,
            run_config=self._limited(),
        )

    def _limited(self) -> RunConfig:
        """Return the settings for a run that begins now: it may spend what is left for the batch, and no more."""
        config, options = self.config, self.options
        limits: dict[str, Any] = {}
        if options.budget_usd is not None:
            left = max(options.budget_usd - self._spent.usd, 0.0)
            limits["budget_usd"] = left if config.budget_usd is None else min(left, config.budget_usd)
        if options.budget_tokens is not None:
            tokens = max(options.budget_tokens - self._spent.tokens, 0)
            limits["budget_tokens"] = tokens if config.budget_tokens is None else min(tokens, config.budget_tokens)
        return replace(config, **limits) if limits else config

    async def _carried_out(self, run: RunProgress) -> RunProgress:
        """Carry a run out, and go on from calls that need approval as long as it is known what to do about them."""
        await _drained(run)
        while run.status == "waiting" and self.options.approve is not None:
            state = RunState.of(run)
            for item in state.get_interruptions():
                if self.options.approve:
                    state.approve(item)
                else:
                    state.reject(item)
            run = self._new_run(state)
            await _drained(run)
        return run

    def _outcome(self, run: RunProgress, error: BaseException | None, started: float, status: RowStatus) -> Outcome:
        usage = run.context.usage
        answer = answer_json(run.final_output, self._clean) if status == "ok" else None
        return Outcome(
            status,
            answer,
            self._clean(_said_of(run, error, status)) or None,
            None if run.trace is None else run.trace.trace_id,
            usage.input_tokens if usage.requests else None,
            usage.output_tokens if usage.requests else None,
            usage.cost_usd if usage.requests else None,
            time.perf_counter() - started,
        )

    # -- keeping count ------------------------------------------------------------------------------------------------

    def _keep(self, index: int, outcome: Outcome) -> None:
        self._spent = self._spent.plus(outcome)
        if self._store is not None:
            self._store.keep(self.batch_id, self._keys[index], outcome)
        self._note(index, outcome)

    def _note(self, index: int, outcome: Outcome) -> None:
        self.outcomes[index] = outcome
        self._counts[outcome.status] += 1
        self._sent += outcome.input_tokens or 0
        self._received += outcome.output_tokens or 0
        self._cost_usd += outcome.cost_usd or 0.0
        if outcome.status in ("failed", "waiting"):
            self._last_error = outcome.error or ""

    def _spent_all(self) -> bool:
        usd, tokens = self.options.budget_usd, self.options.budget_tokens
        return (usd is not None and self._spent.usd >= usd) or (tokens is not None and self._spent.tokens >= tokens)

    def _skip_rest(self) -> None:
        """Note the rows that the budget didn't suffice for."""
        usd, tokens = self.options.budget_usd, self.options.budget_tokens
        if usd is not None and self._spent.usd >= usd:
            said = f"Not asked: the batch has spent ${self._spent.usd:.4f} of ${usd:.4f}."
        else:
            said = f"Not asked: the batch has used {self._spent.tokens:,} of {tokens or 0:,} tokens."
        while self._todo:
            self._note(self._todo.popleft(), Outcome("skipped", error=said))

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.progress)


def _row_keys(prompts: list[str]) -> list[RowKey]:
    """Return what tells rows apart: the text, and how many before it are the same."""
    seen: Counter[str] = Counter()
    keys = []
    for text in prompts:
        keys.append((hashlib.sha256(text.encode(errors="replace")).digest(), seen[text]))
        seen[text] += 1
    return keys


async def _drained(run: RunProgress) -> None:
    async with aclosing(run_loop(run)) as batches:
        async for _ in batches:
            pass


def _refuses_all(error: BaseException) -> bool:
    """Return whether an error says that no request will be answered, whatever it asks."""
    return isinstance(error, (NoBackendError, UnknownModelError)) or getattr(error, "status_code", None) in _REFUSED


def _said_of(run: RunProgress, error: BaseException | None, status: RowStatus) -> str:
    """Return why a row has no answer; "" where it has one."""
    if status == "ok":
        return ""
    if status == "cancelled":
        return "Stopped."
    if status == "waiting":
        return f"It waits for an approval of {', '.join(item.name or '?' for item in run.waiting)}."
    if error is None:
        return f"The run ended as {run.status!r}."
    return f"{type(error).__name__}: {str(error) or 'no message'}"
