"""What a chat needs to go on, found again: its agent, its session and the branches of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.notebook import conversations, namespace
from agentkit.notebook.chat.branches import Branches
from agentkit.notebook.chat.turns import TurnTree
from agentkit.notebook.options import closest

if TYPE_CHECKING:
    from agentkit.notebook.chat.store import ChatRecord, ChatStore
    from agentkit.notebook.chat.turns import Turn
    from agentkit.runtime import Agent

__all__ = ["agent_named", "branches_of", "clear_sessions", "record_named", "record_used_last", "turns_again"]

_MOST_NAMED = 8
"""Chats that an error names."""

_KERNEL_ENDED = "The kernel ended before the answer did."
_RESTED = "The run rested at calls that nobody decided on until the kernel ended. Send the message again."


def agent_named(names: Mapping[str, Any], name: str) -> Agent[Any]:
    """Return the agent of a name, or that of the variable.

    Args:
        names: The notebook's variables.
        name: The agent's.

    Raises:
        UserError: The notebook's variables have none.
    """
    agents = namespace.agents_in(names)
    if (agent := _agent(names, name)) is not None:
        return agent
    known = [agent.name for agent in agents.values()]
    there = f" There is {', '.join(known)}." if known else ""
    raise UserError(
        f"The chat is with the agent {name!r}, which is not among the notebook's variables.{there}",
        hint="Run the cell that defines it first, or pass it: agentkit.chat.resume(agent=…).",
    )


def _agent(names: Mapping[str, Any], name: str) -> Agent[Any] | None:
    agents = namespace.agents_in(names)
    return next((agent for agent in agents.values() if agent.name == name), None) or agents.get(name)


def record_named(store: ChatStore, chat_id: str) -> ChatRecord:
    """Return the chat of an id, or of the beginning of one.

    Raises:
        UserError: There is none, or several ids begin so.
    """
    if (record := store.chat(chat_id)) is not None:
        return record
    ids = [chat.id for chat in store.chats()]
    if several := [name for name in ids if name.startswith(chat_id)]:
        raise UserError(f"{len(several)} chats begin with {chat_id!r}.", hint=f"Such as {several[0]!r}.")
    near = closest(chat_id, ids)
    raise UserError(f"There is no chat {chat_id!r}.{near}", hint="agentkit.chat.list(everywhere=True) has all.")


def record_used_last(
    store: ChatStore, notebook: str | None, agent: Agent[Any] | None, names: Mapping[str, Any]
) -> ChatRecord:
    """Return the chat of a notebook that was used last, of those whose agent is there.

    Args:
        store: The chats.
        notebook: Path of the notebook; None where nobody tells.
        agent: The agent that is to go on with it, where one was named: its own chats come before those of others.
        names: The notebook's variables.

    Raises:
        UserError: There is none.
    """
    if notebook is None:
        raise UserError(
            "There is no chat to go on with in this kernel, and no front end says which notebook this is.",
            hint="Name the chat: agentkit.chat.resume(id); agentkit.chat.list(everywhere=True) has all.",
        )
    if not (records := store.chats(notebook)):
        hint = "Begin one: agentkit.chat(agent). agentkit.chat.list(everywhere=True) has those of other notebooks."
        raise UserError("This notebook has no chat to go on with.", hint=hint)
    if agent is not None:
        return next((record for record in records if record.agent == agent.name), records[0])
    found = next((record for record in records if _agent(names, record.agent) is not None), None)
    if found is not None or len(records) == 1:
        return found or records[0]
    told = [f"{record.id} (with {record.agent})" for record in records[:_MOST_NAMED]]
    more = f" and {len(records) - _MOST_NAMED} more" if len(records) > _MOST_NAMED else ""
    raise UserError(
        f"The agents of this notebook's chats are not among its variables: {', '.join(told)}{more}.",
        hint="Run the cell that defines one of them first, or pass it: agentkit.chat.resume(id, agent=…).",
    )


def branches_of(
    store: ChatStore, record: ChatRecord, turns: Sequence[Turn], session: Any, names: Mapping[str, Any]
) -> Branches:
    """Return the branches of a chat, with the session that it is on.

    Args:
        store: Where it is kept.
        record: The chat.
        turns: What was said in it.
        session: Its session, where that was passed; found when None.
        names: The notebook's variables.

    Raises:
        UserError: The session can't be found.
    """
    records = store.branches(record.id)
    path = TurnTree(turns).path()
    at = path[-1].branch if path else 1
    wanted = next((each.session_id for each in records if each.number == at), record.id)
    if session is None:
        session = _session_again(record, wanted, names)
    return Branches(record.id, store, session, records, at)


def _session_again(record: ChatRecord, session_id: str, names: Mapping[str, Any]) -> Any:
    """Return the session of an id: from its file, or from a variable."""
    if record.session_path not in (None, ":memory:"):
        from agentkit.sessions import SQLiteSession

        return SQLiteSession(session_id, record.session_path)
    for value in names.values():
        if conversations.is_session(value) and getattr(value, "session_id", None) == session_id:
            return value
    raise UserError(
        f"The chat is kept in a {record.session_kind} with the id {session_id!r}, which is not among the notebook's "
        "variables.",
        hint="Make it again as it was made, or pass it: agentkit.chat.resume(session=…).",
    )


def turns_again(store: ChatStore, record: ChatRecord, *, rest: bool) -> list[Turn]:
    """Return the turns of a chat that is on file, those that nobody answers any more marked so.

    Args:
        store: Where it is kept.
        record: The chat.
        rest: Whether its runs that rest, rest in this kernel, so that they can go on.
    """
    turns = store.turns(record.id)
    for turn in turns:
        if not turn.over:
            turn.status, turn.note = "interrupted", _KERNEL_ENDED
        elif turn.status == "waiting" and not rest:
            turn.status, turn.note = "interrupted", _RESTED
    return turns


def clear_sessions(store: ChatStore, record: ChatRecord) -> None:
    """Delete what is in the sessions that a chat made, which have its name."""
    from agentkit.runtime.background import run_blocking
    from agentkit.sessions import SQLiteSession

    if record.session_path in (None, ":memory:"):
        return
    for branch in store.branches(record.id):
        if branch.session_id == record.id or branch.session_id.startswith(f"{record.id}."):
            run_blocking(SQLiteSession(branch.session_id, record.session_path).clear_session())
