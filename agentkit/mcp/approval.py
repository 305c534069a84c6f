"""Which of a server's tools need a person's approval."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from agentkit.exceptions import UserError
from agentkit.tooling import NeedsApproval, RunContextWrapper

if TYPE_CHECKING:
    from mcp import Tool as MCPTool

__all__ = [
    "Policy",
    "RequireApproval",
    "RequireApprovalObject",
    "RequireApprovalToolList",
    "approval_policy",
    "needs_approval",
]


class RequireApprovalToolList(TypedDict, total=False):
    """Names of tools."""

    tool_names: list[str]


class RequireApprovalObject(TypedDict, total=False):
    """Tools that always need approval, and tools that never do."""

    always: RequireApprovalToolList
    never: RequireApprovalToolList


Ask = Callable[[RunContextWrapper[Any], Any, "MCPTool"], bool | Awaitable[bool]]
"""Whether a tool needs approval: a function of the run's context, the agent and the tool, sync or async."""

RequireApproval = Literal["always", "never"] | RequireApprovalObject | dict[str, Any] | Ask | bool | None
"""For all tools of a server, by their names, or by a function. None is never."""

Policy = bool | dict[str, bool] | Ask
"""The same in one of three forms."""

_WORDS = {"always": True, "never": False, True: True, False: False}


def approval_policy(given: Any, who: str) -> Policy:
    """Return what a user gave as `require_approval` in one of the three forms.

    Raises:
        UserError: It is none of the documented ones.
    """
    if given is None:
        return False
    if isinstance(given, dict):
        lists = any(isinstance(given.get(word), dict) for word in ("always", "never"))
        return _of_lists(given, who) if lists else {name: _verdict(value, who) for name, value in given.items()}
    if callable(given):
        policy: Ask = given
        return policy
    return _verdict(given, who)


def needs_approval(policy: Policy, tool: MCPTool, agent: Any) -> NeedsApproval:
    """Return the `needs_approval` of a tool. Where a function decides and no agent is known, it is needed."""
    if isinstance(policy, bool):
        return policy
    if isinstance(policy, dict):
        return policy.get(tool.name, False)
    if agent is None:
        return True

    asker = weakref.ref(agent)  # tools are kept for an agent's next run, and are not to keep the agent

    async def ask(context: RunContextWrapper[Any], arguments: dict[str, Any], call_id: str) -> bool:
        agent = asker()
        if agent is None:
            return True
        verdict = policy(context, agent, tool)
        return bool(await verdict if inspect.isawaitable(verdict) else verdict)

    return ask


def _verdict(value: Any, who: str) -> bool:
    if isinstance(value, (str, bool)) and value in _WORDS:
        return _WORDS[value]
    hint = 'Use "always", "never", True, False, such values by tool name, or a function of context, agent and tool.'
    raise UserError(f"{who}: require_approval can't be {value!r:.80}.", hint=hint)


def _of_lists(given: dict[str, Any], who: str) -> dict[str, bool]:
    policy: dict[str, bool] = {}
    for word, entry in given.items():
        names = entry.get("tool_names", []) if isinstance(entry, dict) and word in ("always", "never") else None
        if not isinstance(names, (list, tuple)):
            hint = 'Use {"always": {"tool_names": […]}, "never": {"tool_names": […]}}.'
            raise UserError(f"{who}: require_approval[{word!r}] can't be {entry!r:.80}.", hint=hint)
        for name in names:
            if policy.get(name, _WORDS[word]) is not _WORDS[word]:
                raise UserError(f"{who}: require_approval says both always and never of tool {name!r}.")
            policy[name] = _WORDS[word]
    return policy
