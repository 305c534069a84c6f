"""Tracebacks without keys, for every error that a cell of the notebook raises; and short ones of interrupted runs.

Errors like to quote what failed: a server the key that it refuses, a client the headers that it sent; and in the mode
`%xmode Verbose` a traceback shows the values of all variables. So keys are taken out where errors leave for the
notebook: out of the errors themselves, since Jupyter sends and saves their text beside the traceback, and out of its
lines.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from agentkit._logging import guard_logs, unguard_logs
from agentkit._secrets import Redactor
from agentkit.notebook.display.text import fit
from agentkit.notebook.filling import shown_reports

if TYPE_CHECKING:
    from types import TracebackType

    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["guard_tracebacks", "how_stopped", "red", "safe_lines", "unguard_tracebacks", "without_keys"]

_STOPS = (KeyboardInterrupt, asyncio.CancelledError)
"""What the kernel's interrupt is in a cell that blocks, and in one that awaits."""
_HANDLED = (Exception, *_STOPS)
_WAITING = "agentkit.runtime.background"
"""The module by which all that blocks waits for agentkit's loop."""

_SURROGATES = re.compile("[\ud800-\udfff]")
_COLOUR = re.compile(r"(\x1b\[[0-9;]{0,32}m)")
_TEXTS_OF: dict[type[BaseException], tuple[str, ...]] = {
    OSError: ("filename", "filename2", "strerror"),
    SyntaxError: ("text", "filename", "msg"),
    ImportError: ("msg", "name", "path"),
}
"""Texts that errors of Python's own hold besides their arguments."""
_DEPTH = 6
"""How far lists and dictionaries within an error are looked into."""

Render = Callable[[], list[str]]


def guard_tracebacks(shell: InteractiveShell) -> None:
    """Take the keys out of each error that a cell raises, before it is shown. Unless others handle errors already."""
    if not shell.custom_exceptions:
        shell.set_custom_exc(_HANDLED, _show_guarded)  # type: ignore[no-untyped-call]
    guard_logs("asyncio")  # says what went wrong in tasks that nobody waits for


def unguard_tracebacks(shell: InteractiveShell) -> None:
    """Take back what `guard_tracebacks` did."""
    if shell.custom_exceptions == _HANDLED:
        shell.set_custom_exc((), None)  # type: ignore[no-untyped-call]
    unguard_logs("asyncio")


def without_keys(error: Exception) -> Exception:
    """Return `error` with no key in its text, its attributes and its notes, nor in those of the errors behind it.

    It is changed in place. One whose text can't be changed is replaced by another of the same name.
    """
    clean = _cleaner()
    for each in _all_behind(error):
        _scrub(each, clean)
    text = str(error)
    return error if clean(text) == text else _stand_in(error, clean(text))


def safe_lines(lines: list[str]) -> list[str]:
    """Return the lines of a traceback without keys, and without terminal commands other than colours."""
    return [
        "".join(part if _COLOUR.fullmatch(part) else fit(part) for part in _COLOUR.split(line))
        for line in _without_keys(lines)
    ]


def _without_keys(lines: list[str]) -> list[str]:
    """Return the lines of a traceback without keys, also those that colours cut in pieces: they cost the colours."""
    redact = _cleaner()
    cleaned = []
    for line in map(redact, lines):
        plain = _COLOUR.sub("", line)
        bare = redact(plain)
        cleaned.append(line if bare == plain else bare)
    return cleaned


def _cleaner() -> Callable[[str], str]:
    """Return what takes out keys, and halves of surrogate pairs: a kernel can't send a text that has one."""
    redact = Redactor().clean
    return lambda text: redact(text if text.isascii() else _SURROGATES.sub("\ufffd", text))


def _show_guarded(
    shell: InteractiveShell,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    """Show an error as IPython would, but for keys; and what was interrupted in agentkit as a line."""
    from IPython.core.error import UsageError

    if isinstance(error, Exception):
        error = without_keys(error)
    elif not hasattr(error, "_render_traceback_") and (stopped := _what_was_stopped(error, trace)):
        error._render_traceback_ = _ShortStop(shell, error, trace, stopped)  # type: ignore[attr-defined]
    if not isinstance(error, (SyntaxError, UsageError)):  # these are shown without a traceback
        _guard(shell, error, trace)
    try:
        shell.showtraceback((type(error), error, trace), tb_offset=tb_offset, running_compiled_code=True)
    except Exception as failure:  # IPython would go on without a guard
        text = f"{_cleaner()(str(error))} (Its traceback can't be shown: {type(failure).__name__}.)"
        plain = _stand_in(error, text.encode("ascii", "backslashreplace").decode(), alone=True)
        shell.showtraceback((type(plain), plain, None), running_compiled_code=True)


def _what_was_stopped(error: BaseException, trace: TracebackType | None) -> str:
    """Return what to say of an interrupt that came while agentkit's loop was at work; "" of any other.

    That is the interrupt's own text, where it was given one on its way: it tells how far an add of files had come.
    """
    passed = set()
    while trace is not None:
        passed.add(str(trace.tb_frame.f_globals.get("__name__")))
        trace = trace.tb_next
    within = {name for name in passed if name.startswith("agentkit.runtime.")}
    if within and isinstance(error, KeyboardInterrupt) and str(error):
        return how_stopped(error)
    if within == {_WAITING}:  # for something else than a run: a search in files, say
        return "what the cell waited for was stopped."
    return "the run was stopped." if within else ""


def how_stopped(error: BaseException) -> str:
    """Return an interrupt's own text, unless the cell's output says that already."""
    text = str(error)
    return "what is in the store is said above." if shown_reports.tells_stop(text) else text


class _ShortStop:
    """Stands in for the traceback of an interrupt: a line when the cell ends, whole when `%tb` asks again."""

    def __init__(self, shell: InteractiveShell, error: BaseException, trace: TracebackType, stopped: str) -> None:
        self._shell, self._error, self._trace = shell, error, trace
        self._stopped = stopped
        self._told = False

    def __call__(self) -> list[str]:
        if not self._told:
            self._told = True
            return [f"{red('Interrupted')}: {self._stopped} %tb shows where."]
        lines: list[str] = self._shell.InteractiveTB.structured_traceback(type(self._error), self._error, self._trace)
        return lines


def red(text: str) -> str:
    """Return a text in red for a terminal, unless the shell is set to have no colours."""
    from IPython import get_ipython

    shell = get_ipython()
    return text if str(getattr(shell, "colors", "")).lower() == "nocolor" else f"\x1b[31m{text}\x1b[0m"


def _guard(shell: InteractiveShell, error: BaseException, trace: TracebackType) -> None:
    """Let an error's traceback have no keys, now and when `%tb` asks again."""
    render: Render | None = getattr(error, "_render_traceback_", None)
    if isinstance(render, _Guarded):
        return
    with contextlib.suppress(AttributeError):  # a class without a __dict__
        error._render_traceback_ = _Guarded(shell, error, trace, render)  # type: ignore[attr-defined]


class _Guarded:
    """Renders an error's traceback without keys."""

    def __init__(
        self, shell: InteractiveShell, error: BaseException, trace: TracebackType, render: Render | None
    ) -> None:
        self._shell, self._error, self._trace, self._render = shell, error, trace, render

    def __call__(self) -> list[str]:
        if self._render is not None:  # a class that knows better how it is shown: agentkit's are among them
            return safe_lines(self._render())
        lines: list[str] = self._shell.InteractiveTB.structured_traceback(type(self._error), self._error, self._trace)
        return _without_keys(lines)


def _all_behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, those that led to it, and those that it groups, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def _scrub(error: BaseException, clean: Callable[[str], str]) -> None:
    """Take keys out of the texts that an error holds."""
    with contextlib.suppress(Exception):  # a class of somebody's own may refuse anything
        args = tuple(_scrubbed(value, clean, _DEPTH) for value in error.args)
        if args != error.args:
            error.args = args
    for name, value in list(getattr(error, "__dict__", {}).items()):
        with contextlib.suppress(Exception):
            if (changed := _scrubbed(value, clean, _DEPTH)) is not value:
                error.__dict__[name] = changed
    for name in _TEXTS_OF.get(next((kind for kind in _TEXTS_OF if isinstance(error, kind)), Exception), ()):
        if isinstance(value := getattr(error, name), str) and clean(value) != value:
            setattr(error, name, clean(value))


def _scrubbed(value: Any, clean: Callable[[str], str], depth: int) -> Any:
    """Return a value without keys; the same object where there are none."""
    if isinstance(value, str):
        changed = clean(value)
        return value if changed == value else changed
    if isinstance(value, bytes):
        text = value.decode("latin-1")
        return value if clean(text) == text else clean(text).encode("latin-1")
    if depth and type(value) in (list, tuple):
        parts = [_scrubbed(part, clean, depth - 1) for part in value]
        return value if all(a is b for a, b in zip(parts, value, strict=True)) else type(value)(parts)
    if depth and type(value) is dict:
        pairs = {_scrubbed(name, clean, 0): _scrubbed(part, clean, depth - 1) for name, part in value.items()}
        return value if all(pairs.get(name) is part for name, part in value.items()) else pairs
    return value


def _stand_in(error: BaseException, text: str, *, alone: bool = False) -> Exception:
    """Return an error of the same name that says `text`; `alone`, without those that led to it."""
    kind = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
    made: Exception = kind(text)
    if alone:
        return made
    made.__cause__, made.__context__ = error.__cause__, error.__context__
    made.__suppress_context__ = error.__suppress_context__
    return made.with_traceback(error.__traceback__)
