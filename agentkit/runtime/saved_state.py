"""A resting run as JSON: what may be in it, and reading it so that nothing is taken for what it isn't."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agentkit.exceptions import RunStateError
from agentkit.runtime.ledger import OUTPUT_KINDS, EntryKind, Outcome

__all__ = ["FORMAT", "VERSION", "SavedContext", "SavedEntry", "SavedResponse", "SavedState", "read_saved"]

FORMAT = "agentkit.run_state"
VERSION = 1
"""Raised whenever what an older agentkit wrote, or a newer one will, can't be read alike."""

Json = dict[str, Any]


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_List = BeforeValidator(_as_tuple)
"""JSON has lists where a tuple is meant."""
_Count = Annotated[int, Field(ge=0)]


class _Exact(BaseModel):
    """Takes what is just so: no number for text, no text for a number, nothing more and nothing less."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SavedEntry(_Exact):
    """An entry of the ledger."""

    kind: EntryKind
    item: Json
    agent: str
    turn: _Count
    target: str | None = None
    outcome: Outcome = "ok"
    value: Any = None  # what a tool returned, where that is JSON data and no text
    """What a tool returned; without it, only what the model got of it is known."""


class _SavedUsage(_Exact):
    requests: _Count
    input_tokens: _Count
    output_tokens: _Count
    total_tokens: _Count
    cached_tokens: _Count
    cache_write_tokens: _Count
    reasoning_tokens: _Count
    calls: list[Annotated[tuple[str | None, str | None, int, int, int, int, int, int], _List]]


class SavedResponse(_Exact):
    """A model's answer, without the items, which are among the entries."""

    id: Annotated[str, Field(min_length=1)] | None
    model: str | None
    incomplete: str | None
    usage: _SavedUsage
    first: _Count | None
    """Number of the entry with which it begins; None where it never came into the ledger."""
    items: _Count
    """How many entries it is made of."""


class SavedContext(_Exact):
    """The user's context object, as far as it could be saved."""

    kind: Literal["json", "serialized", "left_out"]
    value: Any = None
    type: str | None = None


class _SavedApprovals(_Exact):
    calls: list[Annotated[tuple[str, str, str, bool, str | None], _List]]
    tools: dict[str, Annotated[tuple[bool, str | None], _List]]


class SavedState(_Exact):
    """A state as JSON. Whatever isn't exactly this is refused."""

    format: Literal["agentkit.run_state"]
    version: Literal[1]
    agent: str
    input: str | list[Json]
    entries: list[SavedEntry]
    responses: list[SavedResponse]
    turn: _Count
    max_turns: Annotated[int, Field(ge=1)] | None
    usage: _SavedUsage
    used_tools: list[str]
    approvals: _SavedApprovals
    context: SavedContext
    waiting: list[str]
    inner: dict[str, Json]
    unsaved_input: list[Json]
    saved_count: _Count
    rebased: list[Json] | None
    rebased_at: _Count
    input_checked: bool
    previous_response_id: str | None
    auto_previous_response_id: bool
    conversation_id: str | None
    sent_count: _Count
    trace_id: str | None
    group_id: str | None


def read_saved(state: Mapping[str, Any], *, inner: bool = False) -> SavedState:
    """Return a saved state, checked whole.

    Args:
        state: The state as JSON data.
        inner: Whether it is of a run inside another, whose context it has.

    Raises:
        RunStateError: It is none, of another version, or damaged; the message names the field.
    """
    if not isinstance(state, Mapping) or state.get("format") != FORMAT:
        raise RunStateError(f"This is no run state of agentkit: its format is not {FORMAT!r}.")
    version = state.get("version")
    if type(version) is not int or version != VERSION:
        said = f"is of version {version!r}" if "version" in state else "names no version"
        hint = "Go on with the agentkit that saved it."
        raise RunStateError(f"This run state {said}; this agentkit reads version {VERSION}.", hint=hint)
    try:
        saved = SavedState.model_validate(dict(state))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise _damaged(_place(state, problem["loc"], problem["type"]), problem["msg"]) from error
    _check_numbers(saved)
    for index, entry in enumerate(saved.entries):
        _check_entry(entry, f"entries.{index}")
    _check_responses(saved, _open_calls(saved))
    _check_context(saved.context, inner=inner)
    return saved


def _place(state: Any, location: tuple[int | str, ...], problem: str) -> str:
    """Return where in the state a problem is: pydantic's location without the kinds that it has tried."""
    place = []
    for part in location:
        try:
            state = state[part]
        except (KeyError, IndexError, TypeError):
            if problem != "missing":
                continue
        place.append(str(part))
    return ".".join(place)


def _damaged(place: str, why: str) -> RunStateError:
    return RunStateError(f"This run state is damaged: {place}: {why}.")


def _check_numbers(saved: SavedState) -> None:
    count = len(saved.entries)
    given = 1 if isinstance(saved.input, str) else len(saved.input)
    for name, most in (("saved_count", count), ("rebased_at", count), ("sent_count", given + count)):
        if getattr(saved, name) > most:
            raise _damaged(name, f"{getattr(saved, name)} is beyond the conversation's {most} items")
    if saved.rebased is None and saved.rebased_at:
        raise _damaged("rebased_at", "it has a number, but rebased has no items")
    before = 1
    for index, entry in enumerate(saved.entries):
        if not before <= entry.turn <= saved.turn:
            why = f"turn {entry.turn} comes out of order, in a run of {saved.turn} turns"
            raise _damaged(f"entries.{index}.turn", why)
        before = entry.turn


_TYPES: dict[str, frozenset[str]] = {
    "message": frozenset({"message"}),
    "reasoning": frozenset({"reasoning"}),
    "handoff_call": frozenset({"function_call"}),
    "handoff_output": frozenset({"function_call_output"}),
    "tool_output": frozenset({"function_call_output", "computer_call_output", "local_shell_call_output"}),
    "mcp_approval_request": frozenset({"mcp_approval_request"}),
    "mcp_approval_response": frozenset({"mcp_approval_response"}),
    "mcp_list_tools": frozenset({"mcp_list_tools"}),
    "compaction": frozenset({"compaction"}),
}
"""What an entry's item may be. A "tool_call" is anything that is none of the others."""

_TEXTS: dict[str, tuple[str, ...]] = {
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id",),
    "computer_call": ("call_id",),
    "computer_call_output": ("call_id",),
    "local_shell_call": ("call_id",),
    "local_shell_call_output": ("id",),
    "mcp_approval_request": ("id", "name"),
    "mcp_approval_response": ("approval_request_id",),
}
"""What has to be text in an item, by its type; ids, that join calls with their answers, first."""

_ANSWERS = {
    "function_call": "function_call_output",
    "computer_call": "computer_call_output",
    "local_shell_call": "local_shell_call_output",
    "mcp_approval_request": "mcp_approval_response",
}
"""Calls that this side answers, and the type of the answer."""


def _check_entry(entry: SavedEntry, place: str) -> None:
    kind = entry.item.get("type")
    if kind is not None and not isinstance(kind, str):
        raise _damaged(f"{place}.item.type", f"it should be text, not {kind!r:.60}")
    if entry.kind in _TYPES and kind not in _TYPES[entry.kind]:
        raise _damaged(f"{place}.item.type", f"{kind!r} is no {entry.kind}")
    if entry.kind == "tool_call" and kind in _TYPES and kind != "tool_call":
        raise _damaged(f"{place}.kind", f"an item of type {kind!r} is no tool_call")
    parts = entry.item.get("content")
    if entry.kind == "message" and not (isinstance(parts, list) and all(isinstance(part, dict) for part in parts)):
        raise _damaged(f"{place}.item.content", f"it should be a list of parts, not {parts!r:.60}")
    for name in _TEXTS.get(str(kind), ()):
        value = entry.item.get(name)
        if not isinstance(value, str) or (name.endswith("id") and not value):
            raise _damaged(f"{place}.item.{name}", f"it should be text, not {value!r:.60}")
    handed = entry.kind == "handoff_output" and entry.outcome == "ok"
    if handed != (entry.target is not None) or (entry.target is None and "target" in entry.model_fields_set):
        raise _damaged(f"{place}.target", "it names the agent that a handoff went to, and belongs to nothing else")


def _open_calls(saved: SavedState) -> list[int]:
    """Return the numbers of the entries that are calls without an answer yet."""
    waiting: list[int] = []
    for index, entry in enumerate(saved.entries):
        kind = str(entry.item.get("type"))
        if entry.kind in OUTPUT_KINDS:
            key = (kind, entry.item[_TEXTS[kind][0]])
            call = next((each for each in waiting if _key(saved.entries[each]) == key), None)
            if call is None:
                raise _damaged(f"entries.{index}", f"it answers {key[1]!r}, a call that is not there")
            waiting.remove(call)
        elif kind in _ANSWERS:
            waiting.append(index)
    for index in waiting:
        if saved.entries[index].turn != saved.turn:
            raise _damaged(f"entries.{index}", "this call has no answer, though later turns followed")
    ids = {_key(saved.entries[index])[1] for index in waiting}
    for call_id in saved.inner:
        if call_id not in ids:
            raise _damaged(f"inner.{call_id}", "it is a run for a call that is not there, or has its answer")
    return waiting


def _key(call: SavedEntry) -> tuple[str, str]:
    """Return type and id of the answer that a call needs."""
    kind = str(call.item["type"])
    return _ANSWERS[kind], call.item[_TEXTS[kind][0]]


def _check_responses(saved: SavedState, open_calls: list[int]) -> None:
    end = 0
    for index, response in enumerate(saved.responses):
        place = f"responses.{index}"
        if response.first is None:
            if response.items:
                raise _damaged(f"{place}.first", f"where do its {response.items} items begin?")
            continue
        if response.first < end:
            raise _damaged(f"{place}.first", f"entry {response.first} belongs to an earlier response")
        end = response.first + response.items
        own = saved.entries[response.first : end]
        if len(own) < response.items or not own:
            raise _damaged(f"{place}.items", f"there are not so many entries from {response.first} on")
        if any(entry.kind in OUTPUT_KINDS or entry.turn != own[0].turn for entry in own):
            raise _damaged(f"{place}.items", "they are not all of one answer")
    if open_calls:
        first = saved.responses[-1].first if saved.responses else None
        if first is None or open_calls[0] < first or open_calls[-1] >= end:
            raise _damaged("responses", "the last one lacks calls that have no answer yet")


def _check_context(context: SavedContext, *, inner: bool) -> None:
    if inner and (context.kind != "json" or context.value is not None):
        raise _damaged("context", "a run inside another has the other's")
    wanted = {"kind", "type"} if context.kind == "left_out" else {"kind", "value"}
    if context.model_fields_set != wanted or (context.kind == "left_out" and context.type is None):
        raise _damaged("context", f"one that is {context.kind!r} has {' and '.join(sorted(wanted))}")
