"""Files that are text already: the text stays as it is, and its headings are found."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agentkit.local.parsing.parsed import MAX_HEADINGS, Mark, Parsed, one_line

__all__ = ["CODE", "parse_text"]

_MARKDOWN = frozenset((".md", ".markdown", ".mdown", ".mkd", ".qmd", ".rmd"))
_TEX = frozenset((".tex", ".latex", ".ltx"))
_CODE = (
    ".bash .c .cc .cjs .clj .cpp .cs .css .cu .cxx .dart .ex .f90 .go .h .hpp .hs .java .jl .js .jsx .kt .lua .mjs "
    ".m .ml .php .pl .pm .ps1 .py .pyi .r .rb .rs .scala .scss .sh .sql .swift .ts .tsx .vb .zig .zsh"
)
CODE = frozenset(_CODE.split())
"""Extensions of programs."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_SECTION = re.compile(
    r"^[^%\n\\]{0,40}\\(part|chapter|section|subsection|subsubsection|paragraph)\*?(?:\[[^\]\n]{0,200}\])?"
    r"\{([^\n]{1,400}?)\}[ \t]*(?:\\label\{[^}\n]{0,200}\})?[ \t]*(?:%.*)?$",
    re.MULTILINE,
)
_TEX_LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}
_TEX_TITLE = re.compile(r"^[^%\n]{0,40}\\title\{([^{}\n]{1,400})\}", re.MULTILINE)
_MODIFIERS = (
    "export|default|public|private|protected|internal|static|abstract|final|async|sealed|partial|pub|unsafe|override"
)
_DEFINERS = "class|def|func|function|fn|interface|trait|struct|enum|module|namespace|impl|object|record"
_DEFINITION = re.compile(
    rf"^([ \t]{{0,40}})(?:(?:{_MODIFIERS})[ \t]+){{0,6}}(?:{_DEFINERS})[ \t]+"
    r"((?:\([^)\n]{0,80}\)[ \t]*)?[A-Za-z_$][\w$.:]{0,120})",
    re.MULTILINE,
)


def parse_text(name: str, suffix: str, text: str) -> Parsed:
    """Return a text as it is, with the headings of Markdown and TeX and the definitions of programs.

    Args:
        name: The file.
        suffix: Its extension, in lower case, such as ".md".
        text: Its text, with line feeds at line ends.
    """
    if suffix in _MARKDOWN:
        headings = tuple(_markdown_headings(text))
        return Parsed(text, (), headings, "markdown", headings[0].title if headings else "")
    if suffix in _TEX:
        found = _TEX_TITLE.search(text[:100_000])
        return Parsed(text, (), tuple(_sections(text)), "tex", one_line(found[1]) if found else "")
    if suffix in CODE:
        return Parsed(text, (), tuple(_definitions(text)), "code")
    if suffix in (".csv", ".tsv"):
        return Parsed(text, (), (), "csv")
    if suffix in (".json", ".jsonl", ".ndjson"):
        return Parsed(text, (), (), "json")
    return Parsed(text, (), (), "text")


def _markdown_headings(text: str) -> Iterator[Mark]:
    """Yield the headings outside of code, as CommonMark has them: "# Title", and titles that are underlined."""
    fence = ""
    start, before, count = _front_matter_end(text), "", 0
    before_start = start
    while start < len(text) and count < MAX_HEADINGS:
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start : min(end, start + 1_000)]
        opened = _FENCE.match(line)
        if fence:
            if opened and opened[1].startswith(fence) and not line[opened.end() :].strip():
                fence = ""
            line = ""
        elif opened:
            fence, line = opened[1], ""
        elif (atx := _ATX.match(line)) and (title := _plain_title(atx[2] or "")):
            yield Mark(start, len(atx[1]), title)
            count += 1
            line = ""
        elif before.strip() and (under := _SETEXT.match(line)) and (title := _plain_title(before)):
            yield Mark(before_start, 1 if under[1][0] == "=" else 2, title)
            count += 1
            line = ""
        before, before_start = ("" if line.lstrip().startswith((">", "- ", "* ", "|")) else line), start
        start = end + 1


def _front_matter_end(text: str) -> int:
    if text.startswith("---\n"):
        end = text.find("\n---\n", 3, 20_000)
        return end + 5 if end >= 0 else 0
    return 0


def _plain_title(text: str) -> str:
    """Return a heading without the marks of emphasis, code and links."""
    linked = re.sub(r"!?\[([^\]\[]{0,300})\]\([^)\s]{0,500}\)", r"\1", text)
    return one_line(re.sub(r"<[^<>]{1,200}>|[*`]|\s\{#[\w-]{1,80}\}$", "", linked))


def _sections(text: str) -> Iterator[Mark]:
    for count, found in enumerate(_SECTION.finditer(text)):
        if count >= MAX_HEADINGS:
            return
        title = one_line(re.sub(r"\\[a-zA-Z]+\*?\s?|[{}$~]", " ", found[2]))
        if title:
            yield Mark(found.start(), _TEX_LEVELS[found[1]], title)


def _definitions(text: str) -> Iterator[Mark]:
    """Yield classes and functions; what is indented deeper is of a lower level."""
    for count, found in enumerate(_DEFINITION.finditer(text)):
        if count >= MAX_HEADINGS:
            return
        depth = len(found[1].expandtabs(4))
        yield Mark(found.start(), 1 if depth == 0 else min(6, 1 + (depth + 3) // 4), one_line(found[2]))
