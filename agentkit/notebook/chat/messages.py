"""What was said in a chat, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from agentkit.notebook.display.text import clean, one_line

if TYPE_CHECKING:
    from agentkit.notebook.chat.turns import Turn
    from agentkit.usage import Usage

__all__ = ["ChatMessage", "messages_of"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a chat, as it is shown."""

    role: Literal["user", "assistant"]
    """Who said it."""
    text: str
    """What was said; an answer's Markdown, or the JSON of a structured one."""
    attachments: tuple[str, ...] = ()
    """Names of the files that went with it."""
    agent: str = ""
    """Name of the agent that answered."""
    model: str = ""
    """The model that answered."""
    status: str = "completed"
    """How the answer's run went, as in `RunResult.status`; "interrupted" where the kernel ended before it did."""
    note: str = ""
    """What there is to say of a run that didn't go well."""
    usage: Usage | None = None
    """Tokens that the answer took."""
    trace_id: str | None = None
    """Id of the answer's trace."""
    rating: Literal["up", "down"] | None = None
    """What the reader thought of the answer."""
    remark: str = ""
    """What the reader said of the answer."""

    def __repr__(self) -> str:
        status = "" if self.status == "completed" else f", status={clean(self.status)!r}"
        return f"ChatMessage({self.role}, {clean(one_line(self.text, 80))!r}{status})"


def messages_of(turn: Turn) -> list[ChatMessage]:
    """Return the reader's message, and the answer to it if that is over."""
    asked = ChatMessage("user", turn.question, tuple(file.name for file in turn.files))
    if not turn.over:
        return [asked]
    answer = ChatMessage(
        "assistant",
        turn.answer,
        agent=turn.agent,
        model=turn.model,
        status=turn.status,
        note=turn.note,
        usage=turn.usage,
        trace_id=turn.trace_id,
        rating=turn.rating,
        remark=turn.remark,
    )
    return [asked, answer]
