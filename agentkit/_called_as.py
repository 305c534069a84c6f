"""Functions that users type: called wrongly, they say so by the names that were typed, and not by those within."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from agentkit.exceptions import ArgumentError

__all__ = ["called_as"]

P = ParamSpec("P")
T = TypeVar("T")

_FIRST = ("self", "cls")
"""Names of parameters that nobody gives by hand."""


def called_as(name: str, *, meant: Mapping[str, str] | None = None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function tell a wrong, missing or misspelt argument in a line, by the name by which it is called.

    A right call costs next to nothing: only where Python refuses the arguments are they looked at. A class's `__init__`
    is decorated the same way, once the class is made.

    Args:
        name: How users type it: `agentkit.chat`.
        meant: What others call arguments, each with what it is called here, where the words have nothing in common.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                    raise  # by the function itself
                raise _mistake(name, function, args, kwargs, error, meant or {}) from None

        if inspect.iscoroutinefunction(function) and hasattr(inspect, "markcoroutinefunction"):  # Python 3.12
            inspect.markcoroutinefunction(call)
        return call

    return decorate


def _mistake(
    name: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    error: TypeError,
    others: Mapping[str, str],
) -> ArgumentError:
    import difflib

    parameters = [each for each in inspect.signature(function).parameters.values() if each.name not in _FIRST]
    known = [each.name for each in parameters]
    takes = f"It takes {', '.join('**' * (each.kind is each.VAR_KEYWORD) + each.name for each in parameters)}."
    for word in kwargs:
        if word not in known:
            near = [others[word]] if word in others else difflib.get_close_matches(word.lower(), known, n=2, cutoff=0.6)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            return ArgumentError(f"{name} has no argument {word!r}.{meant}", hint=takes)
    by_place = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    given = len(args) - (next(iter(inspect.signature(function).parameters), "") in _FIRST)
    if given > len(by_place):
        few = (
            f"{len(by_place)} argument{'' if len(by_place) == 1 else 's'} without a name" if by_place else "names only"
        )
        return ArgumentError(f"{name} takes {few}, and got {given}.", hint=f"Name the others. {takes}")
    if twice := [each for each in by_place[:given] if each in kwargs]:
        return ArgumentError(f"{name} got {twice[0]!r} twice, by its place and by its name.", hint=takes)
    any_number = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [each.name for each in parameters if each.default is each.empty and each.kind not in any_number]
    missing = [each for each in needed if each not in kwargs and each not in by_place[:given]]
    if missing:
        return ArgumentError(f"{name} needs {' and '.join(missing)}.", hint=takes)
    return ArgumentError(f"{name} can't be called so: {error}.", hint=takes)
