"""A prompt sorted out: instructions, the request, what was called since, what came back, and what may be called.

Reading goes from the end of the items backwards, and stops where the past no longer matters, so that a turn late in a
long run costs what an early one did.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from agentkit.local.engines.base import Prompt

from .contents import content_text
from .passages import Passage, may_search, passages_of
from .reading import Reading, clip
from .schemas import Schema
from .words import identifier_words

__all__ = ["Attached", "Call", "Conversation", "Exchange", "Tool", "read_prompt"]

_HANDOFF_NAME = re.compile(r"^(?:transfer|handoff|hand_off|escalate|delegate)_to_(\w+)$")
_HANDOFF_WORDS = re.compile(r"^\s*hand[\s-]?off to the (.{1,80}?) agent to handle the request\.?", re.IGNORECASE)
_HANDED_OVER = re.compile(r'\s*\{\s*"assistant"\s*:\s*"(?:[^"\\]|\\.)*"\s*\}\s*')
_REMEMBERED_EXCHANGES = 12
_MAX_TOOLS = 256


@dataclass(frozen=True)
class Tool:
    """A function tool or a handoff that the prompt offers."""

    name: str
    """Function name."""

    description: str
    """What it says it does; a handoff's standard opening is cut off."""

    parameters: Schema
    """Schema of its arguments."""

    strict: bool
    """Whether arguments must follow the schema to the letter."""

    target: str | None = None
    """For a handoff: the name of the agent, else None."""

    @cached_property
    def name_words(self) -> tuple[str, ...]:
        """The words of the name; of a handoff, those of the agent's name."""
        return identifier_words(self.target if self.target is not None else self.name)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made, with what came back."""

    name: str
    """Tool name."""

    arguments: dict[str, Any]
    """Its arguments; `{}` where they weren't a JSON object."""

    output: str | None
    """What the tool returned, as text, or None where nothing has come back."""


@dataclass(frozen=True)
class Exchange:
    """A request of the user's with all that followed it."""

    request: str
    calls: list[Call] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    """What the assistant said after it."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came with the request."""

    name: str
    """What it is called."""

    pages: int
    """Pages of a PDF; 0 for a text."""

    text: str
    """What it says; "" for a scan."""


@dataclass(frozen=True)
class Conversation:
    """All that rehearsal-1 answers from."""

    instructions: str
    exchanges: list[Exchange]
    """Oldest first; the last one is being answered. At most the last twelve."""

    tools: list[Tool]
    handoffs: list[Tool]
    must_call: bool
    """A tool choice of `required`, or one that names a function."""

    only_one: bool
    """Parallel calls are switched off."""

    output_schema: Schema | None
    """What the answer has to be, or None for text."""

    wants_json: bool
    """The answer has to be a JSON object of any shape."""

    attachments: int = 0
    """Images, files and sounds in the request that can't be read."""

    pictures: tuple[str, ...] = ()
    """What is known of the images in the request: "PNG, 640 × 480 px"."""

    documents: tuple[Attached, ...] = ()
    """The files in the request that can be read."""

    can_search: bool = False
    """Files may be searched, and have not been since the request."""

    must_search: bool = False
    """They have to be."""

    passages: tuple[Passage, ...] | None = None
    """What was found since the request, best first; None where nothing was searched."""

    @property
    def now(self) -> Exchange:
        """The exchange that is being answered."""
        return self.exchanges[-1]

    @cached_property
    def request(self) -> Reading:
        """The request that is being answered."""
        return Reading(self.now.request)

    @cached_property
    def told(self) -> Reading:
        """The instructions."""
        return Reading(self.instructions)

    @cached_property
    def results(self) -> list[Call]:
        """The calls since the request that aren't handoffs and have come back."""
        return [c for c in self.now.calls if c.output is not None and not self.is_handoff(c)]

    @property
    def handed_off(self) -> frozenset[str]:
        """The names of the handoffs taken since the request."""
        return frozenset(call.name for call in self.now.calls if self.is_handoff(call))

    def is_handoff(self, call: Call) -> bool:
        """Return whether a call handed the conversation to another agent.

        The agent that got it isn't offered that handoff itself, and a handoff may have any name: what tells it then is
        the answer that it got, `{"assistant": "…"}`.
        """
        if any(tool.name == call.name for tool in self.tools):
            return False
        if _HANDOFF_NAME.match(call.name) or any(tool.name == call.name for tool in self.handoffs):
            return True
        return call.output is not None and _HANDED_OVER.fullmatch(call.output) is not None


def read_prompt(prompt: Prompt) -> Conversation:
    """Return `prompt` sorted out. Items and tools of unknown kinds are passed over."""
    offered = [tool for raw in prompt.tools[:_MAX_TOOLS] if (tool := _read_tool(raw)) is not None]
    offered, must_call = _chosen(offered, prompt.tool_choice)
    exchanges, instructions = _read_items(prompt.items)
    attached = _attachments(prompt.items)
    form = prompt.text_format if isinstance(prompt.text_format, dict) else {}
    schema = form.get("schema") if form.get("type") == "json_schema" else None
    passages = passages_of(prompt.items)
    can_search, must_search = may_search(prompt)
    return Conversation(
        instructions=clip(instructions),
        exchanges=exchanges,
        tools=[tool for tool in offered if tool.target is None],
        handoffs=[tool for tool in offered if tool.target is not None],
        must_call=must_call,
        only_one=not prompt.parallel_tool_calls,
        output_schema=Schema.of(schema) if isinstance(schema, dict) else None,
        wants_json=form.get("type") == "json_object" or (form.get("type") == "json_schema" and schema is None),
        attachments=sum("document" not in part for part in attached),
        pictures=tuple(part["size"] for part in attached if isinstance(part.get("size"), str)),
        documents=tuple(found for part in attached if (found := _document(part)) is not None),
        can_search=can_search and passages is None,
        must_search=must_search and passages is None,
        passages=passages,
    )


def _read_tool(raw: Any) -> Tool | None:  # Any: outside JSON
    if not isinstance(raw, dict) or raw.get("type", "function") != "function":
        return None
    inner = raw.get("function")  # the nested shape of Chat Completions
    body = inner if isinstance(inner, dict) else raw
    name, description, parameters = body.get("name"), body.get("description"), body.get("parameters")
    if not isinstance(name, str) or not name:
        return None
    description = description if isinstance(description, str) else ""
    by_words = _HANDOFF_WORDS.match(description)
    by_name = _HANDOFF_NAME.match(name)
    target = by_words[1] if by_words else by_name[1].replace("_", " ") if by_name else None
    if by_words:
        description = description[by_words.end() :].strip()
    return Tool(
        name,
        description[:4_000],
        Schema.of(parameters if isinstance(parameters, dict) else {}),
        body.get("strict") is True,
        target,
    )


def _chosen(tools: list[Tool], choice: Any) -> tuple[list[Tool], bool]:
    """Return the tools that `tool_choice` leaves, and whether one must be called."""
    if choice == "none":
        return [], False
    if choice == "required":
        return tools, bool(tools)
    if not isinstance(choice, dict):
        return tools, False
    if choice.get("type") == "allowed_tools":
        listed = choice.get("tools")
        names = {raw.get("name") for raw in listed if isinstance(raw, dict)} if isinstance(listed, list) else set()
        kept = [tool for tool in tools if tool.name in names]
        return kept, choice.get("mode") == "required" and bool(kept)
    inner = choice.get("function")
    name = choice.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
    named = [tool for tool in tools if tool.name == name]
    return (named, True) if named else (tools, False)


def _read_items(items: list[Any]) -> tuple[list[Exchange], str]:
    """Return the last exchanges and the instructions."""
    told: list[str] = []
    for item in items:
        if not _is_instruction(item):
            break
        told.append(content_text(item.get("content")))
    outputs: dict[str, str] = {}
    backwards: list[Exchange] = []
    calls: list[Call] = []
    replies: list[str] = []
    late: list[str] = []
    for item in reversed(items[len(told) :]):
        if not isinstance(item, dict):
            continue
        role = item.get("role")
        if _is_instruction(item):
            late.append(content_text(item.get("content")))
        elif role == "user":
            text = content_text(item.get("content"))
            if backwards and not calls and not replies and backwards[-1].request and len(backwards) == 1:
                # several user messages in a row are one request, as when an item list holds a text and a question
                backwards[-1] = Exchange(f"{text}\n{backwards[-1].request}", backwards[-1].calls, backwards[-1].replies)
                continue
            backwards.append(Exchange(text, calls[::-1], replies[::-1]))
            calls, replies = [], []
            if len(backwards) >= _REMEMBERED_EXCHANGES:
                break
        elif role == "assistant":
            replies.append(content_text(item.get("content")))
        elif item.get("type") == "function_call_output":
            outputs[str(item.get("call_id"))] = content_text(item.get("output"))
        elif item.get("type") == "function_call":
            calls.append(_read_call(item, outputs))
    if calls or replies or not backwards:
        backwards.append(Exchange("", calls[::-1], replies[::-1]))
        if len(backwards) > 1 and not calls:
            backwards.pop()
    exchanges = backwards[::-1]
    return exchanges, "\n".join([*told, *late[::-1]])


def _is_instruction(item: Any) -> bool:
    return isinstance(item, dict) and item.get("role") in ("system", "developer")


def _read_call(item: dict[str, Any], outputs: dict[str, str]) -> Call:
    try:
        arguments = json.loads(item.get("arguments") or "{}")
    except (TypeError, ValueError, RecursionError):
        arguments = {}
    return Call(
        name=str(item.get("name") or ""),
        arguments=arguments if isinstance(arguments, dict) else {},
        output=outputs.get(str(item.get("call_id"))),
    )


def _attachments(items: list[Any]) -> list[dict[str, Any]]:
    """Return those that came with the last request, which may be several messages in a row."""
    found: list[dict[str, Any]] = []
    asked = False
    for item in reversed(items):
        if not isinstance(item, dict) or _is_instruction(item):
            continue
        if item.get("role") == "user":
            asked = True
            content = item.get("content")
            found = [*filter(_is_attachment, content), *found] if isinstance(content, list) else found
        elif asked:
            break
    return found


def _document(part: dict[str, Any]) -> Attached | None:
    held = part.get("document")
    name, pages, text = (getattr(held, field, None) for field in ("name", "pages", "text"))
    if not isinstance(name, str) or not isinstance(pages, int) or not isinstance(text, str):
        return None
    return Attached(name, pages, clip(content_text(text)))


def _is_attachment(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    return "document" in part or str(part.get("type", "")).split("_")[-1] in ("image", "file", "audio", "url")
