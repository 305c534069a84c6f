"""Prompts that are stored on the platform, and functions that choose one for each call."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NotRequired

from typing_extensions import TypedDict

from agentkit._repr import fields_repr
from agentkit.exceptions import UserError
from agentkit.tooling import RunContextWrapper

__all__ = ["DynamicPromptFunction", "GenerateDynamicPromptData", "Prompt", "resolve_prompt"]


class Prompt(TypedDict):
    """A prompt stored on the platform."""

    id: str
    """Its id, `pmpt_…`."""
    version: NotRequired[str]
    """Its version; the current one when left out."""
    variables: NotRequired[dict[str, Any]]
    """Values for its variables: texts, or input parts such as pictures."""


@dataclass
class GenerateDynamicPromptData:
    """What a function that chooses a prompt is given."""

    __repr__ = fields_repr

    context: RunContextWrapper[Any]
    """The run's context."""
    agent: Any  # an Agent, which lives a layer up
    """The agent that the prompt is for."""


DynamicPromptFunction = Callable[[GenerateDynamicPromptData], Prompt | Awaitable[Prompt]]
"""Chooses the prompt for a call, sync or async."""


async def resolve_prompt(
    prompt: Prompt | DynamicPromptFunction | None, context: RunContextWrapper[Any], agent: Any
) -> Prompt | None:
    """Return an agent's prompt for the next call, in the API's shape.

    Raises:
        UserError: It is neither a prompt nor a function that returns one.
    """
    if prompt is None:
        return None
    chosen: Any = prompt
    if callable(prompt):
        chosen = prompt(GenerateDynamicPromptData(context, agent))
        if inspect.isawaitable(chosen):
            chosen = await chosen
    if not isinstance(chosen, Mapping) or not isinstance(chosen.get("id"), str):
        raise UserError(
            f"Agent {getattr(agent, 'name', agent)!r} has the prompt {chosen!r:.80}, which has no id.",
            hint='A prompt is {"id": "pmpt_…"}, with "version" and "variables" where wanted.',
        )
    known: Any = {key: chosen[key] for key in ("id", "version", "variables") if chosen.get(key) is not None}
    result: Prompt = known
    return result
