"""`agentkit.chat`: begins a chat, goes on with one, lists them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.notebook import conversations, namespace
from agentkit.notebook.chat.branches import Branches
from agentkit.notebook.chat.front import Frame
from agentkit.notebook.chat.handle import Chat, Listeners
from agentkit.notebook.chat.store import ChatRecord, ChatStore, chats_file
from agentkit.notebook.chat.suggestions import suggestions_for
from agentkit.notebook.chat.talk import Talk, Terms, title_of
from agentkit.notebook.options import closest, kind_of

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.chat.turns import Turn
    from agentkit.runtime import Agent, RunConfig

__all__ = ["ChatOpener", "chat"]

_KERNEL_ENDED = "The kernel ended before the answer did."


class ChatOpener:
    """Begins chats: `agentkit.chat(agent)`. `chat.resume()` goes on with one, `chat.list()` lists them."""

    def __init__(self) -> None:
        self._open: dict[str, Chat] = {}

    def __call__(
        self,
        agent: Agent[Any] | Any,  # in a notebook anything may be passed
        *,
        session: Any = None,  # a Session of any make
        suggestions: Sequence[str] | None = None,
        model: str | None = None,
        context: Any = None,
        max_turns: int | None = None,
        run_config: RunConfig | None = None,
        title: str | None = None,
    ) -> Chat:
        """Show a chat with an agent in this cell, and return it.

        Args:
            agent: Who is asked first. After a handoff, who took over.
            session: The conversation that it is; a new one of its own when None.
            suggestions: Messages to begin with, a click each; made of the agent's tools and handoffs when None.
            model: The model to begin with; the agent's own when None. The reader may choose another.
            context: Object for the agent's tools.
            max_turns: Model calls that a run may make; as the notebook's settings say when None.
            run_config: Settings of the runs.
            title: What it is about; what is asked first when None.

        Raises:
            UserError: The agent or the session is none, or no file can be written.
        """
        from agentkit.runtime import Agent

        if not isinstance(agent, Agent):
            hint = "Pass the agent itself: agentkit.chat(weather). By name: %chat weather."
            raise UserError(f"A chat needs an agent, not {kind_of(agent)}.", hint=hint)
        _check_session(session)
        _check_text("model", model)
        _check_text("title", title)
        terms = _terms(context, max_turns, run_config)
        given = suggestions_for(agent) if suggestions is None else _suggestions(suggestions)
        shell = _shell()
        notebook = _notebook(shell)
        record = ChatRecord(_new_id(agent.name), agent.name, title or "", notebook, model)
        session = _new_session(record) if session is None else session
        record.session_kind = type(session).__name__
        record.session_path = _path_of(session)
        store = ChatStore(chats_file()) if notebook is not None else ChatStore()
        return self._opened(shell, agent, record, store, Branches(record.id, store, session), [], terms, given)

    def resume(
        self,
        id: str | None = None,  # noqa: A002 (what `list` calls it)
        *,
        agent: Agent[Any] | None = None,
        session: Any = None,
        context: Any = None,
        max_turns: int | None = None,
        run_config: RunConfig | None = None,
    ) -> Chat:
        """Show a chat in this cell and go on with it, in the kernel that it was begun in or another.

        Args:
            id: Which, or the beginning of its id; the one of this notebook that was used last when None.
            agent: Who is asked; found by its name among the notebook's variables when None.
            session: Its session, where that is in no SQLite file; found among the notebook's variables when None.
            context: Object for the agent's tools.
            max_turns: Model calls that a run may make.
            run_config: Settings of the runs.

        Raises:
            UserError: There is no such chat, or its agent or session can't be found.
        """
        shell = _shell()
        _check_agent(agent)
        _check_session(session)
        terms = _terms(context, max_turns, run_config)
        if (here := self._open_one(id)) is not None:
            if agent is None:
                here.show()
                return here
            if here.busy:
                raise UserError("A message of this chat is being answered.", hint="Wait for the answer, or stop it.")
        store = ChatStore(chats_file())
        record = self._found(store, id, _notebook(shell))
        names: Mapping[str, Any] = {} if shell is None else shell.user_ns
        agent = agent or _agent_named(names, record.agent)
        turns = store.turns(record.id)
        for turn in turns:
            if not turn.over:
                turn.status, turn.note = "interrupted", _KERNEL_ENDED
        branches = _branches(store, record, turns, session, names)
        if here is not None:
            here.close()
        return self._opened(shell, agent, record, store, branches, turns, terms, suggestions_for(agent))

    def list(self, *, everywhere: bool = False) -> pd.DataFrame:
        """Return the chats of this notebook, the one used last first.

        Args:
            everywhere: Whether to list those of other notebooks too.

        Returns:
            Columns `id`, `agent`, `title`, `notebook` (string), `messages` (int64, in all branches), `created_at` and
            `updated_at` (UTC).
        """
        import pandas as pd

        notebook = _notebook(_shell())
        found = [chat._talk.record for chat in self._open.values() if not chat.lasts] if notebook is None else []
        if (notebook is not None or everywhere) and chats_file().exists():
            found += ChatStore(chats_file()).chats(None if everywhere else notebook)
        frame = pd.DataFrame(
            {
                "id": pd.array([chat.id for chat in found], dtype="string"),
                "agent": pd.array([chat.agent for chat in found], dtype="string"),
                "title": pd.array([chat.title for chat in found], dtype="string"),
                "notebook": pd.array([chat.notebook for chat in found], dtype="string"),
                "messages": pd.array([self._count(chat) for chat in found], dtype="int64"),
            }
        )
        for name, seconds in (
            ("created_at", [chat.created_at for chat in found]),
            ("updated_at", [chat.updated_at for chat in found]),
        ):
            frame[name] = pd.to_datetime(pd.Series(seconds, dtype="float64"), unit="s", utc=True)
        return frame

    def forget(self, id: str) -> None:  # noqa: A002 (what `list` calls it)
        """Delete a chat: its messages, its files, and the sessions that it made.

        A session that it was given stays, as do traces and ratings. Outputs of the notebook stay as they are.

        Args:
            id: Which, or the beginning of its id.

        Raises:
            UserError: There is no such chat, or a message of it is being answered.
        """
        here = self._open_one(id)
        if here is not None and here.busy:
            raise UserError("A message of this chat is being answered.", hint="Wait for the answer, or stop it.")
        if here is None or here.lasts:
            store = ChatStore(chats_file())
            record = self._found(store, id if here is None else here.id, None)
        else:
            store, record = here._talk.store, here._talk.record
        _clear_sessions(store, record)
        store.remove_chat(record.id)
        if here is not None:
            here.close()

    def close_all(self) -> None:
        """Close the chats that are open in this kernel."""
        for each in [*self._open.values()]:
            each.close()

    def __repr__(self) -> str:
        return "agentkit.chat: chat(agent) begins a chat, chat.resume() goes on with one, chat.list() lists them"

    # -- within -----------------------------------------------------------------------------------------------------

    def _count(self, record: ChatRecord) -> int:
        return len(self._open[record.id]._talk.tree) if record.id in self._open else record.turns

    def _open_one(self, chat_id: str | None) -> Chat | None:
        """Return a chat that is open here, where that is the one that is meant."""
        if chat_id is None:
            latest = list(self._open.values())
            return latest[-1] if latest else None
        matching = [chat for name, chat in self._open.items() if name.startswith(chat_id)]
        return self._open.get(chat_id) or (matching[0] if len(matching) == 1 else None)

    def _found(self, store: ChatStore, chat_id: str | None, notebook: str | None) -> ChatRecord:
        if chat_id is not None:
            if (record := store.chat(chat_id)) is not None:
                return record
            ids = [chat.id for chat in store.chats()]
            if several := [name for name in ids if name.startswith(chat_id)]:
                raise UserError(f"{len(several)} chats begin with {chat_id!r}.", hint=f"Such as {several[0]!r}.")
            near = closest(chat_id, ids)
            raise UserError(f"There is no chat {chat_id!r}.{near}", hint="agentkit.chat.list(everywhere=True) has all.")
        if notebook is None:
            raise UserError(
                "There is no chat to go on with in this kernel, and no front end says which notebook this is.",
                hint="Name the chat: agentkit.chat.resume(id); agentkit.chat.list(everywhere=True) has all.",
            )
        if not (records := store.chats(notebook)):
            hint = "Begin one: agentkit.chat(agent). agentkit.chat.list(everywhere=True) has those of other notebooks."
            raise UserError("This notebook has no chat to go on with.", hint=hint)
        return records[0]

    def _opened(
        self,
        shell: InteractiveShell | None,
        agent: Agent[Any],
        record: ChatRecord,
        store: ChatStore,
        branches: Branches,
        turns: Sequence[Turn],
        terms: Terms,
        suggestions: Sequence[str],
    ) -> Chat:
        names: Mapping[str, Any] = {} if shell is None else shell.user_ns
        listeners = Listeners()
        talk = Talk(
            agent,
            record,
            store,
            branches,
            turns=turns,
            terms=terms,
            listener=listeners,
            find_model=lambda name: namespace.find_model(names, name),
            names_of_models=lambda: namespace.model_names(names),
        )
        lasts = store.path != ":memory:"
        frame = Frame(
            "" if turns and record.title == title_of(turns[0].question) else record.title,
            suggestions,
            lambda: namespace.model_names(names),
            f'agentkit.chat.resume("{record.id}")' if lasts else "",
            _height(),
        )
        opened = Chat(talk, listeners, shell, frame, lambda: self._forget(record.id))
        self._open[record.id] = opened
        opened.show()
        return opened

    def _forget(self, chat_id: str) -> None:
        self._open.pop(chat_id, None)


def _clear_sessions(store: ChatStore, record: ChatRecord) -> None:
    """Delete what is in the sessions that a chat made, which have its name."""
    from agentkit.runtime.background import run_blocking
    from agentkit.sessions import SQLiteSession

    if record.session_path in (None, ":memory:"):
        return
    for branch in store.branches(record.id):
        if branch.session_id == record.id or branch.session_id.startswith(f"{record.id}."):
            run_blocking(SQLiteSession(branch.session_id, record.session_path).clear_session())


def _shell() -> InteractiveShell | None:
    from IPython import get_ipython

    shell: InteractiveShell | None = get_ipython()
    return shell


def _notebook(shell: InteractiveShell | None) -> str | None:
    if shell is None:
        return None
    return conversations.notebook_file(shell.user_ns, in_kernel=getattr(shell, "kernel", None) is not None)


def _height() -> int:
    from agentkit.notebook.settings import settings

    return int(settings().chat_height)


def _check_agent(agent: Any) -> None:  # whatever was passed
    from agentkit.runtime import Agent

    if agent is not None and not isinstance(agent, Agent):
        raise UserError(f"A chat goes on with an agent, not {kind_of(agent)}.", hint="Pass the agent itself: agent=…")


def _check_session(session: Any) -> None:  # whatever was passed
    if session is not None and not conversations.is_session(session):
        hint = 'Pass a SQLiteSession("name", "file.sqlite"), or leave it out.'
        raise UserError(f"A chat's session can't be {kind_of(session)}.", hint=hint)


def _check_text(name: str, value: Any) -> None:  # whatever was passed
    if value is not None and not isinstance(value, str):
        raise UserError(f"A chat's {name} is text, not {kind_of(value)}.")


def _suggestions(given: Any) -> list[str]:  # whatever was passed
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise UserError(f"suggestions is {kind_of(given)}.", hint='Pass a list of texts: ["What can you do?"].')
    texts = list(given)
    for text in texts:
        _check_text("suggestion", text)
    return texts


def _terms(context: Any, max_turns: Any, run_config: Any) -> Terms:  # whatever was passed
    from agentkit.runtime import RunConfig

    if max_turns is not None and (not isinstance(max_turns, int) or isinstance(max_turns, bool) or max_turns < 1):
        raise UserError(
            f"max_turns is the number of model calls that a run may make, 1 or more, not {max_turns!r:.60}."
        )
    if run_config is not None and not isinstance(run_config, RunConfig):
        raise UserError(f"run_config is {kind_of(run_config)}.", hint="Pass a RunConfig(…), or leave it out.")
    return Terms(context, max_turns, run_config)


def _new_id(agent: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", agent.lower()).strip("-")[:24].strip("-")
    return f"chat-{name or 'agent'}-{secrets.token_hex(3)}"


def _new_session(record: ChatRecord) -> Any:
    from agentkit.sessions import SQLiteSession

    return SQLiteSession(record.id, ":memory:" if record.notebook is None else conversations.sessions_file())


def _path_of(session: Any) -> str | None:
    """Return the file of a session that this module can open again."""
    from agentkit.sessions import SQLiteSession

    return str(session.db_path) if type(session) is SQLiteSession else None


def _agent_named(names: Mapping[str, Any], name: str) -> Agent[Any]:
    """Return the agent of a name, or that of the variable.

    Raises:
        UserError: The notebook's variables have none.
    """
    agents = namespace.agents_in(names)
    for agent in agents.values():
        if agent.name == name:
            return agent
    if name in agents:
        return agents[name]
    known = [agent.name for agent in agents.values()]
    there = f" There is {', '.join(known)}." if known else ""
    raise UserError(
        f"The chat is with the agent {name!r}, which is not among the notebook's variables.{there}",
        hint="Run the cell that defines it first, or pass it: agentkit.chat.resume(agent=…).",
    )


def _branches(
    store: ChatStore, record: ChatRecord, turns: Sequence[Turn], session: Any, names: Mapping[str, Any]
) -> Branches:
    from agentkit.notebook.chat.turns import TurnTree

    records = store.branches(record.id)
    path = TurnTree(turns).path()
    at = path[-1].branch if path else 1
    wanted = next((each.session_id for each in records if each.number == at), record.id)
    if session is None:
        session = _session_again(record, wanted, names)
    return Branches(record.id, store, session, records, at)


def _session_again(record: ChatRecord, session_id: str, names: Mapping[str, Any]) -> Any:
    """Return the session of an id: from its file, or from a variable.

    Raises:
        UserError: It is in neither.
    """
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


chat = ChatOpener()
"""`agentkit.chat`."""
