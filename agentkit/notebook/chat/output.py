"""A chat's place in the notebook: what is kept of it, and beneath that the chat itself."""

from __future__ import annotations

import contextvars
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agentkit.notebook.chat.kept import kept_bundle
from agentkit.notebook.display.kept_digest import digest_of
from agentkit.notebook.display.publish import publish
from agentkit.sessions.finishing import in_thread

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.chat.talk import Talk
    from agentkit.notebook.chat.turns import Turn
    from agentkit.notebook.display.modes import RenderMode

__all__ = ["ChatOutput", "running_cell"]


class ChatOutput:
    """What a chat leaves in the notebook.

    Live, it is shown at once: what is kept, which each turn replaces, then the widget. Where nobody looks there is one
    output at the end of the cell. What a later cell asks is kept by that cell, as long as only cells ask; once the
    reader has typed something, the chat's own output keeps all that was said.

    Args:
        shell: The notebook's shell.
        talk: The conversation.
        title: What it is about, where somebody said so.
        widget: Gives the output of the widget.
        on_kept: Told the class of what was just kept, from any thread.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        talk: Talk,
        title: str,
        widget: Callable[[], dict[str, Any]],
        on_kept: Callable[[str], None],
    ) -> None:
        self._shell = shell
        self._talk = talk
        self._title = title
        self._widget = widget
        self._on_kept = on_kept
        self._keeping = threading.Lock()
        self._cell: tuple[str, str] | None = None
        self._display_id = ""
        self._published: dict[str, str] = {}
        self._elsewhere: set[str] = set()
        self._mode: RenderMode | None = None
        self.in_this_cell = False
        """Whether the cell that runs shows the chat."""

    def show(self, mode: RenderMode) -> bool:
        """Show the chat in the cell that runs, once; tell whether that hadn't been done."""
        if self.in_this_cell:
            return False
        self._mode = mode
        self._cell = running_cell(self._shell)
        self._elsewhere.clear()
        self.in_this_cell = True
        self._shell.events.register("post_run_cell", self._cell_ends)
        if mode == "live":
            with self._keeping:
                self._display_id = self._display_id or uuid.uuid4().hex  # all places where it is shown follow the chat
                self._published = self._kept()
                publish(self._published, display_id=self._display_id)
            publish(self._widget())
            self._on_kept(digest_of(self._published))
        return True

    @property
    def is_replaced(self) -> bool:
        """Whether the cell that showed the chat last runs again, so that its output is gone."""
        before, now = self._cell, running_cell(self._shell)
        return before is not None and now is not None and before[0] == now[0] and before[1] != now[1]

    def settle(self) -> None:
        """Show what the end of the cell would show now, before an error is raised."""
        if self.in_this_cell and self._mode == "static":
            publish(self._kept())
            self._mode = None

    def _cell_ends(self, result: Any = None) -> None:  # an ExecutionResult
        self.settle()
        self.in_this_cell = False
        self._shell.events.unregister("post_run_cell", self._cell_ends)

    def asked_here(self, turn: Turn) -> None:
        """Note that the cell that runs has asked a turn."""
        if not self.in_this_cell:
            self._elsewhere.add(turn.id)

    def show_turn(self, turn: Turn) -> None:
        """Keep a turn in the cell that asked it or went on with it, where that isn't the chat's own."""
        if not self.in_this_cell:
            talk = self._talk
            publish(kept_bundle(talk.tree, [turn], title="", agent=talk.agent.name, part=True))

    async def changed(self, turns: Sequence[Turn]) -> None:
        """Replace what is kept, where that is another now. It is rendered in a thread, since a chat may be long."""
        if self._display_id:
            context = contextvars.copy_context()
            await in_thread(lambda: context.run(self._keep))

    def _keep(self) -> None:
        with self._keeping:
            if (kept := self._kept()) == self._published:
                return
            self._published = kept
            publish(kept, display_id=self._display_id, update=True)
            self._on_kept(digest_of(kept))

    def _kept(self) -> dict[str, str]:
        talk = self._talk
        turns = talk.tree.path()
        if all(turn.by_cell for turn in talk.tree):
            turns = [turn for turn in turns if turn.id not in self._elsewhere]
        return kept_bundle(talk.tree, turns, title=self._title, agent=talk.agent.name)


def running_cell(shell: InteractiveShell) -> tuple[str, str] | None:
    """Return the id of the cell that runs, and that of its run; None where no front end tells."""
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)() or {}
    cell, run = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    return (str(cell), str(run)) if cell else None
