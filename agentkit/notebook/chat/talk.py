"""A chat without its looks: messages are sent, answered, sent again and rated; what was said is kept at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from agentkit.exceptions import UserError
from agentkit.notebook.chat.exchange import Answered, Listener, Terms, Watch, reachable
from agentkit.notebook.chat.outcome import take_outcome
from agentkit.notebook.chat.turns import AttachedFile, Turn, TurnTree
from agentkit.notebook.chat.watched_steps import WatchedSteps
from agentkit.notebook.display.text import clean, one_line
from agentkit.notebook.display.transcript import model_name
from agentkit.notebook.running import Question, ShownRun
from agentkit.sessions.finishing import in_thread
from agentkit.sessions.session import all_items

if TYPE_CHECKING:
    from agentkit.notebook.approving import Approver
    from agentkit.notebook.attachments import Attachment
    from agentkit.notebook.chat.branches import Branches
    from agentkit.notebook.chat.store import ChatRecord, ChatStore
    from agentkit.notebook.display.view import View
    from agentkit.runtime import Agent, RunConfig, RunResultStreaming

__all__ = ["Talk", "title_of"]

_CHECKPOINT_S = 2.0
"""How often the answer so far is kept, should the kernel die."""


class Talk:
    """A conversation between the reader and an agent. Lives on agentkit's loop thread, but for `stop`.

    Args:
        agent: Who is asked.
        record: The chat, as it is kept.
        store: Where it is kept.
        branches: The sessions that hold it.
        turns: What was said before.
        terms: What holds for all runs.
        listener: Is told what changes.
        find_model: Gives what a model's name stands for.
    """

    def __init__(
        self,
        agent: Agent[Any],
        record: ChatRecord,
        store: ChatStore,
        branches: Branches,
        *,
        turns: Sequence[Turn] = (),
        terms: Terms | None = None,
        listener: Listener,
        find_model: Callable[[str], Any] = str,
        names_of_models: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self.agent = agent
        self.record = record
        self.store = store
        self.branches = branches
        self.tree = TurnTree(turns)
        self._terms = terms or Terms()
        self._listener = listener
        self._find_model = find_model
        self._names_of_models = names_of_models
        self._kept = bool(turns)
        self._busy = False
        self._shown: ShownRun | None = None
        self.result: RunResultStreaming | None = None
        """The result of the last run, complete or not."""

    @property
    def busy(self) -> bool:
        """Whether a message is being answered, or something else goes on that has to end first."""
        return self._busy

    @property
    def is_kept(self) -> bool:
        """Whether its store knows it, which it does from the first message on."""
        return self._kept

    # -- what the reader does -------------------------------------------------------------------------------------

    async def say(
        self, text: str, attachments: Sequence[Attachment] = (), *, watch: Watch, by_cell: bool = False
    ) -> Answered:
        """Send a message at the end of what is shown, and return how it was answered.

        Raises:
            UserError: There is nothing in it, or a message is being answered.
        """
        if not text.strip() and not attachments:
            raise UserError("There is nothing to send.", hint="Write a message, or attach a file.")
        with self._alone():
            path = self.tree.path()
            if path and path[-1].branch != self.branches.at:  # something failed between a branch and its first message
                await self.branches.switch(path[-1].branch)
            parent = path[-1].id if path else None
            return await self._ask(text, attachments, parent, watch, by_cell)

    async def retry(self, turn_id: str, *, watch: Watch) -> Answered:
        """Send a message again, in a branch of its own, and return how it was answered. Errors as for `say`."""
        turn = self._turn(turn_id)
        with self._alone():
            attachments = await in_thread(lambda: self.store.attachments(turn.id))
            return await self._again(turn, turn.question, attachments, watch)

    async def edit(self, turn_id: str, text: str, *, watch: Watch) -> Answered:
        """Send another message in a message's place, in a branch of its own. What went with it goes with this one.

        Raises:
            UserError: As for `say`.
        """
        turn = self._turn(turn_id)
        if text == clean(turn.question):  # what the reader saw, and left as it is
            text = turn.question
        with self._alone():
            attachments = await in_thread(lambda: self.store.attachments(turn.id))
            if not text.strip() and not attachments:
                raise UserError("There is nothing to send.", hint="Write a message, or cancel the change.")
            return await self._again(turn, text, attachments, watch)

    async def choose(self, turn_id: str) -> None:
        """Show a version of a message, and go on from it.

        Raises:
            UserError: There is no such turn, a message is being answered, or the branch's session can't be opened.
        """
        turn = self._turn(turn_id)
        with self._alone():
            await self.branches.switch(self.tree.path_from(turn)[-1].branch)
            self.tree.choose(turn)
            await in_thread(lambda: self.store.put_turn(turn))
            await self._listener.changed(self.tree.path_from(turn))

    async def rate(self, turn_id: str, rating: Literal["up", "down"] | None, remark: str = "") -> None:
        """Keep what the reader thinks of an answer, with its trace; None to forget it.

        Raises:
            UserError: There is no such turn, it isn't over, or its trace's file can't be written.
        """
        turn = self._turn(turn_id)
        if not turn.over:
            raise UserError("An answer can be rated when it is complete.")
        remark = remark.strip() if rating else ""
        await in_thread(lambda: self._keep_rating(turn, rating, remark))
        turn.rating, turn.remark = rating, remark
        await in_thread(lambda: self.store.put_turn(turn))
        await self._listener.changed([turn])

    async def go_on(self, turn_id: str, decided: Callable[[], Question], *, watch: Watch) -> Answered:
        """Go on with a turn whose run rests, since somebody has decided on its calls, and return how it was answered.

        Args:
            turn_id: The turn.
            decided: Gives what the run goes on as. That can be had once, so it is called when nothing is in the way.
            watch: As for `say`.

        Raises:
            UserError: As for `say`, or the run has gone on already.
        """
        turn = self._turn(turn_id)
        with self._alone():
            await self.branches.switch(turn.branch)
            question = decided()
            view, approver = watch(turn)
            turn.status, turn.note = "running", ""
            if not any(turn is shown for shown in self.tree.path()):
                self.tree.choose(turn)
            with contextlib.suppress(UserError, OSError):  # a full disk: the end of the run tells of it
                await in_thread(lambda: self.store.put_turn(turn))
            await self._listener.changed(self.tree.path_from(turn))
            return await self._run(turn, question, view, approver)

    def _keep_rating(self, turn: Turn, rating: Literal["up", "down"] | None, remark: str) -> None:
        from agentkit.tracing.feedback import add_feedback, remove_feedback

        if turn.trace_id is None:  # tracing is off: the chat alone remembers
            return
        if rating is None:
            remove_feedback(turn.trace_id)
            return
        tells = self._config().trace_include_sensitive_data
        add_feedback(
            turn.trace_id,
            rating,
            remark=remark,
            question=turn.question if tells else "",
            answer=turn.answer if tells else "",
            agent=turn.agent,
            model=turn.model,
            session_id=self.branches.session_id_of(turn.branch),
        )

    async def use_model(self, name: str) -> None:
        """Choose the model for the messages to come; "" for the agent's own."""
        self.record.model = name.strip() or None
        if self._kept:
            await in_thread(lambda: self.store.put_chat(self.record))

    def stop(self) -> None:
        """Stop the run under way, from any thread; nothing where there is none."""
        if self._shown is not None:
            self._shown.stop()

    # -- asking ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        if self._busy:
            raise UserError("A message is being answered.", hint="Wait for its answer, or stop it.")
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
            self._listener.rested()

    def _turn(self, turn_id: str) -> Turn:
        if (turn := self.tree.get(turn_id)) is None:
            raise UserError(f"This chat has no message {turn_id!r}.")
        return turn

    async def _again(self, turn: Turn, text: str, attachments: Sequence[Attachment], watch: Watch) -> Answered:
        if not any(turn is shown for shown in self.tree.path()):
            await self.branches.switch(turn.branch)
        await self.branches.start(turn.start)
        return await self._ask(text, attachments, turn.parent, watch, by_cell=False)

    async def _ask(
        self, text: str, attachments: Sequence[Attachment], parent: str | None, watch: Watch, by_cell: bool
    ) -> Answered:
        session = self.branches.session
        before = len(await all_items(session))
        if parent is None and not self._kept:
            await self._keep_chat(text)
        agent = self._agent_after(parent)
        turn = Turn(uuid.uuid4().hex, parent, self.branches.at, text, by_cell=by_cell, start=before)
        turn.agent = agent.name
        turn.model = self.record.model or model_name(agent)
        turn.files = [AttachedFile.of(each) for each in attachments]
        question = Question(
            agent,
            _input(text, attachments),
            "agentkit.chat",
            context=self._terms.context,
            max_turns=self._terms.max_turns,
            config=self._config(),
            session=session,
        )
        view, approver = watch(turn)
        try:
            await in_thread(lambda: self.store.add_turn(self.record.id, turn, attachments))
        except BaseException:
            view.close()
            raise
        self.tree.add(turn)
        self.record.updated_at = time.time()
        await self._listener.changed([turn])
        return await self._run(turn, question, view, approver)

    async def _keep_chat(self, text: str) -> None:
        record = self.record
        record.title = record.title or title_of(text)

        def keep() -> None:
            self.store.put_chat(record)
            self.store.put_branches(record.id, self.branches.records())

        await in_thread(keep)
        self._kept = True

    def _agent_after(self, parent: str | None) -> Agent[Any]:
        """Return who answers next: who answered last, if that was handed over to and can be found."""
        turn = None if parent is None else self.tree.get(parent)
        if turn is None or turn.agent == self.agent.name:
            return self.agent
        return reachable(self.agent).get(turn.agent, self.agent)

    def _config(self) -> RunConfig:
        from agentkit.runtime import RunConfig

        config = self._terms.config or RunConfig()
        changes: dict[str, Any] = {} if config.group_id else {"group_id": self.record.id}
        if self.record.model:
            changes["model"] = self._find_model(self.record.model)
        return replace(config, **changes)

    async def _run(self, turn: Turn, question: Question, view: View, approver: Approver | None) -> Answered:
        """Run, whatever comes of it, and keep that. A run that fails is no error here: the turn says so."""
        watched = WatchedSteps(view)
        self._shown = shown = ShownRun(question, watched, approver=approver)
        task = asyncio.ensure_future(shown.run())
        left: asyncio.CancelledError | None = None
        try:
            while not task.done():
                try:
                    await asyncio.wait({task}, timeout=_CHECKPOINT_S)
                except asyncio.CancelledError as cancelled:  # who waits for the answer was interrupted
                    left = cancelled
                    task.cancel()
                    continue
                if not task.done():
                    await self._checkpoint(turn, shown)
            error = None if task.cancelled() else task.exception()
            self.result = shown.result or self.result
            await self._conclude(turn, shown, error if isinstance(error, Exception) else None, watched)
        finally:
            if not task.done():  # nothing goes on that nobody can stop
                task.cancel()
                await asyncio.wait({task})
            view.close()
            self._shown = None
        if left is not None:
            raise left
        if error is not None and not isinstance(error, Exception):
            raise error
        return Answered(turn, question, shown, error)

    async def _checkpoint(self, turn: Turn, shown: ShownRun) -> None:
        if turn.answer == shown.transcript.answer and len(turn.steps) == len(shown.transcript.steps):
            return
        turn.answer, turn.steps = shown.transcript.answer, list(shown.transcript.steps)
        with contextlib.suppress(UserError, OSError):  # a full disk: the end of the run tells of it
            await in_thread(lambda: self.store.put_turn(turn))

    async def _conclude(self, turn: Turn, shown: ShownRun, error: Exception | None, watched: WatchedSteps) -> None:
        take_outcome(turn, shown, error, self._names_of_models)
        turn.seconds = turn.seconds | watched.seconds
        await in_thread(lambda: self.store.put_turn(turn))
        await self._listener.changed([turn])


def title_of(question: str) -> str:
    """Return what a chat is about that began with a question and was given no title."""
    return one_line(clean(question), 80)


def _input(text: str, attachments: Sequence[Attachment]) -> str | list[Any]:
    if not attachments:
        return text
    from agentkit.notebook.attachments import content_parts

    return [{"role": "user", "content": content_parts(text, attachments)}]
