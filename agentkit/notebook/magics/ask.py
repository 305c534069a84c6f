"""`%%ask` and `%ask`: ask an agent, and watch the answer come."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic, filled, variable_name, without_semicolon
from agentkit.notebook.model_options import COUNT, RUN_SETTINGS, count, dollars
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.notebook.display.modes import RenderMode
    from agentkit.notebook.running import Question
    from agentkit.runtime import Agent, RunResultBase

__all__ = ["ASK"]


_COMMAND = Command(
    name="ask",
    summary="Ask an agent: the answer streams into the cell, and the result is the cell's value.",
    kinds=("line", "cell"),
    subject=Subject("AGENT", "Who is asked: a variable that holds an agent, or an agent's name.", values="agents"),
    options=(
        Option("--out", "Variable that gets the result, besides `_`.", "NAME"),
        Option(
            "--image",
            "An image that goes with the text: a PNG, JPEG, GIF or WebP file, or a variable that holds a figure, "
            "an image or bytes.",
            "PATH",
            many=True,
            whole=True,
            values="images",
        ),
        Option("--file", "A PDF or a text that goes with it.", "PATH", many=True, whole=True, values="files"),
        Option("--json", "Show the answer as JSON; the cell's value is what it stands for."),
        Option("--code", "Put a cell with the answer's code below this one."),
        Option("--dry-run", "Send nothing: show what would be sent, with its tokens and what they cost."),
        Option("--max-turns", "Model calls that the run may make.", "COUNT", kind=COUNT, convert=count),
        Option(
            "--budget",
            "US dollars that the run may cost, at list price; with --over, all of them.",
            "USD",
            kind="a number of US dollars above 0",
            convert=dollars,
        ),
        Option(
            "--budget-tokens",
            "Tokens that it may use, sent and received.",
            "COUNT",
            kind=COUNT,
            convert=count,
        ),
        Option(
            "--model", "Another model for this run: a name, or a variable that holds a Model.", "NAME", values="models"
        ),
        *RUN_SETTINGS,
        Option("--context", "Variable that the agent's tools get as their context.", "NAME", values="variables"),
        Option(
            "--session",
            "The conversation it is part of: a name, or a variable that holds a session.",
            "NAME",
            values="sessions",
        ),
        Option("--new", "Forget the conversation so far, and begin a new one."),
        Option("--no-session", "Neither know nor keep the conversation."),
        Option("--state", "Variable with a RunState that goes on, in place of a text.", "NAME", values="states"),
        Option(
            "--over",
            "Dataframe: one run for each row, {{column}} in the text its value there. --out gets the dataframe that "
            "comes of it.",
            "NAME",
            values="dataframes",
        ),
        Option("--concurrency", "Runs at the same time, with --over.", "COUNT", kind=COUNT, convert=count),
        Option(
            "--missing",
            "What becomes of rows in which a value is missing, with --over: the place stays empty, the row is left "
            "out, or it fails.",
            "HOW",
            values="choices",
            choices=("empty", "skip", "fail"),
        ),
        Option("--afresh", "Make all runs of --over again, those that are done too."),
    ),
    text="The agent remembers what it was asked in this notebook before. {{name}} in the text takes the value that "
    "name has; \\{{ writes {{. A ; at the end runs without showing anything; \\; writes one. Options stand before the "
    "text: on the line, a word of the text that is one of them is refused, unless -- stands before the text.",
    takes_rest=True,
    examples="""
%%ask weather
What's the weather in Tokyo?

%ask weather What about Oslo?
result = %ask weather Compare {{cities}}.
%ask weather --new Let's begin anew.
%ask critic --image plot.png What does this show?
cities = %ask geographer --json Three cities in Norway.
%ask coder --dry-run --max-tokens 500 Write a prime sieve.

%%ask clerk --over orders --out answered --budget $0.50
Summarize the complaint: {{text}}
""",
)
_ONLY_OVER = ("concurrency", "missing", "afresh")
_NOT_TOGETHER = (
    ("json", "code", "the answer is data or code. Choose one."),
    ("json", "dry_run", "nothing is sent, so there is no answer to read. Leave one out."),
    ("code", "dry_run", "nothing is sent, so there is no answer to take code from. Leave one out."),
)
_NEVER_OVER = ("image", "file", "json", "code", "dry_run", "session", "new", "state")


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.notebook.asking import Asking
    from agentkit.notebook.questions import question

    agent = namespace.find_agent(_COMMAND, shell.user_ns, str(arguments.subject))
    raw, hidden = without_semicolon(arguments.rest if cell is None else cell)
    if arguments["over"] is not None:
        return _over(shell, arguments, agent, raw, hidden)
    for key in _ONLY_OVER:
        if arguments[key]:
            raise usage_error(_COMMAND, f"--{key.replace('_', '-')} goes with --over, which runs a dataframe's rows.")
    for one, other, why in _NOT_TOGETHER:
        if arguments[one] and arguments[other]:
            flags = [f"--{key.replace('_', '-')}" for key in (one, other)]
            raise usage_error(_COMMAND, f"{flags[0]} can't go with {flags[1]}: {why}")
    asked = question(_COMMAND, shell, arguments, agent, filled(_COMMAND, shell, raw))
    mode = _mode(shell, hidden)
    if arguments["dry_run"]:
        return _dry_run(shell, asked, arguments)
    asking = Asking(shell, asked, mode=mode)
    if arguments.awaited:
        return _later(shell, arguments, asking.wait_in_loop(), mode)
    return _made_of(shell, arguments, asking.wait(), mode)


async def _later(
    shell: InteractiveShell, arguments: Arguments, run: Coroutine[Any, Any, RunResultBase], mode: RenderMode | None
) -> Any:
    return _made_of(shell, arguments, await run, mode)


def _made_of(shell: InteractiveShell, arguments: Arguments, result: RunResultBase, mode: RenderMode | None) -> Any:
    """Return the cell's value: the result, or the JSON that its answer is. The answer's code goes into a new cell.

    Raises:
        ModelBehaviorError: The answer is to be JSON, and isn't.
    """
    if result.status != "completed" or not (arguments["json"] or arguments["code"]):
        return result
    from agentkit.exceptions import ModelBehaviorError
    from agentkit.notebook.answers import add_cell_with_code, json_value, show_no_more
    from agentkit.notebook.failures import shortened

    if arguments["code"]:
        add_cell_with_code(shell, str(result.final_output))
    if not arguments["json"]:
        return result
    try:
        value = json_value(result.final_output)
    except ValueError as error:
        hint = "Ask for JSON in the text, or define the agent with --output-type."
        told = ModelBehaviorError(f"The answer is no JSON: {error}.", hint=hint)
        shell.displayhook.update_user_ns(result)  # type: ignore[no-untyped-call]
        raise shortened(shell, told, "The result is in `_`.") from None
    if arguments.awaited and mode in ("live", "static"):
        show_no_more(shell, value)
    return value


def _dry_run(shell: InteractiveShell, asked: Question, arguments: Arguments) -> Any:
    from agentkit.exceptions import AgentsException
    from agentkit.notebook.dry_run import dry_run

    try:
        request = dry_run(asked)
    except AgentsException as error:
        raise usage_error(_COMMAND, str(error)) from None
    if asked.out is not None:
        shell.user_ns[asked.out] = request
    return _given(request) if arguments.awaited else request


async def _given(value: Any) -> Any:
    return value


def _mode(shell: InteractiveShell, hidden: bool) -> RenderMode | None:
    """Return how the run is shown; None for not at all."""
    from agentkit.exceptions import UserError
    from agentkit.notebook.display.modes import render_mode

    try:
        return None if hidden else render_mode(shell)
    except UserError as error:
        raise usage_error(_COMMAND, str(error)) from None


def _over(shell: InteractiveShell, arguments: Arguments, agent: Agent[Any], text: str, hidden: bool) -> Any:
    """Run the agent for each row of a dataframe. The text's places are filled for each: columns, then variables."""
    for key in _NEVER_OVER:
        if arguments[key]:
            raise usage_error(_COMMAND, f"--{key.replace('_', '-')} can't go with --over, which asks for each row.")
    from agentkit.notebook.over import over_cell
    from agentkit.notebook.questions import run_config, variable

    return over_cell(
        shell,
        _COMMAND,
        agent,
        text.strip(),
        variable(_COMMAND, shell, arguments["over"]),
        out=variable_name(_COMMAND, arguments["out"]) if arguments["out"] else None,
        config=run_config(_COMMAND, shell, arguments, budget=False),
        context=variable(_COMMAND, shell, arguments["context"]),
        max_turns=arguments["max_turns"],
        budget_usd=arguments["budget"],
        budget_tokens=arguments["budget_tokens"],
        concurrency=arguments["concurrency"],
        missing=arguments["missing"] or "empty",
        afresh=bool(arguments["afresh"]),
        mode=_mode(shell, hidden),
        awaited=arguments.awaited,
    )


ASK = Magic(_COMMAND, _run)
