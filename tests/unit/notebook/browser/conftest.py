"""A home of its own for each test, and a front end that notes what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from agentkit.notebook.browser.front import BrowserFront
from agentkit.notebook.browser.wanted import Wanted, wanted_of

MakeFront = Callable[..., "Told"]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the store."""
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class Told:
    """A browser's front, and what it sends."""

    def __init__(self, wanted: Wanted) -> None:
        self.messages: list[dict[str, Any]] = []
        self.kept: list[dict[str, str]] = []
        self._news = asyncio.Event()
        self._at = 0
        loop = asyncio.get_running_loop()

        def keep(bundle: dict[str, str]) -> None:
            self.kept.append(bundle)
            loop.call_soon_threadsafe(self._news.set)

        self.front = BrowserFront(self, loop, wanted, on_kept=keep, poll_s=0.01, keep_after_s=0.0)

    def send(self, content: dict[str, Any]) -> None:
        """Take a message, as the widget does."""
        self.messages.append(content)
        self._news.set()

    def say(self, kind: str, **content: Any) -> None:
        """Say something as the front end does."""
        self.front.says({"kind": kind, **content})

    async def until(self, name: str) -> Any:
        """Return the next message that has this part, that part of it."""
        async with asyncio.timeout(30):
            while True:
                while self._at < len(self.messages):
                    self._at += 1
                    if name in (message := self.messages[self._at - 1]):
                        return message[name]
                self._news.clear()
                await self._news.wait()

    async def until_kept(self, text: str) -> dict[str, str]:
        """Return what the notebook keeps, once that has a text in it."""
        async with asyncio.timeout(30):
            while not self.kept or text not in self.kept[-1]["text/plain"]:
                self._news.clear()
                await self._news.wait()
        return self.kept[-1]


@pytest.fixture
async def front() -> AsyncIterator[MakeFront]:
    """A function that makes a browser's front; the arguments are those of `browse`."""
    made: list[Told] = []

    def front_(**filters: Any) -> Told:
        made.append(Told(wanted_of(**filters)))
        return made[-1]

    yield front_
    for each in made:
        each.front.close()
    await asyncio.sleep(0)
    for each in made:
        await asyncio.gather(*each.front._tasks, return_exceptions=True)
