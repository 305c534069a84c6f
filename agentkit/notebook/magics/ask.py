"""`%%ask` and `%ask`: ask an agent, and watch the answer come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic, filled, variable_name, without_semicolon
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.runtime import Agent, RunState

__all__ = ["ASK"]


def _turns(text: str) -> int:
    turns = int(text)
    if turns < 1:
        raise ValueError
    return turns


_COMMAND = Command(
    name="ask",
    summary="Ask an agent: the answer streams into the cell, and the result is the cell's value.",
    kinds=("line", "cell"),
    subject=Subject("AGENT", "Who is asked: a variable that holds an agent, or an agent's name.", values="agents"),
    options=(
        Option("--out", "Variable that gets the result, besides `_`.", "NAME"),
        Option("--max-turns", "Model calls that the run may make.", "COUNT of 1 or more", convert=_turns),
        Option(
            "--model", "Another model for this run: a name, or a variable that holds a Model.", "NAME", values="models"
        ),
        Option("--context", "Variable that the agent's tools get as their context.", "NAME", values="variables"),
        Option(
            "--session",
            "The conversation it is part of: a name, or a variable that holds a session.",
            "NAME",
            values="variables",
        ),
        Option("--new", "Forget the conversation so far, and begin a new one."),
        Option("--no-session", "Neither know nor keep the conversation."),
        Option("--state", "Variable with a RunState that goes on, in place of a text.", "NAME", values="variables"),
    ),
    text="The agent remembers what it was asked in this notebook before. {{name}} in the text takes the value that "
    "name has; \\{{ writes {{. A ; at the end runs without showing anything; \\; writes one. Options stand before the "
    "text.",
    takes_rest=True,
    examples="""
%%ask weather
What's the weather in Tokyo?

%ask weather What about Oslo?
result = %ask weather Compare {{cities}}.
%ask weather --new Let's begin anew.
""",
)


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.notebook.asking import Asking, Question
    from agentkit.notebook.display.modes import render_mode
    from agentkit.runtime import RunConfig

    names = shell.user_ns
    agent = namespace.find_agent(_COMMAND, names, str(arguments.subject))
    out = variable_name(_COMMAND, arguments["out"]) if arguments["out"] else None
    raw, hidden = without_semicolon(arguments.rest if cell is None else cell)
    text = filled(_COMMAND, shell, raw)
    state = _state(shell, arguments, text)
    if not text and state is None:
        where = "after the agent's name" if cell is None else "below the cell's first line"
        raise usage_error(_COMMAND, f"There is nothing to ask: write it {where}.")
    try:
        mode = None if hidden else render_mode(shell)
    except UserError as error:
        raise usage_error(_COMMAND, str(error)) from None
    model = namespace.find_model(names, arguments["model"]) if arguments["model"] else None
    question = Question(
        agent,
        text if state is None else state,
        _line(arguments),
        context=_variable(shell, arguments["context"]),
        max_turns=arguments["max_turns"],
        config=RunConfig(model=model) if model else None,
        session=_session(shell, arguments, agent),
        afresh=bool(arguments["new"]),
        out=out,
    )
    asking = Asking(shell, question, mode=mode)
    return asking.wait_in_loop() if arguments.awaited else asking.wait()


def _variable(shell: InteractiveShell, path: str | None) -> Any:
    if path is None:
        return None
    names = shell.user_ns
    return namespace.find_value(_COMMAND, names, path, "variable", lambda: [n for n in names if n[0] != "_"])


def _state(shell: InteractiveShell, arguments: Arguments, text: str) -> RunState | None:
    from agentkit.runtime import RunState

    name = arguments["state"]
    state = _variable(shell, name)
    if name is None:
        return None
    if not isinstance(state, RunState):
        raise usage_error(_COMMAND, f"{name} is a {type(state).__name__}, not a RunState: make one with to_state().")
    if text:
        raise usage_error(_COMMAND, f"--state goes on with a run, which takes no text: {text[:40]!r} can't be asked.")
    if arguments["new"]:
        raise usage_error(_COMMAND, "--state goes on with a run, so its conversation can't be a --new one.")
    return state


def _session(shell: InteractiveShell, arguments: Arguments, agent: Agent[Any]) -> Any:
    from agentkit.notebook.conversations import conversations
    from agentkit.notebook.settings import settings

    if arguments["no_session"]:
        if arguments["session"] or arguments["new"]:
            raise usage_error(_COMMAND, "--no-session goes with neither --session nor --new.")
        return None
    if arguments["session"]:
        return conversations.named(shell.user_ns, arguments["session"])
    if settings().session == "forget":
        return None
    return conversations.of_agent(shell, agent)


def _line(arguments: Arguments) -> str:
    """Return the magic that goes on with the same agent, model and conversation."""
    name = str(arguments.subject)
    words = ["%ask", name if name.isidentifier() else f'"{name}"']
    words += [f"--{key} {arguments[key]}" for key in ("model", "session") if arguments[key]]
    return " ".join([*words, "--no-session"] if arguments["no_session"] else words)


ASK = Magic(_COMMAND, _run)
