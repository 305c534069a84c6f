"""Which calls may run: those that need a person's approval wait for it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.runtime.run_config import ToolErrorFormatterArgs
from agentkit.runtime.turn import Call, Equipment
from agentkit.tooling import approval_key
from agentkit.tooling.context import ApprovalKey
from agentkit.tooling.tool import meant_arguments

if TYPE_CHECKING:
    from agentkit.runtime.progress import RunProgress

__all__ = ["REJECTED", "Verdict", "key_of", "told_instead", "verdict_on"]

REJECTED = "Tool execution was not approved."
"""What the model is told of a call that was not approved, unless whoever decided said something else."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to become of a call."""

    approved: bool | None
    """Whether it may run; None while nobody has decided."""
    message: str | None = None
    """What the model is told where it may not."""


MAY_RUN = Verdict(True)
WAITS = Verdict(None)


async def verdict_on(run: RunProgress, call: Call, equipment: Equipment) -> Verdict:
    """Return whether a call may run."""
    if call.kind == "mcp_approval":
        return await _of_hosted_mcp(run, call, equipment)
    if call.kind != "tool":
        return MAY_RUN
    needs = equipment.tools_by_name[call.name].needs_approval
    if needs is False:
        return MAY_RUN
    if (decided := _decided(run, call)) is not None:
        return decided
    if callable(needs):
        arguments = _arguments(call)
        if arguments is None:  # nothing to decide from
            return WAITS
        wants = needs(run.context, arguments, call.call_id)
        needs = bool(await wants if inspect.isawaitable(wants) else wants)
    return WAITS if needs else MAY_RUN


async def _of_hosted_mcp(run: RunProgress, call: Call, equipment: Equipment) -> Verdict:
    if (decided := _decided(run, call)) is not None:
        return decided
    label = call.item.get("server_label")
    for tool in equipment.tools:
        config: Any = getattr(tool, "tool_config", None)
        ask = getattr(tool, "on_approval_request", None)
        if ask is None or not isinstance(config, Mapping) or config.get("server_label") != label:
            continue
        from agentkit.models.typed import typed_item
        from agentkit.tooling import MCPToolApprovalRequest

        answer = ask(MCPToolApprovalRequest(run.context, typed_item(call.item)))
        if inspect.isawaitable(answer):
            answer = await answer
        if not isinstance(answer, dict) or "approve" not in answer:
            hint = 'Return {"approve": True} or {"approve": False, "reason": …}.'
            raise UserError(f"on_approval_request of {label!r} returned {answer!r:.60}.", hint=hint)
        return Verdict(bool(answer["approve"]), answer.get("reason"))
    return WAITS


def key_of(run: RunProgress, call: Call) -> ApprovalKey:
    """Return what a decision on a call is kept under."""
    return approval_key(call.item, call.name, run.agent.name, run.path)


def _decided(run: RunProgress, call: Call) -> Verdict | None:
    decision = run.context.approvals.of(key_of(run, call))
    return None if decision is None else Verdict(*decision)


def _arguments(call: Call) -> dict[str, Any] | None:
    """Return the call's arguments as the tool will read them, or None where they are no object."""
    for text in (call.arguments, meant_arguments(call.arguments)):
        try:
            arguments = _json.loads(text or "")
        except ValueError:
            continue
        if isinstance(arguments, dict):
            return arguments
    return None


async def told_instead(run: RunProgress, call: Call, kind: Any, message: str, *, own: bool = False) -> str:
    """Return what the model is told of a call that was not made.

    Args:
        run: The run.
        call: The call.
        kind: "approval_rejected" or "tool_not_found".
        message: What it is told unless the run has a `tool_error_formatter`.
        own: Whether somebody has chosen the message for this very call, so that nothing comes over it.
    """
    formatter = run.config.tool_error_formatter
    if formatter is None or own:
        return message
    arguments = ToolErrorFormatterArgs(kind, "function", call.name, call.call_id, message, run.context)
    text = formatter(arguments)
    if inspect.isawaitable(text):
        text = await text
    return message if text is None else str(text)
