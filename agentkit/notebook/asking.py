"""One run of an agent in a cell: started, shown, waited for, stopped, and what is left of it kept."""

from __future__ import annotations

import asyncio
import concurrent.futures
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.approvals import waiting_text
from agentkit.notebook.display.modes import RenderMode
from agentkit.notebook.display.publish import publish
from agentkit.notebook.display.run_view import ENDINGS, run_bundle
from agentkit.notebook.display.transcript import Transcript, model_name
from agentkit.notebook.display.view import NoView, View
from agentkit.notebook.failures import Interrupted, shortened
from agentkit.notebook.latest import Asked, latest
from agentkit.notebook.namespace import model_names
from agentkit.notebook.options import closest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.models.retrying import RetryNotice
    from agentkit.notebook.widgets.run_panel import RunPanel
    from agentkit.runtime import Agent, RunConfig, RunResultBase, RunResultStreaming, RunState, StreamEvent
    from agentkit.tools.callers_thread import CallersThread

__all__ = ["Asking", "Question"]

_WAKE_S = 0.05
"""How often a waiting cell wakes. An interrupt does not wake the kernel's loop by itself (ipykernel #881)."""

_GRACE_S = 1.0
"""Time that a stopped run has to tidy up before the cell goes on without it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how."""

    agent: Agent[Any]
    """Who is asked."""
    input: str | RunState
    """The text, or where a run rests that is to go on."""
    line: str
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


class Asking:
    """A run for one cell.

    The run has its place on agentkit's loop thread. The cell's thread opens the view, and at the end puts the kept
    output in its place, since output that is made elsewhere lands in the wrong cell; between, it waits.

    Args:
        shell: The notebook's shell.
        question: What is asked.
        mode: How the run is shown; None for not at all.
    """

    def __init__(self, shell: InteractiveShell, question: Question, *, mode: RenderMode | None) -> None:
        self._shell = shell
        self._question = question
        self._mode = mode
        self._result: RunResultStreaming | None = None
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._retried = False
        self._lent: CallersThread | None = None
        self._view: View = NoView()
        self._panel: RunPanel | None = None
        self._display_id = ""
        self._transcript = Transcript()

    # -- the cell's thread ------------------------------------------------------------------------------------------

    def wait(self) -> RunResultStreaming:
        """Run, block until it is over, and return the result.

        Raises:
            Interrupted: It was stopped.
            Exception: It failed; shown as a line or two.
        """
        from agentkit.runtime.background import run_blocking
        from agentkit.tools.callers_thread import WaitingThread

        self._open()
        error: BaseException | None = None
        self._lent = waiting = WaitingThread()
        try:
            run_blocking(self._run(), waiting=waiting, grace_s=_GRACE_S)
        except BaseException as raised:  # shown below, the run's output first
            error = raised
        return self._conclude(error)

    async def wait_in_loop(self) -> RunResultStreaming:
        """Run, and return the result; the kernel's loop stays free but for sync tools. Errors as for `wait`."""
        from agentkit.runtime.background import submit
        from agentkit.tools.callers_thread import WaitingLoop

        self._open()
        cell = asyncio.current_task()
        assert cell is not None  # this is a coroutine
        self._lent = waiting = WaitingLoop(cell)
        future = asyncio.wrap_future(waiting.context().run(submit, self._run()))
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # seen, even if too late
        error: BaseException | None = None
        try:
            while not future.done():
                await asyncio.wait({future}, timeout=_WAKE_S)
            future.result()
        except asyncio.CancelledError as raised:  # the kernel's interrupt; or the run's own end by Stop
            waiting.cease(interrupted=True)
            self.stop()
            await asyncio.wait({future}, timeout=_GRACE_S)
            error = raised
        except BaseException as raised:
            error = raised
        finally:
            waiting.close()
        return self._conclude(error)

    def stop(self) -> None:
        """Stop the run, from any thread."""
        from agentkit.runtime.background import background_loop

        self._stopped = True
        background_loop().call_soon_threadsafe(self._cancel)
        if self._lent is not None:
            self._lent.interrupt()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _open(self) -> None:
        if self._mode == "console":
            from agentkit.notebook.display.console import ConsoleView

            self._view = ConsoleView()
        elif self._mode == "live":
            self._open_panel()

    def _open_panel(self) -> None:
        from agentkit.notebook.display.live import LiveView
        from agentkit.notebook.widgets.run_panel import RunPanel
        from agentkit.runtime.background import background_loop

        self._panel = RunPanel(lambda message: view.front_end_says(message))
        view = LiveView(self._panel, background_loop(), on_stop=self.stop)
        self._view = view
        self._display_id = uuid.uuid4().hex
        shown = self._panel.bundle(f"{self._question.agent.name} is answering …")
        publish(shown, display_id=self._display_id)

    def _conclude(self, error: BaseException | None) -> RunResultStreaming:
        """Put the kept output in its place and the result where it is looked for; then return it, or raise."""
        result = self._result
        self._view.close()
        stopped = isinstance(error, (KeyboardInterrupt, asyncio.CancelledError, concurrent.futures.CancelledError))
        if result is not None:
            question = self._question
            latest.asked[result] = Asked(question.line, question.out, _earlier(result), self._transcript)
        self._show_kept(self._note(error) if isinstance(error, Exception) and not stopped else None)
        if result is not None:
            latest.run = result
            latest.shown = result
            if self._question.out is not None:
                self._shell.user_ns[self._question.out] = result
        if result is not None and (error is not None or self._mode is None):  # where IPython won't
            self._shell.displayhook.update_user_ns(result)  # type: ignore[no-untyped-call]
        if error is None and result is not None:
            return result
        if stopped:
            raise Interrupted("What was answered so far is above and in `_`.")
        if not isinstance(error, Exception):
            raise error or RuntimeError("The run ended without a result.")
        latest.error = error
        raise shortened(self._shell, self._in_a_magics_words(error), self._advice(error))

    def _note(self, error: Exception) -> str | None:
        """Return what to say of a run that failed; None where its status says it well."""
        status = None if self._result is None else self._result.status
        if status == "guardrail":
            return getattr(error, "message", None)
        return None if status in ("max_turns", "budget") else f"Failed: {type(error).__name__}."

    def _in_a_magics_words(self, error: Exception) -> Exception:
        """Return an error whose remedy is an option of the magic, saying so."""
        from agentkit.exceptions import MaxTurnsExceeded

        if isinstance(error, MaxTurnsExceeded):
            error.message = error.message.replace(" (max_turns)", "")
            error.hint = f"Let it take more by --max-turns, or go on: {self._question.line} Go on."
            error.args = (f"{error.message} {error.hint}",)
        return error

    def _advice(self, error: Exception) -> str:
        """Return what to do about an error, beyond what it says itself."""
        near = ""
        if getattr(error, "status_code", None) == 404:
            agent = self._question.agent if self._result is None else self._result.last_agent
            near = closest(model_name(agent), model_names(self._shell.user_ns)).lstrip()
        return f"{near} The run so far is in `_`, the whole error in `%tb`.".lstrip()

    def _show_kept(self, note: str | None) -> None:
        if self._mode is None:
            return
        if self._mode == "console":
            self._print_ending(note)
            return
        bundle = {"text/plain": note or ""}
        if self._result is not None:
            bundle = run_bundle(self._result, note, asked=latest.asked[self._result])
        if self._panel is None:
            publish(bundle)
            return
        publish(bundle, display_id=self._display_id, update=True)
        self._panel.close()

    def _print_ending(self, note: str | None) -> None:
        result = self._result
        if result is not None and result.status == "waiting":
            print(waiting_text(result, latest.asked[result]))
        elif note or (result is not None and result.status != "completed"):
            print(f"■ {note or ENDINGS.get(result.status if result else '') or 'Stopped.'}")

    # -- the loop's thread --------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        from agentkit.runtime import Runner

        self._task = asyncio.current_task()
        if self._stopped:
            raise asyncio.CancelledError
        self._view.start()
        question = self._question
        if question.afresh:
            await question.session.clear_session()
        options: dict[str, Any] = {} if question.max_turns is None else {"max_turns": question.max_turns}
        self._result = Runner.run_streamed(
            question.agent,
            question.input,
            context=question.context,
            run_config=question.config,
            session=question.session,
            **options,
        )
        self._result._run.on_retry = self._tell_of_retry
        self._transcript.add_items(self._result.new_items)  # of a run that goes on: what it did before
        for step in self._transcript.steps:
            if step.state == "running":
                self._view.step(step)
        async for event in self._result.stream_events():
            self._show(event)

    def _show(self, event: StreamEvent) -> None:
        if event.type == "agent_updated_stream_event":
            self._show_agent(event.new_agent)
            return
        if self._retried:
            self._retried = False
            self._show_agent(self._result.last_agent if self._result else self._question.agent)
        change = self._transcript.add_event(event)
        if change.answer_moved:
            self._view.clear_text()
        if change.text:
            self._view.text(change.text)
        for depth, step in change.inner:
            self._view.inner_step(step, depth)
        for step in change.steps:
            self._view.step(step)

    def _show_agent(self, agent: Agent[Any]) -> None:
        self._view.status(f"{agent.name} is answering", plain_text=agent.output_type not in (None, str))

    def _tell_of_retry(self, notice: RetryNotice) -> None:
        self._retried = True
        wait = f"{notice.delay_s:.0f} s" if notice.delay_s >= 1 else "a moment"
        failed = type(notice.error).__name__
        text = f"{failed}: the model is asked again in {wait} (retry {notice.attempt} of {notice.max_retries})"
        self._view.notice(text)


def _earlier(result: RunResultBase) -> int:
    """Return how many messages of the conversation came before the run's own."""
    given = result.input
    return sum("role" in item for item in given[:-1]) if isinstance(given, list) else 0
