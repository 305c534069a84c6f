"""Calls that need approval in a live view: asked about, decided on, and left where no click can come."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agentkit import Agent
from agentkit.notebook.approving import Decision
from agentkit.notebook.display.live import LiveView
from agentkit.runtime import ToolApprovalItem

KEEPER: Agent[Any] = Agent(name="keeper <b>")


def wanted(name: str, arguments: str, call_id: str = "c1") -> ToolApprovalItem:
    raw = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    return ToolApprovalItem(KEEPER, raw)


class FrontEnd:
    """Keeps the cards that are on the screen."""

    def __init__(self) -> None:
        self.cards: dict[str, str] = {}
        self.changed = asyncio.Event()

    def send(self, content: dict[str, Any]) -> None:
        if "all" in content:
            self.cards = dict(content["all"]["asks"])
        for name, *texts in content.get("ops", ()):
            if name == "ask":
                self.cards[texts[0]] = texts[1]
            elif name == "answered":
                self.cards.pop(texts[0], None)
        self.changed.set()

    async def shows(self, count: int) -> None:
        """Wait until so many cards are there."""
        while len(self.cards) != count:
            self.changed.clear()
            await self.changed.wait()


@pytest.fixture
async def front_end() -> FrontEnd:
    return FrontEnd()


@pytest.fixture
async def view(front_end: FrontEnd) -> LiveView:
    return LiveView(front_end, asyncio.get_running_loop(), on_stop=lambda: None)


def say(view: LiveView, key: str, verdict: str, reason: str = "") -> None:
    view.front_end_says({"kind": "decide", "key": key, "verdict": verdict, "reason": reason})


async def test_each_call_has_a_card_until_it_is_decided_on(view: LiveView, front_end: FrontEnd) -> None:
    view.front_end_says({"kind": "ready"})
    deciding = asyncio.create_task(view.decide([wanted("delete", '{"path":"a"}', call_id=str(n)) for n in range(3)]))
    await front_end.shows(3)
    say(view, "1", "approve")
    await front_end.shows(2)
    say(view, "2", "always")
    say(view, "3", "reject", " not this one ")
    assert await deciding == [Decision(True), Decision(True, always=True), Decision(False, reason="not this one")]
    await front_end.shows(0)


async def test_a_card_shows_who_wants_what_as_text(view: LiveView, front_end: FrontEnd) -> None:
    view.front_end_says({"kind": "ready"})
    deciding = asyncio.create_task(view.decide([wanted("delete", '{"path":"<img src=x>"}')]))
    await front_end.shows(1)
    assert front_end.cards == {
        "1": "<div>keeper &lt;b&gt; wants to call "
        '<span class="agk-n">delete</span> <span class="agk-g">path=&quot;&lt;img src=x&gt;&quot;</span></div>'
    }
    deciding.cancel()


async def test_long_arguments_are_shown_whole(view: LiveView, front_end: FrontEnd) -> None:
    view.front_end_says({"kind": "ready"})
    deciding = asyncio.create_task(view.decide([wanted("run", '{"script":"' + "x" * 200 + '"}')]))
    await front_end.shows(1)
    assert "x" * 200 in front_end.cards["1"]
    assert "<pre><code>" in front_end.cards["1"]
    deciding.cancel()


async def test_a_page_that_is_loaded_again_gets_the_open_cards(view: LiveView, front_end: FrontEnd) -> None:
    view.front_end_says({"kind": "ready"})
    deciding = asyncio.create_task(view.decide([wanted("delete", "{}"), wanted("delete", "{}", "c2")]))
    await front_end.shows(2)
    say(view, "1", "approve")
    await front_end.shows(1)
    front_end.cards = {}
    view.front_end_says({"kind": "ready"})
    await front_end.shows(1)
    assert list(front_end.cards) == ["2"]
    deciding.cancel()


@pytest.mark.parametrize(
    "message", [{"key": "9", "verdict": "approve"}, {"key": "1", "verdict": "maybe"}, {"verdict": "approve"}, {}]
)
async def test_what_is_not_understood_decides_nothing(
    view: LiveView, front_end: FrontEnd, message: dict[str, Any]
) -> None:
    view.front_end_says({"kind": "ready"})
    deciding = asyncio.create_task(view.decide([wanted("delete", "{}")]))
    await front_end.shows(1)
    view.front_end_says({"kind": "decide", **message})
    say(view, "1", "reject")
    assert await deciding == [Decision(False)]


async def test_the_first_word_counts(view: LiveView, front_end: FrontEnd) -> None:
    view.front_end_says({"kind": "ready"})
    deciding = asyncio.create_task(view.decide([wanted("delete", "{}")]))
    await front_end.shows(1)
    say(view, "1", "reject", "no")
    say(view, "1", "approve")
    assert await deciding == [Decision(False, reason="no")]


async def test_without_a_word_from_the_front_end_nothing_is_decided(front_end: FrontEnd) -> None:
    view = LiveView(front_end, asyncio.get_running_loop(), on_stop=lambda: None, patience_s=0)
    assert await view.decide([wanted("delete", "{}"), wanted("send", "{}")]) == [None, None]
    assert front_end.cards == {}


async def test_cards_of_a_run_that_was_stopped_go_away(view: LiveView, front_end: FrontEnd) -> None:
    view.front_end_says({"kind": "ready"})
    deciding = asyncio.create_task(view.decide([wanted("delete", "{}")]))
    await front_end.shows(1)
    deciding.cancel()
    await front_end.shows(0)
