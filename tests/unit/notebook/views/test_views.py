"""What the views of usage, sessions, handoffs, items and states say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, HandoffOutputItem, ModelSettings, Runner, SQLiteSession, Usage, function_tool, handoff
from agentkit.notebook.display.cards import agent_bundle
from agentkit.notebook.display.records import (
    handoff_bundle,
    item_bundle,
    record_bundle,
    response_bundle,
    state_bundle,
    usage_bundle,
)
from agentkit.notebook.display.session_view import session_bundle
from agentkit.sessions import CompactingSession
from agentkit.testing import ScriptedModel, call
from tests.hostile.corpus import HOSTILE
from tests.hostile.harmless import assert_harmless, assert_plain


def used() -> Usage:
    usage = Usage()
    usage.add(Usage(1, 1_200, 30, 1_230), agent_name="Desk", model="gpt-5")
    usage.add(Usage(1, 7, 5, 12), agent_name="受付", model="own-model")
    return usage


def test_usage_is_added_up_and_told_for_each_call() -> None:
    bundle = usage_bundle(used())
    assert bundle["text/plain"].splitlines() == [
        "2 model calls · 1,207 + 35 tokens · price not known",
        "  call  agent  model      input  of it cached  output  of it reasoning  cost",
        "  1     Desk   gpt-5      1,200  0             30      0                $0.0018",
        "  2     受付   own-model  7      0             5       0                price not known",
    ]
    assert bundle["text/html"].count("<tr>") == 3


def test_usage_of_nothing_is_a_line() -> None:
    assert usage_bundle(Usage())["text/plain"] == "0 model calls · 0 + 0 tokens · $0.0000"


def test_settings_are_a_line_in_a_terminal_and_a_table_in_a_notebook() -> None:
    bundle = record_bundle(ModelSettings(temperature=0.2, max_tokens=100))
    assert bundle["text/plain"] == "ModelSettings(temperature=0.2, max_tokens=100)"
    assert "<td><code>0.2</code></td>" in bundle["text/html"]
    assert record_bundle(ModelSettings())["text/plain"] == "ModelSettings()"


def test_a_handoff_tells_to_whom_and_when() -> None:
    way = handoff(Agent[Any](name="Refunds"), is_enabled=False, tool_description_override="For money back.")
    assert handoff_bundle(way)["text/plain"].splitlines() == [
        "Handoff",
        "  to           Refunds",
        "  tool         transfer_to_refunds",
        "  description  For money back.",
        "  offered      never",
    ]


async def test_a_session_shows_the_last_that_was_said_and_only_the_name_of_its_file(tmp_path: Path) -> None:
    session = SQLiteSession("travel", tmp_path / "kept.sqlite")
    await session.add_items([{"role": "user", "content": f"Message {number}"} for number in range(1, 13)])
    lines = session_bundle(session)["text/plain"].splitlines()
    assert lines[:3] == [
        "SQLiteSession 'travel' in kept.sqlite · 12 messages",
        "The first 2 messages are left out.",
        "  3 user: Message 3",
    ]
    assert lines[-1] == " 12 user: Message 12"
    around = session_bundle(CompactingSession(session))["text/plain"]
    assert around.startswith("CompactingSession 'travel' in kept.sqlite · 12 messages")


async def test_a_session_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.sqlite").write_text("no database, and long enough to be looked at " * 50, encoding="utf-8")
    told = session_bundle(SQLiteSession("travel", tmp_path / "bad.sqlite"))["text/plain"]
    assert told.startswith("SQLiteSession('travel', ")
    assert "bad.sqlite" in told
    assert "\n" not in told


def test_a_session_that_is_kept_elsewhere_is_not_asked() -> None:
    class Far:
        session_id = "far"

        async def get_items(self, *_: Any) -> Any:
            raise AssertionError("was asked")

        def __repr__(self) -> str:
            return "Far('far')"

    assert session_bundle(Far())["text/plain"] == "Far('far')"


async def test_items_and_states_and_responses_tell_what_they_hold() -> None:
    @function_tool(needs_approval=True)
    def pay(amount: float) -> str:
        return "paid"

    agent = Agent[Any](name="Desk", model=ScriptedModel(call("pay", amount=3.5), "Done"), tools=[pay])
    result = await Runner.run(agent, "Pay.")
    state = result.to_state()
    assert state_bundle(state)["text/plain"].splitlines() == [
        "RunState · Desk · 1 call waits for a decision",
        "  agent  tool  arguments",
        '  Desk   pay   {"amount":3.5}',
    ]
    assert item_bundle(result.new_items[0])["text/plain"] == 'ToolCallItem(pay({"amount":3.5}))'
    assert "function_call" in response_bundle(result.raw_responses[0])["text/plain"]
    assert "pay" in response_bundle(result.raw_responses[0])["text/html"]


def test_an_agent_of_a_team_is_a_card_with_the_graph_below_and_the_tree_in_a_terminal() -> None:
    refunds = Agent[Any](name="Refunds")
    desk = Agent[Any](name="Desk", model="m", handoffs=[refunds])
    assert agent_bundle(desk)["text/plain"] == "Agent 'Desk'\n  model: m\n  handoffs: Refunds"
    assert "<svg" in agent_bundle(desk)["text/html"]
    refunds.handoffs.append(desk)
    assert agent_bundle(desk)["text/plain"].endswith(
        "  graph:\n    Desk\n    └─ hands off to Refunds\n       └─ hands off to Desk ↺"
    )
    assert "<svg" not in agent_bundle(Agent[Any](name="Alone"))["text/html"]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.id)
async def test_hostile_texts_do_no_harm_in_them(hostile: Any) -> None:
    text = hostile.text
    name = text if text.strip() else "a"
    agent = Agent[Any](name=name, model=text, instructions=text)
    usage = Usage()
    usage.add(Usage(1, 2, 3, 5), agent_name=text, model=text)
    item = HandoffOutputItem(agent, {"type": "function_call_output", "output": text}, agent, agent)
    way = handoff(agent, tool_name_override="go", tool_description_override=text)
    session = SQLiteSession("kept")
    await session.add_items([{"role": "user", "content": text}, {"role": "assistant", "content": text}])
    views = [usage_bundle(usage), item_bundle(item), handoff_bundle(way), session_bundle(session)]
    views += [record_bundle(ModelSettings(metadata={"note": text})), agent_bundle(agent)]
    for bundle in views:
        assert_harmless(bundle["text/html"])
        assert_plain(bundle["text/plain"])
