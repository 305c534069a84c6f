"""The changes with which a recorded call is made again: checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agentkit.exceptions import UserError
from agentkit.models import Model, ModelSettings

__all__ = ["check_changes"]


def check_changes(
    *,
    model: Any,
    instructions: Any,
    settings: Any,
    tools: Any,
    input: Any,  # noqa: A002 (what `Runner.run` calls it)
    client: Any,
    stream: Any,
) -> None:
    """Check the arguments of `RecordedCall.replay`.

    Raises:
        UserError: One makes no sense.
    """
    if model is not None and not isinstance(model, Model) and not (isinstance(model, str) and model):
        raise _wrong("model", "a name or a Model", model, 'For example model="gpt-4.1".')
    if instructions is not None and not isinstance(instructions, str):
        raise _wrong("instructions", "a text", instructions, '"" for none.')
    if settings is not None and not isinstance(settings, (ModelSettings, Mapping)):
        hint = 'For example settings={"temperature": 0}.'
        raise _wrong("settings", "a dictionary or ModelSettings", settings, hint)
    if tools is not None and (isinstance(tools, (str, Mapping)) or not isinstance(tools, Iterable)):
        is_one = isinstance(tools, str) or hasattr(tools, "name")
        one = f"Put it into a list: tools=[{tools!r:.60}]." if is_one else None
        raise _wrong("tools", "a list of tools, or of names of those that the request has", tools, one)
    if input is not None:
        _check_input(input)
    if client is not None:
        _check_client(client)
    if not isinstance(stream, bool):
        raise _wrong("stream", "True or False", stream, None)


def _check_input(given: Any) -> None:
    hint = 'For example input="Hello", or input=call.messages[1:].'
    if isinstance(given, str):
        return
    if not isinstance(given, list):
        raise _wrong("input", "a text or a list of items", given, hint)
    if not given:
        raise UserError("input is an empty list: there would be nothing to answer.", hint=hint)
    for place, item in enumerate(given):
        if not isinstance(item, Mapping) or not ("role" in item or "type" in item):
            raise UserError(f"Item {place} of input is no item, with a role or a type: {item!r:.80}.", hint=hint)


def _check_client(given: Any) -> None:
    import openai

    hint = "For example client=openai.AsyncOpenAI(…)."
    if isinstance(given, openai.OpenAI):
        raise UserError("client is an OpenAI, which blocks.", hint=f"Pass the other one. {hint}")
    if not hasattr(given, "responses") or not hasattr(given, "chat"):
        raise _wrong("client", "an AsyncOpenAI", given, hint)


def _wrong(name: str, what: str, given: Any, hint: str | None) -> UserError:
    return UserError(f"{name} is {what}, not {type(given).__name__} {given!r:.60}.", hint=hint)
