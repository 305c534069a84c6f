"""Who decides on calls that need approval: the reader, by buttons or at a prompt, or a policy where nobody is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from agentkit.notebook.settings import settings

if TYPE_CHECKING:
    from agentkit.runtime import RunState, ToolApprovalItem

__all__ = ["Approver", "ConsolePrompt", "Decision", "Policy", "SamePolicy", "apply", "approval_policy"]

Policy = Literal["ask", "approve", "deny", "wait"]
"""`ask` whoever is there, `approve` or `deny` all, or let the run rest (`wait`)."""

DENIED = "Nobody was there to approve this call, so it was not made."
"""What the model is told of a call that the policy denied."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided on a call."""

    approved: bool
    """Whether it may run."""
    always: bool = False
    """Whether that holds for all later calls of the tool in the run."""
    reason: str | None = None
    """What the model is told of a call that may not run."""


class Approver(Protocol):
    """Decides on calls; lives on agentkit's loop thread."""

    async def decide(self, items: Sequence[ToolApprovalItem]) -> list[Decision | None]:
        """Return a decision for each call, None where nobody has decided: then the run rests."""


class SamePolicy:
    """Decides on all calls alike, where nobody is there to be asked.

    Args:
        approved: Whether they may run.
    """

    def __init__(self, approved: bool) -> None:
        self._decision = Decision(approved, reason=None if approved else DENIED)

    async def decide(self, items: Sequence[ToolApprovalItem]) -> list[Decision | None]:
        """Return the same decision for each call."""
        return [self._decision] * len(items)


class ConsolePrompt:
    """Asks at a prompt, in the thread that waits for the run."""

    async def decide(self, items: Sequence[ToolApprovalItem]) -> list[Decision | None]:
        """Ask for each call; an end of input leaves the rest undecided."""
        from agentkit.tooling.executor import call_in

        decisions: list[Decision | None] = []
        for item in items:
            decision = await call_in("caller", _ask_at_prompt, item)
            decisions.append(decision)
            if decision is None:
                break
        return decisions + [None] * (len(items) - len(decisions))


def _ask_at_prompt(item: ToolApprovalItem) -> Decision | None:
    from agentkit.notebook.display.approvals import call_text

    print(f"\n? {call_text(item)}")
    while True:
        try:
            said = input("  Approve? [y]es, [a]lways, [n]o, or no and why: ").strip()
        except EOFError:
            return None
        except KeyboardInterrupt:
            print()
            raise
        word, _, reason = said.partition(" ")
        match word.lower().rstrip(",:"):
            case "y" | "yes":
                return Decision(True)
            case "a" | "always":
                return Decision(True, always=True)
            case "n" | "no":
                return Decision(False, reason=reason.strip() or None)
        print("  Type y, a, or n (n and a reason: the model is told it).")


def approval_policy() -> Policy | None:
    """Return what `%config AgentKit.approve` or `AGENTKIT_APPROVE` says; None where neither says anything.

    Raises:
        UserError: The environment's is no policy.
    """
    policy: Policy | None = settings().approve
    return policy


def apply(state: RunState, items: Sequence[ToolApprovalItem], decisions: Sequence[Decision | None]) -> bool:
    """Put decisions into a state, and tell whether there was any.

    Args:
        state: Where the run rests.
        items: The calls that wait in it.
        decisions: As many, in the same order.
    """
    for item, decision in zip(items, decisions, strict=True):
        if decision is None:
            continue
        if decision.approved:
            state.approve(item, always_approve=decision.always)
        else:
            state.reject(item, always_reject=decision.always, rejection_message=decision.reason)
    return any(decision is not None for decision in decisions)
