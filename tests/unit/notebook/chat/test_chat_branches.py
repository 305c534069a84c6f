"""Branches of a chat in sessions of all makes: those that can branch, and those that can't."""

from __future__ import annotations

from typing import Any

import pytest
from chat_parts import TalkMaker, said, unseen

from agentkit import Agent, SQLiteSession
from agentkit.exceptions import UserError
from agentkit.testing import ScriptedModel


class PlainSession:
    """What the protocol asks for, and nothing else."""

    session_id = "plain"

    def __init__(self) -> None:
        self.items: list[Any] = []

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return self.items[-limit:] if limit else list(self.items)

    async def add_items(self, items: list[Any]) -> None:
        self.items += items

    async def pop_item(self) -> Any:
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        self.items.clear()


def texts(items: list[Any]) -> list[str]:
    return [item["content"] if isinstance(item["content"], str) else item["content"][0]["text"] for item in items]


async def test_each_branch_is_a_session_of_the_same_store(new_talk: TalkMaker) -> None:
    session = SQLiteSession("chat-1")
    talk = new_talk(Agent(name="a", model=ScriptedModel("1", "2", "3")), session)
    await talk.say("One", watch=unseen)
    await talk.say("Two", watch=unseen)
    await talk.edit(talk.tree.path()[1].id, "Zwei", watch=unseen)
    assert talk.branches.session.session_id == "chat-1.2"
    assert texts(await talk.branches.session.get_items()) == ["One", "1", "Zwei", "3"]
    assert texts(await session.get_items()) == ["One", "1", "Two", "2"]


async def test_a_session_that_cannot_branch_holds_one_branch_at_a_time_and_loses_none(new_talk: TalkMaker) -> None:
    session, model = PlainSession(), ScriptedModel("1", "2", "3", "4", "5")
    talk = new_talk(Agent(name="a", model=model), session)
    await talk.say("One", watch=unseen)
    await talk.say("Two", watch=unseen)
    two = talk.tree.path()[1]
    await talk.edit(two.id, "Zwei", watch=unseen)
    zwei = talk.tree.path()[1]
    assert texts(session.items) == ["One", "1", "Zwei", "3"]
    await talk.choose(two.id)
    assert texts(session.items) == ["One", "1", "Two", "2"]
    await talk.say("Three", watch=unseen)
    assert said(model) == ["One", "1", "Two", "2", "Three"]
    await talk.choose(zwei.id)
    await talk.say("Drei", watch=unseen)
    assert said(model) == ["One", "1", "Zwei", "3", "Drei"]
    await talk.choose(two.id)
    assert texts(session.items) == ["One", "1", "Two", "2", "Three", "4"]


async def test_a_chat_begins_after_what_its_session_holds_already(new_talk: TalkMaker) -> None:
    session = PlainSession()
    session.items = [{"role": "user", "content": "Before"}]
    model = ScriptedModel("1", "2")
    talk = new_talk(Agent(name="a", model=model), session)
    await talk.say("One", watch=unseen)
    await talk.retry(talk.tree.path()[0].id, watch=unseen)
    assert said(model) == ["Before", "One"]


async def test_a_session_that_became_shorter_cannot_branch_where_it_is_gone(new_talk: TalkMaker) -> None:
    session = SQLiteSession("chat-1")
    talk = new_talk(Agent(name="a", model=ScriptedModel("1", "2")), session)
    await talk.say("One", watch=unseen)
    await talk.say("Two", watch=unseen)
    await session.clear_session()
    with pytest.raises(UserError, match="has 0 items, where there were 2 when this was said"):
        await talk.retry(talk.tree.path()[1].id, watch=unseen)
    assert [turn.question for turn in talk.tree.path()] == ["One", "Two"]
