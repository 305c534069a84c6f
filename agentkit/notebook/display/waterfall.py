"""A trace as rows on a time scale: what each row says, where its bar lies, and which of too many rows are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.text import one_line

if TYPE_CHECKING:
    from agentkit.records.opened import RecordedTrace
    from agentkit.records.span import RecordedSpan

__all__ = [
    "Bar",
    "Gap",
    "Scale",
    "Shown",
    "cost_text",
    "error_line",
    "indent",
    "kind_word",
    "laid_out",
    "numbers_text",
    "scale_of",
    "span_name",
    "spans_to_show",
    "state_word",
    "tokens_text",
    "took",
]

_WORDS = {
    "response": "model",
    "generation": "model",
    "function": "tool",
    "mcp_tools": "MCP",
    "speech_group": "speech",
}
_MODELS = ("response", "generation")
_NAME_CHARS = 60
_STATES = {
    "error": "failed",
    "running": "running",
    "unfinished": "unfinished",
    "cancelled": "stopped",
    "max_turns": "stopped at its most turns",
    "budget": "stopped: budget spent",
    "guardrail": "stopped by a guardrail",
    "waiting": "waiting for a decision",
}
_DEEPEST = 12
"""How far rows are indented."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a span lies in its trace, in percent of the trace's time."""

    left: float
    """Where it begins, 0 to 100."""
    width: float
    """How long it is; 0 for what took no time to speak of."""
    first_token: float | None = None
    """Where in the bar the first token came, 0 to 100 of the bar; None where that isn't known."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The time that a trace took, from left to right."""

    start_ns: int
    """When it began, in nanoseconds since 1970."""
    seconds: float
    """How long it was, or has been."""

    def bar(self, span: RecordedSpan) -> Bar:
        """Return where a span lies. One that has not ended reaches to the right edge."""
        left = self.offset(span)
        length = self.seconds - left if span.duration_s is None else span.duration_s
        first = span.first_token_s
        in_bar = None if first is None else round(min(100.0, 100 * first / length), 1) if length > 0 else 100.0
        return Bar(self._percent(left), min(self._percent(length), 100 - self._percent(left)), in_bar)

    def offset(self, span: RecordedSpan) -> float:
        """Return how long after the trace a span began, in seconds."""
        return max(0.0, (span.started_ns - self.start_ns) / 1e9)

    def _percent(self, seconds: float) -> float:
        return round(min(100.0, max(0.0, 100 * seconds / self.seconds)), 2) if self.seconds > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Gap:
    """Spans that are not shown, one after another in the tree's order."""

    begin: int
    """Place of the first of them, from 0."""
    end: int
    """Place of the first that is shown again."""

    @property
    def count(self) -> int:
        """How many there are."""
        return self.end - self.begin


def scale_of(trace: RecordedTrace) -> Scale:
    """Return the scale of a trace: nothing in it reaches beyond."""
    spans = trace.all_spans
    start = min([trace.started_ns, *(span.started_ns for span in spans)])
    last = max([trace.ended_ns or start, *(span.ended_ns or span.started_ns for span in spans)])
    return Scale(start, (last - start) / 1e9)


def spans_to_show(spans: Sequence[RecordedSpan], most: int) -> set[int]:
    """Return the places of the spans to show where there are too many: what failed, what took longest, the top levels.

    Args:
        spans: In the tree's order.
        most: How many may be shown.
    """
    if len(spans) <= most:
        return set(range(len(spans)))
    place = {span.span_id: number for number, span in enumerate(spans)}
    everywhere = range(len(spans))
    failed = [number for number in everywhere if spans[number].status not in ("ok", "completed")]
    slowest = sorted(everywhere, key=lambda number: -_length(spans[number]))
    highest = sorted(everywhere, key=lambda number: (spans[number].depth, number))
    chosen: set[int] = set()
    for numbers, share in ((highest[:1], 1), (failed, most // 3), (slowest, most // 3), (highest, most)):
        room = min(most, len(chosen) + share)
        for number in numbers:
            if len(chosen) >= room:
                break
            if number not in chosen:
                _add_with_parents(chosen, number, spans, place, room)
    return chosen


def _add_with_parents(
    chosen: set[int], number: int, spans: Sequence[RecordedSpan], place: Mapping[str, int], room: int
) -> None:
    """Add a span, and what it is part of as far as there is room: without those nobody knows whose it is."""
    wanted: int | None = number
    while wanted is not None and wanted not in chosen and len(chosen) < room:
        chosen.add(wanted)
        wanted = place.get(spans[wanted].parent_id or "")


@dataclass(frozen=True, slots=True)
class Shown:
    """A span that is shown."""

    place: int
    """Its place in the tree's order, from 0."""
    below: Gap | None = None
    """What comes next and is part of it, where none of that is shown."""


def laid_out(spans: Sequence[RecordedSpan], shown: set[int]) -> list[Shown | Gap]:
    """Return the spans that are shown, in order, with the gaps between them.

    Args:
        spans: All of them, in the tree's order.
        shown: Places of those that are shown.
    """
    rows: list[Shown | Gap] = []
    at = 0
    for number in [*sorted(shown), len(spans)]:
        if number > at:
            gap, last = Gap(at, number), rows[-1] if rows else None
            depth = spans[last.place].depth if isinstance(last, Shown) else -1
            all_below = all(span.depth > depth for span in spans[at:number])
            goes_on = number < len(spans) and spans[number].depth > depth  # what is shown next is part of it too
            if isinstance(last, Shown) and all_below and not goes_on:
                rows[-1] = Shown(last.place, gap)
            else:
                rows.append(gap)
        if number < len(spans):
            rows.append(Shown(number))
        at = number + 1
    return rows


def _length(span: RecordedSpan) -> float:
    return float("inf") if span.duration_s is None else span.duration_s


def indent(depth: int) -> int:
    """Return how many steps a row is indented."""
    return min(max(depth, 0), _DEEPEST)


# -- words --------------------------------------------------------------------------------------------------------


def kind_word(kind: str) -> str:
    """Return what a kind of span is called by a person: "tool" for "function"."""
    return _WORDS.get(kind, kind)


def state_word(status: str | None) -> str:
    """Return how something went, in words; "" where it went well."""
    if status in (None, "ok", "completed"):
        return ""
    return _STATES.get(str(status), str(status))


def span_name(span: RecordedSpan) -> str:
    """Return what a row is called: its name, or the model that was called. Fit to be shown, on one line."""
    name = (span.model or span.name) if span.kind in _MODELS else span.name
    return one_line(name or "", _NAME_CHARS)


def took(seconds: float | None) -> str:
    """Return a time as a person reads it; "" where it isn't known."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.00995 else f"{seconds * 1000:.1f} ms"
    if seconds < 99.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes < 10 else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def tokens_text(received: int | None, given: int | None) -> str:
    """Return tokens in and out; "" where there were none."""
    return f"{received or 0:,} + {given or 0:,} tokens" if received or given else ""


def cost_text(cost_usd: float | None) -> str:
    """Return what something cost; "" where no price is known, or it was nothing."""
    if not cost_usd:
        return ""
    return f"${cost_usd:.4f}" if cost_usd >= 0.00005 else "under $0.0001"


def numbers_text(span: RecordedSpan) -> str:
    """Return the numbers of a row: how long it took, tokens, cost."""
    tokens = tokens_text(span.input_tokens, span.output_tokens)
    return " · ".join(filter(None, (took(span.duration_s), tokens, cost_text(span.cost_usd))))


def error_line(error: Mapping[str, Any] | None, limit: int = 200) -> str:
    """Return what went wrong on one line, with its details as far as there is room; "" for nothing.

    Args:
        error: A stored error: "message" and "data".
        limit: Most characters.
    """
    from agentkit.records.span import error_text

    return one_line(error_text(error) or "", limit) if error else ""
