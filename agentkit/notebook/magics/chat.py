"""`%chat`: a chat with an agent in the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic, variable_name
from agentkit.notebook.model_options import COUNT, count
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["CHAT"]


_COMMAND = Command(
    name="chat",
    summary="Chat with an agent in the cell. What is said is kept in the notebook.",
    kinds=("line",),
    subject=Subject(
        "AGENT", "Who is asked: a variable that holds an agent, or an agent's name.", values="agents", required=False
    ),
    options=(
        Option("--out", "Variable that gets the chat, besides `_`.", "NAME"),
        Option(
            "--model", "The model to begin with: a name, or a variable that holds a Model.", "NAME", values="models"
        ),
        Option("--max-turns", "Model calls that a run may make.", "COUNT", kind=COUNT, convert=count),
        Option("--context", "Variable that the agent's tools get as their context.", "NAME", values="variables"),
        Option(
            "--session",
            "The conversation that it is: a name, or a variable that holds a session.",
            "NAME",
            values="sessions",
        ),
        Option("--title", "What it is about, in quotes.", "TEXT"),
        Option("--resume", "Go on with the chat of this notebook that was used last, or that of --id."),
        Option("--id", "The chat to go on with: its id, or the beginning of it.", "ID"),
        Option("--list", "List the chats of this notebook."),
    ),
    examples="""
%chat weather
%chat weather --title "A trip to Norway" --out trip
%chat --resume
%chat --list
""",
)


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.notebook.chat import chat

    out = variable_name(_COMMAND, arguments["out"]) if arguments["out"] else None
    _check(arguments)
    try:
        if arguments["list"]:
            return chat.list()
        opened = _resumed(shell, arguments) if arguments["resume"] or arguments["id"] else _begun(shell, arguments)
    except UserError as error:
        raise usage_error(_COMMAND, str(error)) from None
    if out is not None:
        shell.user_ns[out] = opened
    return opened


def _check(arguments: Arguments) -> None:
    """Refuse what doesn't go together."""
    if arguments["list"]:
        if arguments.subject or len(arguments.options) > 1:
            raise usage_error(_COMMAND, "--list goes with nothing else.")
        return
    if arguments["resume"] or arguments["id"]:
        taken = [name for name in ("model", "session", "title") if arguments[name]]
        if taken:
            raise usage_error(_COMMAND, f"--{taken[0]} is for a new chat: one that goes on has it already.")
    elif not arguments.subject:
        raise usage_error(_COMMAND, "Which agent? %chat AGENT, or %chat --resume to go on with a chat.")


def _begun(shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.notebook.chat import chat
    from agentkit.notebook.conversations import conversations

    names = shell.user_ns
    return chat(
        namespace.find_agent(_COMMAND, names, str(arguments.subject)),
        session=conversations.named(names, arguments["session"]) if arguments["session"] else None,
        model=arguments["model"],
        context=_context(shell, arguments),
        max_turns=arguments["max_turns"],
        title=arguments["title"],
    )


def _resumed(shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.notebook.chat import chat

    agent = arguments.subject and namespace.find_agent(_COMMAND, shell.user_ns, arguments.subject)
    return chat.resume(
        arguments["id"],
        agent=agent or None,
        context=_context(shell, arguments),
        max_turns=arguments["max_turns"],
    )


def _context(shell: InteractiveShell, arguments: Arguments) -> Any:
    names, path = shell.user_ns, arguments["context"]
    if path is None:
        return None
    return namespace.find_value(_COMMAND, names, path, "variable", lambda: [n for n in names if n[0] != "_"])


CHAT = Magic(_COMMAND, _run)
