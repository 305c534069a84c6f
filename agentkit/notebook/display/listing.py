"""Plain tables of words: a few columns, aligned in a terminal and a table in a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape
from agentkit.notebook.display.value_text import columns_taken

if TYPE_CHECKING:
    from agentkit.notebook.display.run_view import Bundle

__all__ = ["Listing", "aligned"]

_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of words, shown as a table."""

    title: str
    """What they are about, in a line."""
    rows: Sequence[Sequence[str]]
    """The words, as many in each row."""
    head: Sequence[str] = ()
    """What stands above the columns; none where they explain themselves."""
    code: frozenset[int] = frozenset()
    """The columns that hold names or values, from 0."""
    prose: frozenset[int] = frozenset()
    """The columns that hold sentences, from 0; in a terminal they stand below their row."""
    note: str = ""
    """What stands below."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Bundle:
        return {"text/html": self._html(), "text/plain": self.plain()}

    def plain(self) -> str:
        """Return it for a terminal."""
        table = [*([self.head] if self.head else []), *self.rows]
        short = [[word for column, word in enumerate(row) if column not in self.prose] for row in table]
        lines = [self.title]
        for row, line in zip(table, aligned(short), strict=True):
            lines.append(f"  {line}")
            if row is not self.head:
                lines += [text for column in sorted(self.prose) for text in _wrapped(row[column], "      ")]
        return clean("\n".join([*lines, *_wrapped(self.note, "")]))

    def _html(self) -> str:
        head = "".join(f"<th>{escape(word)}</th>" for word in self.head)
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        table = f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
        note = f'<div class="agk-f">{escape(self.note)}</div>' if self.note else ""
        return f'<div class="agk">{STYLE}<div class="agk-h">{escape(self.title)}</div>{table}{note}</div>'

    def _row(self, row: Sequence[str]) -> str:
        cells = []
        for column, word in enumerate(row):
            if not self.head and column == 0:
                cells.append(f'<td class="agk-d">{escape(word)}</td>')
            elif column in self.code and word:
                cells.append(f"<td><code>{escape(word)}</code></td>")
            else:
                cells.append(f"<td>{escape(word)}</td>")
        return "".join(cells)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row, with its words below those of the row above."""
    if not rows:
        return []
    cleaned = [[" ".join(clean(word).split()) for word in row] for row in rows]
    widths = [max(columns_taken(row[column]) for row in cleaned) for column in range(len(cleaned[0]))]
    return [
        "  ".join(word + " " * (width - columns_taken(word)) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in cleaned
    ]
