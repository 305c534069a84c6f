"""What there is to unfold below a span, or a trace: its numbers, what went in and came out, what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.file_search import FileSearch
from agentkit.notebook.display.passages import search_html
from agentkit.notebook.display.run_view import json_html
from agentkit.notebook.display.spoken import message_text, role_of
from agentkit.notebook.display.text import clean, escape
from agentkit.notebook.display.waterfall import cost_text, error_line, state_word, took

if TYPE_CHECKING:
    from agentkit.records.opened import RecordedNote, RecordedTrace
    from agentkit.records.span import RecordedSpan

__all__ = ["Details", "note_text", "span_details", "trace_details"]

_MOST = 6_000
"""Characters of each text that are looked at at all."""
_MARGIN = 2_000
"""Characters beyond, so that a key which is cut is still known for one."""
_NO_NEWS = frozenset({"call_id", "input_start", "response_id", "tools", "handoffs", "output_type"})
"""What `data` holds that is told elsewhere, or says nothing to a person."""


@dataclass(frozen=True, slots=True)
class Part:
    """One text of the details."""

    title: str
    """What it is: "input", "output of the tool"."""
    text: str
    """The text, fit to be shown, cut at some thousand characters."""
    length: int
    """Characters of the whole."""
    tone: str = ""
    """"error" for what went wrong."""
    search: FileSearch | None = None
    """Of a search in files: what it is about, to be unfolded passage by passage."""


@dataclass(frozen=True, slots=True)
class Details:
    """What there is to unfold, made fit to be shown once, so that it can be written at several lengths."""

    facts: str
    """Numbers and names, in a line."""
    parts: Sequence[Part]
    """The texts."""
    notes: Sequence[str] = ()
    """Marks and comments of readers."""

    def html(self, limit: int) -> str:
        """Return them as HTML.

        Args:
            limit: Most characters of each text; what is left out is said.
        """
        rows = [f'<div class="agk-wh">{escape(self.facts)}</div>'] if self.facts else []
        rows += [f"<div>{escape(note[: max(limit, 200)])}</div>" for note in self.notes]
        rows += [_part_html(part, limit) for part in self.parts]
        return "".join(rows)


def _part_html(part: Part, limit: int) -> str:
    mark = '<span class="agk-no">✗</span> ' if part.tone == "error" else ""
    head = f'<div class="agk-wh">{mark}{escape(part.title)}</div>'
    if limit < 40:
        return f'<div class="agk-wh">{mark}{escape(part.title)}: {part.length:,} characters</div>'
    if part.search is not None and part.search.passages:
        return f"{head}{search_html(part.search, limit)}"
    shown = part.text if len(part.text) <= limit else part.text[:limit].rstrip() + "…"
    code = json_html(shown, limit) if len(shown) == len(part.text) else escape(shown)
    rest = ""
    if len(shown) < part.length:
        rest = f'<div class="agk-wh">{part.length:,} characters in all</div>'
    return f"{head}<pre><code>{code}</code></pre>{rest}"


def span_details(span: RecordedSpan, *, start_s: float | None = None, notes: Sequence[RecordedNote] = ()) -> Details:
    """Return what there is to unfold below a span.

    Args:
        span: The span.
        start_s: Seconds from the trace's start to its own; left out when None.
        notes: Readers' notes on it.
    """
    parts = [Part("error", error_line(span.error, _MOST), 0, "error")] if span.error else []
    parts += _texts(span)
    data = _data(span)
    if data:
        parts.append(_part("more", data))
    return Details(" · ".join(filter(None, _facts(span, start_s))), parts, [note_text(note) for note in notes])


def trace_details(trace: RecordedTrace) -> Details:
    """Return what was asked of a run, and what came out."""
    named = (("asked", trace.input), ("answer", trace.output), ("metadata", trace.metadata or None))
    parts = [_part(title, value) for title, value in named if value not in (None, "", [])]
    return Details("", parts)


def note_text(note: RecordedNote) -> str:
    """Return a reader's note as a line: its mark and its comment."""
    return clean(" ".join(filter(None, (f"[{note.mark}]" if note.mark else "", note.comment))))


def _facts(span: RecordedSpan, start_s: float | None) -> list[str]:
    received, given, retries = span.input_tokens, span.output_tokens, len(_retries(span))
    return [
        state_word(span.status),
        f"began after {took(start_s)}" if start_s is not None else "",
        f"took {took(span.duration_s)}" if span.duration_s is not None else "",
        f"first token after {took(span.first_token_s)}" if span.first_token_s is not None else "",
        f"{received:,} tokens sent" if received else "",
        f"{span.cached_tokens:,} of them cached" if span.cached_tokens else "",
        f"{given:,} received" if given else "",
        f"{span.reasoning_tokens:,} of them reasoning" if span.reasoning_tokens else "",
        cost_text(span.cost_usd),
        clean(span.model or ""),
        f"by {clean(span.agent)}" if span.agent and span.kind != "agent" else "",
        f"{retries} retr{'y' if retries == 1 else 'ies'}" if retries else "",
        f"{span.cut:,} bytes were cut when it was recorded" if span.cut else "",
    ]


def _retries(span: RecordedSpan) -> Sequence[Any]:
    found = span.data.get("retries") if isinstance(span.data, Mapping) else None
    return found if isinstance(found, list) else []


def _texts(span: RecordedSpan) -> list[Part]:
    """Return what went in and came out. Of what a model is sent and says, each item by itself."""
    if span.kind in ("response", "generation"):
        sent, said = _items(span.input), _items(span.output)
        parts = [_part(f"sent, {role_of(item)}", message_text(item)) for item in sent]
        parts += [_said(item) for item in said]
        if sent or said:
            parts += [] if sent or span.input in (None, []) else [_part("sent", span.input)]
            return parts + ([] if said or span.output in (None, []) else [_part("answered", span.output)])
    named = (("input", span.input), ("output", span.output))
    return [_part(title, value) for title, value in named if value not in (None, "", [])]


def _said(item: Mapping[str, Any]) -> Part:
    part = _part(f"answered, {role_of(item)}", message_text(item))
    return replace(part, search=FileSearch.of(item)) if item.get("type") == "file_search_call" else part


def _items(value: Any) -> list[Mapping[str, Any]]:  # stored JSON
    """Return the items of a conversation; none where it isn't one."""
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return list(value)
    return []


def _data(span: RecordedSpan) -> Any:  # stored JSON
    """Return what else is known of a span, as far as it tells a person something."""
    if not isinstance(span.data, Mapping):
        return span.data
    wanted = {name: value for name, value in span.data.items() if value not in (None, "", [], {})}
    if span.kind != "custom":
        wanted = {name: value for name, value in wanted.items() if name not in _NO_NEWS}
    return wanted


def _part(title: str, value: Any) -> Part:  # stored JSON
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False, default=str)
    window = text[: _MOST + _MARGIN]
    return Part(clean(title)[:60], clean(window)[:_MOST], len(text))
