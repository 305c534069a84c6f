"""What is said of a turn that didn't go well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from agentkit.notebook.display.run_view import ENDINGS
from agentkit.notebook.display.text import clean, one_line

if TYPE_CHECKING:
    from agentkit.notebook.chat.turns import Turn

__all__ = ["note_of"]

_NOTE_CHARS = 500


def note_of(turn: Turn, error: Exception | None, models: Callable[[], Sequence[str]] = tuple) -> str:
    """Return what is to be said of a turn that didn't go well; "" of one that did.

    Args:
        turn: The turn, with its status.
        error: What ended its run, if it failed.
        models: Gives the names of the models that there are.
    """
    if turn.status == "cancelled" and not turn.answer:
        return "Stopped. Nothing had been answered yet."
    if turn.status == "waiting":
        on = "In a cell, import agentkit; agentkit.approve() goes on with it, or agentkit.reject()."
        return f"The run rests at calls that nobody decided on. {on}"
    said = "" if error is None else one_line(clean(str(getattr(error, "message", None) or error)), _NOTE_CHARS)
    if turn.status == "guardrail":
        return said or ENDINGS["guardrail"]
    if error is None or turn.status in ("max_turns", "budget"):
        return ENDINGS.get(turn.status, "")
    from agentkit.notebook.options import closest

    unknown = getattr(error, "status_code", None) == 404
    near = closest(turn.model, list(models())) if unknown else ""
    return f"Failed: {type(error).__name__}: {said}{near}"
