"""What is kept of a chat beside its session."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from pathlib import Path

import pytest

from agentkit.exceptions import UserError
from agentkit.notebook.attachments import Attachment
from agentkit.notebook.chat.store import BranchRecord, ChatRecord, ChatStore
from agentkit.notebook.chat.turns import AttachedFile, Turn, TurnTree
from agentkit.notebook.display.transcript import Step
from agentkit.usage import Usage


def test_a_turn_comes_back_as_it_was(tmp_path: Path) -> None:
    file = Attachment.of("note.txt", b"hello")
    turn = Turn(
        *("t1", None, 1, "What is it?"),
        files=[AttachedFile.of(file)],
        by_cell=True,
        start=2,
        status="max_turns",
        note="Stopped.",
        agent="a",
        model="m",
        answer='{"x": 1}',
        structured=True,
        output_type="Place",
        steps=[Step("call", "k", "look", arguments='{"at": 1}', output="seen", state="ok")],
        seconds={"k": 0.25},
        usage=Usage(requests=1, input_tokens=3, output_tokens=4, total_tokens=7),
        usage_line="a · m",
        trace_id="trace_1",
        rating="down",
        remark="no",
    )
    ChatStore(tmp_path / "chats.sqlite").put_chat(ChatRecord("c", "a"))
    ChatStore(tmp_path / "chats.sqlite").add_turn("c", turn, [file])
    again = ChatStore(tmp_path / "chats.sqlite")
    (found,) = again.turns("c")
    assert asdict(found) == asdict(turn)
    assert again.attachments("t1") == [file]


def test_a_chat_is_found_by_the_beginning_of_its_id_where_only_one_begins_so() -> None:
    store = ChatStore()
    for name in ("chat-a-1", "chat-a-12", "chat-b-1"):
        store.put_chat(ChatRecord(name, "a"))
    found = [store.chat(name) for name in ("chat-b", "chat-a-1", "chat-a", "", "%")]
    assert [chat.id if chat else None for chat in found] == ["chat-b-1", "chat-a-1", None, None, None]


def test_chats_are_listed_by_notebook_the_one_used_last_first() -> None:
    store = ChatStore()
    for at, (name, notebook) in enumerate([("one", "n"), ("two", "n"), ("three", "other")]):
        store.put_chat(ChatRecord(name, "a", notebook=notebook, created_at=at, updated_at=at))
    store.add_turn("one", Turn("t", None, 1, "Hi!"))
    assert [(chat.id, chat.messages, chat.first) for chat in store.chats("n")] == [("one", 1, "Hi!"), ("two", 0, "")]
    assert len(store.chats()) == 3


def test_half_a_surrogate_pair_is_kept_as_an_escape() -> None:
    store = ChatStore()
    store.put_chat(ChatRecord("c", "a"))
    store.add_turn("c", Turn("t", None, 1, "odd \ud83d"))
    assert store.turns("c")[0].question == "odd \\ud83d"


def test_parked_items_of_a_branch_come_back() -> None:
    store = ChatStore()
    store.put_chat(ChatRecord("c", "a"))
    records = [BranchRecord(1, "s", [{"role": "user", "content": "Hi!"}]), BranchRecord(2, "s")]
    store.put_branches("c", records)
    assert store.branches("c") == records


def test_a_file_of_a_later_release_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "chats.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UserError, match="made by a later release of agentkit"):
        ChatStore(tmp_path / "chats.sqlite").chats()


def test_a_file_of_the_first_format_is_brought_up_to_date(tmp_path: Path) -> None:
    store = ChatStore(tmp_path / "chats.sqlite")
    store.put_chat(ChatRecord("c", "a"))
    store.add_turn("c", Turn("t", None, 1, "Hi!", status="completed"))
    connection = sqlite3.connect(tmp_path / "chats.sqlite")
    connection.execute("ALTER TABLE chats ADD COLUMN base_items INTEGER NOT NULL DEFAULT 0")
    connection.execute("UPDATE turns SET more = json_set(more, '$.end', 2)")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.execute("VACUUM INTO ?", (str(tmp_path / "before.sqlite"),))
    connection.close()
    again = ChatStore(tmp_path / "before.sqlite")
    again.put_chat(ChatRecord("d", "a"))
    assert {chat.id for chat in again.chats()} == {"c", "d"}
    assert [turn.question for turn in again.turns("c")] == ["Hi!"]


def test_messages_are_counted_as_a_chat_counts_them() -> None:
    store = ChatStore()
    store.put_chat(ChatRecord("c", "a"))
    turns = [Turn("1", None, 1, "One", status="completed"), Turn("2", "1", 1, "Two")]
    for turn in turns:
        store.add_turn("c", turn)
    assert [store.chats()[0].messages, TurnTree(turns).messages] == [3, 3]


def test_sessions_that_a_chat_made_are_told_from_those_it_was_given() -> None:
    store = ChatStore()
    for name in ("chat-a-1", "chat-a-2"):
        store.put_chat(ChatRecord(name, "a"))
    store.put_branches("chat-a-1", [BranchRecord(1, "chat-a-1"), BranchRecord(2, "chat-a-1.2")])
    store.put_branches("chat-a-2", [BranchRecord(1, "mine"), BranchRecord(2, "chat-a-2.2")])
    assert store.own_sessions() == {"chat-a-1", "chat-a-1.2", "chat-a-2.2"}


def test_the_path_follows_the_version_that_was_chosen_last() -> None:
    tree = TurnTree()
    for name, parent in [("1", None), ("2", "1"), ("2b", "1"), ("3b", "2b"), ("2c", "1")]:
        tree.add(Turn(name, parent, 1, name))
    assert [turn.id for turn in tree.path()] == ["1", "2c"]
    chosen = tree.get("2b")
    assert chosen is not None
    tree.choose(chosen)
    assert [turn.id for turn in tree.path()] == ["1", "2b", "3b"]
    assert tree.place(chosen) == (2, 3)
    assert [turn.id for turn in TurnTree(list(tree)).path()] == ["1", "2b", "3b"]
