"""What a search in a store has found: numbered passages with score, file and place, the words of the query marked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentkit.files.marks import excerpt, marked_words
from agentkit.notebook.display.file_search import Passage, shown_name
from agentkit.notebook.display.passages import PASSAGES_STYLE, marked_html, score_text, whole_html
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.runtime.citations import pages_of

if TYPE_CHECKING:
    from agentkit.files.search import Hit, SearchResult
    from agentkit.runtime.citations import Citation

__all__ = ["citation_bundle", "hit_bundle", "passage_of", "result_bundle"]

_NAME_CHARS = 160
_QUERY_CHARS = 300
_EXCERPT_CHARS = 280
_ALL_CHARS = 60_000
_ATTRIBUTES = 8


def passage_of(hit: Hit) -> Passage:
    """Return a hit as a passage."""
    return Passage(
        hit.text, hit.filename, hit.file_id, hit.score, hit.page, hit.heading or "", hit.query, hit.name, hit.last_page
    )


def result_bundle(result: SearchResult) -> Bundle:
    """Return what a search has found, each passage by its best part, with the whole of it folded behind."""
    title = _quoted(one_line(result.query, _QUERY_CHARS))
    count = f"{len(result):,} passage{'' if len(result) == 1 else 's'}" if result else "nothing found"
    told = f"{title} · {count} in {one_line(result.store, _NAME_CHARS)}"
    searched = " · ".join(one_line(query, _QUERY_CHARS) for query in result.searched)
    note = f"searched for: {searched}" if searched and searched != one_line(result.query, _QUERY_CHARS) else ""
    each = max(300, _ALL_CHARS // max(1, len(result)))
    html = f'<div class="agk">{STYLE}{PASSAGES_STYLE}<div class="agk-h">{escape(told)}</div>'
    html += f'<div class="agk-f">{escape(note)}</div>' if note else ""
    html += "".join(_hit_html(hit, number, each) for number, hit in enumerate(result, 1))
    plain = [told, *([note] if note else [])]
    for number, hit in enumerate(result, 1):
        plain += [f"{number:>3}. {_line(hit)}", f"     {_short(hit)}"]
    return {"text/html": f"{html}</div>", "text/plain": clean("\n".join(plain))}


def _quoted(query: str) -> str:
    """Return a question in quotes; those that it has itself aren't doubled."""
    if '"' not in query:
        return f'"{query}"'
    return query if re.fullmatch(r'"[^"]+"', query) else f"“{query}”"


def hit_bundle(hit: Hit) -> Bundle:
    """Return one passage, whole."""
    html = f'<div class="agk">{STYLE}{PASSAGES_STYLE}<div>{_head(hit)}</div>{whole_html(passage_of(hit), 20_000)}'
    known = _attributes(hit)
    html += f'<div class="agk-f">{escape(known)}</div>' if known else ""
    plain = [_line(hit), *(f"  {line}" for line in clean(hit.text)[:4_000].splitlines()), *([known] if known else [])]
    return {"text/html": f"{html}</div>", "text/plain": clean("\n".join(plain))}


def citation_bundle(citation: Citation) -> Bundle:
    """Return what an answer rests on: the file, the sentence and the passage."""
    place = one_line(citation.place or "a file without a name", _NAME_CHARS)
    said = one_line(citation.said, _QUERY_CHARS)
    passage = Passage(citation.quote or "", citation.filename, query=citation.said)
    html = f'<div class="agk">{STYLE}{PASSAGES_STYLE}<div><span class="agk-m">[{citation.number:d}]</span> '
    html += f'<span class="agk-n">{escape(place)}</span> '
    html += f'<span class="agk-fs">{escape(score_text(citation.score))}</span></div>'
    html += f'<div class="agk-d">“{escape(said)}”</div>' if said else ""
    html += whole_html(passage, 20_000) if citation.quote else ""
    plain = [f"[{citation.number:d}] {place}", f"  “{said}”" if said else ""]
    plain += [f"  {line}" for line in clean(citation.quote or "")[:4_000].splitlines()]
    return {"text/html": f"{html}</div>", "text/plain": clean("\n".join(filter(None, plain)))}


def _hit_html(hit: Hit, number: int, most: int) -> str:
    shown = f'<div class="agk-fh"><span class="agk-fn">{number}.</span><div>{_head(hit)}</div>'
    line, short = _whole_line(hit), _short(hit)
    if short == line and "\n" not in hit.text.strip():
        return f'{shown}<div class="agk-fe">{marked_html(line, hit.query)}</div></div>'
    return (
        f'{shown}<details class="agk-fw"><summary>{marked_html(short, hit.query)}</summary>'
        f"{whole_html(passage_of(hit), most)}</details></div>"
    )


def _head(hit: Hit) -> str:
    name = one_line(shown_name(hit.name), _NAME_CHARS)
    return f'<span class="agk-n">{escape(name)}</span> <span class="agk-fs">{escape(_told(hit))}</span>'


def _told(hit: Hit) -> str:
    pages = pages_of(hit.page, hit.last_page)
    return " · ".join(filter(None, (pages, one_line(hit.heading or "", _NAME_CHARS), score_text(hit.score))))


def _line(hit: Hit) -> str:
    name = one_line(shown_name(hit.name), _NAME_CHARS)
    return f"{name} · {_told(hit)}"


def _whole_line(hit: Hit) -> str:
    return " ".join(clean(hit.text[:20_000]).split())


def _short(hit: Hit) -> str:
    line = _whole_line(hit)
    return excerpt(line, marked_words(line, clean(hit.query[:500])), _EXCERPT_CHARS)


def _attributes(hit: Hit) -> str:
    values = {key: f"{value:g}" if isinstance(value, float) else str(value) for key, value in hit.attributes.items()}
    pairs = [f"{one_line(str(key), 64)}={one_line(value, 80)}" for key, value in values.items()]
    more = f" and {len(pairs) - _ATTRIBUTES} more" if len(pairs) > _ATTRIBUTES else ""
    return ", ".join(pairs[:_ATTRIBUTES]) + more
