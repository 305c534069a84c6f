"""Vector stores as the notebook's magics name them: by variable or by name; their sources, and filters as text."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.notebook.namespace import instances
from agentkit.notebook.options import Command, closest, kind_of, usage_error

if TYPE_CHECKING:
    from agentkit.exceptions import AgentsException
    from agentkit.files.store import VectorStore
    from agentkit.tooling.file_filters import Condition

__all__ = [
    "as_typed",
    "attributes_of",
    "condition_of",
    "file_names",
    "find_store",
    "sources_of",
    "store_names",
    "stores_in",
]

_PLACE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_COMPARED = {ast.Eq: "==", ast.NotEq: "!=", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
_SWITCHES = {"true": True, "false": False}
_EMBEDDED = "embedded"
_QUOTES = 'A condition with spaces stands in quotes: --where "year >= 2024"'
_MARK = "agentkit_value_"
_TYPED = (
    (r"agentkit\.VectorStore\((.+)\) makes it\.", r"%vector_store create \1 makes it."),
    (r"(?<=Make it anew: )agentkit\.VectorStore\.create\(([^()]+)\)\.$", r"%vector_store create \1."),
    (r"agentkit\.VectorStore\.list\(\) returns", "%vector_store list has"),
    (r"store\.files lists", "%vector_store files {store} lists"),
    (r'store\.(add|sync)\("(\S+)"\)', r"%vector_store \1 {store} \2"),
    (r'Say it: text="…"\.', 'Say it in Python: {store}.add(…, text="…").'),
    (r"pass allow_private=True", "use Python: {store}.add(…, allow_private=True)"),
    (r", or None for never\.", "."),
    (r"half of chunk_tokens", "half of --chunk-tokens"),
)
"""What an error advises in Python, and what is typed instead."""
_FLAGS = {
    "limit": "--limit", "score_threshold": "--threshold", "expires_after_days": "--expires-after",
    "chunk_tokens": "--chunk-tokens", "overlap_tokens": "--overlap-tokens",
}  # fmt: skip
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


def file_names(names: Mapping[str, Any], name: str) -> list[str]:
    """Return the names of a store's files for Tab; none where a server would have to be asked for them.

    Args:
        names: The notebook's variables.
        name: A variable that holds the store, or the store's name.
    """
    store = stores_in(names).get(name) or next((each for each in _own_stores() if each.name == name), None)
    if store is None:
        return []
    from agentkit.exceptions import AgentsException
    from agentkit.files.contents import all_files
    from agentkit.runtime.background import run_blocking

    if store._backend.name != _EMBEDDED:
        return []
    try:
        found = sorted({file.name for file in run_blocking(all_files(store.client, store.id))})
    except AgentsException:  # it was deleted, say
        return []
    return _typed(found)


def store_names(names: Mapping[str, Any]) -> list[str]:
    """Return for Tab the variables that hold stores, then the names of stores that no variable holds.

    A server isn't asked for these.
    """
    held = stores_in(names)
    ids = {store.id for store in held.values()}
    others = {store.name for store in _own_stores() if store.id not in ids and store.status != "expired"}
    return [*sorted(held), *_typed(sorted(name for name in others if name not in names))]


def _own_stores() -> list[VectorStore]:
    """Return the stores of the embedded platform, where that is connected."""
    from agentkit import backend
    from agentkit.exceptions import AgentsException

    try:
        if backend.current_backend().name != _EMBEDDED:
            return []
        from agentkit.files.store import VectorStore

        return list(VectorStore.list())
    except AgentsException:  # nothing is connected
        return []


def _typed(names: list[str]) -> list[str]:
    """Return names as they are typed in a line: in quotes where they need some; left out where those don't help."""
    return [f'"{name}"' if re.search(r"[\s,]", name) else name for name in names if '"' not in name]


def as_typed(error: AgentsException, store: str | None) -> str:
    """Return what an error says, with the magic's words where it advises Python's.

    Args:
        error: What was raised.
        store: The store as it was typed.
    """
    message, hint = str(getattr(error, "message", error)), getattr(error, "hint", None) or ""
    first, space, rest = message.partition(" ")
    if first in _FLAGS:
        message = f"{_FLAGS[first]}{space}{rest}"
    named = store or "STORE"
    named = named if re.fullmatch(r"[\w-]+", named) else repr(named)
    for advised, typed in _TYPED:
        put = functools.partial(_put, typed, named)
        hint = re.sub(advised, put, hint)
        if "anew" in advised:
            message = re.sub(advised, put, message)
    return f"{message} {hint}".strip()


def _put(typed: str, store: str, match: re.Match[str]) -> str:
    """Return what is typed, with the groups of what it replaces; a name without its quotes where it needs none."""
    for place, group in enumerate(match.groups(), 1):
        typed = typed.replace(f"\\{place}", group[1:-1] if re.fullmatch(r"(['\"])[\w-]+\1", group) else group)
    return typed.replace("{store}", store)


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
    """Return attributes written as `year=2026`: numbers, true and false by what they are, the rest as text.

    Dates stay text, too: written as 2024-01-31 they sort and compare as dates do. Quotes make text of what is none.

    Raises:
        UsageError: One has no name or no value.
    """
    made: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals:
            raise usage_error(command, f"--set takes NAME=VALUE, such as year=2026; not {pair!r}.")
        try:
            value = _SWITCHES[text.lower()] if text.lower() in _SWITCHES else ast.literal_eval(text)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            value = text
        made[key] = value if isinstance(value, (bool, int, float, str)) else text
    return made or None


def condition_of(command: Command, text: str, names: Mapping[str, Any] | None = None) -> Condition:
    """Return a filter written as Python over the names of attributes: `year >= 2024 and lang in ["en", "de"]`.

    Args:
        command: The magic, for errors.
        text: The filter. `{{name}}` stands for the value of a variable: a text, a number, True or False.
        names: The notebook's variables.

    Raises:
        UsageError: It is none, or a variable isn't there or holds something else.
    """
    from agentkit._places import PlaceError
    from agentkit.exceptions import UserError

    try:
        return _condition(_read(text, names or {}))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = str(error) if isinstance(error, _NotAFilterError) else "it can't be read"
        quotes = "" if re.search(r"\s", text) else f" {_QUOTES}."
        raise usage_error(command, f"--where {text!r}: {said}.{quotes} {_HOW}.") from None
    except (PlaceError, UserError) as error:
        raise usage_error(command, f"--where {text!r}: {error}") from None


def _read(text: str, names: Mapping[str, Any]) -> ast.expr:
    """Return a filter as a tree, in which values have taken their places: as values, whatever characters they have."""
    from agentkit._places import PlaceError, split, value_at
    from agentkit.tooling.file_filters import plain_value

    values: dict[str, str | float | bool] = {}
    written = ""
    for piece in split(text.strip()):
        if isinstance(piece, str):
            written += piece
            continue
        if piece.name not in names:
            raise PlaceError(f"{piece.text}: nothing here is named {piece.name!r}.{closest(piece.name, names)}")
        mark = f"{_MARK}{len(values)}_"
        values[mark] = plain_value(value_at(piece, names[piece.name]), piece.text)
        written += f" {mark} "
    return _Values(values).read(written)


class _Values(ast.NodeTransformer):
    """Puts values where their marks stand."""

    def __init__(self, values: Mapping[str, str | float | bool]) -> None:
        self._values = values

    def read(self, text: str) -> ast.expr:
        found: ast.expr = self.visit(ast.parse(text.strip(), mode="eval").body)
        return found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self._values[node.id]) if node.id in self._values else node

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if isinstance(node.value, str) and any(mark in node.value for mark in self._values):
            raise _NotAFilterError("{{…}} stands for a value, texts included: write it without quotes around it")
        return node


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
    except (ValueError, TypeError):
        if isinstance(node, ast.Set):
            raise _NotAFilterError(
                f"{ast.unparse(node)} is no value: {{{{…}}}} takes names, and computes nothing"
            ) from None
        raise _NotAFilterError(f"{ast.unparse(node)} is no value: texts stand in quotes") from None
