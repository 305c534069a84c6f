"""A turn of a chat as pieces of HTML, the same for the chat on the screen and for what the notebook keeps of it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from agentkit import _json
from agentkit._secrets import known
from agentkit.notebook.display.citations import cited_html, sources_line
from agentkit.notebook.display.run_view import step_html, value_html
from agentkit.notebook.display.text import escape, one_line

if TYPE_CHECKING:
    from agentkit.notebook.chat.turns import AttachedFile, Turn
    from agentkit.notebook.display.file_search import Citation, Passage

__all__ = ["Math", "answer_html", "file_size", "files_html", "question_html", "rating_text", "steps_of", "version_text"]

Math = Literal["tex", "mathml"]
"""How formulas are written: for MathJax, which runs over kept outputs, or for the browser, where none runs."""

_DETAIL_LIMIT = 4_000
_ALL_DETAILS_LIMIT = 60_000


def question_html(turn: Turn) -> str:
    """Return the reader's message: as it was typed, but for keys."""
    return escape(turn.question)


def files_html(turn: Turn) -> str:
    """Return what went with the message, by name; "" for nothing."""
    if not turn.files:
        return ""
    rows = "".join(f'<span class="agk-file">{escape(_file_text(file))}</span> ' for file in turn.files)
    return f'<div class="agk-files">{rows.rstrip()}</div>'


def _file_text(file: AttachedFile) -> str:
    return f"{one_line(file.name, 60)} · {file_size(file.size_bytes)}"


def file_size(size_bytes: int) -> str:
    """Return a size in the unit that suits it, in powers of 1,000: "12.3 kB"."""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    return f"{size_bytes / 1_000:.3g} kB" if size_bytes < 999_500 else f"{size_bytes / 1_000_000:.3g} MB"


def answer_html(turn: Turn, *, math: Math) -> str:
    """Return the answer: Markdown rendered, or a structured answer's values."""
    cited = tuple(turn.citations), tuple(turn.passages) if turn.citations else ()
    return _rendered(turn.answer, turn.structured, turn.output_type, *cited, math, tuple(known()))


@lru_cache(maxsize=256)
def _rendered(
    answer: str,
    structured: bool,
    output_type: str,
    citations: tuple[Citation, ...],
    passages: tuple[Passage, ...],
    math: Math,
    keys: tuple[str, ...],
) -> str:
    """Return an answer as HTML, without the keys of this process. A chat shows its answers again at each message."""
    if structured:
        try:
            heading = f'<div class="agk-h">{escape(output_type)}</div>' if output_type else ""
            return heading + value_html(_json.loads(answer))
        except ValueError:  # an output that JSON has no form for
            pass
    if not answer:
        return ""
    return cited_html(answer, citations, passages, math=math) + sources_line(answer, citations, passages)


def steps_of(turn: Turn) -> list[str]:
    """Return the steps on the way to the answer, each foldable where it has more to tell than a line."""
    limit = max(300, min(_DETAIL_LIMIT, _ALL_DETAILS_LIMIT // max(1, len(turn.steps))))
    return [step_html(step, limit) for step in turn.steps]


def rating_text(turn: Turn) -> str:
    """Return what the reader thought of the answer; "" where nothing was said."""
    if turn.rating is None:
        return ""
    return f"rated {turn.rating}" + (f": {turn.remark}" if turn.remark else "")


def version_text(place: tuple[int, int]) -> str:
    """Return which version of a message is shown; "" where there is but one."""
    number, count = place
    return "" if count == 1 else f"‹ {number}/{count} ›"
