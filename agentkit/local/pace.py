"""How fast a streamed answer comes: like a model's, or as told."""

from __future__ import annotations

import asyncio
import math
import os
import time

from agentkit.local.errors import ApiError

__all__ = ["PACE_VARIABLE", "Pace"]

PACE_VARIABLE = "AGENTKIT_REHEARSAL_TOKENS_PER_S"
"""Environment variable: tokens a second, 0 for as fast as possible."""

_TOKENS_PER_S = 80.0
_LONGEST_ANSWER_S = 3.0
_WORTH_SLEEPING_S = 0.001


class Pace:
    """When each token of one answer is due.

    Args:
        tokens_per_s: Tokens a second; 0 for as fast as possible.
        longest_s: Seconds that no answer exceeds: it starts at `tokens_per_s` and speeds up as it gets longer, so that
            the length needn't be known beforehand. None for a steady pace.
    """

    __slots__ = ("_count", "_longest_s", "_start", "_tokens_per_s")

    def __init__(self, tokens_per_s: float = _TOKENS_PER_S, longest_s: float | None = _LONGEST_ANSWER_S) -> None:
        self._tokens_per_s = tokens_per_s
        self._longest_s = longest_s
        self._start = 0.0
        self._count = 0

    @classmethod
    def from_environment(cls) -> Pace:
        """Return the pace that the environment asks for, or a model's usual one.

        Raises:
            ApiError: The variable isn't a number of tokens.
        """
        if not (text := os.environ.get(PACE_VARIABLE, "").strip()):
            return cls()
        try:
            tokens_per_s = float(text)
        except ValueError:
            tokens_per_s = math.nan
        if not (math.isfinite(tokens_per_s) and tokens_per_s >= 0):
            message = (
                f"{PACE_VARIABLE}={text!r} is not a number of tokens per second. Set it to 80, to 0, or not at all."
            )
            raise ApiError(message, status=500, kind="server_error", headers={"x-should-retry": "false"})
        return cls(tokens_per_s, None)

    def due_s(self, count: int) -> float:
        """Return when token number `count` is due, in seconds after the first one (number 0)."""
        if not self._tokens_per_s:
            return 0.0
        steady_s = count / self._tokens_per_s
        if self._longest_s is None:
            return steady_s
        return self._longest_s * -math.expm1(-steady_s / self._longest_s)

    async def next_token(self) -> None:
        """Wait until the next token is due."""
        if not self._tokens_per_s:
            return
        now = time.monotonic()
        if not self._count:
            self._start = now
        wait_s = self._start + self.due_s(self._count) - now
        self._count += 1
        if wait_s > _WORTH_SLEEPING_S:
            await asyncio.sleep(wait_s)
