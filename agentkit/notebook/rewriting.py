"""What happens to a cell's text before IPython reads it.

A cell that asks an agent is turned into one that awaits the answer. That leaves the kernel's loop free, so that
buttons work in any front end. What can't be awaited (inside another magic, in `x = %ask …`, in a terminal) blocks, and
works too.

Three of IPython's readings are kept off: a line that ends with `?` asks it for help, but one that asks an agent ends so
more often than not; a `;` inside a magic's text does not keep the value from being shown; and a cell magic without text
is refused before the magic could say what it misses, or give its help.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["AWAIT_FLAG", "Rewriter"]

AWAIT_FLAG = "--await"
"""What the line of an awaited magic begins with."""

_CELL = re.compile(r"%%(\w+)(?=\s|$)(.*)")
_LINE = re.compile(r"%ask(?=\s)(.*[^\\])")
_IN_CELL = re.compile(r"(\s*(?:[A-Za-z_]\w*\s*=\s*)?)%(ask|vector_store(?=\s+search\s+\S+\s+\S))(\s+\S+\s+\S.*[?;])\s*")


class Rewriter:
    """The input transformer, and what it has to know: whether a cell is running already.

    Args:
        shell: The notebook's shell.
        cell_magics: Names of our magics that take a cell.
    """

    has_side_effects = True
    """Not so, but it tells IPython not to use it when it asks whether a cell that is being typed is complete."""

    def __init__(self, shell: InteractiveShell, cell_magics: Iterable[str]) -> None:
        self._shell = shell
        self._cell_magics = frozenset(cell_magics)
        self._running = 0

    def __call__(self, lines: list[str]) -> list[str]:
        """Return a cell's lines as IPython is to read them."""
        if not lines:
            return lines
        first, rest = lines[0].rstrip(), "".join(lines[1:])
        if match := _CELL.fullmatch(first):
            return self._cell(match[1], match[2], rest) or lines
        if (
            (match := _LINE.fullmatch(first))
            and not rest.strip()
            and not _asks_for_help(match[1])
            and self._can_await()
        ):
            return [_call("run_line_magic", "ask", AWAIT_FLAG + match[1], awaited=True)]
        return _with_calls(lines)

    def _cell(self, name: str, line: str, text: str) -> list[str]:
        """Return a cell magic of ours as the call of it, where IPython would make another of it."""
        if name not in self._cell_magics:
            return []
        if name == "ask" and text.strip():
            if self._can_await():
                return [_call("run_cell_magic", name, AWAIT_FLAG + line, text, awaited=True)]
            return [_call("run_cell_magic", name, line.strip(), text)] if _is_quiet(text) else []
        return [] if text else [_call("run_cell_magic", name, line.strip(), "\n")]

    @property
    def inside_cell(self) -> bool:
        """Whether a cell is running."""
        return self._running > 0

    def before_cell(self) -> None:
        """Note that a cell begins: what is transformed from here on is inside it, where nothing may be awaited."""
        self._running += 1

    def after_cell(self) -> None:
        """Note that a cell has ended."""
        self._running = max(0, self._running - 1)

    def _can_await(self) -> bool:
        shell = self._shell
        if self._running or getattr(shell, "kernel", None) is None or not shell.autoawait:
            return False
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return False
        return True


def _call(method: str, *arguments: str, awaited: bool = False) -> str:
    end = ";" if _is_quiet(arguments[-1]) else ""
    return f"{'await ' if awaited else ''}get_ipython().{method}({', '.join(map(repr, arguments))}){end}\n"


def _is_quiet(text: str) -> bool:
    return text.rstrip().endswith(";") and not text.rstrip().endswith("\\;")


def _asks_for_help(line: str) -> bool:
    """Tell whether what follows `%ask` is `weather?`: a name to be explained, and no question to an agent."""
    return line.rstrip().endswith("?") and len(line.split()) < 2


def _with_calls(lines: list[str]) -> list[str]:
    """Return the lines with each `%ask` or search that ends with `?` or `;` made into the call that it stands for."""
    made, in_string = [], False
    for line in lines:
        match = None if in_string else _IN_CELL.fullmatch(line)
        made.append(line if match is None else match[1] + _call("run_line_magic", match[2], match[3].strip()))
        in_string ^= (line.count('"""') + line.count("'''")) % 2 == 1
    return made
