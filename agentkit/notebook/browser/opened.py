"""The trace that is open in the browser: its rows, and the details of one, read when they are looked at."""

from __future__ import annotations

import threading
import time
from typing import Any

from agentkit.exceptions import UserError
from agentkit.notebook.display.span_details import span_details, trace_details
from agentkit.notebook.display.text import clean
from agentkit.notebook.display.trace_view import bar_classes, head_facts, mark_of, trace_title
from agentkit.notebook.display.waterfall import (
    Gap,
    error_line,
    indent,
    kind_word,
    laid_out,
    numbers_text,
    scale_of,
    span_name,
    spans_to_show,
    state_word,
)
from agentkit.records.call import RecordedCall
from agentkit.records.opened import RecordedTrace
from agentkit.records.span import RecordedSpan
from agentkit.tracing.database import SPAN_COLUMNS
from agentkit.tracing.filters import MODEL_KINDS
from agentkit.tracing.reader import read_trace, reading

__all__ = ["OpenedTrace"]

_MOST_ROWS = 200
_MOST_GROWN = 600
"""Rows that a trace under way may grow to before its new steps, but for failures, wait to be asked for."""
_REVEALED = 100
"""Rows that come at a time where some are left out."""
_DETAIL_CHARS = 6_000
_CHILDREN = 12
_HEAVY = ("input", "output", "data")
_LIGHT = tuple(name for name in SPAN_COLUMNS if name not in _HEAVY)


class OpenedTrace:
    """A trace as the browser shows it. Reads block: they are for a thread of their own, one at a time.

    Args:
        trace_id: The trace's id, or the beginning of one.

    Raises:
        UserError: There is no such trace, or the store can't be read.
    """

    def __init__(self, trace_id: str) -> None:
        self._lock = threading.Lock()
        self.trace = _read(trace_id)
        """What is known of it, without the texts of its spans."""
        self._shown = {self.trace.all_spans[at].span_id for at in spans_to_show(self.trace.all_spans, _MOST_ROWS)}
        self._known = {span.span_id for span in self.trace.all_spans}

    @property
    def trace_id(self) -> str:
        """Its id."""
        return self.trace.trace_id

    @property
    def is_under_way(self) -> bool:
        """Whether more may come."""
        return self.trace.status == "running"

    def refresh(self) -> None:
        """Read it again. New steps are shown, as long as they aren't too many."""
        with self._lock:
            self.trace = _read(self.trace_id)
            for span in self.trace.all_spans:
                if span.span_id not in self._known:
                    self._known.add(span.span_id)
                    if len(self._shown) < _MOST_GROWN or span.failed or span.parent is None:
                        self._shown.add(span.span_id)

    def reveal(self, begin: int, end: int) -> None:
        """Show rows that were left out, the first of them between two places of the tree's order."""
        with self._lock:
            spans = self.trace.all_spans[max(0, begin) : max(0, min(end, begin + _REVEALED))]
            self._shown.update(span.span_id for span in spans)

    def show(self, span_id: str) -> None:
        """Show a row, with those around it, where it was left out."""
        with self._lock:
            if span_id in self._shown:
                return
            spans = self.trace.all_spans
            at = next((number for number, span in enumerate(spans) if span.span_id == span_id), None)
            if at is not None:
                self._shown.update(span.span_id for span in spans[max(0, at - 10) : at + 20])

    # -- for the front end --------------------------------------------------------------------------------------------

    def head(self) -> dict[str, Any]:
        """Return what stands above the rows."""
        trace = self.trace
        note = next((note for note in trace.notes if not note.span_id), None)
        return {
            "id": trace.trace_id,
            "title": trace_title(trace),
            "state": clean(state_word(trace.status)),
            "failed": trace.status == "error",
            "live": self.is_under_way,
            "facts": clean(" · ".join(head_facts(trace))),
            "error": error_line(trace.error, 400),
            "about": trace_details(trace).html(_DETAIL_CHARS),
            "mark": clean(note.mark) if note else "",
            "comment": clean(note.comment) if note else "",
            "rating": trace.rating or "",
            "remark": clean(trace.remark),
        }

    def rows(self) -> tuple[list[str], dict[str, dict[str, Any]], float]:
        """Return the keys of the rows in their order, the rows by key, and the seconds that the scale covers.

        That of a trace under way reaches to now.
        """
        trace = self.trace
        spans, scale = trace.all_spans, scale_of(trace)
        shown = {number for number, span in enumerate(spans) if span.span_id in self._shown}
        noted = {note.span_id: note for note in trace.notes}
        order: list[str] = []
        rows: dict[str, dict[str, Any]] = {}
        for each in laid_out(spans, shown):
            if isinstance(each, Gap):
                key, row = f"gap {each.begin}", {"gap": [each.begin, each.end]}
            else:
                span = spans[each.place]
                below = [each.below.begin, each.below.end] if each.below else None
                key, row = span.span_id, _row(span, scale.offset(span), noted) | {"below": below}
            order.append(key)
            rows[key] = row
        seconds = (time.time_ns() - scale.start_ns) / 1e9 if self.is_under_way else 0.0
        return order, rows, max(scale.seconds, seconds)

    def details(self, span_id: str) -> dict[str, Any]:
        """Return what there is to say of one step.

        Raises:
            UserError: There is no such step, or the store can't be read.
        """
        span = self.trace.span(span_id)
        note = next((note for note in self.trace.notes if note.span_id == span.span_id), None)
        whole = _whole(span)
        children = [{"id": child.span_id, "name": _called(child)} for child in span.children[:_CHILDREN]]
        return {
            "id": span.span_id,
            "name": _called(span),
            "html": span_details(whole, start_s=scale_of(self.trace).offset(span)).html(_DETAIL_CHARS),
            "parent": {"id": span.parent.span_id, "name": _called(span.parent)} if span.parent else None,
            "children": children,
            "more": max(0, len(span.children) - _CHILDREN),
            "mark": clean(note.mark) if note else "",
            "comment": clean(note.comment) if note else "",
        }


def _row(span: RecordedSpan, start_s: float, noted: dict[str, Any]) -> dict[str, Any]:
    css, sign = mark_of(span.status)
    state, error = state_word(span.status), error_line(span.error, 80)
    note = noted.get(span.span_id)
    return {
        "level": span.depth + 1,
        "indent": indent(span.depth),
        "kids": bool(span.children),
        "sign": sign,
        "css": css,
        "kind": clean(kind_word(span.kind)),
        "name": span_name(span),
        "numbers": clean(numbers_text(span)),
        "state": clean(state) + (f": {error}" if error else ""),
        "bar": bar_classes(span),
        "start": round(start_s, 6),
        "length": None if span.duration_s is None else round(span.duration_s, 6),
        "first": span.first_token_s,
        "note": clean(" ".join(filter(None, (note.mark, note.comment))))[:200] if note else "",
    }


def _called(span: RecordedSpan) -> str:
    return clean(f"{kind_word(span.kind)} {span_name(span)}".strip())


def _read(trace_id: str) -> RecordedTrace:
    """Read a trace without the texts of its spans."""
    row = read_trace(trace_id)
    with reading() as connection:
        if connection is None:
            raise UserError(f"The trace {trace_id!r} is gone.")
        found = connection.execute(
            f"SELECT {', '.join(_LIGHT)} FROM spans WHERE trace_id = ? ORDER BY started_ns, seq", (row["trace_id"],)
        ).fetchall()
    over = row["ended_ns"] is not None or row["status"] == "unfinished"
    spans = [dict(zip(_LIGHT, values, strict=True)) for values in found]
    for span in spans:
        if over and span["status"] == "running":
            span["status"] = "unfinished"
    trace = RecordedTrace(row, spans)
    _ = trace.notes  # read now, in this thread
    return trace


def _whole(span: RecordedSpan) -> RecordedSpan:
    """Return a step with its texts."""
    with reading() as connection:
        row = (
            connection
            and connection.execute(
                f"SELECT {', '.join(_HEAVY)} FROM spans WHERE trace_id = ? AND span_id = ?",
                (span.trace_id, span.span_id),
            ).fetchone()
        )
    if not row:
        raise UserError("This step is no longer in the store: its trace was pruned.")
    light = {name: getattr(span, name) for name in _LIGHT if name not in ("error", "trace_id")}
    make = RecordedCall if span.kind in MODEL_KINDS else RecordedSpan
    whole = make({**light, "trace_id": span.trace_id, **dict(zip(_HEAVY, row, strict=True))}, span.trace)
    whole.error, whole.parent = span.error, span.parent
    return whole
