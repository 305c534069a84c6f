"""What every session has to do, as checks: for the sessions of this package, and for yours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

__all__ = ["SESSION_CHECKS"]

Open = Callable[[str], Any]
"""Returns a session with an id, empty where that is new; sessions with the same id are the same conversation."""


def said(text: str) -> dict[str, Any]:
    """Return a user's message."""
    return {"role": "user", "content": text}


async def gives_back_what_it_was_given(open_session: Open) -> None:
    """Items come back as they were, oldest first."""
    session = open_session("a")
    first, second = said("naïve 日本 \u0000 \U0001f600"), {"type": "reasoning", "id": "rs_1", "summary": []}
    assert await session.get_items() == []
    await session.add_items([first, second])
    await session.add_items([])
    await session.add_items([said("three")])
    assert await session.get_items() == [first, second, said("three")]


async def gives_the_latest_up_to_a_limit(open_session: Open) -> None:
    """A limit leaves out the oldest, and never cuts a call from its output."""
    session = open_session("a")
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}
    await session.add_items([said("one"), call, output, said("two")])
    assert await session.get_items(limit=1) == [said("two")]
    assert await session.get_items(limit=2) == [said("two")]
    assert await session.get_items(limit=3) == [call, output, said("two")]
    assert await session.get_items(limit=0) == []


async def takes_the_latest_away(open_session: Open) -> None:
    """`pop_item` gives the latest item and takes it away; None where there is none."""
    session = open_session("a")
    await session.add_items([said("one"), said("two")])
    assert [await session.pop_item() for _ in range(3)] == [said("two"), said("one"), None]
    assert await session.get_items() == []


async def takes_all_away(open_session: Open) -> None:
    """`clear_session` leaves an empty one, that can be used again."""
    session = open_session("a")
    await session.add_items([said("one")])
    await session.clear_session()
    assert await session.get_items() == []
    await session.add_items([said("two")])
    assert await session.get_items() == [said("two")]


async def keeps_conversations_apart(open_session: Open) -> None:
    """What is said in one isn't in another, and the same id is the same conversation."""
    one, two = open_session("a"), open_session("b")
    await one.add_items([said("one")])
    await two.add_items([said("two")])
    await two.clear_session()
    assert (await one.get_items(), await two.get_items()) == ([said("one")], [])
    assert await open_session("a").get_items() == [said("one")]


async def never_mixes_what_is_added_at_once(open_session: Open) -> None:
    """Items that were added in one call stay together."""
    await open_session("a").get_items()
    await asyncio.gather(
        *(open_session("a").add_items([said(f"{writer} {number}") for number in range(5)]) for writer in range(6))
    )
    writers = [item["content"].split()[0] for item in await open_session("a").get_items()]
    assert [writers[start : start + 5] for start in range(0, 30, 5)] == [
        [writers[start]] * 5 for start in range(0, 30, 5)
    ]


async def adds_all_or_nothing(open_session: Open) -> None:
    """An item that can't be kept keeps the others of its call out."""
    session = open_session("a")
    try:
        await session.add_items([said("one"), {"content": object()}])
    except Exception:  # of whatever class: that nothing is kept is what counts
        pass
    else:
        raise AssertionError("an item that is no JSON was taken")
    assert await session.get_items() == []


SESSION_CHECKS: tuple[Callable[[Open], Awaitable[None]], ...] = (
    gives_back_what_it_was_given,
    gives_the_latest_up_to_a_limit,
    takes_the_latest_away,
    takes_all_away,
    keeps_conversations_apart,
    never_mixes_what_is_added_at_once,
    adds_all_or_nothing,
)
"""The checks. Each takes a function that opens a session with an id, on a store that is empty at first."""
