"""The decision: hand off, call tools, or answer. A pure function of the prompt."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from agentkit.local.engines.base import Citation, FileSearch, FunctionCall, Prompt

from .answers import Writer
from .choose import THRESHOLD, Toolbox
from .conversation import Attached, Conversation, Tool, read_prompt
from .fill import Filler
from .handoffs import Route, choose_handoff
from .plan import Plan, Step, make_plan
from .rules import Rules
from .searching import Cited, found_in, goes_on, names_files, queries_of, said_of_passages, searches
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

    search: FileSearch | None = None
    """A search in the files, before anything else."""

    cited: tuple[tuple[int, Citation], ...] = ()
    """What the text rests on: behind how many of its characters, and on which file."""


def reply(prompt: Prompt) -> Reply:
    """Return rehearsal-1's reply to `prompt`: the same one, always.

    Args:
        prompt: Anything; items, tools and schemas that aren't understood are passed over.
    """
    conversation = read_prompt(prompt)
    rules = Rules(conversation.instructions)
    if conversation.must_search:
        return Reply("", search=FileSearch(queries_of(conversation)))
    route = choose_handoff(conversation, rules)
    plan = make_plan(conversation, rules)
    if route is not None and not _tools_go_first(route, plan):
        return Reply("", (_handoff_call(conversation, route.tool),))
    trust = _trust(conversation, plan)
    if conversation.can_search and (trust != "sure" or names_files(conversation)):
        return Reply("", search=FileSearch(queries_of(conversation)))
    if plan.calls and not _files_answer(conversation, trust):
        return Reply("", tuple(_call(step) for step in plan.calls))
    if conversation.must_call and not conversation.now.calls and conversation.handoffs:
        return Reply("", (_handoff_call(conversation, conversation.handoffs[0]),))
    writer = Writer(conversation, rules, plan.asking)
    if searches(conversation, writer):
        return Reply("", search=FileSearch(queries_of(conversation)))
    if conversation.output_schema is not None or conversation.wants_json:
        return Reply(fill_answer(_with_found(conversation), rules, writer))
    if conversation.passages is not None and (conversation.results or not writer.answers_alone()):
        return _from_files(conversation, writer)
    return Reply(writer.answer())


def _trust(conversation: Conversation, plan: Plan) -> str:
    """Return how sure the calls are beside a search in files: "sure", "weak" or "guess".

    A tool that does no more than to know things is weak. One that nothing in the request speaks of, and that is only
    planned because it was called before, is a guess, unless the request says that it goes on ("What about Oslo?").
    """
    if not plan.calls or conversation.must_call:
        return "sure"
    if plan.score <= THRESHOLD:
        return "weak"
    matched = Toolbox(conversation.tools).matches(conversation.request)
    return "sure" if matched or goes_on(conversation.request.text) else "guess"


def _files_answer(conversation: Conversation, trust: str) -> bool:
    """Return whether what was found in files makes the planned calls needless."""
    if conversation.passages is None or trust == "sure":
        return False
    return trust == "guess" or bool(found_in(conversation))


def _with_found(conversation: Conversation) -> Conversation:
    """Return the conversation with what files say as a document, from which an answer's fields are filled."""
    found = found_in(conversation) if conversation.passages else []
    if not found:
        return conversation
    said = Attached("", 0, "".join(part.text for part in found))
    return replace(conversation, documents=(*conversation.documents, said))


def _from_files(conversation: Conversation, writer: Writer) -> Reply:
    """Return what the files say, beside what tools returned."""
    if conversation.results and not found_in(conversation) and not names_files(conversation):
        return Reply(writer.answer())
    said = said_of_passages(conversation, writer)
    if conversation.results:
        said = [Cited(f"{writer.answer()}\n\n"), *said]
    text = "".join(part.text for part in said)
    shaped = writer.shaped(text)
    citations: list[tuple[int, Citation]] = []
    length = 0
    for part in said:
        length += len(part.text)
        if part.passage is not None:
            place = length if shaped == text else len(shaped)
            cited = Citation(part.passage.file_id, part.passage.filename)
            if (place, cited) not in citations:
                citations.append((place, cited))
    return Reply(shaped, cited=tuple(citations))


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
