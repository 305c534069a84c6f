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
from agentkit.notebook.display.approvals import calls_text
from agentkit.notebook.display.publish import publish
from agentkit.notebook.latest import Asked, latest, still_waiting

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.exceptions import UserError
    from agentkit.notebook.display.live import LiveView
    from agentkit.notebook.running import Question, ShownRun
    from agentkit.notebook.widgets.run_panel import RunPanel
    from agentkit.runtime import RunResultBase, RunResultStreaming, RunState

__all__ = ["RestingRun", "approve", "reject", "tell_of_resting"]

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
        self._kept: dict[str, str] | None = None
        self._shown: ShownRun | None = None
        self._future: concurrent.futures.Future[None] | None = None

    def show(self) -> None:
        """Show the buttons as the next output of the running cell, and wait for a click without holding up the cell."""
        from agentkit.notebook.display.live import LiveView
        from agentkit.notebook.widgets.run_panel import RunPanel
        from agentkit.runtime.background import background_loop, submit

        self._panel = RunPanel(self._hear)
        self._view = view = LiveView(self._panel, background_loop(), on_stop=self._stop, patience_s=None)
        publish(self._panel.bundle(""))
        self._future = submit(self._wait_and_go_on(view))

    def _hear(self, message: dict[str, Any]) -> None:
        """Take a message from the front end, in whatever thread it arrives."""
        if message.get("kind") == "kept":
            self._close()
            return
        if self._view is not None:
            self._view.front_end_says(message)
        if message.get("kind") == "ready":
            from agentkit.runtime.background import background_loop

            background_loop().call_soon_threadsafe(self._tell_kept)  # after what the view answers

    def _tell_kept(self) -> None:
        """Say what the notebook keeps of a run that is over: the front end knows whether that is there."""
        if self._kept is not None and self._panel is not None:
            self._panel.send(self._kept)

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
        if shown.result is None:
            self._close()
        else:
            self._keep(shown, shown.result, note)

    def _keep(self, shown: ShownRun, result: RunResultStreaming, note: str | None) -> None:
        """Replace what the cell keeps. The panel goes once that has come: after a reload of the page it doesn't."""
        from agentkit.notebook.display.kept_digest import digest_of, with_digest
        from agentkit.notebook.display.run_view import run_bundle

        earlier = latest.asked[self._result].earlier if self._result in latest.asked else 0
        latest.asked[result] = Asked(self._question, earlier, shown.transcript)
        latest.run = result
        if self._question.out is not None:
            self._shell.user_ns[self._question.out] = result
        bundle = with_digest(run_bundle(result, note, asked=latest.asked[result]))
        publish(bundle, display_id=self._display_id, update=True)
        again = self._question.out or "import agentkit; agentkit.last_run()"
        self._kept = {"kept": digest_of(bundle), "again": again, "note": note or ""}
        if self._view is not None:
            self._view.flush()
        self._tell_kept()


@called_as("agentkit.approve")
def approve(tools: str | Sequence[str] | None = None, *, always: bool = False, run: RunResultBase | None = None) -> Any:
    """Approve the calls that wait in a run that rests, and go on with it in this cell.

    Where several runs rest, the one that was asked last goes on; a line says which calls of others still wait.

    Args:
        tools: Names of the tools whose calls are approved, one or several; all that wait in the run when None. The run
            rests again at the others.
        always: Whether all later calls of these tools may run too, for the rest of the run.
        run: The run's result; the last one that rests when None.

    Returns:
        The result of the run that went on.

    Raises:
        UserError: No call waits, or none of such a tool; or an argument makes no sense.
    """
    _check_always(always)
    return _decide(Decision(True, always), tools, run)


@called_as("agentkit.reject")
def reject(
    reason: str | None = None,
    *,
    tools: str | Sequence[str] | None = None,
    always: bool = False,
    run: RunResultBase | None = None,
) -> Any:
    """Reject the calls that wait in a run that rests, and go on with it in this cell.

    Where several runs rest, the one that was asked last goes on; a line says which calls of others still wait.

    Args:
        reason: What the model is told in place of a result.
        tools: Names of the tools whose calls are rejected, one or several; all that wait in the run when None. The run
            rests again at the others.
        always: Whether no later call of these tools may run either, for the rest of the run.
        run: The run's result; the last one that rests when None.

    Returns:
        The result of the run that went on.

    Raises:
        UserError: No call waits, or none of such a tool; or an argument makes no sense.
    """
    _check_always(always)
    if not isinstance(reason, str | None):
        raise _user_error(f"A reason is a text, not {reason!r:.60}.", 'agentkit.reject("The notes are still needed.")')
    return _decide(Decision(False, always, reason), tools, run)


def _decide(decision: Decision, tools: str | Sequence[str] | None, run: RunResultBase | None) -> Any:
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise _user_error(
            "approve() and reject() are for notebooks and IPython.",
            "Elsewhere: state = result.to_state(), state.approve(…), Runner.run(agent, state).",
        )
    names = _checked_names(tools)
    result = run if run is not None else _last_waiting()
    items = _waiting(result)
    known = sorted({item.name for item in items})
    for name in names or ():
        if name not in known:
            raise _user_error(f"No call of {name!r} waits.", f"Calls that wait: {', '.join(known)}.")
    assert result is not None  # or nothing would wait in it
    went_on = _go_on(shell, result, [decision if names is None or item.name in names else None for item in items])
    _tell_of_others(went_on, "older" if run is None else "other")
    return went_on


def _go_on(shell: InteractiveShell, result: RunResultBase, decisions: Sequence[Decision | None]) -> Any:
    """Go on with a run that rests, in this cell, and return its result.

    Args:
        shell: The notebook's shell.
        result: The run.
        decisions: One for each call that waits.
    """
    from agentkit.notebook.asking import Asking, Question
    from agentkit.notebook.display.modes import render_mode

    items = result.interruptions
    asked = latest.asked.get(result)

    def decided() -> Question:
        state = _state_of(result)
        latest.waiting.pop(result, None)
        if state is None:
            raise _has_gone_on()
        apply(state, items, decisions)
        if (resting := latest.resting.pop(result, None)) is not None:
            resting.withdraw()
        question = asked.question if asked is not None else Question(result.last_agent, state, "agentkit.approve()")
        return _going_on(question, state)

    if (go_on_in_chat := latest.waiting.get(result)) is not None:
        return go_on_in_chat(decided)
    return Asking(shell, decided(), mode=render_mode(shell)).wait()


def _tell_of_others(went_on: Any, which: str) -> None:
    """Say which calls still wait, in other runs than the one that went on."""
    calls = [item for result in still_waiting() if result is not went_on for item in result.interruptions]
    if calls:
        several = len(calls) > 1
        then = "goes on with the newest" if several else "goes on with it"
        waits = f"{len(calls)} {which} call{'s' if several else ''} still wait{'' if several else 's'}"
        print(f"{waits}: {calls_text(calls)}; agentkit.approve() again {then}.")


def tell_of_resting(question: Question) -> None:
    """Say that calls of a conversation wait, where something else is asked in it meanwhile."""
    from agentkit.runtime import RunState

    if question.session is None or question.afresh or isinstance(question.input, RunState):
        return
    calls = []
    for result in still_waiting():
        asked = latest.asked.get(result)
        if asked is not None and _which(asked.question.session) == _which(question.session):
            calls += result.interruptions
    if calls:
        waits = "A call of this conversation waits" if len(calls) == 1 else "Calls of this conversation wait"
        print(f"{waits} for approval: {calls_text(calls)}; import agentkit; agentkit.approve() goes on.")


def _which(session: Any) -> tuple[Any, ...]:  # of any make
    """Return what tells a conversation from others, whichever object holds it."""
    name, place = getattr(session, "session_id", None), getattr(session, "db_path", None)
    return (id(session),) if name is None or place in (None, ":memory:") else (name, str(place))


def _last_waiting() -> RunResultBase | None:
    """Return the last run that rests; the last run of all where none does."""
    return next(iter(reversed(still_waiting())), latest.run)


def _check_always(always: Any) -> None:  # whatever was passed
    if not isinstance(always, bool):
        raise _user_error(f"always is True or False, not {always!r:.60}.", "Leave it out to decide on this call only.")


def _checked_names(tools: Any) -> list[str] | None:  # whatever was passed
    """Return names of tools as a list; None for all."""
    if tools is None or isinstance(tools, str):
        return None if tools is None else [tools]
    names = list(tools) if isinstance(tools, list | tuple | set | frozenset) else [tools]
    wrong = next((name for name in names if not isinstance(name, str)), None)
    if wrong is not None or not names:
        said = "is empty" if not names else f"can't have {type(wrong).__name__} {wrong!r:.60}"
        hint = (
            'Write tools="delete_file" or tools=["delete_file", "send_mail"]; leave it out for all calls. run=… takes'
        )
        raise _user_error(f"tools are names of tools: it {said}.", f"{hint} a run's result.")
    return names


def _waiting(result: RunResultBase | None) -> list[Any]:
    from agentkit.runtime import RunResultBase

    if not isinstance(result, RunResultBase | None):
        raise _user_error(
            f"A run is its result, such as agentkit.last_run(), not {type(result).__name__} {result!r:.40}."
        )
    if result is not None and result in latest.gone_on:
        raise _has_gone_on()
    items = [] if result is None else result.interruptions
    if not items:
        raise _user_error(
            "No call waits for approval.",
            "A run that rests at one says so where it ends; a run that waited in a kernel that has ended can't go on: "
            "ask again.",
        )
    return items


def _has_gone_on() -> UserError:
    return _user_error("That run has gone on already.", "agentkit.last_run() is the run that it went on as.")


def _user_error(message: str, hint: str | None = None) -> UserError:
    from agentkit.exceptions import UserError

    return UserError(message, hint=hint)


def _state_of(result: RunResultBase) -> RunState | None:
    """Return where a run rests, once, and None after that: going on twice from there would do things twice."""
    with _going:  # a click comes in another thread than a cell
        if result in latest.gone_on:
            return None
        latest.gone_on.add(result)
    return result.to_state()


def _going_on(question: Question, state: RunState) -> Question:
    return dataclasses.replace(question, agent=state.current_agent, input=state, afresh=False)
