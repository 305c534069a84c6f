r"""Values in text: `{{name}}` takes the value that `name` has in the notebook; `\{{` writes `{{`."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

from agentkit._places import Place, PlaceError, as_text, split, value_at

__all__ = ["InterpolationError", "fill", "unfilled_hint"]

_BRACES = re.compile(r"\\\{\{|\{\{([^{}\n]{1,200})\}\}")
_FORMAT = re.compile(r"\s*(?:![rsa])?(?::[^:]*)?$")
"""What may follow a value in an f-string: `!r`, `:.2f`."""

InterpolationError = PlaceError
"""A place in a text can't be filled: the name isn't there, or may not be read."""


def fill(text: str, names: Mapping[str, Any]) -> str:
    r"""Return `text` with each `{{name}}` replaced by its value, and `\{{` by `{{`.

    Args:
        text: A cell's text.
        names: The notebook's variables.

    Raises:
        InterpolationError: A name isn't there, an attribute or index isn't, or an attribute begins with an underscore.
    """
    return "".join(piece if isinstance(piece, str) else as_text(_look_up(piece, names)) for piece in split(text))


def unfilled_hint(text: str, names: Container[str]) -> str:
    r"""Return a line on the first `{{…}}` that looks like code on the notebook's variables, and so isn't filled; or "".

    Templates of other languages, LaTeX and JSON, which have such braces too, give none, as long as they are about no
    variable of the notebook. `\{{` says that braces are meant.

    Args:
        text: A cell's text.
        names: Of the notebook's variables, and of a dataframe's columns where these count.
    """
    for code in _not_places(text):
        value = _expression(code)
        if value is not None and _is_about(value, names):
            return (
                f"{{{{{code}}}}} is sent as it stands: {{{{…}}}} takes names, with attributes and indexes, and "
                f"computes nothing. Name the value first: value = {value}, then {{{{value}}}}. Or write "
                "\\{{ for braces."
            )
    return ""


def _not_places(text: str) -> Iterator[str]:
    """Yield what is between double braces and no place."""
    for match in _BRACES.finditer(text):
        if match[1] is not None and not isinstance(split(match[0])[0], Place):
            yield match[1]


def _expression(code: str) -> str | None:
    """Return `code` as an expression of Python, without an f-string's format behind it; None where it is none."""
    for tried in (code.strip(), _FORMAT.sub("", code).strip()):
        try:
            ast.parse(tried, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return tried
    return None


def _is_about(expression: str, names: Container[str]) -> bool:
    """Tell whether an expression reads a name that is known, or calls a function of Python's own."""
    nodes = list(ast.walk(ast.parse(expression, mode="eval")))
    if any(isinstance(node, ast.Name) and node.id in names for node in nodes):
        return True
    called = [node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return any(hasattr(builtins, name) for name in called)


def _look_up(place: Place, names: Mapping[str, Any]) -> Any:
    if place.name not in names:
        from agentkit.notebook.options import closest

        raise InterpolationError(f"{place.text}: nothing here is named {place.name!r}.{closest(place.name, names)}")
    return value_at(place, names[place.name])
