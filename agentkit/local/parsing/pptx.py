"""PowerPoint files (.pptx): slides in their order, with titles, tables and speaker's notes."""

from __future__ import annotations

from pathlib import Path

from agentkit.local.parsing.office_zip import OfficeZip
from agentkit.local.parsing.parsed import Parsed, TextBuilder, Unreadable, one_line

__all__ = ["parse_pptx"]

_PRESENTATION = "ppt/presentation.xml"
_SKIPPED = frozenset(("Fallback",))
_SMALL = frozenset(("sldNum", "dt", "ftr", "hdr", "sldImg"))
"""Placeholders that say nothing of a slide: its number, date, footer, header, picture."""


def parse_pptx(name: str, data: bytes | Path) -> Parsed:
    """Return the text of a presentation: each slide a page, its title a heading, its notes behind it.

    Raises:
        Unreadable: It is damaged, encrypted, or a bomb.
    """
    with OfficeZip(name, data) as parts:
        order = _Order()
        if _PRESENTATION not in parts:
            raise Unreadable("invalid_file", f"'{name}' is damaged: it has no presentation in it. Save it anew.")
        parts.feed(_PRESENTATION, order)
        relations = parts.relations(_PRESENTATION)
        built = TextBuilder(name)
        for number, part in enumerate((relations.get(id_, "") for id_ in order.slides), 1):
            if part in parts:
                _add_slide(built, parts, part, number)
        return built.parsed("pptx", title=parts.title())


def _add_slide(built: TextBuilder, parts: OfficeZip, part: str, number: int) -> None:
    slide = _Slide()
    parts.feed(part, slide)
    title = one_line(" ".join(slide.titles))
    built.page(number, title)
    if title:
        built.heading(title, 1)
    for block, gap in slide.blocks:
        built.block(block, gap=gap)
    notes = [target for target in parts.relations(part).values() if "notesSlides/" in target and target in parts]
    for target in notes[:1]:
        spoken = _Slide()
        parts.feed(target, spoken)
        if spoken.blocks:
            built.block("Notes: " + "\n".join(block for block, _ in spoken.blocks))


class _Order:
    """The slides, in the order of the presentation."""

    def __init__(self) -> None:
        self.slides: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "sldId":
            self.slides.append(attributes.get("r:id", ""))

    def end(self, tag: str) -> None: ...

    def text(self, data: str) -> None: ...


class _Slide:
    """Reads a slide, or its notes."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.blocks: list[tuple[str, int]] = []
        """Paragraphs and rows, each with the line ends before it."""
        self._placeholder = ""
        self._shape: list[str] = []
        """Paragraphs of the open shape."""
        self._line: list[str] | None = None
        self._row: list[list[str]] | None = None
        self._first_row = True
        self._in_text = False
        self._in_number = False
        self._skipped = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._skipped or tag in _SKIPPED:
            self._skipped += 1
        elif tag == "sp":
            self._placeholder, self._shape = "", []
        elif tag == "ph":
            self._placeholder = attributes.get("type", "body")
        elif tag == "p":
            self._line = []
        elif tag == "t":
            self._in_text = True
        elif tag == "fld":
            self._in_number = attributes.get("type") == "slidenum"
        elif tag == "br" and self._line is not None:
            self._line.append("\n")
        elif tag == "tbl":
            self._first_row = True
        elif tag == "tr":
            self._row = []
        elif tag == "tc" and self._row is not None:
            self._row.append([])

    def text(self, data: str) -> None:
        if self._in_text and self._line is not None and not self._skipped and not self._in_number:
            self._line.append(data)

    def end(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
        elif tag == "t":
            self._in_text = False
        elif tag == "fld":
            self._in_number = False
        elif tag == "p" and self._line is not None:
            text, self._line = "".join(self._line).strip(), None
            if text and self._row:
                self._row[-1].append(text.replace("\n", " "))
            elif text:
                self._shape.append(text)
        elif tag == "sp":
            self._finish_shape()
        elif tag == "tr" and self._row is not None:
            row, self._row = " | ".join(" ".join(cell) for cell in self._row), None
            if row.replace("|", "").strip():
                self.blocks.append((row, 2 if self._first_row else 1))
                self._first_row = False

    def _finish_shape(self) -> None:
        if self._placeholder in ("title", "ctrTitle"):
            self.titles += self._shape
        elif self._placeholder not in _SMALL:
            self.blocks += [(text, 1 if index else 2) for index, text in enumerate(self._shape)]
        self._shape, self._placeholder = [], ""
