"""`%session`: the conversations that there are; one of them to be read, forgotten, or gone on with another way."""

from __future__ import annotations

import dataclasses
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit.notebook.conversations import conversations
from agentkit.notebook.magics.base import Magic
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.conversation_list import Conversation

__all__ = ["SESSION"]

T = TypeVar("T")

_NAME = Subject(
    "NAME",
    "A conversation: an agent's name for this notebook's with it, a name given to --session, or a variable.",
    values="conversations",
)
_LIST = Command(
    name="session list",
    summary="List the conversations: this notebook's, then those with a name.",
    kinds=("line",),
    options=(Option("--all", "Those of other notebooks too."),),
)
_SHOW = Command(
    name="session show",
    summary="Show a conversation as it was spoken, its messages numbered.",
    kinds=("line",),
    subject=_NAME,
)
_CLEAR = Command(
    name="session clear",
    summary="Forget a conversation, for good; --all forgets this notebook's with all agents.",
    kinds=("line",),
    subject=dataclasses.replace(_NAME, required=False),
    options=(Option("--all", "All of this notebook; those with a name and those of other notebooks stay."),),
)
_BRANCH = Command(
    name="session branch",
    summary="Begin another conversation with what was said in one so far, which stays as it is.",
    kinds=("line",),
    subject=_NAME,
    options=(
        Option(
            "--at",
            "The last message that it takes along, by its number in %session show; the last of all without.",
            "NUMBER",
            convert=int,
        ),
        Option("--to", "What it is called; NAME-2, NAME-3 and so on without.", "NEW"),
    ),
    examples="""
%session branch weather --at 2 --to what-if
%ask weather --session what-if And in winter?
""",
)
_COMMAND = Command(
    name="session",
    summary="The conversations that agents remember: list, show, clear or branch them.",
    kinds=("line",),
    subcommands=(_LIST, _SHOW, _CLEAR, _BRANCH),
    examples="""
%session list
%session show weather
%session clear weather
%session branch weather --at 2 --to what-if
""",
)


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import AgentsException

    part = arguments.subcommand or "list"
    command = _COMMAND.subcommand(part) or _COMMAND
    try:
        match part:
            case "show":
                return _show(shell, str(arguments.subject))
            case "clear":
                return _clear(shell, arguments)
            case "branch":
                return _branch(shell, arguments)
        return _list(shell, arguments)
    except AgentsException as error:
        raise usage_error(command, str(error)) from None


def _list(shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.notebook.conversation_list import list_conversations
    from agentkit.notebook.display.conversation_view import ConversationList

    everywhere = bool(arguments["all"])
    return ConversationList(_wait(list_conversations(shell, everywhere=everywhere)), everywhere)


def _show(shell: InteractiveShell, name: str) -> Any:
    from agentkit.notebook.display.conversation_view import ConversationText

    found = _find(_SHOW, shell, name)
    return ConversationText(found.name, _wait(_items(found)))


def _clear(shell: InteractiveShell, arguments: Arguments) -> None:
    from agentkit.notebook.conversation_list import list_conversations

    name = arguments.subject
    if bool(name) == bool(arguments["all"]):
        raise usage_error(_CLEAR, "Name one conversation, or give --all for all of this notebook.")
    if name:
        cleared = [_find(_CLEAR, shell, name)]
    else:
        cleared = [entry for entry in _wait(list_conversations(shell)) if entry.is_notebooks]
    for entry in cleared:
        _wait(_cleared(entry))
    items = sum(entry.items for entry in cleared)
    if name:
        print(f"Forgot {_shown(cleared[0].name)}: {_count(items, 'item')}.")
    elif cleared:
        print(f"Forgot {_count(len(cleared), 'conversation')} of this notebook: {_count(items, 'item')}.")
    else:
        print("Nothing to forget: this notebook has no conversations.")


def _branch(shell: InteractiveShell, arguments: Arguments) -> None:
    from agentkit.notebook import namespace
    from agentkit.notebook.conversation_list import conversation_names

    found = _find(_BRANCH, shell, str(arguments.subject))
    items = _wait(_items(found))
    at, message, count = _place(items, arguments["at"])
    name = arguments["to"] or _free_name(found, conversation_names(shell))
    if not name.strip() or name in shell.user_ns:
        raise usage_error(_BRANCH, f"A conversation can't be called {name}: a variable has that name. Choose another.")
    if found.kind == "variable" and not name.isidentifier():
        raise usage_error(_BRANCH, f"The branch of a session in a variable is a variable: {name!r} can't be one.")
    if found.kind == "variable":
        shell.user_ns[name] = _wait(found.session.branch(at, name))
    else:
        _wait(conversations.branch(found.session, at, name))
    agents = {agent.name: variable for variable, agent in namespace.agents_in(shell.user_ns).items()}
    who = agents.get(found.name, "AGENT")
    shown = f'"{name}"' if " " in name else name
    beginning = f"all {count}" if message == count else f"the first {message} of {count}"
    said = f"{_shown(name)} begins with {beginning} message{'' if count == 1 else 's'} of {_shown(found.name)}."
    print(f"{said} Go on with it: %ask {who} --session {_shown(shown)} …")


def _place(items: list[dict[str, Any]], number: int | None) -> tuple[int, int, int]:
    """Return the index of a message among the items, its number, and how many messages there are."""
    from agentkit.notebook.display.spoken import is_message

    places = [index for index, item in enumerate(items) if is_message(item)]
    if not places:
        raise usage_error(_BRANCH, "Nothing has been said in that conversation yet.")
    if number is None:
        return len(items) - 1, len(places), len(places)
    wanted = number if number > 0 else len(places) + 1 + number
    if number == 0 or not 1 <= wanted <= len(places):
        raise usage_error(_BRANCH, f"--at has to be 1 to {len(places)}, the number of a message; not {number}.")
    return places[wanted - 1], wanted, len(places)


def _free_name(found: Conversation, taken: list[str]) -> str:
    name, number = f"{found.name}{'_' if found.kind == 'variable' else '-'}", 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def _find(command: Command, shell: InteractiveShell, name: str) -> Conversation:
    from agentkit.notebook.conversation_list import find_conversation

    return _wait(find_conversation(command, shell, name))


async def _items(found: Conversation) -> list[dict[str, Any]]:
    from agentkit.sessions.session import all_items

    return await all_items(found.session)


async def _cleared(found: Conversation) -> None:
    await found.session.clear_session()


def _wait(work: Coroutine[Any, Any, T]) -> T:
    from agentkit.runtime.background import run_blocking

    return run_blocking(work)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _shown(name: str) -> str:
    from agentkit.notebook.display.text import clean

    return clean(name)


SESSION = Magic(_COMMAND, _run)
