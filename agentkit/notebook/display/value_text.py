"""Structured values as text for a terminal: names and values in lines, lists of objects in columns."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from agentkit.notebook.display.members import (
    MISSING,
    Member,
    columns_of,
    items_of,
    members_of,
    pretty,
    title_of,
    word_of,
)
from agentkit.notebook.display.text import one_line, shorten

__all__ = ["columns_taken", "value_text"]

_LINE = 88
_DEPTH = 4
_ROWS = 60
_CELL = 40
_TEXT = 4_000


def value_text(value: Any) -> str:
    """Return a structured value as text: as Python writes it where that fits a line, else in lines and columns."""
    shown = pretty(value, width=_LINE)
    if len(shown) <= _LINE and "\n" not in shown:
        return shorten(shown, _TEXT)
    title = title_of(value) if members_of(value) else ""
    lines = _block(value, 0)
    return "\n".join([title, *_indented(lines)] if title else lines)


def _block(value: Any, depth: int) -> list[str]:
    """Return the lines of a value that takes lines of its own."""
    if depth < _DEPTH:
        if members := members_of(value):
            shown = [line for member in members[:_ROWS] for line in _field(member, depth)]
            return shown + _more(len(members) - _ROWS)
        if items := items_of(value):
            columns = columns_of(items[:_ROWS])
            shown = _table(columns, items[:_ROWS]) if columns else _entries(items[:_ROWS], depth)
            return shown + _more(len(items) - _ROWS)
    width = _LINE - 2 * depth
    if not isinstance(value, str):
        return shorten(pretty(value, width=width), _TEXT).splitlines()
    return [part for line in shorten(value, _TEXT).splitlines() for part in textwrap.wrap(line, width) or [""]] or [""]


def _field(member: Member, depth: int) -> list[str]:
    short = _short(member.value)
    if short is not None:
        return [f"{one_line(member.name, _CELL)}: {short}"]
    return [f"{one_line(member.name, _CELL)}:", *_indented(_block(member.value, depth + 1))]


def _entries(items: Sequence[Any], depth: int) -> list[str]:
    lines = []
    for item in items:
        short = _short(item)
        first, *rest = [short] if short is not None else _block(item, depth + 1)
        lines += [f"- {first}", *_indented(rest)]
    return lines


def _short(value: Any) -> str | None:
    """Return a value that fits a line; None for one that doesn't, or has parts that are better shown each."""
    if value is MISSING:
        return "…"
    items = items_of(value)
    if items and any(members_of(item) for item in items):
        return None
    shown = _words(value)
    return one_line(shown, _LINE) if len(shown) <= _LINE and "\n" not in shown.strip() else None


def _words(value: Any) -> str:
    word = word_of(value)
    if word is not None:
        return word
    items = items_of(value)
    words = [word_of(item) for item in items or ()]
    return ", ".join(filter(None, words)) if words and all(words) else pretty(value)


def _table(columns: Sequence[str], rows: Sequence[Any]) -> list[str]:
    """Return rows of objects in columns, numbers to the right."""
    found = [{member.name: member.value for member in members_of(row) or ()} for row in rows]
    cells = [[_cell(row[name]) if name in row else "" for name in columns] for row in found]
    heads = [one_line(name, _CELL) for name in columns]
    widths = [max(map(columns_taken, column)) for column in zip_longest(heads, *cells, fillvalue="")]
    right = [all(isinstance(row.get(name, 0), (int, float)) for row in found) for name in columns]
    return [_line(entries, widths, right) for entries in [heads, *cells]]


def _cell(value: Any) -> str:
    if value is MISSING:
        return "…"
    return one_line(_words(value), _CELL)


def _line(entries: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for entry, width, to_the_right in zip(entries, widths, right, strict=True):
        space = " " * (width - columns_taken(entry))
        padded.append(space + entry if to_the_right else entry + space)
    return "  ".join(padded).rstrip()


def columns_taken(text: str) -> int:
    """Return how many places of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _more(hidden: int) -> list[str]:
    return [f"… {hidden:,} more"] if hidden > 0 else []


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}".rstrip() for line in lines]
