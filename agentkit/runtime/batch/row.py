"""The run of an agent for one row, and what comes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import NoBackendError, UnknownModelError
from agentkit.runtime.batch.columns import answer_json
from agentkit.runtime.batch.outcome import Outcome, RowStatus
from agentkit.runtime.loop import run_loop
from agentkit.runtime.run import new_run
from agentkit.runtime.run_state import RunState
from agentkit.tracing.redaction import Redactor

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent
    from agentkit.runtime.batch.options import BatchOptions
    from agentkit.runtime.progress import RunProgress
    from agentkit.runtime.run_config import RunConfig

__all__ = ["RowRunner", "refuses_all"]

_REFUSED = (401, 403)


class RowRunner:
    """Runs an agent for rows.

    Args:
        agent: Who is asked.
        options: How.
    """

    def __init__(self, agent: Agent[Any], options: BatchOptions) -> None:
        self._agent = agent
        self._options = options
        self._clean = Redactor().clean

    async def ask(self, text: str, config: Callable[[], RunConfig]) -> tuple[Outcome, BaseException | None]:
        """Return what came of a row, and the error that it failed with.

        The status is "cancelled", and the error a CancelledError, where the task was cancelled meanwhile.

        Args:
            text: What is asked.
            config: Gives the settings for a run that begins now: the first, or one that goes on after approvals.
        """
        started = time.perf_counter()
        run = self._new_run(text, config())
        error: BaseException | None = None
        try:
            run = await self._carried_out(run, config)
        except asyncio.CancelledError as raised:
            error = raised
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                return self._outcome(run, error, started, "cancelled"), error
        except Exception as raised:  # whatever the user's tools, hooks and models raise
            error = raised
        status: RowStatus = "ok" if run.status == "completed" else "waiting" if run.status == "waiting" else "failed"
        return self._outcome(run, error, started, "failed" if error is not None else status), error

    def _new_run(self, given: str | RunState, config: RunConfig) -> RunProgress:
        options = self._options
        return new_run(
            self._agent,
            given,
            context=options.context,
            max_turns=options.max_turns,
            hooks=options.hooks,
            run_config=config,
        )

    async def _carried_out(self, run: RunProgress, config: Callable[[], RunConfig]) -> RunProgress:
        """Carry a run out, and go on from calls that need approval as long as it is known what to do about them."""
        await _drained(run)
        while run.status == "waiting" and self._options.approve is not None:
            state = RunState.of(run)
            for item in state.get_interruptions():
                if self._options.approve:
                    state.approve(item)
                else:
                    state.reject(item)
            run = self._new_run(state, config())
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


async def _drained(run: RunProgress) -> None:
    async with aclosing(run_loop(run)) as batches:
        async for _ in batches:
            pass


def refuses_all(error: BaseException) -> bool:
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
