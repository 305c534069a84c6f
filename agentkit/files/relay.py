"""What happens on the background loop, told in the thread that waits for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from agentkit.runtime.background import run_blocking

__all__ = ["run_told"]

E = TypeVar("E")


class _Relay(Generic[E]):
    def __init__(self, listener: Callable[[E], object] | None) -> None:
        self._listener = listener
        self._events: deque[E] = deque()

    def __call__(self, event: E) -> None:
        self._events.append(event)

    def deliver(self) -> None:
        while self._events:
            event = self._events.popleft()
            if self._listener is not None:
                self._listener(event)


def run_told(make: Any, listener: Callable[[E], object] | None) -> Any:
    """Run a coroutine on the background loop, and return what it returns; its events come to the calling thread.

    Args:
        make: Makes the coroutine, given who is to be told.
        listener: Who is told in the calling thread. What it raises ends all.
    """
    relay = _Relay(listener)
    coroutine: Coroutine[Any, Any, Any] = make(relay)
    try:
        made = run_blocking(coroutine, while_waiting=relay.deliver)
    except BaseException:
        relay.deliver()
        raise
    relay.deliver()
    return made
