"""Structured values as tables: fields beside their names, lists of objects with a column for each field."""

from __future__ import annotations

import numbers
import re
from collections.abc import Sequence
from typing import Any

from agentkit.notebook.display.highlight import highlight
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
from agentkit.notebook.display.text import clean, escape, one_line, shorten, showable_length

__all__ = ["partial_html", "value_html"]

_DEPTH = 4
_CODE_LIMIT = 4_000
_WINDOW = 5_000
_SPACE = re.compile(r"\s")
_TO_COME = '<span class="agk-d">…</span>'


def value_html(value: Any) -> str:
    """Return a structured answer as a table.

    Objects (pydantic models, dataclasses, dictionaries) become rows of names and values, lists of objects a table with
    a column for each field, other lists lists. Long texts are shortened, with the whole of them folded behind; what
    goes too deep, and anything else, is shown as code. All text is escaped.
    """
    return _Kept().whole(value, is_open=False)


def partial_html(partial: Any, *, is_open: bool = True) -> str:
    """Return what has come of a structured answer as a table in the layout of `value_html`, with "…" for what hasn't.

    It is made to be shown again and again while it fills: of long lists only the last rows are there, of long texts
    the beginning and the end. So its size doesn't grow with the answer.

    Args:
        partial: What `RunResultStreaming.partial()` gives.
        is_open: Whether more may come.
    """
    return _TO_COME if partial is None and is_open else _Filling().whole(partial, is_open=is_open)


class _Kept:
    """Writes values as HTML. How much of long ones is shown is for the classes below to say."""

    row_limit = 200
    text_limit = 500
    budget = 200_000
    """Most characters of text; what comes after they are spent is cut short."""

    def __init__(self) -> None:
        self._left = self.budget

    def whole(self, value: Any, *, is_open: bool) -> str:
        """Return a value as an element, or several, that can stand alone."""
        members = members_of(value, is_open=is_open)
        if members is not None and (members or is_open or title_of(value)):
            title = title_of(value)
            heading = f'<div class="agk-h">{escape(title)}</div>' if title else ""
            return heading + self._fields(members, 0, is_open and not title)
        items = items_of(value)
        if items is not None and (shown := self._items(items, 0, is_open, alone=True)):
            return shown
        if isinstance(value, str):
            return f"<div>{self._text(value, is_open)}</div>"
        code = highlight(shorten(pretty(value), _CODE_LIMIT), "python")
        return f"<pre><code>{code}</code></pre>{_TO_COME if is_open else ''}"

    def _fields(self, members: Sequence[Member], depth: int, more_may_come: bool) -> str:
        before, shown, after = self._parted(members)
        rows = [f"<dt>{escape(member.name)}</dt><dd>{self._cell(member, depth)}</dd>" for member in shown]
        note = '<dt class="agk-d">…</dt><dd class="agk-d">{}</dd>'
        rows = [*map(note.format, before), *rows, *map(note.format, after)]
        if more_may_come:
            rows.append(f"<dt>{_TO_COME}</dt><dd></dd>")
        return f'<dl class="agk-k">{"".join(rows)}</dl>' if rows else ""

    def _cell(self, member: Member, depth: int) -> str:
        value, is_open = member.value, member.is_open
        if value is MISSING:
            return _TO_COME
        if value is None:
            return '<span class="agk-d">None</span>'
        if (word := word_of(value)) is not None:
            return self._text(word, is_open)
        if depth < _DEPTH:
            if members := members_of(value, is_open=is_open):
                return self._fields(members, depth + 1, is_open and not title_of(value))
            items = items_of(value)
            if items is not None and (shown := self._items(items, depth + 1, is_open)):
                return shown
        return self._code(value)

    def _items(self, items: Sequence[Any], depth: int, is_open: bool, *, alone: bool = False) -> str:
        """Return a list in the way that suits what is in it; "" where that is as code."""
        if not items:
            return _TO_COME if is_open else ""
        before, shown, after = self._parted(items)
        if (columns := columns_of(shown)) is not None:
            return self._table(columns, shown, depth, is_open, before, after)
        words = [word for item in shown if (word := word_of(item)) is not None]
        if len(words) < len(shown) and all(_is_plain(item) for item in shown):
            return ""
        if len(words) == len(items) and not alone and _fits_a_line(words):
            return escape(", ".join(words)) + (f" {_TO_COME}" if is_open else "")
        last = len(shown) - 1
        entries = [self._cell(Member("", item, is_open and at == last), depth) for at, item in enumerate(shown)]
        note = '<span class="agk-d">{}</span>'
        entries = [*map(note.format, before), *entries, *map(note.format, after)]
        if is_open:
            entries.append(_TO_COME)
        return f"<ul>{''.join(f'<li>{entry}</li>' for entry in entries)}</ul>"

    def _table(
        self,
        columns: Sequence[str],
        rows: Sequence[Any],
        depth: int,
        is_open: bool,
        before: Sequence[str],
        after: Sequence[str],
    ) -> str:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
        shown = [self._row(columns, row, depth, is_open and row is rows[-1]) for row in rows]
        note = f'<tr><td colspan="{len(columns)}" class="agk-d">{{}}</td></tr>'
        shown = [*map(note.format, before), *shown, *map(note.format, after)]
        if is_open:
            shown.append(note.format("…"))
        return f'<table class="agk-t"><thead><tr>{head}</tr></thead><tbody>{"".join(shown)}</tbody></table>'

    def _row(self, columns: Sequence[str], row: Any, depth: int, is_open: bool) -> str:
        members = {member.name: member for member in members_of(row, is_open=is_open) or ()}
        cells = (self._cell(members[name], depth + 1) if name in members else "" for name in columns)
        return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"

    def _parted(self, entries: Sequence[Any]) -> tuple[list[str], Sequence[Any], list[str]]:
        """Return what to say before the entries that are shown, these, and what to say after them."""
        hidden = len(entries) - self.row_limit
        return ([], entries[: self.row_limit], [f"{hidden:,} more"]) if hidden > 0 else ([], entries, [])

    def _text(self, text: str, is_open: bool) -> str:
        if is_open:
            text = text[: showable_length(text)]
        shown = self._shortened(clean(text))
        return f"{shown}{_TO_COME}" if is_open else shown

    def _shortened(self, text: str) -> str:
        """Return a text, which is clean, as HTML; a long one with the whole of it folded behind its beginning."""
        limit = self.text_limit if self._left > 0 else 80
        self._left -= len(text)
        if len(text) <= limit:
            return _lines(text)
        beginning = escape(one_line(text, min(limit, 200)))
        if self._left <= -self.budget:
            return f'{beginning} <span class="agk-d">({len(text):,} characters)</span>'
        return f'<details class="agk-x"><summary>{beginning}</summary>{_lines(shorten(text, 20_000))}</details>'

    def _code(self, value: Any) -> str:
        shown = pretty(value)
        self._left -= len(shown)
        return f"<code>{escape(shorten(shown, self.text_limit if self._left > 0 else 80))}</code>"


class _Filling(_Kept):
    """Writes what has come of a value: little, since it is written again with each change."""

    row_limit = 20
    text_limit = 300
    budget = 12_000

    def _parted(self, entries: Sequence[Any]) -> tuple[list[str], Sequence[Any], list[str]]:
        hidden = len(entries) - self.row_limit
        return ([f"▸ {hidden:,} before"], entries[hidden:], []) if hidden > 0 else ([], entries, [])

    def _text(self, text: str, is_open: bool) -> str:
        limit = self.text_limit if self._left > 0 else 80
        self._left -= min(len(text), limit)
        if len(text) > _WINDOW:
            shown = f"{_beginning(text, limit // 3)} … {_end(text, limit * 2 // 3, is_open)}"
        else:
            shown = clean(text[: showable_length(text)] if is_open else text)
            if len(shown) > limit:
                shown = f"{shown[: limit // 3].rstrip()} … {shown[-(limit * 2 // 3) :].lstrip()}"
        return f"{_lines(shown)}{_TO_COME}" if is_open else _lines(shown)


# A long text is shown by its two ends while it grows, and no more than those is looked at. They are made safe with
# what is around them, so that a key which begins or ends out of sight is still known for one.


def _beginning(text: str, limit: int) -> str:
    return clean(text[:_WINDOW])[:limit].rstrip()


def _end(text: str, limit: int, is_open: bool) -> str:
    text = text[-_WINDOW:]
    if is_open:
        text = text[: showable_length(text)]
    space = _SPACE.search(text)
    return clean(text[space.end() :])[-limit:].lstrip() if space else ""


def _lines(text: str) -> str:
    shown = escape(text)
    return f'<div class="agk-p">{shown}</div>' if "\n" in text.strip() else shown


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, numbers.Number) or word_of(value) is not None


def _fits_a_line(texts: Sequence[str]) -> bool:
    return sum(map(len, texts)) <= 200 and not any("\n" in text or ", " in text for text in texts)
