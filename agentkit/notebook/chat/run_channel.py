"""The way of one turn's run to the widget of its chat."""

from __future__ import annotations

import asyncio
from typing import Any

from agentkit.notebook.display.live import Channel, LiveView

__all__ = ["RunChannel", "TimedView", "time_text"]


class RunChannel:
    """Carries the messages of one turn's run, with the times that its steps took.

    Args:
        channel: The chat's.
        turn_id: The turn.
    """

    def __init__(self, channel: Channel, turn_id: str) -> None:
        self._channel = channel
        self._turn_id = turn_id
        self._all: dict[str, str] = {}
        self._new: dict[str, str] = {}

    def took(self, key: str, seconds: float) -> None:
        """Note how long a step took."""
        self._all[key] = self._new[key] = time_text(seconds)

    def send(self, content: dict[str, Any]) -> None:
        """Send one message of the run."""
        times, self._new = self._all if "all" in content else self._new, {}
        self._channel.send({"run": content, "turn": self._turn_id, **({"times": dict(times)} if times else {})})


class TimedView(LiveView):
    """A live view that is told how long steps took."""

    def __init__(self, channel: RunChannel, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(channel, loop, **options)
        self.took = channel.took


def time_text(seconds: float | None) -> str:
    """Return a time as it is shown; "" where it isn't known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
