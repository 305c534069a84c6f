"""What a run returns, and a streamed run while it goes on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_origin

from agentkit.exceptions import UserError
from agentkit.models import ModelResponse, TResponseInputItem
from agentkit.runtime.items import ItemHelpers, RunItem
from agentkit.runtime.loop import run_loop
from agentkit.runtime.progress import RunProgress, RunStatus
from agentkit.runtime.stream_events import StreamEvent
from agentkit.tools import RunContextWrapper
from agentkit.usage import Usage

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["RunResult", "RunResultBase", "RunResultStreaming"]

T = TypeVar("T")


class RunResultBase:
    """What is known of a run: all of it is a view of the run's one ledger."""

    def __init__(self, run: RunProgress) -> None:
        self._run = run

    @property
    def input(self) -> str | list[TResponseInputItem]:
        """The input that the run was given."""
        return self._run.input

    @property
    def new_items(self) -> list[RunItem]:
        """What the run added: messages, calls, outputs, handoffs, in their order."""
        return list(self._run.items())

    @property
    def raw_responses(self) -> list[ModelResponse]:
        """The model's answers, one for each turn."""
        return list(self._run.responses)

    @property
    def final_output(self) -> Any:
        """The last agent's answer, of its output type; None while there is none."""
        return self._run.final_output

    @property
    def last_agent(self) -> Agent[Any]:
        """The agent that ran last. Often the one to give the next message to."""
        return self._run.agent

    @property
    def context_wrapper(self) -> RunContextWrapper[Any]:
        """The run's context, with its usage."""
        return self._run.context

    @property
    def usage(self) -> Usage:
        """Tokens used by the run, all model calls added up."""
        return self._run.context.usage

    @property
    def status(self) -> RunStatus:
        """How the run ended, or "running"."""
        return self._run.status

    @property
    def trace_id(self) -> str | None:
        """Id of the run's trace; None where it left none."""
        return None if self._run.trace is None else self._run.trace.trace_id

    @property
    def last_response_id(self) -> str | None:
        """The platform's id for the last answer, where it has one."""
        return self._run.responses[-1].response_id if self._run.responses else None

    @property
    def text(self) -> str:
        """What the models said, all messages joined; of a stopped run, as far as it came."""
        return ItemHelpers.text_message_outputs(self._run.items())

    def final_output_as(self, cls: type[T], raise_if_incorrect_type: bool = False) -> T:
        """Return the final output, typed as `cls` for the type checker.

        Args:
            cls: The type it is to have.
            raise_if_incorrect_type: Whether to check that it has.

        Raises:
            TypeError: It is checked, and it hasn't.
        """
        kind = get_origin(cls) or cls
        if raise_if_incorrect_type and not isinstance(self.final_output, kind):
            raise TypeError(f"The final output is a {type(self.final_output).__name__}, not a {kind.__name__}.")
        output: T = self.final_output
        return output

    def to_input_list(self) -> list[TResponseInputItem]:
        """Return the whole conversation, input and what the run added, as input for another run."""
        return [dict(item) for item in self._run.ledger.history]

    def _summary(self) -> str:
        return f"{self.status}, {self.last_agent.name!r}, turn {self._run.turn}, {self.final_output!r:.200}"


class RunResult(RunResultBase):
    """A finished run."""

    def __repr__(self) -> str:
        return f"RunResult({self._summary()})"


class RunResultStreaming(RunResultBase):
    """A run under way. It goes on by itself; `stream_events` shows what happens in it.

    Made by `Runner.run_streamed`, in a running event loop.
    """

    def __init__(self, run: RunProgress) -> None:
        super().__init__(run)
        self._events: deque[StreamEvent] = deque()
        self._news = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._drive())
        self._task.add_done_callback(self._ended)

    @property
    def current_agent(self) -> Agent[Any]:
        """The agent whose turn it is."""
        return self._run.agent

    @property
    def current_turn(self) -> int:
        """Number of the model call under way, from 1."""
        return self._run.turn

    @property
    def max_turns(self) -> int | None:
        """Model calls that the run may make."""
        return self._run.max_turns

    @property
    def is_complete(self) -> bool:
        """Whether the run is over, however it ended."""
        return self._task.done()

    @property
    def run_loop_exception(self) -> BaseException | None:
        """What ended the run, if it failed."""
        return self._task.exception() if self._task.done() and not self._task.cancelled() else None

    async def stream_events(self) -> AsyncGenerator[StreamEvent]:
        """Yield what happens in the run, as it happens. Leaving the iteration early stops the run.

        Raises:
            AgentsException: The run failed; `run_data` holds the result so far.
        """
        try:
            while True:
                while self._events:
                    yield self._events.popleft()
                if self._task.done():
                    break
                self._news.clear()
                await self._news.wait()
        finally:
            if not self._task.done():
                self._task.cancel()
                await asyncio.wait({self._task})
        if (error := self.run_loop_exception) is not None:
            raise error

    def cancel(self, mode: Literal["immediate"] = "immediate") -> None:
        """Stop the run. What it had done stays in the result, and what was under way is cancelled.

        Raises:
            UserError: `mode` is something else than "immediate".
        """
        if mode != "immediate":
            raise UserError(f"A run can't be cancelled in the mode {mode!r}.", hint='Only "immediate" is there yet.')
        self._task.cancel()

    async def _drive(self) -> None:
        async with aclosing(run_loop(self._run)) as batches:
            async for batch in batches:
                if batch:
                    self._events.extend(batch)
                    self._news.set()
                    if batch[0].type != "raw_response_event":
                        await asyncio.sleep(
                            0
                        )  # who watches sees the call before the tool runs, even one that never waits

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._run.status == "running":  # stopped before its first step
            self._run.status = "cancelled" if task.cancelled() else "error"
        if not task.cancelled():
            task.exception()  # seen: stream_events raises it, and asyncio need not complain when nobody iterates
        self._news.set()

    def __repr__(self) -> str:
        return f"RunResultStreaming({self._summary()})"
