"""What came of a turn's run, put into the turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.notebook.chat.notes import note_of
from agentkit.notebook.display.members import members_of, title_of
from agentkit.notebook.display.run_view import usage_line
from agentkit.notebook.display.transcript import Transcript

if TYPE_CHECKING:
    from agentkit.notebook.chat.turns import Turn
    from agentkit.notebook.running import ShownRun

__all__ = ["take_outcome"]


def take_outcome(turn: Turn, shown: ShownRun, error: Exception | None, models: Callable[[], Sequence[str]]) -> None:
    """Put the answer of a run that is over into its turn, with the way to it and what it took.

    Args:
        turn: The turn.
        shown: Its run.
        error: What ended the run, if it failed.
        models: Gives the names of the models that there are.
    """
    result = shown.result
    transcript = shown.transcript
    turn.status = "error" if error is not None else "cancelled"
    if result is not None:
        if result.status != "running":
            if error is None or result.status not in ("completed", "waiting"):
                turn.status = result.status
            transcript = Transcript.of(result, shown.transcript)
        turn.agent = result.last_agent.name
        turn.usage = result.usage
        turn.usage_line = usage_line(result)
        turn.trace_id = result.trace_id
        turn.model = (result.raw_responses[-1].model if result.raw_responses else None) or turn.model
    turn.answer, turn.steps, turn.citations = transcript.answer, transcript.steps, list(transcript.citations)
    output = None if result is None else result.final_output
    if output is not None and not isinstance(output, str):
        turn.answer, turn.structured, turn.citations = _as_json(output, turn.answer), True, []
        turn.output_type = "" if members_of(output) is None else title_of(output)
    turn.note = note_of(turn, error, models)


def _as_json(output: Any, answer: str) -> str:  # of whatever type an agent's output is
    """Return a structured answer as JSON; what the model wrote where it has no such form."""
    try:
        return _json.dumps(output).decode()
    except TypeError:
        return answer
