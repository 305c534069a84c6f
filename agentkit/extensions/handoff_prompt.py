"""What agents are told about handoffs, so that they neither talk about them nor wonder at them."""

from __future__ import annotations

__all__ = ["RECOMMENDED_PROMPT_PREFIX", "prompt_with_handoff_instructions"]

RECOMMENDED_PROMPT_PREFIX = """\
# How you work
You are one of several agents that serve the user together. Each agent has instructions and tools of its own, and may
pass the conversation to another agent by a handoff: it calls the function named `transfer_to_<agent>`. Then that agent
goes on with the same conversation. Handoffs happen out of the user's sight, so neither mention them nor draw attention
to them: to the user you are one assistant.
"""
"""Text to begin the instructions of every agent with that hands off or is handed to."""


def prompt_with_handoff_instructions(prompt: str) -> str:
    """Return `prompt` with `RECOMMENDED_PROMPT_PREFIX` before it."""
    return f"{RECOMMENDED_PROMPT_PREFIX}\n{prompt}"
