"""Streamed Markdown cut into blocks, so that each is rendered and sent once and only the last is still open."""

from __future__ import annotations

import re

__all__ = ["BlockSplitter"]

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_LIST_ITEM = re.compile(r" {0,3}(?:[-*+]|\d{1,9}[.)])(?:\s|$)")


class BlockSplitter:
    """Takes Markdown in pieces and gives back blocks that are complete: paragraphs, lists, tables, code.

    Cuts only where what follows can't change what came before, near enough for a live view: the kept output is rendered
    from the whole text. Work is linear in the text's length, however long a block grows.
    """

    def __init__(self) -> None:
        self._open: list[str] = []
        self._partial: list[str] = []
        self._closed: list[str] = []
        self._fence = ""
        self._after_blank = False

    def feed(self, text: str) -> None:
        """Add text, cut anywhere."""
        first, *lines = text.split("\n")
        self._partial.append(first)
        for line in lines:
            whole = "".join(self._partial)
            self._partial = [line]
            self._add_line(whole)
        if self._after_blank and not self._in_list() and "".join(self._partial).strip():
            self._close()  # without waiting for the line's end: a paragraph often is one line

    def take_closed(self) -> list[str]:
        """Return the blocks completed since the last call."""
        closed, self._closed = self._closed, []
        return closed

    @property
    def live(self) -> str:
        """The text of the block that isn't complete."""
        return "".join([*self._open, *self._partial])

    def _add_line(self, line: str) -> None:
        if self._fence:
            self._open.append(line + "\n")
            if re.fullmatch(rf" {{0,3}}{re.escape(self._fence[0])}{{{len(self._fence)},}}\s*", line):
                self._fence = ""
                self._close()
            return
        if not line.strip():
            self._after_blank = bool(self._open)
            self._open.append("\n")
            return
        if self._after_blank and not self._goes_on(line):
            self._close()
        self._after_blank = False
        if (match := _FENCE.match(line)) and not self._in_list():
            if self._open:
                self._close()
            self._fence = match[1]
        self._open.append(line + "\n")

    def _goes_on(self, line: str) -> bool:
        """Tell whether a line after a blank one belongs to the open block: more of a list, or of indented text."""
        return self._in_list() and (line[:1] in " \t" or _LIST_ITEM.match(line) is not None)

    def _in_list(self) -> bool:
        return bool(self._open) and _LIST_ITEM.match(self._open[0]) is not None

    def _close(self) -> None:
        self._closed.append("".join(self._open))
        self._open = []
        self._after_blank = False
