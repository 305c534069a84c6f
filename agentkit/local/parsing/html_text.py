"""HTML as text: a scanner in linear time, whatever the markup is like.

The standard library's `html.parser` needs quadratic time for some broken files (CVE-2025-6069 and its like). No tree is
needed here: blocks, headings, list items and rows of tables are put down as their tags come.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from agentkit.local.parsing.parsed import Parsed, TextBuilder, one_line

__all__ = ["parse_html"]

_NAME = re.compile(r"/?[a-zA-Z][^\s/>\x00]{0,60}")
_REST = re.compile(r"""(?:[^>"'=]++|=\s*+"[^"]{0,20000}+"|=\s*+'[^']{0,20000}+'|=)*+>""")
"""The rest of a tag: ">" in a quoted value doesn't end it."""
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]{1,2000})"|'([^']{1,2000})')""", re.IGNORECASE)
_RAW = frozenset(
    ("script", "style", "noscript", "template", "textarea", "title", "iframe", "noembed", "noframes", "xmp")
)
"""What is inside these, up to their end tag, is no markup (or nothing that a reader sees)."""
_HIDDEN = frozenset(("head", "svg", "math", "select", "datalist", "object", "audio", "video", "canvas"))
_BLOCK_TAGS = (
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure "
    "footer form header hgroup hr legend main menu nav ol optgroup p section summary table tbody tfoot thead ul"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_SPACE = re.compile(r"\s+")


def parse_html(name: str, text: str) -> Parsed:
    """Return what a reader sees of a page, with its headings; scripts, styles and comments are left out."""
    page = _Page(name)
    for kind, value, rest in _tokens(text):
        if kind == "text":
            page.text(value)
        elif kind == "raw":
            page.raw(value, rest)
        elif kind == "start":
            page.start(value, rest)
        else:
            page.end(value)
    return page.parsed()


def _tokens(source: str) -> Iterator[tuple[str, str, str]]:
    """Yield `("text", text, "")`, `("start", tag, attributes)`, `("end", tag, "")` and `("raw", tag, content)`."""
    place, size = 0, len(source)
    while place < size:
        opened = source.find("<", place)
        if opened < 0:
            yield "text", source[place:], ""
            return
        if opened > place:
            yield "text", source[place:opened], ""
        name = _NAME.match(source, opened + 1)
        if name is None:
            place = _after_declaration(source, opened)
            if place == opened + 1:
                yield "text", "<", ""
            continue
        rest = _REST.match(source, name.end())
        closed = rest.end() if rest else source.find(">", name.end()) + 1
        if not closed:
            return  # a tag that never ends hides what follows, as in a browser
        tag = name[0].lower()
        place = closed
        if tag[0] == "/":
            yield "end", tag[1:], ""
        elif tag in _RAW:
            content_end = _raw_end(source, tag, closed)
            yield "raw", tag, source[closed:content_end]
            place = content_end
        else:
            yield "start", tag, source[name.end() : closed - 1]


def _after_declaration(source: str, opened: int) -> int:
    """Return where a comment, doctype or processing instruction ends; the place after "<" where it is but a sign."""
    if source.startswith("<!--", opened):
        end = source.find("-->", opened + 4)
        return end + 3 if end >= 0 else len(source)
    if source.startswith("<![CDATA[", opened):
        return opened + 9
    if source[opened + 1 : opened + 2] in ("!", "?", "/"):
        end = source.find(">", opened)
        return end + 1 if end >= 0 else len(source)
    return opened + 1


_RAW_ENDS = {tag: re.compile(rf"</{tag}(?=[\s/>])", re.IGNORECASE) for tag in _RAW}


def _raw_end(source: str, tag: str, start: int) -> int:
    found = _RAW_ENDS[tag].search(source, start)
    return found.start() if found else len(source)


class _Page:
    """The text so far, and in what of the page the scanner is."""

    def __init__(self, name: str) -> None:
        self._built = TextBuilder(name)
        self._title = ""
        self._line: list[str] = []
        """Words of the block being read."""
        self._gap = 2
        """Line ends before that block."""
        self._prefix = ""
        self._heading = 0
        self._pre = 0
        self._hidden = 0
        self._rows = 0
        """Depth of table rows."""
        self._first = True
        """Whether the next item or row is the first of its list or table."""

    def text(self, text: str) -> None:
        if self._hidden or not text:
            return
        text = html.unescape(text) if "&" in text else text
        if self._pre:
            self._line.append(text)
        elif not text.isspace():
            self._line.append(_SPACE.sub(" ", text))
        elif self._line:
            self._line.append(" ")

    def raw(self, tag: str, content: str) -> None:
        if tag == "title" and not self._title:
            self._title = one_line(html.unescape(content))
        elif tag in ("textarea", "xmp"):
            self.text(content)

    def start(self, tag: str, attributes: str) -> None:
        if tag in _HIDDEN:
            self._hidden += not attributes.endswith("/")
        elif tag == "body":
            self._hidden = 0  # a head, or what was in it, that was never closed
        elif tag in _BLOCKS:
            self._inside_row() if self._rows else self.flush()
            self._first = True
        elif tag == "br":
            self._line.append("\n")
        elif len(tag) == 2 and tag[0] == "h" and "1" <= tag[1] <= "6":
            self.flush()
            self._heading = int(tag[1])
        elif tag == "pre":
            self.flush()
            self._pre += 1
        elif tag == "li":
            self.flush()
            self._prefix = "- "
            self._next_in_list()
        elif tag == "tr":
            self.flush()
            self._rows += 1
            self._next_in_list()
        elif tag in ("td", "th"):
            if "".join(self._line).strip():
                self._line.append(" | ")
        elif tag == "img" and (found := _ALT.search(attributes)):
            self.text(f" {found[1] or found[2]} ")

    def end(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "pre":
            self.flush()
            self._pre = max(0, self._pre - 1)
        elif tag == "tr":
            self.flush(gap=1)
            self._rows = max(0, self._rows - 1)
        elif tag == "table":
            self._rows = 0
            self.flush()
        elif tag == "li" or (tag in _BLOCKS and not self._rows):
            self.flush()
        elif tag in _BLOCKS:
            self._inside_row()
        elif len(tag) == 2 and tag[0] == "h" and "1" <= tag[1] <= "6":
            self.flush()

    def _next_in_list(self) -> None:
        self._gap, self._first = (2 if self._first else 1), False

    def _inside_row(self) -> None:
        """Part what stands in one cell: a row stays one line."""
        if self._line:
            self._line.append(" ")

    def flush(self, *, gap: int = 2) -> None:
        """Put the block that was read to the text; what follows stands `gap` line ends behind."""
        text = "".join(self._line)
        if self._pre:
            text = text.strip("\n").rstrip()
        else:
            text = "\n".join(_SPACE.sub(" ", line).strip() for line in text.split("\n")).strip()
            text = text.removesuffix(" |")
        if text:
            if self._heading:
                self._built.heading(text.replace("\n", " "), self._heading)
            else:
                self._built.block(self._prefix + text, gap=self._gap)
            self._prefix, self._gap = "", gap
        elif not self._prefix:
            self._gap = max(self._gap, gap) if gap > 1 else self._gap
        self._heading = 0
        self._line = []

    def parsed(self) -> Parsed:
        self.flush()
        return self._built.parsed("html", title=self._title)
