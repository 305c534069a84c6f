"""Which steps of two traces belong together, and in what they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from agentkit import _json
from agentkit.records.call import RecordedCall
from agentkit.records.replay import answer_lines
from agentkit.records.request import RecordedRequest
from agentkit.records.span import RecordedSpan

__all__ = ["Change", "StepDiff", "matched_steps"]

Change = Literal["same", "changed", "removed", "added"]
Pair = tuple[RecordedSpan | None, RecordedSpan | None]

_MOST_COMPARED = 400_000
"""Pairs of steps below one step up to which the longest common sequence is looked for."""
_IDS = frozenset({"id", "call_id", "status", "encrypted_content"})
"""Keys of items that differ from run to run."""
_NOT_COMPARED = ("input", "messages", "model", "previous_response_id")
"""What of a request is compared elsewhere, or differs from run to run."""


@dataclass(frozen=True, slots=True)
class StepDiff:
    """A step of one trace, and the one of the other that it is compared with."""

    change: Change
    """"same", "changed", "removed" (only the first trace has it) or "added" (only the second)."""
    before: RecordedSpan | None
    """In the first trace."""
    after: RecordedSpan | None
    """In the second."""
    differs: tuple[str, ...] = ()
    """In what they differ: "arguments", "output", "answer", "error", "status", "model", "request", "name", "data".
    Times, tokens and costs aren't among them: those nearly always differ."""
    depth: int = 0
    """Steps above it."""

    @property
    def step(self) -> RecordedSpan:
        """The step: of the second trace where both have it."""
        found = self.after or self.before
        if found is None:
            raise AssertionError("a step is in one of the traces at least")
        return found


def matched_steps(before: Sequence[RecordedSpan], after: Sequence[RecordedSpan], depth: int = 0) -> Iterator[StepDiff]:
    """Yield the steps of two traces in tree order, side by side where they belong together.

    They are matched from the top: those of the same kind and name, in the same order, whose input is the same where
    that can be; what is below them likewise.

    Args:
        before: Steps of the first trace, in order of start.
        after: Those of the second.
        depth: Steps above them.
    """
    todo: list[tuple[Pair, int]] = [(pair, depth) for pair in reversed(list(_pairs(before, after)))]
    while todo:
        (old, new), depth = todo.pop()
        if old is not None and new is not None:
            differs = _differences(old, new)
            yield StepDiff("changed" if differs else "same", old, new, differs, depth)
            below = list(_pairs(old.children, new.children))
        elif old is not None:
            yield StepDiff("removed", old, None, (), depth)
            below = [(child, None) for child in old.children]
        elif new is not None:
            yield StepDiff("added", None, new, (), depth)
            below = [(None, child) for child in new.children]
        todo += [(pair, depth + 1) for pair in reversed(below)]


def _pairs(before: Sequence[RecordedSpan], after: Sequence[RecordedSpan]) -> Iterator[Pair]:
    """Yield steps side by side, each once, in order: first those that agree in their input too, then in their name."""
    if len(before) * len(after) > _MOST_COMPARED:
        yield from _by_number(before, after)
        return
    old, new = [(*_key(span), _input(span)) for span in before], [(*_key(span), _input(span)) for span in after]
    for a, b, c, d in _gaps(old, new):
        if a is not None and c is not None and b - a == d - c and old[a:b] == new[c:d]:
            yield from zip(before[a:b], after[c:d], strict=True)
            continue
        yield from _by_name(before[a:b], after[c:d])


def _gaps(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int, int, int, int]]:
    for _, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        yield a, b, c, d


def _by_name(before: Sequence[RecordedSpan], after: Sequence[RecordedSpan]) -> Iterator[Pair]:
    old, new = [_key(span) for span in before], [_key(span) for span in after]
    for a, b, c, d in _gaps(old, new):
        if old[a:b] == new[c:d]:
            yield from zip(before[a:b], after[c:d], strict=True)
            continue
        rest = list(after[c:d])
        for span in before[a:b]:  # an agent by another name is still the agent
            other = next((one for one in rest if one.kind == span.kind == "agent"), None)
            if other is not None:
                rest.remove(other)
            yield span, other
        for span in rest:
            yield None, span


def _by_number(before: Sequence[RecordedSpan], after: Sequence[RecordedSpan]) -> Iterator[Pair]:
    """Yield the first of each name with the first of that name, and so on: for thousands of steps."""
    waiting: dict[tuple[str, str], list[RecordedSpan]] = {}
    for span in reversed(after):
        waiting.setdefault(_key(span), []).append(span)
    matched = set()
    for span in before:
        same = waiting.get(_key(span))
        other = same.pop() if same else None
        if other is not None:
            matched.add(other.span_id)
        yield span, other
    for span in after:
        if span.span_id not in matched:
            yield None, span


def _key(span: RecordedSpan) -> tuple[str, str]:
    if isinstance(span, RecordedCall):
        return "call", ""
    return span.kind, span.name or ""


def _input(span: RecordedSpan) -> str:
    """Return what tells steps of one name apart."""
    if isinstance(span, RecordedCall):
        return "\n".join(answer_lines(span.output))
    return span.raw_input or ""


def _differences(old: RecordedSpan, new: RecordedSpan) -> tuple[str, ...]:
    found = []
    if isinstance(old, RecordedCall) and isinstance(new, RecordedCall):
        if old.model != new.model:
            found.append("model")
        if old.request_key != new.request_key and _asked_how(old.request) != _asked_how(new.request):
            found.append("request")
        if _plain(old.output) != _plain(new.output):
            found.append("answer")
    else:
        if old.name != new.name:
            found.append("name")
        if _plain(old.input) != _plain(new.input):
            found.append("arguments")
        if _plain(old.output) != _plain(new.output):
            found.append("output")
        if old.kind in ("guardrail", "custom") and old.data != new.data:
            found.append("data")
    if old.status != new.status:
        found.append("status")
    if old.error_text != new.error_text:
        found.append("error")
    return tuple(found)


def _asked_how(request: RecordedRequest) -> dict[str, Any]:
    known = request.get("body") or request.get("arguments") or {}
    told = {
        name: value
        for name, value in known.items()
        if name not in ("input", "messages", "model", "previous_response_id")
    }
    return told | {"instructions": request.instructions}


def _plain(value: Any) -> Any:
    """Return a value without what differs from run to run; text that is JSON as what it holds."""
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items() if key not in _IDS}
    if isinstance(value, str) and value[:1] in "{[" and value:
        try:
            return _json.loads(value)
        except ValueError:
            return value
    return value
