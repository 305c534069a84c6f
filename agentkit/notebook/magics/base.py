"""What every magic is made of: how it is typed, and what it does."""

from __future__ import annotations

import keyword
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.text import clean
from agentkit.notebook.interpolation import InterpolationError, fill, unfilled_hint
from agentkit.notebook.options import Arguments, Command, HelpRequested, typed_as, typed_sign, usage_error
from agentkit.notebook.rewriting import AWAIT_FLAG

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["Magic", "as_function", "filled", "variable_name", "without_semicolon"]


@dataclass(frozen=True, slots=True)
class Magic:
    """A magic of the extension."""

    command: Command
    """How it is typed."""
    run: Callable[[InteractiveShell, Arguments, str | None], Any]
    """Takes the shell, the line taken apart and the cell's text (None for a line); what it returns is shown."""


def as_function(shell: InteractiveShell, magic: Magic) -> Callable[..., Any]:
    """Return the function to register with IPython: it parses the line, gives help, and expands nothing by itself."""
    from IPython.core.magic import no_var_expand

    def run(line: str = "", cell: str | None = None) -> Any:
        awaited = line.startswith(AWAIT_FLAG)
        token = typed_as.set(f"{'%' if cell is None else '%%'}{magic.command.name}")
        try:
            arguments = magic.command.parse(line.removeprefix(AWAIT_FLAG), cell=cell is not None)
        except HelpRequested as asked:
            print(asked.command.help())
            return _nothing() if awaited else None
        else:
            arguments.awaited = awaited
            return magic.run(shell, arguments, cell)
        finally:
            typed_as.reset(token)

    run.__name__ = run.__qualname__ = magic.command.name
    run.__doc__ = magic.command.help()
    return no_var_expand(run)


def _nothing() -> Coroutine[Any, Any, None]:
    async def nothing() -> None:
        return None

    return nothing()


def without_semicolon(text: str) -> tuple[str, bool]:
    r"""Return a text without the `;` at its end, and whether there was one: it hides the output. `\;` writes one."""
    end = text.rstrip()
    if end.endswith("\\;"):
        return end[:-2] + ";", False
    return (end[:-1], True) if end.endswith(";") else (text, False)


def filled(command: Command, shell: InteractiveShell, text: str) -> str:
    """Return a text with each `{{name}}` in its place; where one looks like code, say that it isn't run.

    Raises:
        UsageError: A name stands for nothing.
    """
    try:
        made = fill(text, shell.user_ns).strip()
    except InterpolationError as error:
        raise usage_error(command, str(error)) from None
    if hint := unfilled_hint(text, shell.user_ns):
        print(f"{typed_sign(command)}: {clean(hint)}", file=sys.stderr)
    return made


def variable_name(command: Command, name: str) -> str:
    """Return `name`, checked to be one that a variable can have.

    Raises:
        UsageError: It can't be.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise usage_error(command, f"{name!r} can't be the name of a variable.")
    return name
