"""Chats without a notebook: a home of their own, and a conversation to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from chat_parts import Listener, TalkMaker

from agentkit import Agent, SQLiteSession
from agentkit.notebook.chat.branches import Branches
from agentkit.notebook.chat.store import ChatRecord, ChatStore
from agentkit.notebook.chat.talk import Talk


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / "home"))


@pytest.fixture
def new_talk() -> TalkMaker:
    """A function that begins a conversation with an agent."""

    def new_talk(agent: Agent[Any], session: Any = None, **options: Any) -> Talk:
        record, store = ChatRecord("chat-1", agent.name), ChatStore()
        branches = Branches(record.id, store, session or SQLiteSession(record.id))
        return Talk(agent, record, store, branches, **{"listener": Listener(), **options})

    return new_talk
