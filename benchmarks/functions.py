"""The Python functions that every contender offers its model as tools."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

__all__ = ["WAIT_S", "Function", "look_up", "many_functions", "wait", "wait_blocking"]

Function = Callable[..., Any]  # sync or async, with any parameters

WAIT_S = 0.020


async def look_up(city: str, day: int) -> str:
    """Look up the weather.

    Args:
        city: Name of the city.
        day: Days from today.
    """
    return f"{city}, day {day}: 21 °C and sunny"


async def wait(number: int) -> str:
    """Wait for 20 ms, as for an answer from the network.

    Args:
        number: Which of the calls it is.
    """
    await asyncio.sleep(WAIT_S)
    return f"waited {number}"


def wait_blocking(number: int) -> str:
    """Wait for 20 ms, as for an answer from the network.

    Args:
        number: Which of the calls it is.
    """
    time.sleep(WAIT_S)
    return f"waited {number}"


_SOURCE = '''
async def {name}(
    text_{number}: str,
    count: int = {number},
    ratio: float | None = None,
    kind: Literal["short", "long"] = "short",
    tags: list[str] | None = None,
) -> str:
    """Do the thing number {number}, as it is described here.

    Args:
        text_{number}: What it is done with.
        count: How often.
        ratio: How much of it, 0 to 1.
        kind: In which form.
        tags: Words to note with it.

    Returns:
        What came of it.
    """
    return text_{number}
'''


def many_functions(count: int, prefix: str = "thing") -> list[Function]:
    """Return `count` different documented functions, each compiled on its own, so that nothing about them is shared."""
    functions: list[Function] = []
    for number in range(count):
        name = f"{prefix}_{number}"
        scope: dict[str, Any] = {}  # what the source defines
        exec("from typing import Literal\n" + _SOURCE.format(name=name, number=number), scope)
        functions.append(scope[name])
    return functions
