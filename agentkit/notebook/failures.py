"""How a cell's failure is told: one or two lines, with everything else a command away."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from agentkit.notebook.display.text import clean
from agentkit.notebook.tracebacks import how_stopped, red, safe_lines, without_keys

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Interrupted", "shortened"]


class Interrupted(KeyboardInterrupt):
    """The run of a cell was stopped, by the kernel's interrupt or the Stop button.

    Raised, so that Run All stops too; shown as one line.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"{red('Interrupted')}: {how_stopped(self)}"]


class _ShortTraceback:
    """Stands in for an exception's traceback: short when the cell fails, whole when `%tb` asks again."""

    def __init__(self, shell: InteractiveShell, error: BaseException, advice: str) -> None:
        self._shell = shell
        self._error = error
        self._advice = advice
        self._told = False
        # IPython prints a group, and whatever has one in its chain, in full; so the chain is rendered, then cut
        self._whole: list[str] | None = None
        if _has_group(error):
            self._whole = self._render()
            error.__context__ = error.__cause__ = None

    def __call__(self) -> list[str]:
        if self._told:
            return self._whole or self._render()
        self._told = True
        lines = [f"{red(type(self._error).__name__)}: {clean(str(self._error))}"]
        if place := _place(self._shell, self._error):
            lines.append(f"Raised in {place}.")
        return [*lines, self._advice] if self._advice else lines

    def _render(self) -> list[str]:
        error = self._error
        lines = self._shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        return safe_lines(lines)


def shortened(shell: InteractiveShell, error: Exception, advice: str = "") -> Exception:
    """Return `error`, to be raised from a magic: it is shown in a line or two, and holds no API key any more.

    Args:
        shell: The notebook's shell, which renders the whole traceback when `%tb` asks for it.
        error: What ended the run.
        advice: A line on what to do.
    """
    error = without_keys(error)
    safe = clean(str(error))
    if safe != str(error):
        error.args = (safe,)
        with contextlib.suppress(AttributeError):
            error.message = safe  # type: ignore[attr-defined]  # where there is one, `str` may be made of it
    with contextlib.suppress(AttributeError):  # a class without a __dict__ shows its whole traceback
        error._render_traceback_ = _ShortTraceback(shell, error, advice)  # type: ignore[attr-defined]
    return error


def _has_group(error: BaseException | None) -> bool:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, BaseExceptionGroup):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def _place(shell: InteractiveShell, error: BaseException) -> str:
    """Return the cell and line that raised, where a cell's code did: `Cell In[3], line 2`."""
    name_code: Callable[[str], tuple[str, str] | None] | None = getattr(shell.compile, "format_code_name", None)
    cause: BaseException | None = error
    while cause is not None:
        trace = cause.__traceback__
        found = ""
        while trace is not None and name_code is not None:
            cell = name_code(trace.tb_frame.f_code.co_filename)
            if cell is not None and trace.tb_frame.f_code.co_name != "<module>":
                found = f"{cell[0]} {cell[1]}, line {trace.tb_lineno}"
            trace = trace.tb_next
        if found:
            return found
        cause = cause.__cause__
    return ""
