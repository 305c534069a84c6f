"""Word files (.docx): paragraphs, headings, lists, tables, notes, and the pages where Word last broke them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from agentkit.local.parsing.office_zip import OfficeZip
from agentkit.local.parsing.parsed import Mark, Parsed, TextBuilder, Unreadable

__all__ = ["parse_docx"]

_HEADING_NAME = re.compile(r"heading ([1-9])", re.IGNORECASE)
_SKIPPED = frozenset(("Fallback", "moveFrom", "instrText", "delText", "del", "rPrChange", "pPrChange", "sectPr"))
"""What isn't shown, or stands elsewhere as well. (A deleted passage is `del`, a moved one's old place `moveFrom`.)"""


def parse_docx(name: str, data: bytes | Path) -> Parsed:
    """Return the text of a Word file.

    Its pages are known where Word has saved where it broke them last; other programs don't.

    Raises:
        Unreadable: It is damaged, encrypted, or a bomb.
    """
    with OfficeZip(name, data) as parts:
        main = _main_part(parts)
        styles = _Styles()
        if "word/styles.xml" in parts:
            parts.feed("word/styles.xml", styles)
        built = TextBuilder(name)
        body = _Body(built, styles.levels())
        parts.feed(main, body)
        pages = body.pages()
        for notes in ("word/footnotes.xml", "word/endnotes.xml"):
            if notes in parts:
                parts.feed(notes, _Body(built, {}, notes=True))
        built.pages = pages
        return built.parsed("docx", title=parts.title() or body.title)


def _main_part(parts: OfficeZip) -> str:
    if "word/document.xml" in parts:
        return "word/document.xml"
    for part in parts.names():
        if re.fullmatch(r"word/document\d{0,3}\.xml", part):
            return part
    raise Unreadable("invalid_file", f"'{parts.name}' is damaged: it has no document in it. Save it anew from Word.")


class _Styles:
    """Which styles are headings, and of which level."""

    def __init__(self) -> None:
        self._style = ""
        self._own: dict[str, int] = {}
        self._based_on: dict[str, str] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        value = attributes.get("val", "")
        if tag == "style":
            self._style = attributes.get("styleId", "")
        elif tag == "name" and (found := _HEADING_NAME.fullmatch(value)):
            self._own.setdefault(self._style, int(found[1]))
        elif tag == "name" and value.lower() == "title":
            self._own[self._style] = 0
        elif tag == "outlineLvl" and value.isdigit() and int(value) < 9:
            self._own.setdefault(self._style, int(value) + 1)
        elif tag == "basedOn":
            self._based_on[self._style] = value

    def end(self, tag: str) -> None: ...

    def text(self, data: str) -> None: ...

    def levels(self) -> dict[str, int]:
        """Return the level of each style that is a heading, 1 to 9; 0 for the document's title."""
        levels = dict(self._own)
        for style in self._based_on:
            ancestor = style
            for _ in range(10):
                if ancestor in self._own:
                    levels[style] = self._own[ancestor]
                    break
                ancestor = self._based_on.get(ancestor, "")
        return levels


@dataclass(slots=True)
class _Paragraph:
    parts: list[str] = field(default_factory=list)
    length: int = 0
    """Of the parts, in characters."""
    breaks: list[int] = field(default_factory=list)
    """Where pages begin in it, in characters."""
    style: str = ""
    level: int | None = None
    listed: bool = False

    def add(self, text: str) -> None:
        """Append text."""
        self.parts.append(text)
        self.length += len(text)


class _Body:
    """Reads a document's body, or its notes."""

    def __init__(self, built: TextBuilder, levels: dict[str, int], *, notes: bool = False) -> None:
        self._built = built
        self._levels = levels
        self._notes = notes
        self._paragraphs: list[_Paragraph] = []
        """Those that are open: one in a text box stands in another."""
        self._rows: list[list[list[str]]] = []
        """The open rows, innermost last: cells of paragraphs."""
        self._skipped = 0
        self._in_properties = 0
        self._in_text = False
        self._gap = 2
        self._breaks: list[int] = []
        self._pending_break = 0
        self.title = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._skipped or tag in _SKIPPED:
            self._skipped += 1
        elif tag == "p":
            self._paragraphs.append(_Paragraph())
        elif tag == "t":
            self._in_text = True
        elif tag == "pPr":
            self._in_properties += 1
        elif tag == "tr":
            self._rows.append([])
        elif tag == "tc" and self._rows:
            self._rows[-1].append([])
        elif tag == "tbl":
            self._gap = 2
        elif self._paragraphs:
            self._inside_paragraph(tag, attributes, self._paragraphs[-1])

    def _inside_paragraph(self, tag: str, attributes: dict[str, str], paragraph: _Paragraph) -> None:
        value = attributes.get("val", "")
        if self._in_properties:
            if tag == "pStyle":
                paragraph.style = value
            elif tag == "outlineLvl" and value.isdigit() and int(value) < 9:
                paragraph.level = int(value) + 1
            elif tag == "numPr":
                paragraph.listed = True
        elif tag == "tab":
            paragraph.add("\t")
        elif tag in ("br", "cr"):
            paragraph.add("\n")
        elif tag == "noBreakHyphen":
            paragraph.add("-")
        elif tag == "lastRenderedPageBreak":
            paragraph.breaks.append(paragraph.length)

    def text(self, data: str) -> None:
        if self._in_text and self._paragraphs and not self._skipped:
            self._paragraphs[-1].add(data)

    def end(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
        elif tag == "t":
            self._in_text = False
        elif tag == "pPr":
            self._in_properties -= 1
        elif tag == "p" and self._paragraphs:
            self._finish(self._paragraphs.pop())
        elif tag == "tr" and self._rows:
            self._finish_row(self._rows.pop())
        elif tag == "tbl":
            self._gap = 2

    def _finish(self, paragraph: _Paragraph) -> None:
        whole = "".join(paragraph.parts).rstrip()
        text = whole.lstrip("\n")
        breaks = [max(0, at - (len(whole) - len(text))) for at in paragraph.breaks]
        if self._rows:
            self._pending_break += len(paragraph.breaks)
            if text.strip() and self._rows[-1]:
                self._rows[-1][-1].append(text.strip())
            return
        if not text.strip():
            self._pending_break += len(paragraph.breaks)
            return
        level = paragraph.level if paragraph.level is not None else self._levels.get(paragraph.style)
        before = self._built.length
        if level is not None and (level or not paragraph.listed):
            self.title = self.title or (text if level == 0 else "")
            self._built.heading(text, max(1, level or 0))
            self._gap = 2
        else:
            self._built.block("- " + text if paragraph.listed else text, gap=1 if paragraph.listed else self._gap)
            self._gap = 2
        shift = self._built.length - len(text)
        self._note_breaks(before, [shift + min(at, len(text)) for at in breaks])

    def _finish_row(self, cells: list[list[str]]) -> None:
        row = " | ".join(" ".join(cell).replace("\n", " ") for cell in cells)
        if not row.replace("|", "").strip():
            return
        if self._rows:  # a table in a cell
            if self._rows[-1]:
                self._rows[-1][-1].append(row)
            return
        before = self._built.length
        self._built.block(row, gap=self._gap)
        self._gap = 1
        self._note_breaks(before, [])

    def _note_breaks(self, before: int, breaks: list[int]) -> None:
        self._breaks += [before] * self._pending_break + breaks
        self._pending_break = 0

    def pages(self) -> list[Mark]:
        """Return where pages begin; none where Word has not saved it."""
        if not self._breaks:
            return []
        return [Mark(0, 1), *(Mark(start, number) for number, start in enumerate(self._breaks, 2))]
