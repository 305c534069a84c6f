"""`agentkit.chat`: begins a chat, goes on with one, lists them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.notebook import conversations, namespace
from agentkit.notebook.chat.branches import Branches
from agentkit.notebook.chat.checks import (
    check_agent,
    check_session,
    check_text,
    checked_id,
    checked_suggestions,
    checked_terms,
)
from agentkit.notebook.chat.finding import (
    agent_named,
    branches_of,
    clear_sessions,
    record_named,
    record_used_last,
    turns_again,
)
from agentkit.notebook.chat.front import Frame
from agentkit.notebook.chat.handle import Chat
from agentkit.notebook.chat.listeners import Listeners
from agentkit.notebook.chat.output import running_cell
from agentkit.notebook.chat.store import ChatRecord, ChatStore, chats_file
from agentkit.notebook.chat.suggestions import suggestions_for
from agentkit.notebook.chat.talk import Talk, title_of
from agentkit.notebook.display.text import clean
from agentkit.notebook.options import kind_of

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.chat.exchange import Terms
    from agentkit.notebook.chat.turns import Turn
    from agentkit.runtime import Agent, RunConfig

__all__ = ["ChatOpener", "chat"]


class ChatOpener:
    """Begins chats: `agentkit.chat(agent)`. `chat.resume()` goes on with one, `chat.list()` lists them."""

    def __init__(self) -> None:
        self._open: dict[str, Chat] = {}
        self._of_kernel: set[str] = set()
        self._closed: dict[str, Chat] = {}  # of those that are in no file
        self._replaced: dict[str, Chat] = {}  # by the cell that runs, of each agent the one used last
        self._replaced_in: tuple[str, str] | None = None

    @called_as("agentkit.chat")
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
        check_session(session)
        check_text("model", model)
        check_text("title", title)
        terms = checked_terms(context, max_turns, run_config)
        given = suggestions_for(agent) if suggestions is None else checked_suggestions(suggestions)
        shell = _shell()
        notebook = _notebook(shell)
        record = ChatRecord(_new_id(agent.name), agent.name, title or "", notebook, model)
        session = _new_session(record) if session is None else session
        record.session_kind = type(session).__name__
        record.session_path = _path_of(session)
        store = ChatStore(chats_file()) if notebook is not None else ChatStore()
        return self._opened(shell, agent, record, store, Branches(record.id, store, session), [], terms, given)

    @called_as("agentkit.chat.resume")
    def resume(
        self,
        id: str | Chat | None = None,  # noqa: A002 (what `list` calls it)
        *,
        agent: Agent[Any] | None = None,
        session: Any = None,
        context: Any = None,
        max_turns: int | None = None,
        run_config: RunConfig | None = None,
    ) -> Chat:
        """Show a chat in this cell and go on with it, in the kernel that it was begun in or another.

        Args:
            id: Which: its id, the beginning of one, or the chat. When None, the one of this notebook that was used
                last, of those whose agent is there.
            agent: Who is asked; found by its name among the notebook's variables when None.
            session: Its session, where that is in no SQLite file; found among the notebook's variables when None.
            context: Object for the agent's tools.
            max_turns: Model calls that a run may make.
            run_config: Settings of the runs.

        Raises:
            UserError: There is no such chat, or its agent or session can't be found.
        """
        shell = _shell()
        wanted = checked_id(id, "agentkit.chat.resume")
        check_agent(agent)
        check_session(session)
        terms = checked_terms(context, max_turns, run_config)
        here = self._here(wanted, agent)
        if here is not None and agent is None and here.id in self._open:
            here.show()
            return here
        _check_rests(here)
        names: Mapping[str, Any] = {} if shell is None else shell.user_ns
        if here is not None and not here.is_on_file:
            talk = here._talk
            store, record, branches, turns = talk.store, talk.record, talk.branches, list(talk.tree)
            agent = agent or talk.agent
        else:
            store = ChatStore(chats_file())
            wanted = wanted if here is None else here.id
            notebook = _notebook(shell)
            record = record_named(store, wanted) if wanted else record_used_last(store, notebook, agent, names)
            agent = agent or (id.agent if isinstance(id, Chat) else agent_named(names, record.agent))
            turns = turns_again(store, record, rest=record.id in self._of_kernel)
            branches = branches_of(store, record, turns, session, names)
        if here is not None:
            here.close()
        return self._opened(shell, agent, record, store, branches, turns, terms, suggestions_for(agent))

    @called_as("agentkit.chat.list")
    def list(self, *, everywhere: bool = False) -> pd.DataFrame:
        """Return the chats of this notebook, the one used last first.

        Args:
            everywhere: Whether to list those of other notebooks too.

        Returns:
            Columns `id`, `agent`, `title`, `notebook` (string), `messages` (int64: those of the reader and the
            answers, in all branches), `created_at` and `updated_at` (UTC).
        """
        import pandas as pd

        notebook = _notebook(_shell())
        here = [*self._open.values(), *(chat for chat in self._closed.values() if chat.messages)]
        here = sorted((chat for chat in here if not chat.lasts), key=_used_at, reverse=True)
        found = [chat._talk.record for chat in here] if notebook is None else []
        if (notebook is not None or everywhere) and chats_file().exists():
            found += ChatStore(chats_file()).chats(None if everywhere else notebook)
        frame = pd.DataFrame(
            {
                "id": pd.array([chat.id for chat in found], dtype="string"),
                "agent": pd.array([chat.agent for chat in found], dtype="string"),
                "title": pd.array([clean(chat.title) for chat in found], dtype="string"),
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

    @called_as("agentkit.chat.forget")
    def forget(self, id: str | Chat) -> None:  # noqa: A002 (what `list` calls it)
        """Delete a chat: its messages, its files, and the sessions that it made.

        A session that it was given stays, as do traces and ratings. Outputs of the notebook stay as they are.

        Args:
            id: Which: its id, the beginning of one, or the chat.

        Raises:
            UserError: There is no such chat, or a message of it is being answered.
        """
        wanted = checked_id(id, "agentkit.chat.forget")
        if wanted is None:
            raise UserError("Which chat?", hint="agentkit.chat.list() has their ids: agentkit.chat.forget(id).")
        here = self._here(wanted)
        _check_rests(here)
        if here is None or here.is_on_file:
            store = ChatStore(chats_file())
            record = record_named(store, wanted if here is None else here.id)
        else:
            store, record = here._talk.store, here._talk.record
        clear_sessions(store, record)
        store.remove_chat(record.id)
        if here is not None:
            here.deleted()
        if isinstance(id, Chat):
            id.deleted()
        self._closed.pop(record.id, None)

    def close_all(self) -> None:
        """Close the chats that are open in this kernel."""
        for each in [*self._open.values()]:
            each.close()
        self._closed.clear()

    def __repr__(self) -> str:
        return "agentkit.chat: chat(agent) begins a chat, chat.resume() goes on with one, chat.list() lists them"

    # -- within -----------------------------------------------------------------------------------------------------

    def _count(self, record: ChatRecord) -> int:
        here = self._open.get(record.id) or self._closed.get(record.id)
        return record.messages if here is None else here._talk.tree.messages

    def _here(self, chat_id: str | None, agent: Agent[Any] | None = None) -> Chat | None:
        """Return a chat of this kernel, where that is the one that is meant."""
        if chat_id is None:
            chats = sorted(self._open.values() or filter(_has_messages, self._closed.values()), key=_used_at)
            own = [chat for chat in chats if agent is not None and chat._talk.record.agent == agent.name]
            return (own or chats)[-1] if chats else None
        known = self._closed | self._open
        matching = [chat for name, chat in known.items() if name.startswith(chat_id)]
        return known.get(chat_id) or (matching[0] if len(matching) == 1 else None)

    def _close_replaced(self, shell: InteractiveShell | None, record: ChatRecord) -> tuple[str, str] | None:
        """Close the chats whose cell runs again: their output is gone. What was said in them can be resumed.

        Args:
            shell: The notebook's shell.
            record: The chat that is shown in their place.

        Returns:
            What to say of the one of the same agent that something was said in, and the line that resumes it.
        """
        cell = None if shell is None else running_cell(shell)
        if cell != self._replaced_in:
            self._replaced_in, self._replaced = cell, {}
        for each in sorted(self._open.values(), key=_used_at):
            if each.is_replaced:
                each.close()
                if each.messages:
                    self._replaced[each._talk.record.agent] = each
                else:
                    self._closed.pop(each.id, None)
        earlier = self._replaced.get(record.agent)
        return None if earlier is None or earlier.id == record.id else _earlier(earlier.id, len(earlier.messages))

    def _of_another_kernel(self, store: ChatStore, record: ChatRecord) -> tuple[str, str] | None:
        """Return what to say of the agent's last chat in this notebook, where that was in a kernel that has ended."""
        chats = [each for each in store.chats(record.notebook) if each.agent == record.agent]
        if not chats or not chats[0].messages or chats[0].id in self._of_kernel:
            return None
        return _earlier(chats[0].id, chats[0].messages)

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
        lasts, resume = store.path != ":memory:", _line_that_resumes(record.id)
        earlier = self._close_replaced(shell, record)
        if earlier is None and lasts and not turns:
            earlier = self._of_another_kernel(store, record)
        frame = Frame(
            "" if turns and record.title == title_of(turns[0].question) else record.title,
            suggestions,
            lambda: namespace.model_names(names),
            resume if lasts else "",
            _height(),
            again=resume,
            earlier=earlier,
        )
        opened = Chat(talk, listeners, shell, frame, lambda: self._forget(opened))
        self._open[record.id] = opened
        self._of_kernel.add(record.id)
        self._closed.pop(record.id, None)
        opened.show()
        return opened

    def _forget(self, chat: Chat) -> None:
        self._open.pop(chat.id, None)
        if not chat.is_on_file:
            self._closed[chat.id] = chat


def _line_that_resumes(chat_id: str) -> str:
    return f'import agentkit; agentkit.chat.resume("{chat_id}")'


def _earlier(chat_id: str, messages: int) -> tuple[str, str]:
    count = f"{messages} message{'' if messages == 1 else 's'}"
    return f"The earlier chat ({count}), in a new cell:", _line_that_resumes(chat_id)


def _used_at(chat: Chat) -> float:
    return chat._talk.record.updated_at


def _has_messages(chat: Chat) -> bool:
    return bool(chat.messages)


def _check_rests(chat: Chat | None) -> None:
    if chat is not None and chat.busy:
        raise UserError("A message of this chat is being answered.", hint="Wait for the answer, or stop it.")


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


chat = ChatOpener()
"""`agentkit.chat`."""
