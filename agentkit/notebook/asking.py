"""One run of an agent in a cell: started, shown, waited for, stopped, and what is left of it kept."""

from __future__ import annotations

import sys
import threading
import uuid
from typing import TYPE_CHECKING

from agentkit.notebook.approving import ConsolePrompt, SamePolicy, approval_policy
from agentkit.notebook.cell_wait import CellWait, was_stopped
from agentkit.notebook.display.approvals import waiting_text
from agentkit.notebook.display.citations import sources_text
from agentkit.notebook.display.modes import RenderMode
from agentkit.notebook.display.publish import EMPTY, publish
from agentkit.notebook.display.run_view import ENDINGS, run_bundle
from agentkit.notebook.display.text import clean
from agentkit.notebook.display.transcript import model_name
from agentkit.notebook.display.view import NoView, View
from agentkit.notebook.failures import Interrupted, shortened
from agentkit.notebook.latest import Asked, latest
from agentkit.notebook.namespace import model_names
from agentkit.notebook.options import closest
from agentkit.notebook.pumping import pump_widget_messages
from agentkit.notebook.resting import RestingRun, tell_of_resting
from agentkit.notebook.running import Question, ShownRun

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.approving import Approver
    from agentkit.notebook.widgets.run_panel import RunPanel
    from agentkit.runtime import RunResultBase, RunResultStreaming

__all__ = ["Asking", "Question"]


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
        self._view: View = NoView()
        self._panel: RunPanel | None = None
        self._display_id = ""
        self._wait: CellWait | None = None
        self._shown: ShownRun | None = None
        self._asks = threading.Event()
        self._panel_id = ""  # of the panel's output, once what waits is kept in another

    # -- the cell's thread ------------------------------------------------------------------------------------------

    def wait(self) -> RunResultStreaming:
        """Run, block until it is over, and return the result.

        Raises:
            Interrupted: It was stopped.
            Exception: It failed; shown as a line or two.
        """
        shown, wait = self._open()
        return self._conclude(shown, wait.block(self._pump))

    async def wait_in_loop(self) -> RunResultStreaming:
        """Run, and return the result; the kernel's loop stays free but for sync tools. Errors as for `wait`."""
        shown, wait = self._open()
        return self._conclude(shown, await wait.in_loop(self._pump))

    def stop(self) -> None:
        """Stop the run, from any thread."""
        if self._wait is not None:
            self._wait.stop()

    def _pump(self) -> None:
        if self._panel is not None:
            if self._asks.is_set():
                self._asks.clear()
                self._keep_what_waits()
            pump_widget_messages(self._shell)

    def _keep_what_waits(self) -> None:
        """Show beneath the panel what waits: it is seen only in a notebook that was saved now and is opened later."""
        result = None if self._shown is None else self._shown.result
        if self._shown is None or result is None or result.status != "waiting":
            return
        asked = Asked(self._question, _earlier(result), self._shown.transcript)
        kept = run_bundle(result, asked=asked, beneath=True)
        if self._panel_id:  # the reader is asked once more
            publish(kept, display_id=self._display_id, update=True)
            return
        self._panel_id, self._display_id = self._display_id, uuid.uuid4().hex
        publish(kept, display_id=self._display_id)

    def _open(self) -> tuple[ShownRun, CellWait]:
        approver: Approver | None = None
        tell_of_resting(self._question)
        if self._mode == "console":
            from agentkit.notebook.display.console import ConsoleView

            self._view = ConsoleView()
            approver = ConsolePrompt() if sys.stdin is not None and sys.stdin.isatty() else None
        elif self._mode == "live":
            approver = self._open_panel()
        shown = ShownRun(self._question, self._view, approver=self._approver(approver))
        self._shown = shown
        self._wait = CellWait(shown)
        return shown, self._wait

    def _approver(self, reader: Approver | None) -> Approver | None:
        """Return who decides on calls: the reader unless a policy is set; without a reader nobody may."""
        policy = approval_policy() or ("ask" if reader or self._somebody_is_there() else "deny")
        match policy:
            case "approve" | "deny":
                return SamePolicy(policy == "approve")
            case "ask":
                return reader
        return None

    def _somebody_is_there(self) -> bool:
        """Tell whether somebody sits at the notebook, though the run itself isn't shown."""
        return self._mode is None and bool(getattr(getattr(self._shell, "kernel", None), "_allow_stdin", False))

    def _open_panel(self) -> Approver:
        from agentkit.notebook.display.live import LiveView
        from agentkit.notebook.widgets.run_panel import RunPanel
        from agentkit.runtime.background import background_loop

        self._panel = RunPanel(lambda message: view.front_end_says(message))
        view = LiveView(self._panel, background_loop(), on_stop=self.stop, on_ask=self._asks.set)
        self._view = view
        self._display_id = uuid.uuid4().hex
        shown = self._panel.bundle(f"{self._question.agent.name} is answering …")
        publish(shown, display_id=self._display_id)
        return view

    def _conclude(self, shown: ShownRun, error: BaseException | None) -> RunResultStreaming:
        """Put the kept output in its place and the result where it is looked for; then return it, or raise."""
        result, stopped = shown.result, was_stopped(error)
        self._view.close()
        if result is not None:
            question = self._question
            latest.asked[result] = Asked(question, _earlier(result), shown.transcript)
        self._show_kept(result, self._note(result, error) if isinstance(error, Exception) and not stopped else None)
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
        raise shortened(self._shell, self._in_a_magics_words(error), self._advice(result, error))

    def _note(self, result: RunResultBase | None, error: Exception) -> str | None:
        """Return what to say of a run that failed; None where its status says it well."""
        status = None if result is None else result.status
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

    def _advice(self, result: RunResultBase | None, error: Exception) -> str:
        """Return what to do about an error, beyond what it says itself."""
        near = ""
        if getattr(error, "status_code", None) == 404:
            agent = self._question.agent if result is None else result.last_agent
            near = closest(model_name(agent), model_names(self._shell.user_ns)).lstrip()
        return f"{near} The run so far is in `_`, the whole error in `%tb`.".lstrip()

    def _show_kept(self, result: RunResultBase | None, note: str | None) -> None:
        if result is not None and result.status == "waiting":
            latest.waiting[result] = None
        if self._mode is None:
            return
        if self._mode == "console":
            self._print_ending(result, note)
            return
        bundle = {"text/plain": note or ""}
        if result is not None:
            bundle = run_bundle(result, note, asked=latest.asked[result])
        if self._panel is None:
            publish(bundle)
            return
        publish(bundle, display_id=self._display_id, update=True)
        if self._panel_id:
            publish(EMPTY, display_id=self._panel_id, update=True)
        self._panel.close()
        if result is not None and result.status == "waiting":
            latest.resting[result] = resting = RestingRun(self._shell, result, self._question, self._display_id)
            resting.show()

    def _print_ending(self, result: RunResultBase | None, note: str | None) -> None:
        if result is not None and not self._question.as_json and isinstance(result.final_output or "", str):
            seen = latest.asked[result].seen
            if sources := sources_text(seen.answer, seen.citations, seen.passages):  # the answer stands above
                print(f"\n{clean(sources)}")
        if result is not None and result.status == "waiting":
            print(waiting_text(result, latest.asked[result]))
        elif note or (result is not None and result.status != "completed"):
            print(f"■ {note or ENDINGS.get(result.status if result else '') or 'Stopped.'}")


def _earlier(result: RunResultBase) -> int:
    """Return how many messages of the conversation came before the run's own."""
    given = result.input
    return sum("role" in item for item in given[:-1]) if isinstance(given, list) else 0
