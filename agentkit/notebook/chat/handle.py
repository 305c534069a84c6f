"""A chat with an agent, as the notebook's user holds it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.notebook.approving import ConsolePrompt, SamePolicy, approval_policy
from agentkit.notebook.chat.checks import check_rating
from agentkit.notebook.chat.front import Frame, FrontEnd
from agentkit.notebook.chat.messages import ChatMessage, messages_of
from agentkit.notebook.chat.output import ChatOutput
from agentkit.notebook.display.citations import sources_text
from agentkit.notebook.display.text import clean
from agentkit.notebook.display.view import NoView, View
from agentkit.notebook.failures import Interrupted, shortened
from agentkit.notebook.latest import Asked, latest
from agentkit.notebook.options import kind_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.approving import Approver
    from agentkit.notebook.attachments import Attachment
    from agentkit.notebook.chat.exchange import Answered, Watch
    from agentkit.notebook.chat.listeners import Listeners
    from agentkit.notebook.chat.talk import Talk
    from agentkit.notebook.chat.turns import Turn
    from agentkit.notebook.display.modes import RenderMode
    from agentkit.notebook.running import Question
    from agentkit.notebook.widgets.chat_widget import ChatWidget
    from agentkit.runtime import Agent, RunResultStreaming

__all__ = ["Chat"]


class Chat:
    """A chat with an agent. Made by `agentkit.chat(agent)`, which shows it in the cell."""

    def __init__(
        self,
        talk: Talk,
        listeners: Listeners,
        shell: InteractiveShell | None,
        frame: Frame,
        on_close: Callable[[], None],
    ) -> None:
        self._talk = talk
        self._shell = shell
        self._on_close = on_close
        self._frame = frame
        self._widget: ChatWidget | None = None
        self._front: FrontEnd | None = None
        self._closed = False
        self._deleted = False
        self._listeners = listeners
        self._output: ChatOutput | None = None
        if shell is not None:
            self._output = ChatOutput(shell, talk, frame.title, self._widget_bundle, listeners.kept_as)
            listeners.output = self._output

    # -- what it is -----------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Its name, for `agentkit.chat.resume` and `%session show`."""
        return self._talk.record.id

    @property
    def agent(self) -> Agent[Any]:
        """The agent that is asked."""
        return self._talk.agent

    @property
    def session(self) -> Any:
        """The session of the branch that is shown: the conversation as the model is given it."""
        return self._talk.branches.session

    @property
    def lasts(self) -> bool:
        """Whether it can be resumed in another kernel. Where no front end names the notebook, it can't."""
        return bool(self._frame.resume)

    @property
    def is_on_file(self) -> bool:
        """Whether it is kept in a file: it lasts, and something was said."""
        return self.lasts and self._talk.is_kept

    @property
    def is_replaced(self) -> bool:
        """Whether the cell that showed it last runs again, so that its output is gone."""
        return self._output is not None and self._output.is_replaced

    @property
    def busy(self) -> bool:
        """Whether a message is being answered."""
        return self._talk.busy

    @property
    def result(self) -> RunResultStreaming | None:
        """The result of the last run in this kernel, complete or not; None before the first."""
        return self._talk.result

    @property
    def messages(self) -> list[ChatMessage]:
        """What is shown: the reader's messages and the answers to them, the first one first."""
        return [message for turn in self._talk.tree.path() for message in messages_of(turn)]

    def __repr__(self) -> str:
        said = len(self.messages)
        state = ", deleted" if self._is_deleted else ", closed" if self._closed else ""
        return f"Chat with {clean(self.agent.name)}: {said} message{'' if said == 1 else 's'}{state}"

    def _ipython_display_(self) -> None:
        if self._mode() == "console":
            raise NotImplementedError  # then IPython prints the repr
        if self._closed:
            print(f"{self!r}. {self._after_closing}")
        else:
            self.show()

    # -- what it does -----------------------------------------------------------------------------------------------

    def show(self) -> None:
        """Show the chat in this cell; nothing where the cell shows it already. In a terminal, say how to talk.

        Raises:
            UserError: It is closed.
        """
        if self._shell is None or self._output is None:
            return
        from agentkit.notebook.display.modes import render_mode

        mode = render_mode(self._shell)
        if mode != "console":
            self._check_open()
        if self._output.show(mode) and mode == "console":
            print(f"{self!r}. Keep it in a variable, and talk by its method ask(text).")

    @called_as("chat.ask")
    def ask(
        self, text: str, *, attachments: str | Path | Attachment | Iterable[str | Path | Attachment] = ()
    ) -> RunResultStreaming:
        """Send a message, wait for the answer, and return the run's result. For scripts, tests and cells.

        The answer is shown in the chat, and kept by the cell that asks.

        Args:
            text: The message.
            attachments: Files by their paths, or attachments; one of them or several.

        Returns:
            The result; `final_output` is the answer.

        Raises:
            UserError: There is nothing to send, a message is being answered, or a file can't be attached.
            Interrupted: It was stopped.
            Exception: The run failed.
        """
        from agentkit.runtime.background import background_loop

        self._check_open()
        if not isinstance(text, str):
            raise UserError(f"A message is text, not {kind_of(text)}.", hint='chat.ask("What…?", attachments=[…])')
        if _running_loop() is background_loop():
            raise UserError("Chat.ask waits for its answer, which can't come while it blocks agentkit's own loop.")
        files = _attachments(attachments)

        def say(watch: Watch) -> Coroutine[Any, Any, Answered]:
            return self._talk.say(text, files, watch=watch, by_cell=True)

        return self._answered(say, asked_here=True)

    def rate(self, rating: Literal["up", "down"] | None, remark: str = "") -> None:
        """Keep what you think of the last answer that is shown, as its thumbs do; None to forget it.

        Raises:
            UserError: There is no such rating or no answer yet, or its file can't be written.
        """
        from agentkit.runtime.background import run_blocking

        check_rating(rating, remark)
        answered = [turn for turn in self._talk.tree.path() if turn.over]
        if not answered:
            raise UserError("This chat has no answer yet that could be rated.", hint='Ask it first: chat.ask("…").')
        run_blocking(self._talk.rate(answered[-1].id, rating, remark))

    def stop(self) -> None:
        """Stop the run under way, if there is one; what was answered so far stays."""
        self._talk.stop()

    def close(self) -> None:
        """Stop what is under way and take the chat off the screen. What was said stays, and can be resumed."""
        if self._closed:
            return
        self.stop()
        self._closed = True
        self._listeners.front = None
        if self._widget is not None:
            self._widget.close()
        self._on_close()

    def deleted(self) -> None:
        """Close the chat, since what was said in it has been deleted."""
        self._deleted = True
        self.close()

    # -- within -----------------------------------------------------------------------------------------------------

    def _answered(
        self, start: Callable[[Watch], Coroutine[Any, Any, Answered]], *, asked_here: bool
    ) -> RunResultStreaming:
        """Wait for an answer, let the cell keep it, and return the run's result. Errors as for `ask`.

        Args:
            start: Begins the run, given what watches it.
            asked_here: Whether the cell asks, and doesn't only go on with what another has asked.
        """
        from agentkit.runtime.background import run_blocking

        mode = self._mode()
        watched: list[Turn] = []

        def watch(turn: Turn) -> tuple[View, Approver | None]:
            watched.append(turn)
            if self._output is not None and asked_here:
                self._output.asked_here(turn)
            return self._watched(turn, mode)

        answered: Answered | None = None
        stopped = False
        try:
            answered = run_blocking(start(watch), while_waiting=self._pump)
        except (KeyboardInterrupt, asyncio.CancelledError, concurrent.futures.CancelledError):
            stopped = True
        finally:
            self._settle(watched, mode, failed=answered is None or answered.error is not None)
        if stopped or (answered is not None and answered.turn.status == "cancelled"):
            raise Interrupted("What was answered so far is in the chat.")
        assert answered is not None  # or something was raised
        return self._concluded(answered)

    def _going_on(self, turn: Turn) -> Callable[[Callable[[], Question]], Any]:
        """Return what goes on with a turn whose run rests, in the cell that has decided on its calls."""

        def go_on(decided: Callable[[], Question]) -> Any:
            return self._answered(lambda watch: self._talk.go_on(turn.id, decided, watch=watch), asked_here=False)

        return go_on

    def _check_open(self) -> None:
        if self._closed:
            said = "deleted" if self._is_deleted else "closed"
            raise UserError(f"This chat is {said}.", hint=self._after_closing)

    @property
    def _is_deleted(self) -> bool:
        talk = self._talk
        return self._closed and (self._deleted or (talk.is_kept and talk.store.chat(self.id) is None))

    @property
    def _after_closing(self) -> str:
        if self._is_deleted:
            return "agentkit.chat.forget() was called for it. Begin another: agentkit.chat(agent)."
        return f"Go on with it by agentkit.chat.resume({self.id!r})."

    def _mode(self) -> RenderMode | None:
        from agentkit.notebook.display.modes import render_mode

        return None if self._shell is None else render_mode(self._shell)

    def _watched(self, turn: Turn, mode: RenderMode | None) -> tuple[View, Approver | None]:
        """Return where a run that a cell asks for is shown, and who decides on its calls."""
        if mode == "live" and self._front is not None:
            return self._front.view(turn, patience_s=2.0)
        reader: Approver | None = None
        view: View = NoView()
        if mode == "console":
            import sys

            from agentkit.notebook.display.console import ConsoleView

            view = ConsoleView()
            reader = ConsolePrompt() if sys.stdin is not None and sys.stdin.isatty() else None
        match approval_policy() or ("ask" if reader else "deny"):
            case "approve" | "deny" as policy:
                return view, SamePolicy(policy == "approve")
            case "ask":
                return view, reader
        return view, None

    def _pump(self) -> None:
        if self._shell is not None and self._widget is not None:
            from agentkit.notebook.pumping import pump_widget_messages

            pump_widget_messages(self._shell)

    def _settle(self, asked: Sequence[Turn], mode: RenderMode | None, *, failed: bool) -> None:
        """Let the cell keep what it asked."""
        if self._output is None or mode is None:
            return
        if mode == "console":
            for turn in asked:
                if sources := sources_text(turn.answer, turn.citations, turn.passages):
                    print(f"\n{clean(sources)}")
                print(f"■ {turn.note}" if turn.note else turn.usage_line)
            return
        for turn in asked:
            self._output.show_turn(turn)
        if failed:
            self._output.settle()

    def _concluded(self, answered: Answered) -> RunResultStreaming:
        result, error = answered.shown.result, answered.error
        if result is not None and self._shell is not None:
            latest.run = latest.shown = result
            latest.told = result if self._mode() == "console" else None
            latest.asked[result] = Asked(answered.question, 0, answered.shown.transcript)
            if result.status == "waiting":
                latest.waiting[result] = self._going_on(answered.turn)
        if error is not None:
            latest.error = error
            raise error if self._shell is None else shortened(self._shell, error, "The whole error is in `%tb`.")
        assert result is not None  # a run without an error has one
        return result

    def _widget_bundle(self) -> dict[str, Any]:
        """Return the output of the widget, which is made when it is first wanted."""
        if self._widget is None:
            from agentkit.notebook.widgets.chat_widget import ChatWidget
            from agentkit.runtime.background import background_loop

            self._widget = widget = ChatWidget(lambda content, buffers: front.says(content, buffers))
            self._front = front = FrontEnd(widget, background_loop(), self._frame)
            front.talk = self._talk
            self._listeners.front = front
        return self._widget.bundle()


def _attachments(given: str | Path | Attachment | Iterable[str | Path | Attachment]) -> list[Attachment]:
    from agentkit.notebook.attachments import Attachment, attachment_of, read_attachment

    several = [given] if isinstance(given, (str, Path, Attachment)) else list(given)
    return [read_attachment(each) if isinstance(each, str) else attachment_of(each, "attachment") for each in several]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    with contextlib.suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None
