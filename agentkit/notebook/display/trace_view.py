"""A recorded trace as it is kept in a notebook: a waterfall of its steps, each to be unfolded, with no script.

It needs no kernel, and says the same where a viewer takes its colours away. It stays below 100 kB whatever the trace
holds. What isn't known beforehand in it are durations, and where the bars lie: `tests/notebooks/sanitize.cfg` shows how
strict nbval is told to leave them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from agentkit.notebook.display.passages import PASSAGES_STYLE
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.span_details import Details, note_text, span_details, trace_details
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line
from agentkit.notebook.display.waterfall import (
    Bar,
    Gap,
    Scale,
    cost_text,
    error_line,
    indent,
    kind_word,
    laid_out,
    numbers_text,
    scale_of,
    span_name,
    spans_to_show,
    state_word,
    tokens_text,
    took,
)
from agentkit.notebook.display.waterfall_style import WATERFALL_STYLE

if TYPE_CHECKING:
    from agentkit.records.opened import RecordedNote, RecordedTrace
    from agentkit.records.span import RecordedSpan

__all__ = ["bar_classes", "head_facts", "mark_of", "trace_bundle", "trace_title"]

_MOST_BYTES = 95_000
_MOST_PLAIN_BYTES = 30_000
_MOST_ROWS = 120
_LENGTHS = ((120, 4_000), (120, 1_500), (120, 600), (120, 250), (120, 100), (80, 40), (40, 0), (15, 0))
"""Rows, and characters of each text, to try until it is short enough."""
_LANE = "display:inline-block;width:30%"
_BAR = "display:inline-block;height:9px;min-width:3px;background-color:#8a9bb0;"
_MARKS = {"ok": ("agk-ok", "✓"), "error": ("agk-no", "✗"), "cancelled": ("", "■")}
_BAR_KINDS = ("agent", "model", "tool", "handoff", "guardrail")


def trace_bundle(trace: RecordedTrace, *, kept: str = "") -> Bundle:
    """Return a trace as HTML, a waterfall, and as plain text, a tree.

    Args:
        trace: The trace.
        kept: The element with the rules of a kept output (`KEPT_STYLE`), where the cell's next output is its control.
    """
    return {"text/html": _html(trace, kept), "text/plain": _plain(trace)}


# -- HTML -----------------------------------------------------------------------------------------------------------


def _html(trace: RecordedTrace, kept: str) -> str:
    spans, scale = trace.all_spans, scale_of(trace)
    notes = _notes_by_span(trace)
    details: dict[int, Details] = {}
    html = ""
    for most, limit in _LENGTHS:
        shown = spans_to_show(spans, most)
        for number in shown - details.keys():
            span = spans[number]
            about = notes.get(span.span_id, ())
            details[number] = span_details(span, start_s=scale.offset(span), notes=about)
        rows = "".join(
            _gap_html(each)
            if isinstance(each, Gap)
            else _row_html(spans[each.place], scale, details[each.place].html(limit), notes, each.below)
            for each in laid_out(spans, shown)
        )
        head = _head_html(trace, limit, notes.get("", ()))
        rules = kept + (PASSAGES_STYLE if "agk-fp" in rows else "")
        html = f"{_opening(kept, rules)}{head}{_lanes_html(scale, rows)}{_foot_html(trace, len(shown))}</div>"
        if len(html.encode()) <= _MOST_BYTES:
            break
    return html


def _opening(kept: str, more_rules: str) -> str:
    return f'<div class="agk agk-trace{" agk-kept" if kept else ""}">{STYLE}{WATERFALL_STYLE}{more_rules}'


def _head_html(trace: RecordedTrace, limit: int, notes: Sequence[RecordedNote]) -> str:
    state = state_word(trace.status)
    mark = f' <span class="agk-no">■ {escape(state)}</span>' if state else ' <span class="agk-ok">✓</span>'
    parts = [f'<div class="agk-h">{escape(trace_title(trace))}{mark}</div>']
    parts.append(f'<div class="agk-f">{escape(" · ".join(head_facts(trace)))}</div>')
    if trace.error:
        parts.append(f'<div><span class="agk-no">✗</span> {escape(error_line(trace.error, 300))}</div>')
    parts += [f"<div>✎ {escape(line)}</div>" for line in _said_of(trace, notes)]
    if about := trace_details(trace).html(min(limit, 2_000)):
        parts.append(f'<details class="agk-wi"><summary>question and answer</summary><div class="agk-wd">{about}</div>')
        parts.append("</details>")
    return "".join(parts)


def _said_of(trace: RecordedTrace, notes: Sequence[RecordedNote]) -> list[str]:
    """Return what readers noted on a trace, and what they thought of the answer."""
    rated = f"rated {trace.rating}" + (f": {trace.remark}" if trace.remark else "") if trace.rating else ""
    return [one_line(line, 1_000) for line in (rated, *map(note_text, notes)) if line]


def _lanes_html(scale: Scale, rows: str) -> str:
    if not rows:
        return '<div class="agk-d">No steps were recorded.</div>'
    words = ["0", *(_axis_word(scale.seconds * share) for share in (0.25, 0.5, 1.0))]
    ticks = "".join(f'<span style="display:inline-block;width:25%">{escape(word)}</span>' for word in words)
    axis = f'<div class="agk-wa" aria-hidden="true"><span style="{_LANE}">{ticks}</span></div>'
    return f'<div class="agk-wf">{axis}{rows}</div>'


def _axis_word(seconds: float) -> str:
    return took(seconds) if seconds < 100 else f"{seconds / 60:.1f} min"


def _row_html(
    span: RecordedSpan, scale: Scale, details: str, notes: Mapping[str, Sequence[RecordedNote]], below: Gap | None
) -> str:
    kind, error = kind_word(span.kind), error_line(span.error, 50)
    css, sign = mark_of(span.status)
    noted = " ✎" if span.span_id in notes else ""
    name = f"<b>{escape(span_name(span))}</b>" if span_name(span) else ""
    state = state_word(span.status)
    more = f"⋯ {below.count:,} below left out" if below else ""
    told = " · ".join(filter(None, (numbers_text(span), state if not error else f"{state}: {error}", more)))
    return (
        f'<details class="agk-wr"><summary>{_bar_html(span, scale.bar(span))}'
        f'<span class="agk-wn" style="padding-left:{indent(span.depth) * 1.1:.1f}em"><span class="agk-m {css}">{sign}'
        f'</span> <span class="agk-wk">{escape(kind)}</span> {name}{noted}</span> '
        f'<span class="agk-wx">{escape(told)}</span></summary>'
        f'<div class="agk-wd">{details}</div></details>'
    )


def _bar_html(span: RecordedSpan, bar: Bar) -> str:
    first = ""
    if bar.first_token is not None:
        wait = f"display:block;width:{bar.first_token:g}%;height:9px;border-right:2px solid black"
        first = f'<span class="agk-wt" style="{wait}"></span>'
    place = f"margin-left:{min(bar.left, 99.0):g}%;width:{bar.width:g}%"
    return (
        f'<span class="agk-wl" aria-hidden="true" style="{_LANE}">'
        f'<span class="{bar_classes(span)}" style="{_BAR}{place}">{first}</span></span>'
    )


def _gap_html(gap: Gap) -> str:
    return f'<div class="agk-wg">⋯ {gap.count:,} step{"" if gap.count == 1 else "s"} left out</div>'


def _foot_html(trace: RecordedTrace, shown: int) -> str:
    left_out = len(trace.all_spans) - shown
    return f'<div class="agk-f">{escape(_foot(trace, left_out))}</div>'


def _foot(trace: RecordedTrace, left_out: int) -> str:
    where = clean(trace.trace_id)
    if not left_out:
        return where
    return (
        f"{left_out:,} of {len(trace.all_spans):,} steps are left out, none of the first that failed, the longest and "
        f'the highest. All are in agentkit.spans("{where}"), and in %traces --browse.'
    )


# -- words that the browser has too -----------------------------------------------------------------------------------


def trace_title(trace: RecordedTrace) -> str:
    """Return what a trace is called: the agents that took part, or its name."""
    names = [one_line(name, 40) for name in trace.agents[:5]]
    more = f" and {len(trace.agents) - 5} more" if len(trace.agents) > 5 else ""
    return " → ".join(names) + more if names else one_line(trace.workflow or "Trace", 80)


def head_facts(trace: RecordedTrace) -> list[str]:
    """Return the numbers of a trace: how long it took, tokens, cost, models, when it began."""
    steps = len(trace.all_spans)
    cost = cost_text(trace.cost_usd)
    if trace.unpriced and trace.requests:
        calls = len(trace.calls)
        cost = (
            "price not known"
            if trace.unpriced == calls
            else f"price of {trace.unpriced:,} of {calls:,} calls not known"
        )
    models = ", ".join(one_line(name, 40) for name in trace.models[:4])
    facts = (
        took(trace.duration_s),
        f"{steps:,} step{'' if steps == 1 else 's'}",
        tokens_text(trace.input_tokens, trace.output_tokens),
        cost,
        models + (f" and {len(trace.models) - 4} more" if len(trace.models) > 4 else ""),
        f"{trace.started_at:%Y-%m-%d %H:%M} UTC",
    )
    return [fact for fact in facts if fact]


def mark_of(status: str) -> tuple[str, str]:
    """Return the class and the sign for how a span went."""
    return _MARKS.get(status, ("agk-no", "…") if status == "unfinished" else ("", "…"))


def bar_classes(span: RecordedSpan) -> str:
    """Return the classes of a span's bar: its kind's, and how it went."""
    kind = kind_word(span.kind)
    classes = ["agk-wb", f"agk-wb-{kind}" if kind in _BAR_KINDS else ""]
    classes.append("agk-wb-failed" if span.status == "error" else "agk-wb-open" if not span.is_over else "")
    return " ".join(filter(None, classes))


def _notes_by_span(trace: RecordedTrace) -> dict[str, list[RecordedNote]]:
    found: dict[str, list[RecordedNote]] = {}
    for note in trace.notes:
        found.setdefault(note.span_id, []).append(note)
    return found


# -- plain text -------------------------------------------------------------------------------------------------------


def _plain(trace: RecordedTrace) -> str:
    spans, notes = trace.all_spans, _notes_by_span(trace)
    head = " · ".join([trace_title(trace), state_word(trace.status) or "ok", *head_facts(trace)])
    lines = [head]
    if trace.error:
        lines.append(f"✗ {error_line(trace.error, 300)}")
    lines += [one_line(f"✎ {line}", 200) for line in _said_of(trace, notes.get("", ()))]
    shown = spans_to_show(spans, _MOST_ROWS)
    size = 0
    for each in laid_out(spans, shown):
        if isinstance(each, Gap):
            line = f"  ⋯ {each.count:,} left out"
        else:
            line = _plain_row(spans[each.place], notes) + (f" · ⋯ {each.below.count:,} below" if each.below else "")
        size += len(line.encode("utf-8", "surrogatepass"))  # it is cleaned below
        if size > _MOST_PLAIN_BYTES:
            lines.append("  ⋯")
            break
        lines.append(line)
    lines.append(_foot(trace, len(spans) - len(shown)))
    return clean("\n".join(lines))


def _plain_row(span: RecordedSpan, notes: Mapping[str, Sequence[RecordedNote]]) -> str:
    name = f"{kind_word(span.kind)} {span_name(span)}".strip()
    first = f"first token after {took(span.first_token_s)}" if span.first_token_s is not None else ""
    told = [numbers_text(span), first, state_word(span.status), error_line(span.error, 100)]
    told += [one_line(f"✎ {note_text(note)}", 100) for note in notes.get(span.span_id, ())]
    return f"  {'  ' * indent(span.depth)}{mark_of(span.status)[1]} {' · '.join(filter(None, (name, *told)))}"
