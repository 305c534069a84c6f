"""The parts of a recorded run: what one agent's model was told and answered, in a row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agentkit._json import dumps
from agentkit.records.call import RecordedCall
from agentkit.records.conversation import conversation_of
from agentkit.records.datasets.left_out import LeftOutError, Skipped
from agentkit.records.opened import RecordedTrace
from agentkit.records.span import RecordedSpan, parsed
from agentkit.tracing.reader import read_request

__all__ = ["Part", "Requests", "parts_of"]

Item = dict[str, Any]

_CUT = "… [cut: "
"""How the store marks a text that was too long to keep."""
_KINDS = frozenset({"message", "function_call", "function_call_output", "reasoning"})
"""The items that a chat message has a form for; reasoning is left out."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one agent's model was told and answered, with the same instructions and tools all along."""

    trace: RecordedTrace
    """The run that it is a part of."""
    agent: str | None
    """The agent."""
    calls: list[RecordedCall]
    """Its model calls, in order."""
    instructions: str | None
    """What the model was told to be."""
    tools: list[Item]
    """The functions that it could call, handoffs among them, as Chat Completions takes them."""
    parallel_tool_calls: bool | None
    """As the request had it."""
    items: list[Item]
    """What was said, in the shape of the Responses API: what the model was sent last, and its last answer."""
    own_from: int
    """Index of the first item that the model answered in this part: what is before it, it was told."""
    run: int
    """Which of the trace's runs it belongs to, from 0; handoffs don't begin another."""
    nested: bool
    """Whether a tool ran it: the agent was used as one."""

    @property
    def tokens(self) -> int | None:
        """Tokens of the conversation as the platform counted them, without reasoning; None where it didn't."""
        last = self.calls[-1]
        if last.input_tokens is None or last.output_tokens is None:
            return None
        return last.input_tokens + last.output_tokens - (last.reasoning_tokens or 0)

    @property
    def model(self) -> str | None:
        """The model that answered."""
        return self.calls[-1].model


class Requests:
    """What model calls sent beside their messages; each is read once."""

    def __init__(self) -> None:
        self._read: dict[str, Item] = {}

    def of(self, call: RecordedCall) -> Item:
        """Return a call's instructions, tools and settings under the names of a request's body; {} if not known."""
        key = call.request_key
        if key is None:
            return {}
        if key not in self._read:
            stored = parsed(read_request(key))
            self._read[key] = _body(stored) if isinstance(stored, dict) else {}
        return self._read[key]


def _body(stored: Item) -> Item:
    given = stored.get("arguments")
    if isinstance(given, dict):  # of a model that makes its requests itself
        settings = given.get("model_settings")
        parallel = settings.get("parallel_tool_calls") if isinstance(settings, dict) else None
        return {**given, "instructions": given.get("system_instructions"), "parallel_tool_calls": parallel}
    body = dict(stored.get("body") or {})
    how = stored.get("messages")
    if "instructions" not in body and isinstance(how, dict):
        body["instructions"] = how.get("instructions")
    return body


@dataclass(slots=True)
class _Told:
    """What a call was told beside the conversation."""

    instructions: str | None
    tools: list[Item]
    parallel_tool_calls: bool | None


@dataclass(slots=True)
class _Segment:
    """Calls of one agent of which each goes on where the one before ended."""

    told: _Told
    calls: list[RecordedCall]


def parts_of(trace: RecordedTrace, requests: Requests) -> Iterator[Part | Skipped]:
    """Yield the parts of a run in order, and which of them can be in no example.

    An agent's work is one part, and a handoff begins another. So does a call whose instructions or tools are
    others than those before it, or that wasn't shown all that was said before, as where a filter left something out.
    """
    runs = _runs(trace)
    for calls in _by_agent(trace).values():
        for segment in _segments(calls, requests):
            run = runs.get(calls[0].parent_id or calls[0].span_id, 0)
            try:
                yield _part(trace, segment, run, requests)
            except LeftOutError as why:
                yield Skipped(trace.trace_id, calls[0].agent, why.reason, why.detail)


def _by_agent(trace: RecordedTrace) -> dict[str, list[RecordedCall]]:
    """Return the calls that were answered, by the span of the agent that made them."""
    found: dict[str, list[RecordedCall]] = {}
    for call in trace.calls:
        if call.status == "ok":
            found.setdefault(call.parent_id or call.span_id, []).append(call)
    return found


def _runs(trace: RecordedTrace) -> dict[str, int]:
    """Return which run each agent span belongs to. One that follows a handoff goes on with the run."""
    runs: dict[str, int] = {}
    last: dict[str | None, RecordedSpan] = {}
    count = -1
    for span in sorted((one for one in trace.all_spans if one.kind == "agent"), key=lambda one: one.started_ns):
        before = last.get(span.parent_id)
        if before is not None and any(below.kind == "handoff" and not below.failed for below in before.children):
            runs[span.span_id] = runs[before.span_id]
        else:
            count += 1
            runs[span.span_id] = count
        last[span.parent_id] = span
    return runs


def _segments(calls: list[RecordedCall], requests: Requests) -> list[_Segment]:
    segments: list[_Segment] = []
    for call in calls:
        told = _told(call, requests)
        if segments and told == segments[-1].told and _goes_on(segments[-1].calls[-1], call):
            segments[-1].calls.append(call)
        else:
            segments.append(_Segment(told, [call]))
    return segments


def _told(call: RecordedCall, requests: Requests) -> _Told:
    body = requests.of(call)
    instructions = body.get("instructions") if body else conversation_of(call, whole=True).instructions
    parallel = body.get("parallel_tool_calls")
    tools = [tool for one in body.get("tools") or () if (tool := _chat_tool(one)) is not None]
    return _Told(
        instructions if isinstance(instructions, str) and instructions else None,
        tools,
        parallel if isinstance(parallel, bool) else None,
    )


def _chat_tool(tool: Any) -> Item | None:
    """Return a function tool of either API as Chat Completions takes it; None for a tool of another kind."""
    if not isinstance(tool, dict) or tool.get("type") != "function":
        return None
    given = tool["function"] if isinstance(tool.get("function"), dict) else tool
    names = ("name", "description", "parameters", "strict")
    return {"type": "function", "function": {name: given[name] for name in names if given.get(name) is not None}}


def _goes_on(before: RecordedCall, call: RecordedCall) -> bool:
    """Return whether a call was shown all that the one before was shown and answered."""
    if call.input_start:
        return _data(call).get("input_after") in (before.span_id, None)
    seen = [*conversation_of(before, whole=True).items, *_items(before.output)]
    shown = conversation_of(call, whole=True).items
    return len(shown) > len(seen) and list(map(_key, seen)) == list(map(_key, shown[: len(seen)]))


def _key(item: Item) -> bytes:
    return dumps({key: value for key, value in sorted(item.items()) if key not in ("id", "status", "provider_data")})


def _part(trace: RecordedTrace, segment: _Segment, run: int, requests: Requests) -> Part:
    first, last = segment.calls[0], segment.calls[-1]
    _check_history(first, requests)
    conversation = conversation_of(last, whole=True)
    if conversation.missing:
        why = conversation.missing[0]
        raise LeftOutError("not recorded" if "trace_include_sensitive_data" in why else "cut", f"{why}.")
    output = _output(last)
    if last.cut and _CUT in (last.raw_output or ""):
        raise LeftOutError("cut", "A long answer was cut by the store's size limit.")
    own_from = len(conversation_of(first, whole=True).items)
    items = [*conversation.items, *output]
    if other := sorted({str(item.get("type")) for item in items if item.get("type", "message") not in _KINDS}):
        raise LeftOutError("other items", f"It has {', '.join(other)}, for which the format has no place.")
    if any(item.get("status") == "incomplete" for item in items[own_from:]):
        raise LeftOutError("incomplete answer", "The model was stopped before it had finished, as by max_tokens.")
    parent = first.parent
    return Part(
        trace, first.agent, segment.calls, segment.told.instructions, segment.told.tools,
        segment.told.parallel_tool_calls, items, own_from, run,
        nested=parent is not None and any(one.kind == "function" for one in parent.above()),
    )  # fmt: skip


def _check_history(call: RecordedCall, requests: Requests) -> None:
    """Look whether all that the model was shown is in this trace."""
    chain = [call]
    by_id = {one.span_id: one for one in call.trace.calls}
    while (before := by_id.get(str(_data(chain[-1]).get("input_after")))) is not None and before not in chain:
        chain.append(before)
    if any(requests.of(one).get("prompt") for one in chain):
        raise LeftOutError("history on the platform", "Its instructions are a prompt that the platform keeps.")
    begun = requests.of(chain[-1])
    if begun.get("previous_response_id") or begun.get("conversation"):
        raise LeftOutError("history on the platform", "What was said before it is kept by the platform.")


def _data(call: RecordedCall) -> Item:
    return call.data if isinstance(call.data, dict) else {}


def _output(call: RecordedCall) -> list[Item]:
    output = call.output
    if output is None:
        raise LeftOutError("not recorded", "What was answered wasn't recorded (trace_include_sensitive_data=False).")
    items = _items(output)
    if not isinstance(output, list) or len(items) != len(output):
        raise LeftOutError("cut", "A long answer was cut by the store's size limit.")
    return items


def _items(output: Any) -> list[Item]:  # what the store has
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
