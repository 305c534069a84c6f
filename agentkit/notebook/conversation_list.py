"""The conversations that there are: this notebook's with its agents, those with a name, those of other notebooks."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.conversations import conversations, is_session, notebook_file, sessions_file
from agentkit.notebook.options import Command, closest, usage_error

if TYPE_CHECKING:
    from collections.abc import Container

    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.sessions import SessionInfo

__all__ = ["Conversation", "conversation_names", "find_conversation", "list_conversations"]

_HERE = ("this notebook", "named")
"""Kinds of conversations that this notebook has, in the order of the list."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation."""

    name: str
    """What it is called here: the agent's name, that of `--session`, or the variable's."""
    session: Any  # a Session of any make
    """Where it is kept."""
    kind: str
    """Whose it is: "this notebook", "named", "variable", "chat", or the other notebook's file."""
    items: int = 0
    """Items that it has."""
    started_with: str = ""
    """What was said first, shortened."""
    used: str = ""
    """The day on which it was last used, UTC, as YYYY-MM-DD; "" where it isn't kept in a file."""

    @property
    def is_notebooks(self) -> bool:
        """Whether it is this notebook's with one of its agents."""
        return self.kind == "this notebook"


async def list_conversations(shell: InteractiveShell, *, everywhere: bool = False) -> list[Conversation]:
    """Return the conversations that have anything in them, this notebook's first, then those used last first.

    Args:
        shell: The notebook's shell.
        everywhere: Whether those of other notebooks are wanted too.
    """
    from agentkit.sessions import SQLiteSession

    prefix, chats = _prefix(shell), _sessions_of_chats()
    kept = await SQLiteSession.sessions(sessions_file())
    found = [_described(info, prefix, chats) for info in kept if info.items]
    in_memory = [(session, "this notebook") for session in conversations.in_memory()]
    for session, kind in [*in_memory, *((branch, "named") for branch in conversations.branches_in_memory())]:
        if items := await session.get_items():
            found.append(Conversation(session.session_id, session, kind, len(items), _first(items)))
    shown = [entry for entry in found if everywhere or entry.kind in _HERE]
    return sorted(shown, key=lambda entry: _HERE.index(entry.kind) if entry.kind in _HERE else len(_HERE))


async def find_conversation(command: Command, shell: InteractiveShell, name: str) -> Conversation:
    """Return the conversation of that name: a variable's, this notebook's with an agent, a named one, or by its id.

    Raises:
        UsageError: There is none, or nothing has been said in it.
    """
    value = shell.user_ns.get(name)
    if is_session(value):
        items = await value.get_items()
        return Conversation(name, value, "variable", len(items), _first(items))
    listed = await list_conversations(shell, everywhere=True)
    agents = namespace.agents_in(shell.user_ns)
    called = agents[name].name if name in agents else name
    for wanted, kind in ((called, "this notebook"), (name, "named")):
        for entry in listed:
            if entry.name == wanted and entry.kind == kind:
                return entry
    for entry in listed:
        if entry.session.session_id == name:
            return entry
    near = closest(name, [*(entry.name for entry in listed), *agents])
    if called in [agent.name for agent in agents.values()] and not near:
        raise usage_error(command, f"Nothing has been said to {called} yet.")
    raise usage_error(command, f"There is no conversation {name!r}.{near or ' %session list shows them.'}")


def conversation_names(shell: InteractiveShell) -> list[str]:
    """Return what `%session` may be given: names of conversations, but those with spaces, and variables."""
    from agentkit.runtime.background import run_blocking

    listed = run_blocking(list_conversations(shell))
    variables = [name for name, value in shell.user_ns.items() if not name.startswith("_") and is_session(value)]
    names = {*(entry.name for entry in listed), *variables}
    return sorted(name for name in names if not re.search(r"[\s,\"']", name))


def _prefix(shell: InteractiveShell) -> str | None:
    """Return how ids of this notebook's conversations begin; None where nobody names it."""
    notebook = notebook_file(shell.user_ns, in_kernel=getattr(shell, "kernel", None) is not None)
    return None if notebook is None else f"{notebook}: "


def _sessions_of_chats() -> set[str]:
    """Return the ids of the sessions that chats have made for themselves: `agentkit.chat.list` lists those."""
    from agentkit.notebook.chat.store import ChatStore, chats_file

    return ChatStore(chats_file()).own_sessions() if chats_file().exists() else set()


def _described(info: SessionInfo, prefix: str | None, chats: Container[str] = ()) -> Conversation:
    session = conversations.kept(info.session_id)
    name, kind = info.session_id, "chat" if info.session_id in chats else "named"
    if prefix is not None and name.startswith(prefix):
        name, kind = name.removeprefix(prefix), "this notebook"
    elif ".ipynb: " in name:
        kind, _, name = name.partition(": ")
        kind = os.path.basename(kind)
    return Conversation(name, session, kind, info.items, info.started_with, info.updated_at.date().isoformat())


def _first(items: list[dict[str, Any]]) -> str:
    from agentkit.notebook.display.spoken import message_text
    from agentkit.notebook.display.text import clean, one_line

    return next((one_line(clean(message_text(item)), 60) for item in items if item.get("role") == "user"), "")
