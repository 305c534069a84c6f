"""Types as they are typed in a magic's line, `list[City] | None`: read as Python would read them, and never evaluated.

Only names, dotted paths, brackets, `|` and literal values are known; a call or an operator is refused, so that nothing
that stands in a line is run.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import typing
from collections.abc import Callable, Mapping
from typing import Any

from agentkit.notebook.namespace import find_value
from agentkit.notebook.options import Command, usage_error

__all__ = ["find_type", "type_names"]

_BUILTINS: dict[str, Any] = {
    kind.__name__: kind for kind in (bool, bytes, dict, float, frozenset, int, list, set, str, tuple)
}
_SPECIAL: tuple[Any, ...] = (typing.Annotated, typing.Any, typing.Literal, typing.Optional, typing.Union)
_TYPING = dict(zip(("Annotated", "Any", "Literal", "Optional", "Union"), _SPECIAL, strict=True))
_COLON = re.compile(r"""('[^']*'|"[^"]*")|(?<=\w):(?=[A-Za-z_])""")
"""One of `shop.types:City`; or a text, in which colons are left alone."""


def find_type(command: Command, names: Mapping[str, Any], text: str) -> Any:
    """Return the type that `text` stands for: `City`, `shop.types.City`, `list[City]`, `City | None`.

    Args:
        command: The magic that asks, for errors.
        names: The notebook's variables; a name that is none of them may be a builtin type or one of `typing`'s.
        text: What was typed.

    Raises:
        UsageError: It can't be read, or a name in it stands for no type.
    """
    try:
        tree = ast.parse(_COLON.sub(lambda found: found[1] or ".", text), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        message = f"{text} is no type that can be read. Use a name, or brackets and |: list[City], City | None."
        raise usage_error(command, message) from None
    found = _Reader(command, names, text).read(tree)
    return None if found is type(None) and text.strip() == "None" else found


def type_names(names: Mapping[str, Any]) -> list[str]:
    """Return the types among the notebook's variables that an answer may have, and those that are always there."""
    own = [
        name
        for name, value in names.items()
        if not name.startswith("_") and _is_type(value) and not hasattr(builtins, name)
    ]
    return sorted(own) + sorted(_BUILTINS)


class _Reader:
    """Makes a type of a tree."""

    def __init__(self, command: Command, names: Mapping[str, Any], text: str) -> None:
        self._command = command
        self._names = {**_TYPING, **_BUILTINS, **names}
        self._own = names
        self._text = text

    def read(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=None):
                return type(None)
            case ast.Constant(value=str(inner)):  # quoted as a forward reference would be
                return find_type(self._command, self._own, inner)
            case ast.Name() | ast.Attribute():
                return self._named(ast.unparse(node))
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self._made(lambda: typing.Union[self.read(left), self.read(right)])  # noqa: UP007 (of values)
            case ast.Subscript(value=value, slice=inside):
                return self._subscripted(value, inside)
        raise self._refused(ast.unparse(node))

    def _subscripted(self, value: ast.expr, inside: ast.expr) -> Any:
        kind = self.read(value)
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        if kind is typing.Literal:
            given = tuple(self._literal(part) for part in parts)
        elif kind is typing.Annotated:
            given = (self.read(parts[0]), *(self._literal(part) for part in parts[1:]))
        else:
            given = tuple(... if _is_ellipsis(part) else self.read(part) for part in parts)
        return self._made(lambda: kind[given if len(given) > 1 else given[0]])

    def _literal(self, node: ast.expr) -> Any:
        try:
            value = ast.literal_eval(node)
        except ValueError:
            raise self._refused(ast.unparse(node)) from None
        if not isinstance(value, (str, int, bool, bytes, type(None))):
            raise self._refused(ast.unparse(node))
        return value

    def _named(self, path: str) -> Any:
        found = find_value(self._command, self._names, path, "type", lambda: type_names(self._own))
        if not _is_type(found):
            message = f"{path} is of type {type(found).__name__}, and no type that an answer can have."
            raise usage_error(self._command, message)
        return found

    def _made(self, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except TypeError as error:
            raise usage_error(self._command, f"{self._text} is no type: {error}.") from None

    def _refused(self, part: str) -> Exception:
        where = "" if part == self._text else f" in {self._text}"
        return usage_error(self._command, f"{part}{where} is no type: use names, brackets and |, and Literal[…].")


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _is_type(value: Any) -> bool:
    """Tell whether a value can stand for the type of something: a class, `list[int]`, an alias, a schema of ours."""
    if isinstance(value, type) or typing.get_origin(value) is not None or hasattr(value, "__supertype__"):
        return True
    if any(value is special for special in _SPECIAL) or isinstance(value, getattr(typing, "TypeAliasType", ())):
        return True
    base = getattr(sys.modules.get("agentkit.models.output_schema"), "AgentOutputSchemaBase", None)
    return base is not None and isinstance(value, base)
