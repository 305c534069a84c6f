"""Jupyter notebooks: their Markdown and code in order; outputs only as far as they are text."""

from __future__ import annotations

import json
from typing import Any

from agentkit.local.parsing.parsed import Mark, Parsed, TextBuilder, Unreadable, storable
from agentkit.local.parsing.plain_text import parse_text

__all__ = ["parse_notebook"]

_MAX_OUTPUT = 2_000
"""Characters kept of a cell's output: the rest is rarely what is looked for."""


def parse_notebook(name: str, text: str) -> Parsed:
    """Return a notebook's cells as text, with the headings of its Markdown.

    Raises:
        Unreadable: It isn't a notebook's JSON.
    """
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Unreadable(
            "invalid_file", f"'{name}' is damaged, or no notebook of format 4: {type(error).__name__}: {error}."
        ) from None
    if not isinstance(cells, list):
        raise Unreadable("invalid_file", f"'{name}' is damaged: its cells are no list.")
    built = TextBuilder(name)
    for cell in cells:
        if isinstance(cell, dict):
            _add_cell(built, cell)
    title = built.headings[0].title if built.headings else ""
    return built.parsed("notebook", title=title)


def _add_cell(built: TextBuilder, cell: dict[str, Any]) -> None:
    source = _joined(cell.get("source")).strip("\n").rstrip()
    if not source:
        return
    start = built.block(source)
    if cell.get("cell_type") == "markdown":
        built.headings += [
            Mark(start + mark.start, mark.number, mark.title) for mark in parse_text("", ".md", source).headings
        ]
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            data = output.get("data")
            shown = output.get("text", data.get("text/plain") if isinstance(data, dict) else None)
            built.block(_joined(shown).strip("\n")[:_MAX_OUTPUT].rstrip())


def _joined(value: object) -> str:
    """Return a notebook's text, which is a string or a list of lines."""
    if isinstance(value, list):
        return storable("".join(line for line in value if isinstance(line, str)))
    return storable(value) if isinstance(value, str) else ""
