"""A run that is shown while it goes on: the one way in which cells and chats run an agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.notebook.approving import apply
from agentkit.notebook.cell_wait import Work
from agentkit.notebook.display.transcript import Transcript
from agentkit.notebook.settings import settings

if TYPE_CHECKING:
    from agentkit.models.retrying import RetryNotice
    from agentkit.notebook.approving import Approver
    from agentkit.notebook.display.view import View
    from agentkit.runtime import Agent, RunConfig, RunResultStreaming, RunState, StreamEvent

__all__ = ["Question", "ShownRun"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how."""

    agent: Agent[Any]
    """Who is asked."""
    input: str | list[Any] | RunState
    """The text, items in the Responses API's shape, or where a run rests that is to go on."""
    line: str = ""
    """The magic that goes on with the conversation: `%ask weather`, and the options that it needs for it."""
    context: Any = None
    """Object for the agent's tools."""
    max_turns: int | None = None
    """Model calls that the run may make."""
    config: RunConfig | None = None
    """Settings of the run."""
    session: Any = None  # a Session, or anything with its methods
    """The conversation that it is part of."""
    afresh: bool = False
    """Whether the conversation is to be forgotten first."""
    out: str | None = None
    """Name of the variable that gets the result."""
    as_json: bool = False
    """Whether the answer is to be shown as JSON, where it is some."""


class ShownRun(Work["RunResultStreaming"]):
    """A run, or several that go on from one another while calls are approved, shown in one view.

    Args:
        question: What is asked.
        view: Where it is shown.
        approver: Who decides on calls that need approval; the run rests at them when None.
    """

    def __init__(self, question: Question, view: View, *, approver: Approver | None = None) -> None:
        super().__init__()
        self._question = question
        self._view = view
        self._approver = approver
        self._retried = False
        self.transcript = Transcript()
        """What has been seen of it."""
        self.result: RunResultStreaming | None = None
        """The result, also of a run that goes on or has failed; None before it has begun."""

    async def _carry_out(self) -> RunResultStreaming:
        """Run to the end, or until it rests at calls that nobody decided on."""
        self._view.start()
        if self._question.afresh:
            await self._question.session.clear_session()
        result = await self._stream(self._question.input)
        while result.status == "waiting" and (state := await self._decided(result)) is not None:
            result = await self._stream(state)
        return result

    async def _stream(self, given: str | list[Any] | RunState) -> RunResultStreaming:
        from agentkit.runtime import Runner

        question, limits = self._question, settings().checked()
        self.result = Runner.run_streamed(
            question.agent,
            given,
            context=question.context,
            run_config=limits.limited(question.config),
            session=question.session,
            max_turns=question.max_turns or limits.max_turns,
        )
        self.result._run.on_retry = self._tell_of_retry
        if not self.transcript.steps:
            self.transcript.add_items(self.result.new_items)  # of a run that goes on: what it did before
            for step in self.transcript.steps:
                if step.state == "running":
                    self._view.step(step)
        async for event in self.result.stream_events():
            self._show(event)
        return self.result

    async def _decided(self, result: RunResultStreaming) -> RunState | None:
        """Return the state that goes on after somebody decided; None where nobody did."""
        if self._approver is None:
            return None
        items = result.interruptions
        for step in self.transcript.note_waiting(result):
            self._view.step(step)
        self._view.status(f"{result.last_agent.name} waits for you")
        decisions = await self._approver.decide(items)
        state = result.to_state()
        if not apply(state, items, decisions):
            return None
        decided = [item.call_id for item, decision in zip(items, decisions, strict=True) if decision is not None]
        for step in self.transcript.note_decided(decided):
            self._view.step(step)
        self._show_agent(result.last_agent)
        return state

    def _show(self, event: StreamEvent) -> None:
        if event.type == "agent_updated_stream_event":
            self._show_agent(event.new_agent)
            return
        if self._retried:
            self._retried = False
            self._show_agent(self.result.last_agent if self.result else self._question.agent)
        change = self.transcript.add_event(event)
        if change.answer_moved:
            self._view.clear_text()
        if change.text:
            self._view.text(change.text)
        for depth, step in change.inner:
            self._view.inner_step(step, depth)
        for step in change.steps:
            self._view.step(step)

    def _show_agent(self, agent: Agent[Any]) -> None:
        from agentkit.runtime.turn import output_schema_of

        self._view.status(f"{agent.name} is answering", schema=output_schema_of(agent))

    def _tell_of_retry(self, notice: RetryNotice) -> None:
        self._retried = True
        wait = f"{notice.delay_s:.0f} s" if notice.delay_s >= 1 else "a moment"
        failed = type(notice.error).__name__
        text = f"{failed}: the model is asked again in {wait} (retry {notice.attempt} of {notice.max_retries})"
        self._view.notice(text)
