"""What a run hands to the code it calls: the user's context object, the tokens used so far, what has been approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic

from typing_extensions import TypeVar

from agentkit._repr import fields_repr
from agentkit.exceptions import UserError
from agentkit.usage import Usage

__all__ = ["Approvals", "RunContextWrapper", "TContext", "ToolContext", "approval_key"]

TContext = TypeVar("TContext", default=Any)


_WITHIN = "\x1f"
"""Joins the parts of a key; the ASCII character for just that."""

ApprovalKey = tuple[str, str, str]
"""What a decision is about: which call of which run, the agent's tool, the arguments."""


def approval_key(call: dict[str, Any], name: str, agent_name: str, path: tuple[str, ...] = ()) -> ApprovalKey:
    """Return what a decision on a call is kept under. No other call has it, even where a server repeats its ids.

    Args:
        call: The call, in the shape of the Responses API.
        name: Name of the tool.
        agent_name: Name of the agent that wants to call it.
        path: Ids of the outer calls, from the outermost on, where the agent is used as a tool.
    """
    hosted = call.get("type") == "mcp_approval_request"
    tool = f"{call.get('server_label')}.{name}" if hosted else name
    call_id = str(call.get("call_id") or call.get("id") or "")
    return _WITHIN.join((*path, call_id)), _WITHIN.join((agent_name, tool)), str(call.get("arguments") or "")


class Approvals:
    """What has been decided of calls that need a person's approval: for one call, or for a tool for the whole run."""

    __slots__ = ("calls", "tools")

    def __init__(self) -> None:
        self.calls: dict[ApprovalKey, tuple[bool, str | None]] = {}
        """For one call: whether it may run, and what the model is told where it may not."""
        self.tools: dict[str, tuple[bool, str | None]] = {}
        """For all calls of an agent's tool: the same."""

    def decide(self, call: Any, approved: bool, message: str | None, *, always: bool) -> None:
        """Note a decision about a `ToolApprovalItem`."""
        self.calls[call.key] = (approved, message)
        if always:
            self.tools[call.key[1]] = (approved, message)

    def of(self, key: ApprovalKey) -> tuple[bool, str | None] | None:
        """Return the decision on the call with a key, or None where there is none yet."""
        found = self.calls.get(key)
        return self.tools.get(key[1]) if found is None else found

    def found(self, tool_name: str, call_id: str) -> tuple[bool, str | None] | None:
        """Return the decision on a call, known by its id and its tool's name alone; None where there is none."""
        for (calls, tool, _), decision in self.calls.items():
            if calls.split(_WITHIN)[-1] == call_id and tool.split(_WITHIN)[-1] == tool_name:
                return decision
        return next((said for tool, said in self.tools.items() if tool.split(_WITHIN)[-1] == tool_name), None)

    def take(self, key: ApprovalKey) -> tuple[bool, str | None] | None:
        """Return the decision on one call and forget it: it holds once. None where there is none for that call."""
        return self.calls.pop(key, None)

    def to_json(self) -> dict[str, Any]:
        """Return the decisions as JSON."""
        return {
            "calls": [[*key, *decision] for key, decision in self.calls.items()],
            "tools": {k: list(v) for k, v in self.tools.items()},
        }

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Approvals:
        """Return the decisions that `to_json` gave."""
        approvals = cls()
        approvals.calls = {(call_id, name, given): (ok, said) for call_id, name, given, ok, said in saved["calls"]}
        approvals.tools = {name: tuple(decision) for name, decision in saved["tools"].items()}
        return approvals

    def copy(self) -> Approvals:
        """Return decisions that can be added to without changing these."""
        return Approvals.from_json(self.to_json())


@dataclass
class RunContextWrapper(Generic[TContext]):
    """Carries the object given as `context` to every tool, instruction function and callback of one run.

    The object itself never reaches the model.
    """

    __repr__ = fields_repr

    context: TContext
    """The object passed to `Runner.run(..., context=…)`, or None."""
    usage: Usage = field(default_factory=Usage)
    """Tokens used by the run so far. While a streamed answer arrives it is behind by that answer."""
    turn_input: list[dict[str, Any]] = field(default_factory=list)
    """What the agent whose turn it is was given, as items; filled in for hooks."""
    approvals: Approvals = field(default_factory=Approvals, repr=False)
    """What has been decided of calls that need approval."""

    def is_tool_approved(self, tool_name: str, call_id: str) -> bool | None:
        """Return whether a call has been approved; None where nobody has decided."""
        decision = self.approvals.found(tool_name, call_id)
        return None if decision is None else decision[0]

    def approve_tool(self, approval_item: Any, always_approve: bool = False) -> None:
        """Let a call run.

        Args:
            approval_item: One of a result's `interruptions`.
            always_approve: Whether all later calls of the tool may run too, for the rest of the run.
        """
        self.approvals.decide(approval_item, True, None, always=always_approve)

    def reject_tool(
        self, approval_item: Any, always_reject: bool = False, rejection_message: str | None = None
    ) -> None:
        """Keep a call from running.

        Args:
            approval_item: One of a result's `interruptions`.
            always_reject: Whether no later call of the tool may run either, for the rest of the run.
            rejection_message: What the model is told in place of a result.

        Raises:
            UserError: The message is no text.
        """
        if not isinstance(rejection_message, str | None):
            raise UserError(
                f"A rejection_message is a text, not {rejection_message!r:.60}.",
                hint="Leave it out, or say to the model why the call isn't made.",
            )
        self.approvals.decide(approval_item, False, rejection_message, always=always_reject)


@dataclass
class ToolContext(RunContextWrapper[TContext]):
    """What a tool may ask for instead of `RunContextWrapper`: the same, and the call it answers."""

    __repr__ = fields_repr

    tool_name: str = ""
    """Name under which the model called the tool."""
    tool_call_id: str = ""
    """Id of the call, as in the model's answer."""
    tool_arguments: str = ""
    """The arguments as the model sent them: JSON text."""
    tool_call: dict[str, Any] | None = None
    """The whole call, as in the model's answer."""
    agent: Any = None  # an Agent, which lives two layers up
    """The agent on whose behalf the tool runs."""
    run_config: Any = None  # a RunConfig, which lives two layers up
    """The run's settings."""
    error: Exception | None = None
    """What went wrong, when the call failed and the model gets a text in place of a result."""
    inner: Any = field(default=None, repr=False)  # the runtime's, for agents used as tools
    """What an agent used as a tool needs of the run that called it."""

    @property
    def emit(self) -> Callable[[Any], None] | None:
        """Where events of an agent used as a tool go; None where nobody watches."""
        return None if self.inner is None else self.inner.emit
