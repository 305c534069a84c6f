"""Runs that rest at calls that need approval: their buttons beneath the cell, and `approve` and `reject` in Python."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.notebook.approving import Decision, apply
from agentkit.notebook.display.publish import publish
from agentkit.notebook.latest import Asked, latest

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.exceptions import UserError
    from agentkit.notebook.display.live import LiveView
    from agentkit.notebook.running import Question, ShownRun
    from agentkit.notebook.widgets.run_panel import RunPanel
    from agentkit.runtime import RunResultBase, RunState

__all__ = ["RestingRun", "approve", "reject"]

_going = threading.Lock()


class RestingRun:
    """A run that rests, with buttons beneath its cell, which has ended.

    A click goes on with the run: it is shown where the buttons are, and at its end the cell's kept output is replaced.

    Args:
        shell: The notebook's shell.
        result: The run.
        question: What was asked.
        display_id: That of the kept output.
    """

    def __init__(self, shell: InteractiveShell, result: RunResultBase, question: Question, display_id: str) -> None:
        self._shell = shell
        self._result = result
        self._question = question
        self._display_id = display_id
        self._panel: RunPanel | None = None
        self._view: LiveView | None = None
        self._shown: ShownRun | None = None
        self._future: concurrent.futures.Future[None] | None = None

    def show(self) -> None:
        """Show the buttons as the next output of the running cell, and wait for a click without holding up the cell."""
        from agentkit.notebook.display.live import LiveView
        from agentkit.notebook.widgets.run_panel import RunPanel
        from agentkit.runtime.background import background_loop, submit

        self._panel = RunPanel(lambda message: view.front_end_says(message))
        self._view = view = LiveView(self._panel, background_loop(), on_stop=self._stop, patience_s=None)
        publish(self._panel.bundle(""))
        self._future = submit(self._wait_and_go_on(view))

    def withdraw(self) -> None:
        """Take the buttons away: somebody decides elsewhere."""
        if self._future is not None:
            self._future.cancel()
        self._close()

    def _stop(self) -> None:
        if self._shown is not None:
            self._shown.stop()

    def _close(self) -> None:
        if self._view is not None and self._panel is not None:
            self._view.close()
            self._panel.close()

    async def _wait_and_go_on(self, view: LiveView) -> None:
        from agentkit.notebook.running import ShownRun

        items = self._result.interruptions
        decisions = await view.decide(items)
        latest.resting.pop(self._result, None)
        latest.waiting.pop(self._result, None)
        state = _state_of(self._result)
        if state is None:  # gone on in a cell just now
            self._close()
            return
        apply(state, items, decisions)
        self._shown = shown = ShownRun(_going_on(self._question, state), view, approver=view)
        note: str | None = None
        try:
            await shown.run()
        except asyncio.CancelledError:
            pass  # stopped by its button: its status says so
        except Exception as error:  # no cell is there to raise it in
            latest.error = error
            note = f"Failed: {type(error).__name__}: {error}"
        self._keep(shown, note)
        self._close()

    def _keep(self, shown: ShownRun, note: str | None) -> None:
        from agentkit.notebook.display.run_view import run_bundle

        result = shown.result
        if result is None:
            return
        earlier = latest.asked[self._result].earlier if self._result in latest.asked else 0
        latest.asked[result] = Asked(self._question, earlier, shown.transcript)
        latest.run = result
        if self._question.out is not None:
            self._shell.user_ns[self._question.out] = result
        bundle = run_bundle(result, note, asked=latest.asked[result])
        publish(bundle, display_id=self._display_id, update=True)


@called_as("agentkit.approve")
def approve(*, tools: str | Sequence[str] | None = None, always: bool = False, run: RunResultBase | None = None) -> Any:
    """Approve calls that wait in a run that rests, and go on with it in this cell.

    Args:
        tools: Names of the tools whose calls are approved; all that wait when None. The run rests again at the others.
        always: Whether all later calls of these tools may run too, for the rest of the run.
        run: The run's result; the last one that rests when None.

    Returns:
        The result of the run that went on; None where its cell doesn't show it.

    Raises:
        UserError: No call waits, or none of such a tool.
    """
    return _decide(Decision(True, always), tools, run)


@called_as("agentkit.reject")
def reject(
    reason: str | None = None,
    *,
    tools: str | Sequence[str] | None = None,
    always: bool = False,
    run: RunResultBase | None = None,
) -> Any:
    """Reject calls that wait in a run that rests, and go on with it in this cell.

    Args:
        reason: What the model is told in place of a result.
        tools: Names of the tools whose calls are rejected; all that wait when None. The run rests again at the others.
        always: Whether no later call of these tools may run either, for the rest of the run.
        run: The run's result; the last one that rests when None.

    Returns:
        The result of the run that went on.

    Raises:
        UserError: No call waits, or none of such a tool.
    """
    return _decide(Decision(False, always, reason), tools, run)


def _decide(decision: Decision, tools: str | Sequence[str] | None, run: RunResultBase | None) -> Any:
    from IPython import get_ipython

    from agentkit.exceptions import UserError
    from agentkit.notebook.asking import Asking, Question
    from agentkit.notebook.display.modes import render_mode

    shell = get_ipython()
    if shell is None:
        raise UserError(
            "approve() and reject() are for notebooks and IPython.",
            hint="Elsewhere: state = result.to_state(), state.approve(…), Runner.run(agent, state).",
        )
    result = run if run is not None else _last_waiting()
    items = _waiting(result)
    names = [tools] if isinstance(tools, str) else tools
    known = sorted({item.name for item in items})
    for name in names or ():
        if name not in known:
            raise UserError(f"No call of {name!r} waits.", hint=f"Calls that wait: {', '.join(known)}.")
    assert result is not None  # or nothing would wait in it
    asked = latest.asked.get(result)

    def decided() -> Question:
        state = _state_of(result)
        latest.waiting.pop(result, None)
        if state is None:
            raise _has_gone_on()
        apply(state, items, [decision if names is None or item.name in names else None for item in items])
        if (resting := latest.resting.pop(result, None)) is not None:
            resting.withdraw()
        question = asked.question if asked is not None else Question(result.last_agent, state, "agentkit.approve()")
        return _going_on(question, state)

    if (go_on_in_chat := latest.waiting.get(result)) is not None:
        return go_on_in_chat(decided)
    return Asking(shell, decided(), mode=render_mode(shell)).wait()


def _last_waiting() -> RunResultBase | None:
    """Return the last run that rests; the last run of all where none does."""
    for result in reversed(list(latest.waiting)):
        if result not in latest.gone_on:
            return result
    return latest.run


def _waiting(result: RunResultBase | None) -> list[Any]:
    from agentkit.exceptions import UserError
    from agentkit.runtime import RunResultBase

    if not isinstance(result, RunResultBase | None):
        raise UserError(
            f"A run is its result, such as agentkit.last_run(), not {type(result).__name__} {result!r:.40}."
        )
    if result is not None and result in latest.gone_on:
        raise _has_gone_on()
    items = [] if result is None else result.interruptions
    if not items:
        raise UserError("No call waits for approval.", hint="A run that rests at one says so where it ends.")
    return items


def _has_gone_on() -> UserError:
    from agentkit.exceptions import UserError

    return UserError("That run has gone on already.", hint="agentkit.last_run() is the run that it went on as.")


def _state_of(result: RunResultBase) -> RunState | None:
    """Return where a run rests, once, and None after that: going on twice from there would do things twice."""
    with _going:  # a click comes in another thread than a cell
        if result in latest.gone_on:
            return None
        latest.gone_on.add(result)
    return result.to_state()


def _going_on(question: Question, state: RunState) -> Question:
    return dataclasses.replace(question, agent=state.current_agent, input=state, afresh=False)
