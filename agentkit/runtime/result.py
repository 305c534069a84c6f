"""What a run returns, and a streamed run while it goes on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin

from typing_extensions import is_typeddict

from agentkit._repr import brief, fields_repr
from agentkit.exceptions import UserError
from agentkit.models import ModelResponse, TResponseInputItem
from agentkit.runtime.citations import Citation, citations_in
from agentkit.runtime.guardrails import InputGuardrailResult, OutputGuardrailResult
from agentkit.runtime.items import ItemHelpers, RunItem, ToolApprovalItem
from agentkit.runtime.loop import run_loop
from agentkit.runtime.partial import PartialAnswer
from agentkit.runtime.progress import RunProgress, RunStatus
from agentkit.runtime.run_state import RunState
from agentkit.runtime.stopping import stop_all
from agentkit.runtime.stream_events import StreamEvent
from agentkit.tooling import RunContextWrapper, ToolInputGuardrailResult, ToolOutputGuardrailResult
from agentkit.usage import Usage

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.models.retrying import RetryNotice
    from agentkit.runtime.agent import Agent

__all__ = ["AgentToolInvocation", "RunErrorDetails", "RunResult", "RunResultBase", "RunResultStreaming"]

T = TypeVar("T")


class RunResultBase:
    """What is known of a run: all of it is a view of the run's one ledger."""

    def __init__(self, run: RunProgress) -> None:
        self._run = run

    @property
    def input(self) -> str | list[TResponseInputItem]:
        """The input that the run was given, after the earlier items of its session."""
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
    def interruptions(self) -> list[ToolApprovalItem]:
        """Calls that wait for approval. `to_state()`, `approve` or `reject`, and `Runner.run` go on from there."""
        return list(self._run.waiting)

    @property
    def input_guardrail_results(self) -> list[InputGuardrailResult]:
        """What the guardrails found in the input."""
        return list(self._run.input_guardrail_results)

    @property
    def output_guardrail_results(self) -> list[OutputGuardrailResult]:
        """What the guardrails found in the final output."""
        return list(self._run.output_guardrail_results)

    @property
    def tool_input_guardrail_results(self) -> list[ToolInputGuardrailResult]:
        """What tools' guardrails found in calls."""
        return list(self._run.tool_input_guardrail_results)

    @property
    def tool_output_guardrail_results(self) -> list[ToolOutputGuardrailResult]:
        """What tools' guardrails found in outputs."""
        return list(self._run.tool_output_guardrail_results)

    @property
    def context_wrapper(self) -> RunContextWrapper[Any]:
        """The run's context, with its usage."""
        return self._run.context

    @property
    def usage(self) -> Usage:
        """Tokens used by the run, all model calls added up."""
        return self._run.context.usage

    @property
    def cost_usd(self) -> float | None:
        """What the run costs at list price, in US dollars; None where the price of a model isn't known."""
        return self.usage.cost_usd

    def costs(self, by: Literal["agent", "model"] | None = None) -> pd.DataFrame:
        """Return tokens and cost of the run as a dataframe.

        Args:
            by: "agent" or "model" for a row each; both together when None.

        Returns:
            Columns `agent` and `model` (those asked for), `requests`, `input_tokens`, `cached_tokens`,
            `output_tokens`, `reasoning_tokens`, `total_tokens` (int64) and `cost_usd` (float64, NaN where unknown).
        """
        from agentkit.runtime.costs import costs_frame

        return costs_frame(self.usage.request_usage_entries, by)

    @property
    def citations(self) -> list[Citation]:
        """What the answers rest on: the files and pages that they name, numbered, in the order in which they stand.

        A file's passage is in `quote` where the answer holds what the search found: with a vector store among the
        tools, or `FileSearchTool(…, include_search_results=True)`.
        """
        return citations_in(item.raw for item in self._run.items())

    @property
    def retries(self) -> list[RetryNotice]:
        """Model calls that failed and were made again, with what went wrong."""
        return list(self._run.retries)

    @property
    def inner_results(self) -> dict[str, RunResultBase]:
        """Results of agents that were called as tools, by the id of the call."""
        return dict(self._run.inner.results)

    @property
    def status(self) -> RunStatus:
        """How the run ended, or "running"."""
        return self._run.status

    @property
    def trace_id(self) -> str | None:
        """Id of the run's trace; None where it left none."""
        return None if self._run.trace is None else self._run.trace.trace_id

    @property
    def trace_include_sensitive_data(self) -> bool:
        """Whether what was said may be kept in the trace, and with ratings: as the run's `RunConfig` says."""
        return self._run.config.trace_include_sensitive_data

    @property
    def session_id(self) -> str | None:
        """Id of the session that the run is part of; None without one."""
        return getattr(self._run.options.session, "session_id", None)

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
        if raise_if_incorrect_type and not isinstance(self.final_output, _classes(cls)):
            name = getattr(cls, "__name__", None) or str(cls)
            raise TypeError(f"The final output is a {type(self.final_output).__name__}, not a {name}.")
        output: T = self.final_output
        return output

    def to_input_list(
        self, *, mode: Literal["preserve_all", "normalized"] = "preserve_all"
    ) -> list[TResponseInputItem]:
        """Return the conversation as input for another run.

        Args:
            mode: "preserve_all" for the input and all that the run added; "normalized" for what the model would see
                next, which an input filter of a handoff may have made something else of.
        """
        if mode not in ("preserve_all", "normalized"):
            raise UserError(f"to_input_list has no mode {mode!r}.", hint='Use "preserve_all" or "normalized".')
        items = self._run.ledger.all_items() if mode == "preserve_all" else self._run.ledger.history
        return [dict(item) for item in items]

    def to_state(self) -> RunState:
        """Return where the run rests, to go on from it: `Runner.run(agent, state)`.

        That is after calls that wait for approval, after `max_turns`, a spent budget or a cancelled run.

        Raises:
            UserError: The run is still going on.
        """
        if self._run.status == "running":
            raise UserError("The run is still going on.", hint="Iterate over stream_events() to its end first.")
        return RunState.of(self._run)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._summary()})"

    def _summary(self) -> str:
        return f"{self.status}, {self.last_agent.name!r}, turn {self._run.turn}, {brief(self.final_output, 200)}"


@dataclass(frozen=True)
class AgentToolInvocation:
    """The call that an agent used as a tool ran for."""

    __repr__ = fields_repr

    tool_name: str
    """Name of the tool."""
    tool_call_id: str
    """Id of the call."""
    tool_arguments: str
    """The arguments as the model sent them: JSON text."""


class RunResult(RunResultBase):
    """A finished run."""

    agent_tool_invocation: AgentToolInvocation | None = None
    """The call that it ran for, where the agent was used as a tool."""


class RunErrorDetails(RunResult):
    """What a run had done when it was stopped: an exception's `run_data`."""


class RunResultStreaming(RunResultBase):
    """A run under way. It goes on by itself; `stream_events` shows what happens in it.

    Made by `Runner.run_streamed`, in a running event loop.
    """

    def __init__(self, run: RunProgress) -> None:
        super().__init__(run)
        self._events: deque[StreamEvent] = deque()
        self._answer = PartialAnswer(run.agent)
        self._peeked = 0  # how many of the events the answer has seen before they were given out
        self._is_watched = False
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
        return self._run.options.max_turns

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
        self._is_watched = True
        try:
            while True:
                while self._events:
                    event = self._events.popleft()
                    if self._peeked:
                        self._peeked -= 1
                    else:
                        self._answer.see(event)
                    yield event
                if self._task.done():
                    break
                self._news.clear()
                await self._news.wait()
        finally:
            await stop_all([self._task])
            self._answer.settle(keep=self._run.status != "completed")
        if (error := self.run_loop_exception) is not None:
            raise error

    def partial(self) -> Any:
        """Return what has come of the answer and is valid, as far as `stream_events` has shown it.

        Where nobody iterates over that, as far as the model has come. Of a pydantic model, dataclass or TypedDict a
        `Partial`, with the fields that have come; of a list a list, whose last item may be a `Partial`; of text, the
        text. What is complete in it is as it will be in the answer: numbers, dates and the like are there once they are
        complete, objects are checked and of their own class. Once the run is over it is `final_output`; of a run
        that was stopped, what had come. None while there is nothing, and for what a guardrail has stopped.

        Can be called in any thread, and as often as you like: each piece of the answer is read once.
        """
        run = self._run
        if run.status == "guardrail":
            return None
        if not self._is_watched:
            self._look_ahead()
        if run.status == "completed" and (not self._is_watched or not self._events):
            return run.final_output
        return self._answer.value()

    def _look_ahead(self) -> None:
        while self._peeked < len(self._events):
            self._answer.see(self._events[self._peeked])
            self._peeked += 1

    def cancel(self, mode: Literal["immediate", "after_turn"] = "immediate") -> None:
        """Stop the run. What it had done stays in the result.

        Args:
            mode: "immediate" to cancel what is under way, and to drop what of the model's raw events is still to be
                read; "after_turn" to let the model's answer and its tool calls come to their end first, and to save
                them to the session.

        Raises:
            UserError: There is no such mode.
        """
        if mode not in ("immediate", "after_turn"):
            hint = 'Use "immediate" or "after_turn".'
            raise UserError(f"A run can't be cancelled in the mode {mode!r}.", hint=hint)
        if mode == "after_turn":
            self._run.stop_after_turn = True
            return
        self._task.cancel()
        if not self._is_watched:
            self._look_ahead()
        said = [event for event in self._events if event.type != "raw_response_event"]
        self._events.clear()  # of a fast model all may have come: nobody wants to read on
        self._events.extend(said)
        self._peeked = min(self._peeked, len(said))

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


def _classes(kind: Any) -> tuple[type, ...]:
    """Return the classes that a type is made of, for `isinstance`: of a union all, of `list[str]` list."""
    if get_origin(kind) in (Union, UnionType):
        return tuple(each for member in get_args(kind) for each in _classes(member))
    kind = get_origin(kind) or kind
    if kind is None:
        return (type(None),)
    return (dict,) if is_typeddict(kind) else (kind,)
