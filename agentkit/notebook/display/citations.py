"""Answers that cite files: a number where each citation stands, which unfolds to the passage it stands for.

The number is a `<details>`: it needs no script, no kernel and no ids, which a notebook from elsewhere loses.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from agentkit.files.marks import excerpt, marked_words
from agentkit.notebook.display.file_search import Citation, Passage
from agentkit.notebook.display.markdown import formulas_in, render_markdown
from agentkit.notebook.display.passages import score_text, whole_html
from agentkit.notebook.display.text import clean, escape, one_line

__all__ = ["cited_html", "cited_text", "sources_line", "sources_text"]

_NAME_CHARS = 200
_ADDRESS_CHARS = 2_000
_ALL_CHARS = 40_000
_SENTENCE_CHARS = 300
_EXCERPT_CHARS = 160
_SAID_CHARS = 80
_NOT_SENT = (
    "The platform named the file only. FileSearchTool(…, include_search_results=True) has the passages sent too."
)

# What a citation isn't put into: it goes behind it. Keys are such runs, too: none is ever cut in two.
_RUN = re.compile(r"[A-Za-z0-9_+/=.&#;%~:@-]*")
_LINK = re.compile(r"!?\[[^\]\n]{0,500}\](?:\([^)\n]{0,2000}\)|\[[^\]\n]{0,200}\]|: [^\n]*)|<[a-z]+:[^>\s]{1,2000}>")
_BEGINNING = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)]|#{1,6})[ \t]+)*")
_SENTENCE = re.compile(r"[.!?。！？](?:\s|$)|\n")
_ENDS = " .!?。！？\n"
_WORD = re.compile(r"\w{3,}")
_TAG = re.compile(r"""<(/?)([a-z][a-z0-9]*)(?:[^>"']|"[^"]*"|'[^']*')*>""")


@dataclass(frozen=True, slots=True)
class _Source:
    """A file, or a passage of one, that an answer refers to."""

    number: int
    citation: Citation
    passage: Passage | None

    @property
    def place(self) -> str:
        if self.passage is not None and (self.passage.name or self.passage.filename):
            return self.passage.place
        return self.citation.filename or self.citation.url or "a file without a name"

    @property
    def link(self) -> str:
        """The address of a page of the web; "" where there is none that may be followed."""
        url = self.citation.url
        return url if url.startswith(("https://", "http://")) and len(url) <= _ADDRESS_CHARS else ""


def cited_html(
    text: str, citations: Sequence[Citation], passages: Sequence[Passage], *, math: Literal["tex", "mathml"] = "tex"
) -> str:
    """Return an answer, Markdown from anywhere, as HTML with its citations; see `render_markdown`.

    Args:
        text: The Markdown.
        citations: The places that refer to files.
        passages: What was found in files, from which the cited ones are taken.
        math: How formulas are written.
    """
    if not citations:
        return render_markdown(text, math=math)
    sources, placed, _ = _placed(text, citations, passages)
    # Where the numbers go is marked by signs that count as punctuation in Markdown, around what no text can know.
    secret = "".join(secrets.choice("ghjkmnpqrstvwxyz") for _ in range(20))
    marked, at = [], 0
    for place, number in placed:
        marked += [text[at:place], f"⟦{secret}{number}⟧"]
        at = place
    return _with_sources(render_markdown("".join([*marked, text[at:]]), math=math), secret, sources)


def cited_text(text: str, citations: Sequence[Citation], passages: Sequence[Passage]) -> str:
    """Return an answer as text with the numbers of its sources, and these below."""
    if not citations:
        return text
    sources, placed, _ = _placed(text, citations, passages)
    parts, at = [], 0
    for place, number in placed:
        parts += [text[at:place], f"[{number}]"]
        at = place
    return "\n".join(["".join([*parts, text[at:]]), "", *_source_lines(sources)])


def sources_text(text: str, citations: Sequence[Citation], passages: Sequence[Passage]) -> str:
    """Return the sources of an answer that stands above without numbers: which sentence has which, then the sources.

    An answer of one sentence needs no telling; where a number has no place in the text, none is told.
    """
    if not citations:
        return ""
    sources, placed, has_places = _placed(text, citations, passages)
    told: dict[str, list[int]] = {}
    for place, number in placed if has_places else ():
        said = _sentence_before(text, place)
        begin = _BEGINNING.match(said)
        numbers = told.setdefault(said[begin.end() :] if begin else said, [])
        if number not in numbers:
            numbers.append(number)
    whole = clean(text)
    lines = [
        f"“{one_line(said, _SAID_CHARS)}” {''.join(f'[{number}]' for number in numbers)}"
        for said, numbers in told.items()
        if said and clean(said) in whole and said != text.strip(_ENDS)  # a part of a key isn't shown as a part
    ]
    return "\n".join([*lines, *([""] if lines else []), *_source_lines(sources)])


def _source_lines(sources: Sequence[_Source]) -> list[str]:
    lines = []
    for source in sources:
        words = ""
        if source.passage is not None and source.passage.text.strip():
            line = " ".join(clean(source.passage.text).split())
            words = f": {excerpt(line, marked_words(line, source.passage.query[:500]), _EXCERPT_CHARS)}"
        lines.append(f"[{source.number}] {one_line(source.place, _NAME_CHARS)}{words}")
    return lines


def sources_line(text: str, citations: Sequence[Citation], passages: Sequence[Passage]) -> str:
    """Return the numbers of an answer's sources with where each stands, as HTML; "" where it has none."""
    if not citations:
        return ""
    sources, _, _ = _placed(text, citations, passages)
    shown = (f"[{source.number}] {escape(one_line(source.place, _NAME_CHARS))}" for source in sources)
    return f'<div class="agk-f">Sources: {" · ".join(shown)}</div>'


# -- which passage, and where ------------------------------------------------------------------------------------------


def _placed(
    text: str, citations: Sequence[Citation], passages: Sequence[Passage]
) -> tuple[list[_Source], list[tuple[int, int]], bool]:
    """Return the sources, numbered as they come, the places of their numbers, in order, and whether they belong there.

    Numbers that would take a key apart stand at the end.
    """
    avoided = [match.span() for match in _LINK.finditer(text)] + formulas_in(text)
    sources: dict[tuple[str, str, str], _Source] = {}
    placed: list[tuple[int, int]] = []
    for citation in sorted(citations, key=lambda each: each.index):
        passage = _cited(text, citation, passages)
        key = (citation.file_id or citation.filename, citation.url, passage.text if passage else "")
        source = sources.setdefault(key, _Source(len(sources) + 1, citation, passage))
        entry = (_place(text, citation.index, avoided), source.number)
        if entry not in placed:
            placed.append(entry)
    placed.sort()
    has_places = _leaves_whole(text, [place for place, _ in placed])
    if not has_places:
        placed = [(len(text), number) for _, number in placed]
    return list(sources.values()), placed, has_places


def _leaves_whole(text: str, places: Sequence[int]) -> bool:
    """Tell whether a text with numbers in it is made fit to be shown as it is without them: a key is still one."""
    begins, ends = [0, *places], [*places, len(text)]
    marked = "⟦⟧".join(text[begin:end] for begin, end in zip(begins, ends, strict=True))
    return clean(marked).replace("⟦⟧", "") == clean(text).replace("⟦⟧", "")


def _cited(text: str, citation: Citation, passages: Sequence[Passage]) -> Passage | None:
    """Return the passage that a citation means: of its file's, the one with most words of the sentence before it."""
    own = [each for each in passages if each.file_id == citation.file_id] if citation.file_id else []
    own = own or [each for each in passages if each.filename and each.filename == citation.filename]
    if len(own) <= 1:
        return own[0] if own else None
    words = set(_WORD.findall(_sentence_before(text, citation.index).casefold()))
    return max(own, key=lambda each: len(words & set(_WORD.findall(each.text.casefold()))))


def _sentence_before(text: str, index: int) -> str:
    """Return the sentence that ends at a place, or the end of a long one; without the sign that ends it."""
    before = text[max(0, index - _SENTENCE_CHARS) : index].rstrip(_ENDS)
    ends = [match.end() for match in _SENTENCE.finditer(before)]
    return before[ends[-1] :] if ends else before


def _place(text: str, index: int, avoided: Sequence[tuple[int, int]]) -> int:
    """Return where a number can stand in Markdown without taking it apart: at `index`, or near it."""
    index = len(text[: max(0, min(index, len(text)))].rstrip())
    run = _RUN.match(text, index)
    if run is not None and index and not text[index - 1].isspace():
        index = max(index, index + len(run[0].rstrip(".;:=-")))
    for start, end in avoided:
        if start < index < end:
            index = end
    while index:
        begin = text.rfind("\n", 0, index) + 1
        line = text[begin : len(text) if (end := text.find("\n", index)) < 0 else end]
        words = _BEGINNING.match(line)
        skipped = begin + (len(words[0]) if words else 0)
        if index > skipped and re.search(r"\w", line) and not line.lstrip().startswith(("```", "~~~")):
            if line.lstrip().startswith("|"):  # within the cell of a table, not behind the row
                index = begin + len(text[begin:index].rstrip(" \t|"))
            if index > skipped:
                return index
        index = len(text[:begin].rstrip())
    return len(text)


# -- as HTML -----------------------------------------------------------------------------------------------------------


def _with_sources(rendered: str, secret: str, sources: Sequence[_Source]) -> str:
    """Return HTML with a `<details>` for each mark. One within a link or code goes behind that; a lost one to the end.

    A paragraph with one becomes a `<div>`, since a `<p>` ends where a `<details>` begins.
    """
    mark = re.compile(rf"⟦{secret}(\d+)⟧")
    encoded = re.compile(rf"%E2%9F%A6{secret}(\d+)%E2%9F%A7")
    shown = _Shown(sources)
    out: list[str] = []
    pending: list[int] = []
    inside: list[str] = []
    paragraph = -1
    at = 0

    def flush() -> None:
        if pending and not inside:
            if paragraph >= 0:
                out[paragraph] = '<div class="agk-qt">'
            out.extend(shown.html(number) for number in pending)
            pending.clear()

    def text(part: str) -> None:
        last = 0
        for found in mark.finditer(part):
            out.append(part[last : found.start()])
            pending.append(int(found[1]))
            flush()
            last = found.end()
        out.append(part[last:])

    for tag in _TAG.finditer(rendered):
        text(rendered[at : tag.start()])
        at = tag.end()
        closes, name, whole = tag[1], tag[2], tag[0]
        pending += [int(number) for number in [*mark.findall(whole), *encoded.findall(whole)]]
        whole = encoded.sub("", mark.sub("", whole))
        if name == "p" and closes and paragraph >= 0:
            flush()
            whole = "</div>" if out[paragraph].startswith("<div") else whole
            paragraph = -1
        out.append(whole)
        if name == "p" and not closes:
            paragraph = len(out) - 1
        if name in ("a", "code", "pre", "math"):
            if not closes:
                inside.append(name)
            elif inside:
                inside.pop()
            flush()
    text(rendered[at:])
    inside.clear()
    pending += [source.number for source in sources if source.number not in shown.used and source.number not in pending]
    flush()
    return "".join(out)


class _Shown:
    """Writes sources, each time whole until there was enough."""

    def __init__(self, sources: Sequence[_Source]) -> None:
        self._sources = {source.number: source for source in sources}
        self._left = _ALL_CHARS
        self.used: set[int] = set()

    def html(self, number: int) -> str:
        source = self._sources.get(number)
        if source is None:
            return ""
        self.used.add(number)
        place = escape(one_line(source.place, _NAME_CHARS))
        label = f'aria-label="Source {number}: {_attribute(source.place)}"'
        mark = f'<summary style="display:inline" {label}>[{number}]</summary>'
        return f'<details class="agk-q" style="display:inline">{mark}{self._passage(source, place)}</details>'

    def _passage(self, source: _Source, place: str) -> str:
        passage = source.passage
        if source.citation.url:
            address = escape(one_line(source.citation.url, _NAME_CHARS))
            shown = f'<a href="{_address(source.link)}" rel="noopener noreferrer nofollow">{address}</a>'
            return f'<div class="agk-qp"><span class="agk-n">{place}</span> {shown if source.link else address}</div>'
        if passage is None:
            note = f'<div class="agk-d">{escape(_NOT_SENT)}</div>'
            return f'<div class="agk-qp"><span class="agk-n">{place}</span>{note}</div>'
        most = max(200, min(6_000, self._left))
        self._left -= min(most, len(passage.text))
        score = f' <span class="agk-fs">{score_text(passage.score)}</span>' if passage.score is not None else ""
        return f'<div class="agk-qp"><span class="agk-n">{place}</span>{score}{whole_html(passage, most)}</div>'


def _attribute(text: str) -> str:
    return html.escape(one_line(text, _NAME_CHARS))


def _address(url: str) -> str:
    return html.escape(quote(clean(url), safe="/:?#[]@!$&'()*+,;=%~"))
