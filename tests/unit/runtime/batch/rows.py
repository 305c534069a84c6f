"""Models and outcomes that the tests of batches share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from agentkit.testing import ScriptedModel
from agentkit.testing.scripted import Item


class Echo(ScriptedModel):
    """Answers each question with what a function makes of its text; an exception is raised."""

    def __init__(self, answer: Callable[[str], str | Item | Exception] = str.upper) -> None:
        super().__init__()
        self.answer = answer

    @property
    def asked(self) -> list[str]:
        """What was asked, in order."""
        return [request.input[-1]["content"] for request in self.requests]

    async def get_response(self, system_instructions: Any, input: Any, *args: Any, **options: Any) -> Any:
        self.reply(self.answer(input if isinstance(input, str) else input[-1].get("content", "")))
        return await super().get_response(system_instructions, input, *args, **options)


class Crowd(Echo):
    """Answers only when as many questions are under way as there may be, and notes how many there were."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.inside = self.most = 0
        self._full = asyncio.Event()

    async def get_response(self, *args: Any, **options: Any) -> Any:
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.inside == self.size:
            self._full.set()
        await self._full.wait()
        self.inside -= 1
        return await super().get_response(*args, **options)
