"""What the tests of chats share: who listens, who sees nothing, and what the model was given."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agentkit.notebook.chat.talk import Talk
from agentkit.notebook.chat.turns import Turn
from agentkit.notebook.display.view import NoView, View
from agentkit.testing import ScriptedModel

TalkMaker = Callable[..., Talk]


class Listener:
    """Remembers what changed."""

    def __init__(self) -> None:
        self.changes: list[list[tuple[str, str]]] = []
        self.rests = 0

    async def changed(self, turns: Sequence[Turn]) -> None:
        self.changes.append([(turn.question, turn.status) for turn in turns])

    def rested(self) -> None:
        self.rests += 1


def unseen(turn: Turn) -> tuple[View, None]:
    """Nobody sees the run, and nobody decides."""
    return NoView(), None


def said(model: ScriptedModel) -> list[str]:
    """Return the texts that the model was last given."""
    texts = []
    for item in model.requests[-1].input:
        content = item.get("content")
        texts.append(content if isinstance(content, str) else content[0]["text"])
    return texts
