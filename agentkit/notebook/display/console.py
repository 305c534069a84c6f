"""A run printed in a terminal as it goes on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from agentkit.notebook.display.run_view import arguments_line
from agentkit.notebook.display.text import clean, one_line, showable_length
from agentkit.notebook.display.transcript import Step

if TYPE_CHECKING:
    from agentkit.models import AgentOutputSchemaBase

__all__ = ["ConsoleView", "step_line"]

_MARKS = {"running": "…", "ok": "✓", "failed": "✗", "stopped": "■", "rejected": "⊘", "waiting": "?"}


class ConsoleView:
    """Prints the answer as it streams, and a line for each step.

    Args:
        stream: Where to print; standard output when None.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._held = ""
        self._in_line = False

    def text(self, delta: str) -> None:
        """Print a piece of the answer, except for an end that may be the beginning of a key."""
        text = self._held + delta
        length = showable_length(text)
        self._held = text[length:]
        self._print(clean(text[:length]))

    def step(self, step: Step) -> None:
        """Print a line for a step that has ended; the text of one in between has been printed."""
        if step.state not in ("running", "waiting") and step.kind != "text":
            self.note(step_line(step))

    def inner_step(self, step: Step, depth: int) -> None:
        """Print a line for a step of the run of an agent used as a tool, once it has ended; its text as well."""
        if step.state != "running":
            self.note("  " * depth + step_line(step))

    def clear_text(self) -> None:
        """Go on below: what is printed stays."""
        self.end_line()

    def status(self, text: str, *, schema: AgentOutputSchemaBase | None = None) -> None:
        """Print nothing: a terminal has no place for what goes away again."""

    def notice(self, text: str) -> None:
        """Print a line on what has just happened."""
        self.note(f"↻ {text}")

    def start(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Print what was held back."""
        self.end_line()

    def note(self, text: str) -> None:
        """Print a line of its own."""
        self.end_line()
        self._print(clean(text) + "\n")

    def end_line(self) -> None:
        """Print what was held back, and go to a new line unless at the beginning of one."""
        held, self._held = self._held, ""
        self._print(clean(held))
        if self._in_line:
            self._print("\n")

    def _print(self, text: str) -> None:
        if not text:
            return
        stream = self._stream or sys.stdout
        stream.write(text)
        stream.flush()
        self._in_line = not text.endswith("\n")


def step_line(step: Step) -> str:
    """Return a step on a line of text, in short."""
    match step.kind:
        case "handoff":
            return f"→ {step.title} hands over to {step.output}"
        case "thought" | "text":
            return f"{'~' if step.kind == 'thought' else '“'} {one_line(step.title, 100)}"
        case _:
            call = f"{step.title}({one_line(arguments_line(step.arguments), 60)})"
            return f"{_MARKS[step.state]} {call} → {one_line(step.output, 80)}"
