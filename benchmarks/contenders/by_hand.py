"""What a loop written by hand needs: schemas of functions, and calling them by the model's arguments."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import Any

from benchmarks.contenders.contender import Run
from benchmarks.functions import Function

__all__ = ["call_function", "gathered", "tool_json"]

_JSON_TYPES = {"str": "string", "int": "integer"}


def tool_json(function: Function) -> dict[str, Any]:  # JSON
    """Return the tool for a function whose parameters are all text or integers."""
    parameters = inspect.signature(function).parameters.values()
    properties = {parameter.name: {"type": _JSON_TYPES[parameter.annotation]} for parameter in parameters}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "name": function.__name__,
        "description": inspect.getdoc(function),
        "parameters": schema,
        "strict": True,
    }


async def call_function(function: Function, arguments: str) -> str:
    """Return what the function returns for arguments in JSON; a sync one is called in a thread."""
    given = json.loads(arguments)
    if inspect.iscoroutinefunction(function):
        return str(await function(**given))
    return str(await asyncio.to_thread(function, **given))


async def gathered(run: Run, questions: list[str], *, at_once: int) -> list[str]:
    """Return the answers to all questions, asked so many at a time: nothing is kept, and one failure is the end."""
    free = asyncio.Semaphore(at_once)

    async def ask(question: str) -> str:
        async with free:
            return await run(question)

    return await asyncio.gather(*map(ask, questions))
