"""The decision: hand off, call tools, or answer. A pure function of the prompt."""

from __future__ import annotations

import json
from dataclasses import dataclass

from agentkit.local.engines.base import FunctionCall, Prompt

from .answers import Writer
from .conversation import Conversation, Tool, read_prompt
from .fill import Filler
from .handoffs import Route, choose_handoff
from .plan import Plan, Step, make_plan
from .rules import Rules
from .sources import Sources
from .structured import fill_answer

__all__ = ["Reply", "reply"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What rehearsal-1 does with a prompt: calls, or else a text."""

    text: str
    """The answer; `""` where there are calls."""

    calls: tuple[FunctionCall, ...] = ()
    """Calls to be made, in order."""


def reply(prompt: Prompt) -> Reply:
    """Return rehearsal-1's reply to `prompt`: the same one, always.

    Args:
        prompt: Anything; items, tools and schemas that aren't understood are passed over.
    """
    conversation = read_prompt(prompt)
    rules = Rules(conversation.instructions)
    route = choose_handoff(conversation, rules)
    plan = make_plan(conversation, rules)
    if route is not None and not _tools_go_first(route, plan):
        return Reply("", (_handoff_call(conversation, route.tool),))
    if plan.calls:
        return Reply("", tuple(_call(step) for step in plan.calls))
    if conversation.must_call and not conversation.now.calls and conversation.handoffs:
        return Reply("", (_handoff_call(conversation, conversation.handoffs[0]),))
    writer = Writer(conversation, rules, plan.asking)
    if conversation.output_schema is not None or conversation.wants_json:
        return Reply(fill_answer(conversation, rules, writer))
    return Reply(writer.answer())


def _tools_go_first(route: Route, plan: Plan) -> bool:
    """Return whether the agent's own tools do what is asked better than another agent would."""
    return bool(plan.calls) and plan.score > route.score


def _call(step: Step) -> FunctionCall:
    return FunctionCall(step.tool.name, json.dumps(step.arguments, ensure_ascii=False))


def _handoff_call(conversation: Conversation, tool: Tool) -> FunctionCall:
    sources = Sources(
        clause=conversation.request, whole=conversation.request, told=conversation.instructions, forced=True
    )
    return FunctionCall(tool.name, json.dumps(Filler(sources).fill(tool.parameters), ensure_ascii=False))
