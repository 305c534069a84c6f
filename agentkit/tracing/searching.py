"""Looking for words in what was recorded: in its texts as people read them, not in the JSON they are stored as."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agentkit._json import loads

if TYPE_CHECKING:
    import sqlite3

__all__ = ["SAYS", "add_search", "says"]

SAYS = "agentkit_says"
"""The SQL function that tells whether a text occurs in one of the JSON values that follow it, in capitals or not."""

_ABOUT = frozenset({"type", "role", "id", "status", "call_id", "encrypted_content"})
"""What a message has beside that which was said."""
_ROLES = frozenset({"user", "assistant", "system", "developer", "tool"})
_ITEMS = ("message", "reasoning", "_call", "_output")


def add_search(connection: sqlite3.Connection) -> None:
    """Let SQL on a connection use `SAYS`."""
    connection.create_function(SAYS, -1, _says, deterministic=True)


def says(text: str, wanted: str) -> bool:
    """Return whether a text says what is wanted, in capitals or not: as it is, or as what it says where it is JSON."""
    needle = wanted.casefold()
    return any(needle in each.casefold() for each in _texts(text))


def _says(wanted: str, *stored: str | None) -> bool:
    needle, is_plain = _needle(wanted)
    return any(text is not None and _occurs(needle, is_plain, text) for text in stored)


@lru_cache(maxsize=4)
def _needle(wanted: str) -> tuple[str, bool]:
    """Return what to look for, and whether JSON spells all of it as it is, unless it has numbers for characters."""
    plain = not any(character in '"\\' or character < " " or character == "\x7f" for character in wanted)
    return wanted.casefold(), plain


def _occurs(needle: str, is_plain: bool, stored: str) -> bool:
    # Most texts are told by their JSON alone, which takes a fraction of the time. In a name of it, the needle may still
    # occur, and where something is escaped, it may not seem to.
    if needle not in stored.casefold() and (is_plain or "\\" not in stored) and "\\u" not in stored:
        return False
    try:
        value = loads(stored)
    except ValueError:  # written by something else
        return needle in stored.casefold()
    return any(needle in text.casefold() for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:  # JSON values
    """Yield the texts and numbers in a value; of messages, only what was said."""
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):  # arguments of a call, and the like: JSON as a text
            with contextlib.suppress(ValueError, RecursionError):
                yield from _texts(loads(value))
    elif isinstance(value, list):
        for each in value:
            yield from _said(each) if _is_item(each) else _texts(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif value is not None:
        yield str(value).lower() if isinstance(value, bool) else str(value)


def _is_item(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    kind, role = value.get("type"), value.get("role")
    return (isinstance(kind, str) and kind.endswith(_ITEMS)) or (isinstance(role, str) and role in _ROLES)


def _said(item: dict[str, Any]) -> Iterator[str]:
    for name, value in item.items():
        if name in _ABOUT:
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                for key, each in part.items():
                    if key not in _ABOUT:
                        yield from _texts(each)
            else:
                yield from _texts(part)
