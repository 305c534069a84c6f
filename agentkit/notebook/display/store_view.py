"""Vector stores, what was put into them, and how well they answer: as cards and tables, without times and ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.file_search import shown_name
from agentkit.notebook.display.listing import Listing, aligned
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line

if TYPE_CHECKING:
    from agentkit.files.comparing import Comparison
    from agentkit.files.evaluation import Evaluation
    from agentkit.files.progress import FileOutcome
    from agentkit.files.report import AddReport
    from agentkit.files.store import VectorStore

__all__ = [
    "comparison_bundle",
    "evaluation_bundle",
    "outcomes_bundle",
    "ranking_text",
    "report_bundle",
    "size_text",
    "store_bundle",
    "store_rows",
]

_NAME_CHARS = 120
_REASON_CHARS = 300
_PROBLEMS, _ALL_FILES, _FIRST_FILES = 30, 12, 8
_QUESTIONS = 30
_QUESTION_CHARS = 90
_MARKS = {
    "uploaded": ("agk-ok", "✓"),
    "replaced": ("agk-ok", "↻"),
    "updated": ("agk-ok", "✎"),
    "unchanged": ("agk-d", "="),
    "removed": ("agk-d", "−"),
    "indexing": ("agk-d", "…"),
    "skipped": ("agk-d", "⊘"),
    "failed": ("agk-no", "✗"),
}
_BAD = ("failed", "skipped", "indexing")


def size_text(size_bytes: int) -> str:
    """Return a size in the unit that suits it, in powers of 1,000: "12.3 kB"."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} GB" if size < 999.5 else f"{size:,.0f} GB"


def ranking_text(store: VectorStore) -> tuple[str, str]:
    """Return by what a store's passages are found, and what could be done about it; "" for what isn't known."""
    info = store.info
    if info.embedder:
        return f"words and meaning ({one_line(info.embedder, 60)})", ""
    if info.why_words_only:
        return "words alone", one_line(info.why_words_only, _REASON_CHARS)
    return "", ""


def store_rows(store: VectorStore) -> dict[str, str]:
    """Return what there is to say of a store, by name."""
    info = store.info
    parts = [(info.completed, "ready"), (info.in_progress, "being indexed"), (info.failed, "failed")]
    parts.append((info.cancelled, "stopped"))
    told = [f"{count:,} {what}" for count, what in parts if count]
    files = f"{info.total:,}"
    if told and not (len(told) == 1 and info.completed):
        files += f" ({', '.join(told)})"
    elif told:
        files += ", all ready"
    rows = {"files": files}
    if info.usage_bytes:
        rows["size"] = size_text(info.usage_bytes)
    if info.description:
        rows["about"] = one_line(info.description, _REASON_CHARS)
    by, hint = ranking_text(store)
    if by:
        rows["found by"] = by
    if hint:
        rows["note"] = hint
    if info.expires_after_days is not None and info.status != "expired":
        days = info.expires_after_days
        rows["expires"] = f"after {days:,} day{'' if days == 1 else 's'} without use"
    if info.metadata:
        pairs = (f"{one_line(key, 64)}={one_line(value, 60)}" for key, value in info.metadata.items())
        rows["metadata"] = ", ".join(pairs)
    if info.failed:
        rows["failed"] = "store.files.query(\"status == 'failed'\") says why"
    return {name: clean(text) for name, text in rows.items()}


def store_bundle(store: VectorStore) -> Bundle:
    """Return a store's card, as of the last look at it."""
    rows = store_rows(store)
    name, state = one_line(store.name, _NAME_CHARS), _state(store)
    html = f'<div class="agk">{STYLE}<div class="agk-c"><span class="agk-h">{escape(name)}</span>'
    html += ' <span class="agk-d">vector store</span>'
    if state:
        html += f' <span class="{"agk-no" if state == "expired" else "agk-d"}">· {escape(state)}</span>'
    shown = "".join(f"<dt>{escape(key)}</dt><dd>{_row_html(key, text)}</dd>" for key, text in rows.items())
    html += f'<dl class="agk-k">{shown}</dl></div></div>'
    title = f"Vector store {store.name!r}" + (f", {state}" if state else "")
    plain = [title, *(f"  {key}: {text}" for key, text in rows.items())]
    return {"text/html": html, "text/plain": clean("\n".join(plain))}


def _state(store: VectorStore) -> str:
    return {"completed": "", "in_progress": "being indexed", "expired": "expired"}.get(store.status, str(store.status))


def _row_html(name: str, text: str) -> str:
    return f"<code>{escape(text)}</code>" if name == "metadata" else escape(text)


# -- what was put in --------------------------------------------------------------------------------------------------


def report_bundle(report: AddReport) -> Bundle:
    """Return what became of files, those with a problem first."""
    from agentkit.files.progress import FileOutcome

    told = []
    for name, outcome, reason, size in zip(
        report["name"], report["outcome"], report["reason"], report["bytes"], strict=True
    ):
        told.append(FileOutcome(str(name), outcome, _given(reason) or "", _given(size)))
    return outcomes_bundle(report.attrs.get("store", "the store"), told)


def _given(value: Any) -> Any:  # a cell of a dataframe
    import pandas as pd

    return None if value is pd.NA or value is None else value


def outcomes_bundle(
    store: str, outcomes: Sequence[FileOutcome], note: str = "", *, all_in: str = "the report's to_dataframe() has all"
) -> Bundle:
    """Return what became of files.

    Args:
        store: Name of the store.
        outcomes: What became of each.
        note: What to say of a call that was stopped. That has how many files there are; the heading only what is
            known of them.
        all_in: Where those are that aren't shown.
    """
    counts = {word: sum(each.outcome == word for each in outcomes) for word in _MARKS}
    words = {"indexing": "still being indexed"}
    told = ", ".join(f"{count:,} {words.get(word, word)}" for word, count in counts.items() if count)
    files = f"{len(outcomes):,} file{'' if len(outcomes) == 1 else 's'}"
    counted = told if note else f"{files}{told and f': {told}'}"
    title = " · ".join(filter(None, (one_line(store, _NAME_CHARS), counted)))
    outcomes = sorted(outcomes, key=lambda each: each.name)
    bad = [each for each in outcomes if each.outcome in _BAD]
    good = [each for each in outcomes if each.outcome not in _BAD]
    shown = [*bad[:_PROBLEMS], *(good if len(outcomes) <= _ALL_FILES else good[:_FIRST_FILES])]
    hidden = len(outcomes) - len(shown)
    rest = f"… {hidden:,} more: {all_in}" if hidden else ""
    rows = [_outcome_row(each) for each in shown]
    body = "".join(
        f'<tr><td><span class="{css}">{sign}\u00a0{escape(word)}</span></td><td><code>{escape(name)}</code></td>'
        f'<td class="agk-d">{escape(_unbroken(size))}</td><td>{escape(reason)}</td></tr>'
        for css, sign, word, name, size, reason in rows
    )
    html = f'<div class="agk">{STYLE}<div class="agk-h">{escape(title)}</div>'
    html += f'<div class="agk-w"><table><tbody>{body}</tbody></table></div>' if rows else ""
    html += "".join(f'<div class="agk-f">{escape(text)}</div>' for text in (rest, note) if text)
    plain = [title, *(f"  {line}" for line in aligned([(f"{row[1]} {row[2]}", *row[3:]) for row in rows]))]
    return {"text/html": f"{html}</div>", "text/plain": clean("\n".join([*plain, *filter(None, (rest, note))]))}


def _unbroken(text: str) -> str:
    return text.replace(" ", "\u00a0")


def _outcome_row(each: FileOutcome) -> tuple[str, str, str, str, str, str]:
    css, sign = _MARKS.get(each.outcome, ("agk-d", "·"))
    size = "" if each.size_bytes is None else size_text(int(each.size_bytes))
    reason = one_line(each.reason or "", _REASON_CHARS)
    return css, sign, str(each.outcome), one_line(shown_name(each.name), _NAME_CHARS), size, reason


# -- how well it answers ----------------------------------------------------------------------------------------------


def evaluation_bundle(evaluation: Evaluation) -> Bundle:
    """Return how well questions were answered: the means, and question by question what was found, the worst first."""
    frame, metrics = evaluation.questions, evaluation.metrics
    count = len(frame)
    title = f"{one_line(evaluation.store, _NAME_CHARS)} · {count:,} question{'' if count == 1 else 's'}"
    means = Listing(title, [[f"{value:.2f}" for value in metrics.values()]], list(metrics))
    ordered = frame.sort_values("rank", ascending=False, na_position="first", kind="stable")
    rows = []
    for asked, expected, rank, first in zip(
        ordered["question"], ordered["expected"], ordered["rank"], ordered["first"], strict=True
    ):
        place = _given(rank)
        found = "" if place == 1 else str(_given(first) or "nothing")
        rows.append(
            [
                "not found" if place is None else f"{int(place)}.",
                one_line(str(asked), _QUESTION_CHARS),
                one_line(str(expected), _QUESTION_CHARS),
                one_line(found, _NAME_CHARS),
            ]
        )
    hidden = len(rows) - _QUESTIONS
    note = f"… {hidden:,} more: evaluation.questions has all" if hidden > 0 else ""
    each = Listing(
        "", rows[:_QUESTIONS], ("place", "question", "expected", "found instead"), frozenset({2, 3}), note=note
    )
    means_html, each_html = means._repr_mimebundle_()["text/html"], each._repr_mimebundle_()["text/html"]
    unfolded = each_html.partition('<div class="agk-h"></div>')[2].removesuffix("</div>")
    folded = f'<details><summary class="agk-f">▸ question by question</summary>{unfolded}</details></div>'
    lines = [means.plain(), "", *each.plain().splitlines()[1:]]
    return {"text/html": means_html.removesuffix("</div>") + folded, "text/plain": "\n".join(lines)}


def comparison_bundle(comparison: Comparison) -> Bundle:
    """Return ways of cutting and ranking side by side, the best marked."""
    best = comparison.best
    names = list(comparison.tried[0].evaluation.metrics)
    rows = []
    for each in comparison.tried:
        values = [f"{value:.2f}" for value in each.evaluation.metrics.values()]
        rows.append(["▸" if each is best else "", one_line(each.chunking, 40), one_line(each.ranking, 80), *values])
    count = len(comparison.tried[0].evaluation.questions)
    title = f"{len(rows):,} ways compared by {count:,} question{'' if count == 1 else 's'}"
    head = ("", "cut by", "ranked by", *names)
    return Listing(title, rows, head, note="▸ the best. comparison.plot() draws them.")._repr_mimebundle_()
