"""The chat's side of its widget: what the front end is sent, and what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.notebook.approving import SamePolicy, approval_policy
from agentkit.notebook.attachments import MAX_BYTES, Attachment
from agentkit.notebook.chat.run_channel import RunChannel, TimedView, time_text
from agentkit.notebook.chat.turn_html import answer_html, file_size, files_html, question_html, steps_of
from agentkit.notebook.display.text import clean
from agentkit.sessions.finishing import in_thread

if TYPE_CHECKING:
    from agentkit.notebook.approving import Approver
    from agentkit.notebook.chat.talk import Talk
    from agentkit.notebook.chat.turns import Turn, TurnTree
    from agentkit.notebook.display.live import Channel
    from agentkit.notebook.display.view import View

__all__ = ["Frame", "FrontEnd"]

_MOST_FILES = 10
"""Files that may go with a message."""

_MOST_VIEWS = 50
_VIEW_CHARS = 20
_LONG_CHARS = 4_000
"""From so much text on, turns are rendered in a thread: formulas, code and tables take up to a second then."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stays the same around the messages."""

    title: str
    """What the chat is about; "" for nothing in particular."""
    suggestions: Sequence[str] = ()
    """Messages to begin with."""
    models: Callable[[], Sequence[str]] = tuple
    """Gives the models to choose from."""
    resume: str = ""
    """What goes on with the chat when the kernel is gone; "" where nothing does."""
    height_px: int = 480
    """How high the chat grows before it scrolls."""
    again: str = ""
    """What shows the chat in another cell while the kernel is there."""
    earlier: tuple[str, str] | None = None
    """What to say of the chat in whose place this one is, and what goes on with that; None where there was none."""


@dataclass(slots=True)
class _Upload:
    """A file on its way from the front end."""

    name: str
    parts: list[bytes] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return sum(map(len, self.parts))


class FrontEnd:
    """Sends the chat to its widget, and does what the reader wants.

    Messages to the front end are numbered by `n`, without gaps: one that misses a number asks for the whole state by
    `{"kind": "ready", "view": …}`; with `again` where it has heard nothing so far, which is for requests that were
    lost: a view that was answered isn't again. What a run shows comes within `{"run": …}`, which `LiveView` numbers by
    itself. Earlier turns are sent once; then only what changes. Lives on agentkit's loop thread, but for `says`.

    Args:
        channel: Where messages go.
        loop: agentkit's loop.
        frame: What stays the same.
    """

    def __init__(self, channel: Channel, loop: asyncio.AbstractEventLoop, frame: Frame) -> None:
        self._channel = channel
        self._loop = loop
        self._frame = frame
        self._talk: Talk | None = None
        self._number = 0
        self._kept = ""
        self._live_turn = ""
        self._files: dict[str, Attachment] = {}
        self._uploads: dict[str, _Upload] = {}
        self._views: tuple[str, ...] = ()  # that were sent everything; one that heard nothing yet asks again
        self._tasks: set[asyncio.Task[None]] = set()
        self._live: TimedView | None = None

    @property
    def talk(self) -> Talk:
        """The conversation."""
        assert self._talk is not None  # given by whoever makes both
        return self._talk

    @talk.setter
    def talk(self, talk: Talk) -> None:
        self._talk = talk

    # -- to the front end -----------------------------------------------------------------------------------------

    async def changed(self, turns: Sequence[Turn]) -> None:
        """Send turns that are new or have changed, and which are shown."""
        shown = await self._in_time(lambda: turns)
        self._send({"turns": shown, **self._state()})

    def kept_as(self, digest: str) -> None:
        """Say what the notebook keeps of the chat from now on, by its class. In any thread, after it was sent."""
        self._loop.call_soon_threadsafe(self._tell_kept, digest)

    def rested(self) -> None:
        """Say that a message may be sent again."""
        self._send(self._state())

    def tell(self, text: str, *, back: str = "") -> None:
        """Tell the reader something, such as an error.

        Args:
            text: What to say.
            back: A message that could not be sent, for the composer.
        """
        self._channel.send({"told": clean(text), "back": clean(back)})

    def view(self, turn: Turn, *, patience_s: float | None = None) -> tuple[View, Approver | None]:
        """Return where the run of a turn is shown, and who decides on its calls: the reader, unless a policy does.

        Args:
            turn: The turn.
            patience_s: See `LiveView`.
        """
        channel = RunChannel(self._channel, turn.id)
        self._live_turn = turn.id
        self._live = live = TimedView(channel, self._loop, on_stop=self.talk.stop, patience_s=patience_s)
        match approval_policy():
            case "approve" | "deny" as policy:
                return live, SamePolicy(policy == "approve")
        return live, live

    def _tell_kept(self, digest: str) -> None:
        self._kept = digest
        self._send({"kept": digest})

    def _send(self, content: dict[str, Any]) -> None:
        self._channel.send({"n": self._number, **content})
        self._number += 1

    def _state(self) -> dict[str, Any]:
        path = self.talk.tree.path()
        return {
            "path": [turn.id for turn in path],
            "places": [self.talk.tree.place(turn) for turn in path],
            "versions": [[each.id for each in self.talk.tree.versions(turn)] for turn in path],
            "busy": self.talk.busy,
            "total": _total(self.talk.tree),
            "kept": self._kept,
        }

    async def _in_time(self, turns: Callable[[], Sequence[Turn]]) -> list[dict[str, Any]]:
        """Return turns as they are shown now. Long ones are rendered in a thread, again if there was news meanwhile."""
        while _are_long(turns()):
            number = self._number
            shown = await in_thread(lambda: [self._shown(turn) for turn in turns()])
            if number == self._number:
                return shown
        return [self._shown(turn) for turn in turns()]

    async def _send_all_in_time(self) -> None:
        self._send_all(await self._in_time(self.talk.tree.path))

    def _send_all(self, turns: Sequence[dict[str, Any]]) -> None:
        frame, talk = self._frame, self.talk
        whole = {
            "all": {
                "agent": clean(talk.agent.name),
                "title": clean(frame.title),
                "suggestions": [clean(text) for text in frame.suggestions],
                "models": [clean(name) for name in frame.models()],
                "model": clean(talk.record.model or ""),
                "resume": frame.resume,
                "again": frame.again,
                "earlier": frame.earlier,
                "height": frame.height_px,
                "most_bytes": MAX_BYTES,
                "files": self._shown_files(),
                "turns": turns,
            }
        }
        self._send(whole | self._state())

    def _shown(self, turn: Turn) -> dict[str, Any]:
        """Return a turn as the front end shows it. Of one that is being answered, the answer comes by its run."""
        shown = {
            "id": turn.id,
            "agent": clean(turn.agent),
            "question": question_html(turn),
            "text": clean(turn.question),
            "files": files_html(turn),
            "over": turn.over,
        }
        if not turn.over:
            return shown
        seconds = [turn.seconds.get(step.key) for step in turn.steps]
        return shown | {
            "answer": answer_html(turn, math="mathml"),
            "source": clean(turn.answer),
            "steps": [[html, time_text(each)] for html, each in zip(steps_of(turn), seconds, strict=True)],
            "note": clean(turn.note),
            "usage": clean(turn.usage_line),
            "rating": turn.rating,
            "remark": clean(turn.remark),
        }

    def _shown_files(self) -> list[dict[str, str]]:
        return [
            {"key": key, "name": clean(file.name), "size": file_size(len(file.data))}
            for key, file in self._files.items()
        ]

    # -- from the front end ---------------------------------------------------------------------------------------

    def says(self, message: dict[str, Any], buffers: Sequence[Any] = ()) -> None:
        """Take a message from the widget, in whatever thread it arrives."""
        data = [bytes(buffer) for buffer in buffers]
        self._loop.call_soon_threadsafe(self._take, message, data)

    def _take(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        try:
            self._act(message, buffers)
        except UserError as error:
            self.tell(str(error))

    def _act(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        talk, turn = self.talk, str(message.get("turn", ""))
        match message.get("kind"):
            case "ready":
                view = str(message.get("view", ""))[:_VIEW_CHARS]
                if message.get("again") and view in self._views:
                    return
                self._views = (*self._views, view)[-_MOST_VIEWS:]
                self._uploads.clear()  # of a page that is gone
                if _are_long(path := talk.tree.path()):
                    self._start(self._send_all_in_time())
                else:
                    self._send_all([self._shown(turn) for turn in path])
            case "run":
                if self._live is not None and turn == self._live_turn:  # a late click is not for the run of now
                    self._live.front_end_says(dict(message.get("content") or {}))
            case "send":
                self._send_message(str(message.get("text", "")))
            case "stop":
                talk.stop()
            case "retry":
                self._start(talk.retry(turn, watch=self.view))
            case "edit":
                self._start(talk.edit(turn, str(message.get("text", "")), watch=self.view))
            case "choose":
                self._start(talk.choose(turn))
            case "rate":
                rating = message.get("rating")
                wanted = rating if rating in ("up", "down") else None
                self._start(talk.rate(turn, wanted, str(message.get("remark") or "")))
            case "model":
                self._start(self._use_model(str(message.get("name", ""))))
            case "upload":
                self._take_part(message, buffers)
            case "drop":
                self._files.pop(str(message.get("key")), None)
                self._send({"files": self._shown_files()})

    def _send_message(self, text: str) -> None:
        files = list(self._files.values())
        if self.talk.busy:
            raise UserError("A message is being answered. Yours is still below: send it when the answer is there.")
        if self._uploads:
            raise UserError("A file is still on its way. Your message is still below: send it when the file is there.")
        self._start(self.talk.say(text, files, watch=self.view), back=text, files=dict(self._files))
        self._files.clear()
        self._send({"taken": True, "files": []})

    async def _use_model(self, name: str) -> None:
        await self.talk.use_model(name)
        self._send(self._state())

    def _take_part(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        """Take a part of a file; the last makes it an attachment.

        Raises:
            UserError: It can't be attached.
        """
        key, name = str(message.get("key")), str(message.get("name", ""))
        if len(self._files) >= _MOST_FILES:
            raise UserError(f"{name} is one file too many: {_MOST_FILES} may go with a message.")
        upload = self._uploads.setdefault(key, _Upload(name))
        if upload.size_bytes <= MAX_BYTES:  # what comes beyond is not even kept
            upload.parts += buffers
        if message.get("last"):
            del self._uploads[key]
            self._files[key] = Attachment.of(name, b"".join(upload.parts))
            self._send({"files": self._shown_files()})

    def _start(
        self, work: Coroutine[Any, Any, Any], *, back: str = "", files: Mapping[str, Attachment] | None = None
    ) -> None:
        """Carry something out. Its errors are shown in the chat: no cell is there to raise them in.

        Args:
            work: What to do.
            back: The message that the reader gets back if it fails.
            files: What went with it, which the reader gets back too.
        """
        task = self._loop.create_task(self._guarded(work, back, files or {}))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, Any], back: str, files: Mapping[str, Attachment]) -> None:
        try:
            await work
        except Exception as error:  # of a session or a tool of any make
            self.tell(str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}", back=back)
            if files:
                self._files = {**files, **self._files}
                self._send({"files": self._shown_files()})


def _are_long(turns: Sequence[Turn]) -> bool:
    """Tell whether rendering turns takes so long that the loop is not to wait for it."""
    over = [turn for turn in turns if turn.over]
    steps = sum(len(step.arguments) + len(step.output) for turn in over for step in turn.steps)
    return steps + sum(len(turn.answer) for turn in over) > _LONG_CHARS


def _total(turns: TurnTree) -> str:
    """Return what a chat has used, all its branches together; "" for nothing."""
    over = [turn.usage for turn in turns if turn.usage.requests]
    sent, received = sum(usage.input_tokens for usage in over), sum(usage.output_tokens for usage in over)
    if not sent + received:
        return ""
    parts = [f"{turns.messages} message{'' if turns.messages == 1 else 's'}", f"{sent:,} + {received:,} tokens"]
    costs = [usage.cost_usd for usage in over]
    known = sum(cost for cost in costs if cost is not None)
    if known:
        shown = f"${known:.4f}" if known >= 0.00005 else "under $0.0001"
        parts.append(shown if None not in costs else f"{shown} where the price is known")
    return " · ".join(parts)
