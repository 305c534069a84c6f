"""What a model was sent in a call, put together from the calls before it: each records only what is new."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentkit.records.call import RecordedCall

__all__ = ["Conversation", "conversation_of"]

Item = dict[str, Any]

_CUT = "… [cut: "
"""How the store marks a text that was too long to keep."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The items that a model was sent."""

    items: list[Item]
    """In the shape of the Responses API, without the instructions."""
    instructions: str | None
    """The instructions, as far as the spans tell them."""
    missing: list[str]
    """Why items are missing or aren't as they were sent; empty where they are."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What one call has recorded."""

    start: int
    """Index of the first item in the whole conversation."""
    items: list[Item]
    instructions: str | None
    missing: list[str]


def conversation_of(call: RecordedCall, *, whole: bool = False) -> Conversation:
    """Return what the model was sent in `call`; with what the platform itself put before it where `whole`."""
    sent_start = 0 if whole else int(_place(call, "sent_start") or 0)
    parts, missing = _parts(call, sent_start)
    items: list[Item] = []
    begins_at = parts[-1].start
    for part in reversed(parts):
        if part.start - begins_at != len(items):
            missing.append("items between two calls of the run weren't recorded")
        items += part.items
    instructions = next((part.instructions for part in parts if part.instructions is not None), None)
    missing += [why for part in parts for why in part.missing]
    return Conversation(items[max(sent_start - begins_at, 0) :], instructions, list(dict.fromkeys(missing)))


def _parts(call: RecordedCall, sent_start: int) -> tuple[list[_Part], list[str]]:
    """Return the parts of the conversation that were recorded, the last first, and what is missing before them."""
    by_id = {one.span_id: one for one in call.trace.calls}
    parts = [_part(call)]
    seen = {call.span_id}
    while parts[-1].start > sent_start:
        before = by_id.get(str(_place(call, "input_after")))
        if before is None or before.span_id in seen:
            return parts, ["the beginning of the conversation isn't in this trace"]
        seen.add(before.span_id)
        call = before
        parts.append(_part(call))
    return parts, []


def _part(call: RecordedCall) -> _Part:
    given, start = call.input, call.input_start
    if isinstance(given, str) and not call.cut:
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        not_kept = "what was said wasn't recorded (trace_include_sensitive_data=False)"
        why = not_kept if given is None else "a long input was cut by the store's size limit"
        return _Part(start, [], None, [why])
    missing = ["long texts were cut by the store's size limit"] if call.cut and _CUT in (call.raw_input or "") else []
    count = _place(call, "input_count")
    if count is None:  # recorded by an earlier agentkit, or by code of the user's own
        is_told = bool(given) and given[0].keys() == {"role", "content"} and given[0]["role"] == "system"
    else:
        is_told = len(given) == count - start + 1
        if not is_told and len(given) != count - start:
            missing.append("items were cut by the store's size limit")
    instructions = str(given[0]["content"]) if is_told else None
    return _Part(start, given[1:] if is_told else given, instructions, missing)


def _place(call: RecordedCall, name: str) -> Any:
    data = call.data
    return data.get(name) if isinstance(data, dict) else None
