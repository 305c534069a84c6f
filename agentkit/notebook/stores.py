"""Vector stores as the notebook's magics name them: by variable or by name; their sources, and filters as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.notebook.namespace import instances
from agentkit.notebook.options import Command, kind_of, usage_error

if TYPE_CHECKING:
    from agentkit.files.store import VectorStore
    from agentkit.tooling.file_filters import Condition

__all__ = ["attributes_of", "condition_of", "find_store", "sources_of", "stores_in"]

_PLACE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_COMPARED = {ast.Eq: "==", ast.NotEq: "!=", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
_HOW = """Write conditions as year >= 2024, lang in ["en", "de"], joined by and, or, not"""


def stores_in(names: Mapping[str, Any]) -> dict[str, VectorStore]:
    """Return the vector stores among the notebook's variables. Imports nothing."""
    return instances(names, "agentkit.files.store", "VectorStore")


def find_store(command: Command, names: Mapping[str, Any], name: str) -> VectorStore:
    """Return the store that a variable holds, or that is called so on the platform.

    Raises:
        UsageError: The variable holds something else.
        UserError: The platform has none of that name.
    """
    from agentkit.files.store import VectorStore

    value = names.get(name)
    if isinstance(value, VectorStore):
        return value
    if value is not None and name.isidentifier():
        raise usage_error(command, f"{name} is {kind_of(value)}, and no vector store.")
    return VectorStore.open(name)


def sources_of(command: Command, names: Mapping[str, Any], words: list[str]) -> list[Any]:
    """Return what is to be put into a store: paths, patterns and addresses as they are, variables by their values.

    `{{name}}` is the variable of that name, whatever files there are; a word alone is one where no file is called so.

    Raises:
        UsageError: A variable isn't there.
    """
    found = []
    for word in words:
        place = _PLACE.fullmatch(word)
        if place is not None:
            if place[1] not in names:
                raise usage_error(command, f"{word}: nothing here is named {place[1]!r}.")
            found.append(names[place[1]])
        elif word.isidentifier() and word in names and not Path(word).exists():
            found.append(names[word])
        else:
            found.append(word)
    return found


def attributes_of(command: Command, pairs: list[str]) -> dict[str, Any] | None:
    """Return attributes written as `year=2026`: numbers, True and False by what they are, the rest as text.

    Raises:
        UsageError: One has no name or no value.
    """
    made: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals:
            raise usage_error(command, f"--set takes NAME=VALUE, such as year=2026; not {pair!r}.")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            value = text
        made[key] = value if isinstance(value, (bool, int, float, str)) else text
    return made or None


def condition_of(command: Command, text: str) -> Condition:
    """Return a filter written as Python over the names of attributes: `year >= 2024 and lang in ["en", "de"]`.

    Raises:
        UsageError: It is none.
    """
    from agentkit.exceptions import UserError

    try:
        return _condition(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = str(error) if isinstance(error, _NotAFilterError) else "it can't be read"
        raise usage_error(command, f"--where {text!r}: {said}. {_HOW}.") from None
    except UserError as error:
        raise usage_error(command, f"--where {text!r}: {error}") from None


class _NotAFilterError(ValueError):
    """Says what in an expression is no filter."""


def _condition(node: ast.expr) -> Condition:
    if isinstance(node, ast.BoolOp):
        first, *rest = [_condition(part) for part in node.values]
        for part in rest:
            first = first & part if isinstance(node.op, ast.And) else first | part
        return first
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_condition(node.operand)
    if isinstance(node, ast.Compare):
        return _comparison(node)
    raise _NotAFilterError(f"{ast.unparse(node)} compares nothing")


def _comparison(node: ast.Compare) -> Condition:
    """Return a comparison; of a chain such as `2020 <= year < 2024`, each of its parts."""
    sides = [node.left, *node.comparators]
    made: Condition | None = None
    for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
        part = _compared(left, operator, right)
        made = part if made is None else made & part
    assert made is not None  # a comparison has an operator
    return made


def _compared(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Condition:
    from agentkit.tooling.file_filters import attr

    if isinstance(operator, (ast.In, ast.NotIn)):
        several = _value(right)
        if not isinstance(several, (list, tuple, set)):
            raise _NotAFilterError(f"{ast.unparse(right)} is no list")
        named = attr(_name(left))
        return named.isin(several) if isinstance(operator, ast.In) else named.notin(several)
    if type(operator) not in _COMPARED:
        raise _NotAFilterError(f"{ast.unparse(ast.Compare(left, [operator], [right]))} can't be asked of attributes")
    if not isinstance(left, ast.Name) and isinstance(right, ast.Name):
        turned = {ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Lt: ast.Gt, ast.LtE: ast.GtE}
        return _compared(right, turned.get(type(operator), type(operator))(), left)
    compare: Callable[[Any, Any], Any] = _OPERATORS[_COMPARED[type(operator)]]
    made: Condition = compare(attr(_name(left)), _value(right))
    return made


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    raise _NotAFilterError(f"{ast.unparse(node)} is no attribute's name")


def _value(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        raise _NotAFilterError(f"{ast.unparse(node)} is no value: texts stand in quotes") from None
