"""Passages of files as HTML and as text: where they stand, how well they answer, the words of the query marked."""

from __future__ import annotations

from collections.abc import Sequence

from agentkit.files.marks import excerpt, marked_words
from agentkit.notebook.display.file_search import FileSearch, Passage
from agentkit.notebook.display.text import clean, escape, escape_clean, one_line

__all__ = [
    "PASSAGES_CSS",
    "PASSAGES_STYLE",
    "marked_html",
    "passage_row",
    "score_text",
    "search_html",
    "search_text",
    "whole_html",
]

_NAME_CHARS = 120
_LINE_CHARS = 110
_WHOLE_CHARS = 6_000
_QUERY_CHARS = 500

_RULES = {
    "mark": "background:color-mix(in srgb,var(--jp-warn-color1,#e0a800) 34%,transparent);color:inherit;"
    "border-radius:2px;padding:0 .08em",
    # a passage on one line, and the whole of it unfolded
    ".agk-fp>summary": "white-space:nowrap;overflow:hidden;text-overflow:ellipsis",
    ".agk-ft": "white-space:pre-wrap;overflow-wrap:anywhere;max-height:18em;overflow:auto;margin:.25em 0 .5em;"
    "padding:.4em .8em;border-left:3px solid var(--l);background:var(--f);border-radius:0 4px 4px 0",
    ".agk-fs": "color:var(--s);font-variant-numeric:tabular-nums",
    # search results
    ".agk-fh": "margin:.7em 0 0;display:grid;grid-template-columns:1.8em minmax(0,1fr)",
    ".agk-fh>*": "grid-column:2",
    ".agk-fh>.agk-fn": "grid-column:1;grid-row:1;color:var(--s);text-align:right;padding-right:.6em",
    ".agk-fw>summary": "cursor:pointer;overflow-wrap:anywhere;list-style:none",
    ".agk-fw>summary::after": 'content:" ▸";color:var(--s)',
    ".agk-fw[open]>summary::after": 'content:" ▾"',
    ".agk-fe": "overflow-wrap:anywhere",
    # citations: a number in the text, and what it stands for beneath
    ".agk-q,.agk-q>summary": "display:inline",
    ".agk-q>summary": "cursor:pointer;font-size:.78em;vertical-align:.3em;line-height:1;padding:0 .15em;"
    "color:var(--jp-content-link-color,#1976d2);list-style:none;border-radius:3px",
    ".agk-q>summary:hover,.agk-q>summary:focus-visible": "background:var(--f);text-decoration:underline",
    ".agk-q[open]>summary": "font-weight:600",
    ".agk-qp": "display:block;margin:.35em 0 .6em;padding:.45em .8em;border:1px solid var(--l);border-radius:6px;"
    "font-size:.93em;max-width:56em",
    ".agk-qt": "margin:1em 0",
}

PASSAGES_CSS = "".join(
    f"{','.join(f'div.agk.agk {each}' for each in selectors.split(','))}{{{declarations}}}"
    for selectors, declarations in _RULES.items()
)
"""The rules of passages and citations, beside those of all views; only outputs that have some carry them."""

PASSAGES_STYLE = f"<style>{PASSAGES_CSS}</style>"
"""The element that carries them."""


def score_text(score: float | None) -> str:
    """Return a score as it is shown, "0.87"; "" for none."""
    return "" if score is None else f"{score:.2f}"


def marked_html(text: str, query: str) -> str:
    """Return text as HTML that shows it, with the words of a query marked."""
    text = clean(text)
    parts, at = [], 0
    for start, end in marked_words(text, clean(query[:_QUERY_CHARS])):
        parts += [escape_clean(text[at:start]), f"<mark>{escape_clean(text[start:end])}</mark>"]
        at = end
    return "".join([*parts, escape_clean(text[at:])])


def whole_html(passage: Passage, most: int = _WHOLE_CHARS) -> str:
    """Return the text of a passage, marked."""
    text = clean(passage.text)
    if not text.strip():
        return '<div class="agk-ft agk-d">The passage came without its text.</div>'
    rest = f'<span class="agk-d">… ({len(text):,} characters in all)</span>' if len(text) > most else ""
    return f'<div class="agk-ft">{marked_html(text[:most], passage.query)}{rest}</div>'


def passage_row(passage: Passage, most: int = _WHOLE_CHARS) -> str:
    """Return a passage as a line that unfolds to the whole of it."""
    place = f'<span class="agk-n">{escape(one_line(passage.shown_name, _NAME_CHARS))}</span>'
    told = " · ".join(filter(None, (passage.pages, one_line(passage.heading, _NAME_CHARS), score_text(passage.score))))
    line = " ".join(clean(passage.text).split())
    words = excerpt(line, marked_words(line, clean(passage.query[:_QUERY_CHARS])), _LINE_CHARS)
    summary = f'{place} <span class="agk-fs">{escape(told)}</span> {marked_html(words, passage.query)}'
    return f'<details class="agk-r agk-fp"><summary>{summary}</summary>{whole_html(passage, most)}</details>'


def search_html(search: FileSearch, most: int) -> str:
    """Return a search as what was searched for, and a line for each passage.

    Args:
        search: The search.
        most: About how many characters of passages may be shown, all together.
    """
    shown = ""
    for query in search.queries:
        shown += f'<div><span class="agk-m">?</span> {escape(one_line(query, _QUERY_CHARS))}</div>'
    passages = search.passages or ()
    each = max(200, min(_WHOLE_CHARS, most // max(1, len(passages))))
    return shown + "".join(passage_row(passage, each) for passage in passages)


def search_text(queries: Sequence[str], passages: Sequence[Passage] | None) -> str:
    """Return a search as lines of text."""
    lines = [f"? {one_line(query, _QUERY_CHARS)}" for query in queries]
    for number, passage in enumerate(passages or (), 1):
        score = score_text(passage.score)
        lines.append(f"{number}. {one_line(passage.place, 200)}{score and f' · {score}'}")
        lines.append(f"   {one_line(passage.text, 300)}")
    if passages is not None and not passages:
        lines.append("Nothing was found.")
    return "\n".join(lines)
