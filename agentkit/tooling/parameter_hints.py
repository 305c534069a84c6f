"""The types of a function's parameters, also where they are written as text that Python alone can't read.

`from __future__ import annotations` turns annotations into text. `typing.get_type_hints` reads it with the names of the
module only, and fails for the whole function when one of them, such as the return type, is imported for type checkers
alone.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any, get_origin, get_type_hints

from agentkit.exceptions import UserError
from agentkit.tooling.callables import function_behind
from agentkit.tooling.context import RunContextWrapper, ToolContext

__all__ = ["parameter_hints"]

Names = dict[str, Any]


def parameter_hints(func: Callable[..., Any], parameters: Iterable[str], tool: str) -> dict[str, Any]:
    """Return the types of those of `parameters` that have one.

    Names are looked up where `func` is defined: in the functions around it while these still run, in its closure, and
    in its module.

    Raises:
        UserError: A parameter's type can't be read; the message names it.
    """
    behind = function_behind(func)
    plain = inspect.unwrap(behind)
    plain = getattr(plain, "__func__", plain)
    local_names = _local_names(plain) if "<locals>" in getattr(plain, "__qualname__", "") else {}
    try:
        return get_type_hints(behind, None, local_names or None, include_extras=True)
    except Exception:  # annotations are code, which may raise anything; which of them it was is found out below
        annotations = _annotations(behind)
    # a linter may have moved the context's own import to where only type checkers see it
    own_names = {"RunContextWrapper": RunContextWrapper, "ToolContext": ToolContext}
    module_names = own_names | getattr(plain, "__globals__", {})
    return {
        name: _hint(name, annotations[name], module_names, local_names, tool)
        for name in parameters
        if name in annotations
    }


def _hint(parameter: str, annotation: Any, module_names: Names, local_names: Names, tool: str) -> Any:
    try:
        return _evaluate(annotation, module_names, local_names)
    except Exception as error:  # see above
        if (context := _context_type(annotation, module_names, local_names)) is not None:
            return context
        written = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
        raise UserError(
            f"Tool {tool!r} has a parameter {parameter!r} whose type, {written}, can't be read: {error}.",
            hint="Import or define the type where the function is defined, before it is made a tool"
            " (not under `if TYPE_CHECKING`).",
        ) from error


def _context_type(annotation: Any, module_names: Names, local_names: Names) -> Any:
    """Return the class in `RunContextWrapper[Unknown]`: what is known of it is enough, as no model gets to see it."""
    try:
        written = isinstance(annotation, str)
        kind = _evaluate(annotation.partition("[")[0], module_names, local_names) if written else get_origin(annotation)
    except Exception:  # see above
        return None
    return kind if isinstance(kind, type) and issubclass(kind, RunContextWrapper) else None


def _evaluate(annotation: Any, module_names: Names, local_names: Names) -> Any:
    def holder() -> None: ...

    holder.__annotations__ = {"value": annotation}
    return get_type_hints(holder, module_names, local_names, include_extras=True)["value"]


def _annotations(function: Callable[..., Any]) -> dict[str, Any]:
    if sys.version_info >= (3, 14):  # where reading `__annotations__` evaluates them all
        import annotationlib

        return annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF)
    return getattr(function, "__annotations__", {})


def _local_names(function: Callable[..., Any]) -> Names:
    """Return the names that `function` sees besides its module's: those around it, its closure's, its type variables.

    A class that only annotations mention is in no closure. It is in the frame of the function around, which is on the
    stack when the tool is made where the function is defined, as a decorator does.
    """
    names: Names = {}
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return names
    for frame in reversed(_frames_around(code)):
        names |= frame.f_locals
    for name, cell in zip(code.co_freevars, getattr(function, "__closure__", None) or (), strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not assigned yet: the function itself, as a decorator sees it
            continue
    return names | {variable.__name__: variable for variable in getattr(function, "__type_params__", ())}


def _frames_around(code: CodeType) -> list[FrameType]:
    """Return the running functions and class bodies in which `code` is defined, innermost first."""
    found = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals is not frame.f_locals and _defines(frame.f_code, code):
            found.append(frame)
        frame = frame.f_back
    return found


def _defines(outer: CodeType, inner: CodeType) -> bool:
    parts = [constant for constant in outer.co_consts if isinstance(constant, CodeType)]
    return any(part is inner or _defines(part, inner) for part in parts)
