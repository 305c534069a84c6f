"""A run that rests, as a value: to decide about what waits for approval, to keep as JSON, to go on from elsewhere."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.exceptions import RunStateError, UserError
from agentkit.models import ModelResponse
from agentkit.runtime.handoffs import Handoff
from agentkit.runtime.items import ToolApprovalItem
from agentkit.runtime.ledger import OUTPUT_KINDS, Entry, Ledger, call_id_of
from agentkit.runtime.progress import RunOptions, RunProgress
from agentkit.runtime.saved_state import (
    FORMAT,
    VERSION,
    SavedContext,
    SavedEntry,
    SavedResponse,
    SavedState,
    read_saved,
)
from agentkit.tooling import Approvals, RunContextWrapper
from agentkit.usage import Usage

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent
    from agentkit.runtime.run_config import RunConfig

__all__ = ["RunState"]

Json = dict[str, Any]


class RunState:
    """A run that rests: made by `result.to_state()`, given to `Runner.run` in place of an input to go on.

    What is decided with `approve` and `reject` is kept in it. It may be gone on from more than once.
    """

    def __init__(self, data: Json, agents: dict[str, Agent[Any]], context: RunContextWrapper[Any]) -> None:
        """Use `result.to_state()`, or `from_json`."""
        self._data = data  # as in `SavedState`, but with the entries, responses and inner states as objects
        self._agents = agents
        self._context = context

    @classmethod
    def of(cls, run: RunProgress) -> RunState:
        """Return the state that a run rests in."""
        context = dataclasses.replace(
            run.context, approvals=run.context.approvals.copy(), usage=_copied(run.context.usage)
        )
        data: Json = {
            "agent": run.agent_key,
            "input": run.input,
            "input_items": list(run.ledger.input_items),
            "entries": list(run.ledger.entries),
            "responses": list(run.responses),
            "turn": run.turn,
            "max_turns": run.options.max_turns,
            "used_tools": sorted(run.used_tools),
            "waiting": [item.call_id for item in run.waiting],
            "interruptions": list(run.waiting),
            "inner": dict(run.inner.states),
            "unsaved_input": list(run.unsaved_input),
            "saved_count": run.saved_count,
            "rebased": run.rebased,
            "rebased_at": run.rebased_at,
            "input_checked": run.input_checked,
            "previous_response_id": run.previous_response_id,
            "auto_previous_response_id": run.options.auto_previous_response_id,
            "conversation_id": run.options.conversation_id,
            "sent_count": run.sent_count,
            "trace_id": None if run.trace is None else run.trace.trace_id,
            "group_id": run.config.group_id,
            "results": (
                list(run.input_guardrail_results),
                list(run.tool_input_guardrail_results),
                list(run.tool_output_guardrail_results),
            ),
        }
        return cls(data, dict(run.agents), context)

    @property
    def current_agent(self) -> Agent[Any]:
        """The agent that goes on."""
        return self._agents[self._data["agent"]]

    @property
    def context(self) -> RunContextWrapper[Any]:
        """The run's context, with its usage."""
        return self._context

    def get_interruptions(self) -> list[ToolApprovalItem]:
        """Return the calls that wait for approval, oldest first; those decided on meanwhile are left out."""
        approvals = self._context.approvals
        return [item for item in self._data["interruptions"] if approvals.of(item.key) is None]

    def approve(self, approval_item: ToolApprovalItem, always_approve: bool = False) -> None:
        """Let a call run.

        Args:
            approval_item: One of `get_interruptions()`, or of the result's `interruptions`.
            always_approve: Whether all later calls of the tool may run too, for the rest of the run.

        Raises:
            UserError: It is no call that waits in this state.
        """
        self._check(approval_item)
        self._context.approve_tool(approval_item, always_approve)

    def reject(
        self, approval_item: ToolApprovalItem, always_reject: bool = False, *, rejection_message: str | None = None
    ) -> None:
        """Keep a call from running.

        Args:
            approval_item: One of `get_interruptions()`, or of the result's `interruptions`.
            always_reject: Whether no later call of the tool may run either, for the rest of the run.
            rejection_message: What the model is told in place of a result.

        Raises:
            UserError: It is no call that waits in this state, or the message is no text.
        """
        self._check(approval_item)
        self._context.reject_tool(approval_item, always_reject, rejection_message)

    def _check(self, item: Any) -> None:
        if not isinstance(item, ToolApprovalItem):
            hint = "Pass one of state.get_interruptions()."
            raise UserError(f"{item!r:.60} is no call that waits for approval.", hint=hint)
        if item.key not in {each.key for each in self._data["interruptions"]}:
            waiting = ", ".join(f"{each.name} ({each.call_id})" for each in self.get_interruptions()) or "none"
            raise UserError(f"No call {item.call_id!r} waits in this state. Waiting: {waiting}.")

    def resumed(
        self, agent: Agent[Any], config: RunConfig, options: RunOptions, *, context: Any, streamed: bool
    ) -> RunProgress:
        """Return the run that goes on from here.

        Args:
            agent: The agent that the runner was given: it must be one of the run's.
            config: Settings of the run.
            options: How it is to go; ids of the platform's conversation come from the state unless given.
            context: The user's object in place of that of the state; this one when None.
            streamed: Whether it is watched.

        Raises:
            UserError: The agent has no part in the run.
        """
        data = self._data
        if agent not in self._agents.values():
            names = ", ".join(sorted(self._agents))
            raise UserError(
                f"Agent {agent.name!r} has no part in the run that this state is of.", hint=f"Its agents: {names}."
            )
        options = dataclasses.replace(
            options,
            previous_response_id=options.previous_response_id or data["previous_response_id"],
            auto_previous_response_id=options.auto_previous_response_id or data["auto_previous_response_id"],
            conversation_id=options.conversation_id or data["conversation_id"],
        )
        wrapper = dataclasses.replace(
            self._context, approvals=self._context.approvals.copy(), usage=_copied(self._context.usage)
        )
        if context is not None:
            wrapper.context = context
        if config.group_id is None:  # so that its traces can be found together
            config = dataclasses.replace(config, group_id=data["group_id"] or data["trace_id"])
        run = RunProgress(self.current_agent, data["input"], wrapper, config, options, streamed=streamed)
        run.agents = dict(self._agents)
        run.agent_key = data["agent"]
        self._fill(run)
        return run

    def _fill(self, run: RunProgress) -> None:
        data = self._data
        run.ledger = Ledger(list(data["input_items"]), data["entries"])
        if data["rebased"] is not None:
            run.rebased, run.rebased_at = data["rebased"], data["rebased_at"]
            run.ledger.rebase(data["rebased"], data["rebased_at"])
        run.responses = list(data["responses"])
        run.goes_on = True
        run.input_checked = data["input_checked"]
        run.turn = run.turns_before = data["turn"]
        run.used_tools = set(data["used_tools"])
        run.inner.states = dict(data["inner"])
        run.unsaved_input = list(data["unsaved_input"])
        run.saved_count = data["saved_count"]
        run.sent_count = data["sent_count"]
        run.input_guardrail_results, run.tool_input_guardrail_results, run.tool_output_guardrail_results = (
            list(results) for results in data["results"]
        )

    def __repr__(self) -> str:
        waiting = self.get_interruptions()
        return f"RunState({self.current_agent.name!r}, turn {self._data['turn']}, waiting for {waiting!r})"

    def to_json(self, *, context_serializer: Callable[[Any], Any] | None = None, strict_context: bool = False) -> Json:
        """Return the state as JSON data: what was said, what tools returned, the context. Keep it as you would those.

        Args:
            context_serializer: Makes JSON data of the user's context object. Without it, one that is no JSON data is
                left out, and has to be given again when the state is read.
            strict_context: Whether leaving it out is an error.

        Raises:
            UserError: The context would have been left out.
        """
        for key, agent in self._agents.items():
            if key != agent.name:
                hint = "Rename one: a saved run finds its agents by their names."
                raise UserError(f"Two agents of the run are named {agent.name!r}.", hint=hint)
        data = self._data
        usage = self._context.usage
        return {
            "format": FORMAT,
            "version": VERSION,
            **{key: data[key] for key in _PLAIN},
            "input": data["input"] if isinstance(data["input"], str) else data["input_items"],
            "entries": [_entry_json(entry) for entry in data["entries"]],
            "responses": _responses_json(data["responses"], data["entries"]),
            "usage": usage.to_json(),
            "approvals": self._context.approvals.to_json(),
            "context": _context_json(self._context.context, context_serializer, strict_context),
            "inner": {
                call_id: {**state.to_json(), "context": {"kind": "json", "value": None}}  # it is the outer run's
                for call_id, state in data["inner"].items()
            },
        }

    def to_string(self, *, context_serializer: Callable[[Any], Any] | None = None, strict_context: bool = False) -> str:
        """Return the state as JSON text. Arguments and errors as for `to_json`."""
        return _json.dumps(self.to_json(context_serializer=context_serializer, strict_context=strict_context)).decode()

    @classmethod
    async def from_string(
        cls,
        initial_agent: Agent[Any],
        state_string: str,
        *,
        context_override: Any = None,
        context_deserializer: Callable[[Any], Any] | None = None,
        strict_context: bool = False,
    ) -> RunState:
        """Return the state that `to_string` gave. Arguments and errors as for `from_json`."""
        try:
            saved = _json.loads(state_string)
        except ValueError as error:
            raise RunStateError(f"This is no run state: it isn't JSON ({error}).") from error
        return await cls.from_json(
            initial_agent,
            saved,
            context_override=context_override,
            context_deserializer=context_deserializer,
            strict_context=strict_context,
        )

    @classmethod
    async def from_json(
        cls,
        initial_agent: Agent[Any],
        state_json: Mapping[str, Any],
        *,
        context_override: Any = None,
        context_deserializer: Callable[[Any], Any] | None = None,
        strict_context: bool = False,
    ) -> RunState:
        """Return the state that `to_json` gave.

        Args:
            initial_agent: The agent that the run started with, or any from which its agents can be reached, by
                handoffs and agents used as tools. They are found by their names.
            state_json: What `to_json` gave.
            context_override: The user's context object, in place of what was saved of it.
            context_deserializer: Makes the context object of what the `context_serializer` gave.
            strict_context: Taken for compatibility; a context that was left out always has to be given again.

        Raises:
            RunStateError: It can't be read: of another version, damaged, with agents that aren't there, or with a
                context that only a deserializer can read.
        """
        return cls._read(initial_agent, read_saved(state_json), context_override, context_deserializer)

    @classmethod
    def _read(
        cls, initial_agent: Agent[Any], saved: SavedState, override: Any, deserialize: Callable[[Any], Any] | None
    ) -> RunState:
        agents = _agents_of(initial_agent)
        wrapper: RunContextWrapper[Any] = RunContextWrapper(_context_of(saved.context, override, deserialize))
        wrapper.usage = Usage.from_json(saved.usage.model_dump())
        wrapper.approvals = Approvals.from_json(saved.approvals.model_dump())
        entries = [Entry(e.kind, e.item, e.agent, e.turn, e.target, _value(e), e.outcome) for e in saved.entries]
        known = {name: agent for name, agent in agents.items() if name in _names_in(saved)}
        if missing := sorted(_names_in(saved) - set(known)):
            raise RunStateError(
                f"The saved run needs agent {missing[0]!r}, which can't be reached from {initial_agent.name!r}.",
                hint=f"Agents that can: {', '.join(sorted(agents))}.",
            )
        data: Json = {
            **{key: getattr(saved, key) for key in _PLAIN},
            "input": saved.input,
            "input_items": _items(saved.input),
            "entries": entries,
            "responses": _responses(saved.responses, entries),
            "inner": {},
            "results": ([], [], []),
        }
        for call_id, inner in saved.inner.items():
            try:
                data["inner"][call_id] = cls._read(initial_agent, read_saved(inner, inner=True), wrapper.context, None)
            except RunStateError as error:
                raise RunStateError(f"Inside the run for call {call_id!r} (inner): {error}") from error
        state = cls(data, known, wrapper)
        data["interruptions"] = state._interruptions()
        return state

    def _interruptions(self) -> list[ToolApprovalItem]:
        """Return the calls that wait as items, those of inner runs in the place of the call that they are for.

        Raises:
            RunStateError: They are others than the state says, or an agent lacks the tool that one calls.
        """
        data, items = self._data, []
        for entry in Ledger([], data["entries"]).open_calls():
            agent = self._agents[entry.agent]
            _check_tool(agent, entry)
            inner = data["inner"].get(call_id_of(entry.item))
            if inner is not None:
                within = call_id_of(entry.item)
                items += [
                    ToolApprovalItem(each.agent, each.raw, each.name, (within, *each.path))
                    for each in inner._data["interruptions"]
                ]
            elif entry.kind != "handoff_call":  # which is carried out once all else has its answer
                items.append(ToolApprovalItem(agent, entry.item))
        if [item.call_id for item in items] != data["waiting"]:
            raise RunStateError(
                f"This run state is damaged: waiting: it names {data['waiting']}, but the calls that wait are "
                f"{[item.call_id for item in items]}."
            )
        return items


_PLAIN = (
    "agent", "turn", "max_turns", "used_tools", "waiting", "unsaved_input", "saved_count", "rebased", "rebased_at",
    "input_checked", "previous_response_id", "auto_previous_response_id", "conversation_id", "sent_count", "trace_id",
    "group_id",
)  # fmt: skip
"""What is the same in memory and as JSON."""


def _names_in(saved: SavedState) -> set[str]:
    names = {saved.agent} | {entry.agent for entry in saved.entries}
    return names | {entry.target for entry in saved.entries if entry.target is not None}


def _agents_of(initial: Agent[Any]) -> dict[str, Agent[Any]]:
    """Return the agents that can be reached from one, by name, as a run tells them apart."""
    found: dict[str, Agent[Any]] = {}
    ahead = [initial]
    while ahead:
        agent = ahead.pop(0)
        if any(agent is known for known in found.values()):
            continue
        if agent.name in found:
            raise RunStateError(
                f"Two agents that can be reached from {initial.name!r} are named {agent.name!r}.",
                hint="Rename one: a saved run finds its agents by their names.",
            )
        found[agent.name] = agent
        targets = [target.agent if isinstance(target, Handoff) else target for target in agent.handoffs]
        inner = [getattr(getattr(tool, "on_invoke_tool", None), "agent", None) for tool in agent.tools]
        ahead += [each for each in (*targets, *inner) if each is not None]
    return found


def _check_tool(agent: Agent[Any], call: Entry) -> None:
    """Refuse a call of a tool or handoff that the agent doesn't have any more: the model would be told it never was."""
    name = call.item.get("name")
    if call.item["type"] != "function_call" or agent.mcp_servers:  # what a server offers is not known yet
        return
    handoffs = [
        each.tool_name if isinstance(each, Handoff) else Handoff.default_tool_name(each) for each in agent.handoffs
    ]
    names = handoffs if call.kind == "handoff_call" else [tool.name for tool in agent.tools]
    if name not in names:
        what = "handoff" if call.kind == "handoff_call" else "tool"
        raise RunStateError(
            f"The saved run is to go on with a call of {what} {name!r}, which agent {agent.name!r} doesn't have.",
            hint=f"It has: {', '.join(names) or 'none'}.",
        )


def _entry_json(entry: Entry) -> Json:
    saved: Json = {"kind": entry.kind, "item": entry.item, "agent": entry.agent, "turn": entry.turn}
    if entry.target is not None:
        saved["target"] = entry.target
    if entry.outcome != "ok":
        saved["outcome"] = entry.outcome
    if entry.kind == "tool_output" and entry.value != entry.item.get("output") and _is_json(entry.value):
        saved["value"] = entry.value
    return saved


def _responses_json(responses: list[ModelResponse], entries: list[Entry]) -> list[Json]:
    saved, end = [], 0
    for response in responses:
        first = None
        if items := response.raw_output:  # the very objects, in their order: a model may send equal ones again
            first = next((n for n in range(end, len(entries)) if entries[n].item is items[0]), None)
        end = end if first is None else first + len(items)
        saved.append({
            "id": response.response_id,
            "model": response.model,
            "incomplete": response.incomplete,
            "usage": response.usage.to_json(),
            "first": first,
            "items": 0 if first is None else len(items),
        })  # fmt: skip
    return saved


def _responses(saved: list[SavedResponse], entries: list[Entry]) -> list[ModelResponse]:
    responses = []
    for each in saved:
        items = [] if each.first is None else [entry.item for entry in entries[each.first : each.first + each.items]]
        usage = Usage.from_json(each.usage.model_dump())
        responses.append(ModelResponse(items, usage, each.id, model=each.model, incomplete=each.incomplete))
    return responses


def _value(entry: SavedEntry) -> Any:
    """Return what is left of a tool's return value: itself where it is JSON, else the output that the model got."""
    if "value" in entry.model_fields_set:
        return entry.value
    return entry.item.get("output") if entry.kind in OUTPUT_KINDS else None


def _items(given: str | list[Json]) -> list[Json]:
    return [{"role": "user", "content": given}] if isinstance(given, str) else list(given)


def _copied(usage: Usage) -> Usage:
    copy = Usage()
    copy.add(usage)
    return copy


def _context_json(context: Any, serialize: Callable[[Any], Any] | None, strict: bool) -> Json:
    if context is not None and serialize is not None:
        return {"kind": "serialized", "value": serialize(context)}
    if _is_json(context):
        return {"kind": "json", "value": context}
    kind = f"{type(context).__module__}.{type(context).__qualname__}"
    if strict:
        raise UserError(f"The context of type {kind} is no JSON data.", hint="Pass a context_serializer.")
    return {"kind": "left_out", "type": kind}


def _is_json(value: Any) -> bool:
    if value is None or type(value) in (str, int, bool):
        return True
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is list:
        return all(_is_json(each) for each in value)
    if type(value) is dict:
        return all(type(key) is str and _is_json(each) for key, each in value.items())
    return False


def _context_of(saved: SavedContext, override: Any, deserialize: Callable[[Any], Any] | None) -> Any:
    if override is not None:
        return getattr(override, "context", override) if isinstance(override, RunContextWrapper) else override
    if saved.kind == "serialized":
        if deserialize is None:
            raise RunStateError(
                "The saved run's context was written by a serializer.",
                hint="Pass the context_deserializer that reads it, or a context_override.",
            )
        return deserialize(saved.value)
    if saved.kind == "left_out":
        raise RunStateError(
            f"The saved run's context, a {saved.type}, was left out.", hint="Pass it as context_override."
        )
    return saved.value
