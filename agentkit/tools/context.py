"""What a run hands to the code it calls: the user's context object, the tokens used so far, what has been approved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic

from typing_extensions import TypeVar

from agentkit.usage import Usage

__all__ = ["Approvals", "RunContextWrapper", "TContext", "ToolContext", "approval_name"]

TContext = TypeVar("TContext", default=Any)


def approval_name(call: dict[str, Any], name: str) -> str:
    """Return the name under which decisions on a call are kept: servers may have tools of the same name.

    Args:
        call: The call, in the shape of the Responses API.
        name: Name of the tool.
    """
    return f"{call.get('server_label')}.{name}" if call.get("type") == "mcp_approval_request" else name


class Approvals:
    """What has been decided of calls that need a person's approval: for one call, or for a tool for the whole run."""

    __slots__ = ("calls", "tools")

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str, str], tuple[bool, str | None]] = {}
        """By id, tool and arguments of the call: whether it may run, and what the model is told where it may not."""
        self.tools: dict[str, tuple[bool, str | None]] = {}
        """By name of the tool, for all its calls: the same."""

    def decide(self, call: Any, approved: bool, message: str | None, *, always: bool) -> None:
        """Note a decision about a `ToolApprovalItem`. It holds for that call only: some models give an id twice."""
        name = approval_name(call.raw, call.name)
        self.calls[call.call_id, name, call.arguments] = (approved, message)
        if always:
            self.tools[name] = (approved, message)

    def of(self, name: str, call_id: str, arguments: str | None = None) -> tuple[bool, str | None] | None:
        """Return the decision on a call, or None where there is none yet.

        Args:
            name: Name of the tool, as `approval_name` gives it.
            call_id: Id of the call.
            arguments: Its arguments as the model sent them; not compared when None.
        """
        if arguments is not None:
            found = self.calls.get((call_id, name, arguments))
        else:
            found = next((said for key, said in self.calls.items() if key[:2] == (call_id, name)), None)
        return self.tools.get(name) if found is None else found

    def used(self, name: str, call_id: str, arguments: str) -> None:
        """Forget the decision on a call that has been carried out."""
        self.calls.pop((call_id, name, arguments), None)

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
        decision = self.approvals.of(tool_name, call_id)
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
        """
        self.approvals.decide(approval_item, False, rejection_message, always=always_reject)


@dataclass
class ToolContext(RunContextWrapper[TContext]):
    """What a tool may ask for instead of `RunContextWrapper`: the same, and the call it answers."""

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
