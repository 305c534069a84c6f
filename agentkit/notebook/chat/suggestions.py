"""Messages to begin a chat with, made of what an agent can do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.text import one_line

if TYPE_CHECKING:
    from agentkit.runtime import Agent

__all__ = ["suggestions_for"]

_MOST = 4
_CHARS = 80


def suggestions_for(agent: Agent[Any]) -> list[str]:
    """Return at most four messages: what the agent is for, then a question for each tool and handoff."""
    found = ["What can you help me with?"]
    for tool in agent.tools:
        name, told = str(getattr(tool, "name", "")), str(getattr(tool, "description", "") or "")
        if name:
            found.append(_can_you(name, told))
    for target in agent.handoffs:
        name = str(getattr(target, "agent_name", None) or getattr(target, "name", ""))
        if name:
            found.append(f"I'd like to talk to {name}.")
    return list(dict.fromkeys(one_line(text, _CHARS) for text in found))[:_MOST]


def _can_you(name: str, description: str) -> str:
    """Return a question that wants a tool used, made of what its description says first."""
    sentence = re.split(r"(?<=[.!?])\s|\n", description.strip(), maxsplit=1)[0].rstrip(".!? ")
    if not sentence or len(sentence) > _CHARS - 10:
        return f"Can you use {name.replace('_', ' ')}?"
    first, _, rest = sentence.partition(" ")
    return f"Can you {_plain_verb(first)} {rest}".rstrip() + "?"


def _plain_verb(word: str) -> str:
    """Return a sentence's first word as it stands after "can you": "Returns" as "return"."""
    word = word[:1].lower() + word[1:]
    if re.search(r"(ch|sh|x|ss)es$", word):
        return word[:-2]
    return word[:-1] if re.search(r"[^su]s$", word) else word
