"""What may become a tool: functions, bound methods, partials and objects with `__call__`, and what they are called."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

from agentkit.exceptions import UserError

__all__ = ["call_signature", "check_callable", "check_tool_name", "function_behind", "own_docstring", "own_name"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # what the API takes
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def function_behind(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function or method that runs when `func`, a partial or an object with `__call__` maybe, is called."""
    func = _without_partials(func)
    # that of an object is its bound method, which has annotations and a docstring
    behind: Callable[..., Any] = func if hasattr(func, "__name__") else getattr(func, "__call__")  # noqa: B004, B009
    return behind


def own_name(func: Callable[..., Any]) -> str:
    """Return the name of the function, of the function in a partial, or of an object's class in snake case."""
    func = _without_partials(func)
    name = getattr(func, "__name__", None)
    return name if isinstance(name, str) else _WORD_START.sub("_", type(func).__name__).lower()


def own_docstring(func: Callable[..., Any]) -> str | None:
    """Return the docstring, dedented. That of an object is its `__call__`'s, or else its class's."""
    func = _without_partials(func)
    behind = function_behind(func)
    if behind is func or behind.__doc__:
        return inspect.getdoc(behind)
    text = inspect.getdoc(type(func))
    is_written = text is not None and not text.startswith(f"{type(func).__name__}(")  # a dataclass without docstring
    return text if is_written else None


def check_callable(func: Any) -> None:
    """Refuse what can't be a tool.

    Raises:
        UserError: `func` is a class, a generator function, or can't be called.
    """
    inner = _without_partials(func)
    if isinstance(inner, type):
        raise UserError(
            f"function_tool needs a function, not the class {inner.__name__}.",
            hint="Pass a function that makes the object, or a bound method: function_tool(obj.method).",
        )
    if not callable(inner):
        is_method = isinstance(inner, classmethod)
        raise UserError(
            f"function_tool needs a function, not {type(inner).__name__} {inner!r:.80}.",
            hint="Make the tool from the bound method: function_tool(Class.method)." if is_method else None,
        )
    behind = function_behind(inner)
    if inspect.isgeneratorfunction(behind) or inspect.isasyncgenfunction(behind):
        raise UserError(
            f"Tool {own_name(func)!r} is a generator: it yields values, and a tool has one result.",
            hint="Collect what it yields and return a list or a text.",
        )


def check_tool_name(name: str) -> None:
    """Refuse a name that the API does not take.

    Raises:
        UserError: It has other characters than letters, digits, `_` and `-`, or not 1 to 64 of them.
    """
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise UserError(
            f"A tool can't be called {name!r:.80}: names have 1 to 64 of the characters a-z, A-Z, 0-9, _ and -.",
            hint='Pass another name: function_tool(…, name_override="…"), or FunctionTool(name="…").',
        )


def call_signature(func: Callable[..., Any], tool: str) -> inspect.Signature:
    """Return the parameters that a call fills in: those that a partial gave by keyword are not among them.

    Raises:
        UserError: There is no signature, or the first parameter is the `self` of a method that is not bound.
    """
    try:
        signature = inspect.signature(func)
    except (ValueError, TypeError) as error:  # builtins without one, or a partial that doesn't fit its function
        raise UserError(
            f"Tool {tool!r} has no signature that can be read: {error}.",
            hint="Write a function with annotated parameters that calls it.",
        ) from error
    given = func.keywords if isinstance(func, functools.partial) else {}
    left = [parameter for name, parameter in signature.parameters.items() if name not in given]
    if left and left[0].name in ("self", "cls") and left[0].annotation is inspect.Parameter.empty:
        raise UserError(
            f"Tool {tool!r} is a method without its object: the model would be asked for {left[0].name!r}.",
            hint=f"Leave it undecorated and make the tool from the bound method: function_tool(obj.{own_name(func)}).",
        )
    return signature.replace(parameters=left)


def _without_partials(func: Any) -> Any:  # anything may be given
    while isinstance(func, functools.partial):
        func = func.func
    return func
