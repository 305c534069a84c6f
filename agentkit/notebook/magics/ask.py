"""`%%ask` and `%ask`: ask an agent, and watch the answer come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic, filled, variable_name, without_semicolon
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

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
    ),
    text="{{name}} in the text takes the value that name has; \\{{ writes {{. A ; at the end runs without showing "
    "anything; \\; writes one. Options stand before the text.",
    takes_rest=True,
    examples="""
%%ask weather
What's the weather in Tokyo?

%ask weather What about Oslo?
result = %ask weather Compare {{cities}}.
""",
)


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.notebook.asking import Asking
    from agentkit.notebook.display.modes import render_mode
    from agentkit.runtime import RunConfig

    names = shell.user_ns
    agent = namespace.find_agent(_COMMAND, names, str(arguments.subject))
    out = variable_name(_COMMAND, arguments["out"]) if arguments["out"] else None
    raw, hidden = without_semicolon(arguments.rest if cell is None else cell)
    text = filled(_COMMAND, shell, raw)
    if not text:
        where = "after the agent's name" if cell is None else "below the cell's first line"
        raise usage_error(_COMMAND, f"There is nothing to ask: write it {where}.")
    context = arguments["context"]
    if context is not None:
        context = namespace.find_value(_COMMAND, names, context, "variable", lambda: [n for n in names if n[0] != "_"])
    try:
        mode = None if hidden else render_mode(shell)
    except UserError as error:
        raise usage_error(_COMMAND, str(error)) from None
    model = namespace.find_model(names, arguments["model"]) if arguments["model"] else None
    asking = Asking(
        shell,
        agent,
        text,
        mode=mode,
        context=context,
        max_turns=arguments["max_turns"],
        config=RunConfig(model=model) if model else None,
        out=out,
    )
    return asking.wait_in_loop() if arguments.awaited else asking.wait()


ASK = Magic(_COMMAND, _run)
