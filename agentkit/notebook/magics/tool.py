"""`%%tool`: a cell's function becomes a tool."""

from __future__ import annotations

import ast
import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic
from agentkit.notebook.options import Arguments, Command, Option, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.tooling import FunctionTool

__all__ = ["TOOL"]


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


_COMMAND = Command(
    name="tool",
    summary="Make tools of the cell's functions: agents may call them.",
    kinds=("cell",),
    options=(
        Option("--name", "Name for the model, instead of the function's; for a cell with one function.", "NAME"),
        Option("--description", "What the model is told of it, instead of the docstring.", "TEXT"),
        Option("--needs-approval", "Have each call wait until a person has approved it."),
        Option(
            "--timeout",
            "Seconds that a call may take; the model is told of one that took too long.",
            "SECONDS",
            kind="a number of seconds above 0",
            convert=_seconds,
        ),
        Option("--no-strict", "Let the model deviate from the schema, as arguments of any keys need."),
    ),
    text="The cell is ordinary Python. Every function in it whose name does not begin with an underscore becomes a "
    "tool under its name: its parameters' types are the schema, its docstring tells the model what it is for. A ; at "
    "the end hides the card.",
    examples="""
%%tool
def get_weather(city: str) -> str:
    \"\"\"Get the current weather of a city.\"\"\"
    return f"It is sunny in {city}."

%%tool --needs-approval --timeout 30
def delete(file: str) -> str:
    \"\"\"Delete a file.\"\"\"
    ...
""",
)


class CellSyntaxError(Exception):
    """The cell's text is no Python. Shown as Python shows a syntax error, without the magic's own frames."""


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.notebook.display.cards import ToolCards

    source = cell or ""
    if not source.strip():
        raise usage_error(_COMMAND, "The cell is empty: write a function below its first line.")
    before = dict(shell.user_ns)
    names = _execute(shell, source)
    if not names:
        raise usage_error(
            _COMMAND, "The cell defines no function to make a tool of (names with an underscore are left alone)."
        )
    if len(names) > 1 and (arguments["name"] or arguments["description"]):
        raise usage_error(
            _COMMAND, f"--name and --description are for one function, and the cell defines {', '.join(names)}."
        )
    tools = [_make(shell, name, before.get(name), arguments) for name in names]
    if source.rstrip().endswith(";"):
        return None
    return tools[0] if len(tools) == 1 else ToolCards(tuple(tools))


def _make(shell: InteractiveShell, name: str, before: Any, arguments: Arguments) -> FunctionTool:
    """Put a tool in the place of the cell's function, and of the tool that had the name before."""
    from agentkit.exceptions import UserError
    from agentkit.tooling import FunctionTool, function_tool

    tool: Any = shell.user_ns[name]
    if isinstance(tool, FunctionTool):  # the cell decorated it
        if given := [f"--{key.replace('_', '-')}" for key in arguments.options]:
            said = f"{name} is decorated in the cell, so {', '.join(given)} would do nothing for it"
            raise usage_error(_COMMAND, f"{said}: give it to its @function_tool, or leave that out.")
    else:
        try:
            tool = function_tool(
                tool,
                name_override=arguments["name"],
                description_override=arguments["description"],
                strict_mode=not arguments["no_strict"],
                needs_approval=bool(arguments["needs_approval"]),
                timeout=arguments["timeout"],
            )
        except UserError as error:
            raise usage_error(_COMMAND, str(error)) from None
    shell.user_ns[name] = tool
    if isinstance(before, FunctionTool):
        namespace.put_in_place_of(shell.user_ns, before, tool)
    made: FunctionTool = tool
    return made


def _execute(shell: InteractiveShell, source: str) -> list[str]:
    """Run the cell's Python in the notebook's names, and return the names of the functions that it defines.

    Tracebacks point at the cell, with the line numbers that it has there: the magic's own line counts as its first.
    """
    python: Any = shell.compile  # IPython's compiler takes trees, which its types don't say
    code = "\n" + str(shell.transform_cell(source))  # type: ignore[no-untyped-call]
    file = python.cache(code, shell.execution_count)
    try:
        tree = python.ast_parse(code, filename=file)
        compiled = python(tree, file, "exec")
    except SyntaxError as error:
        formatter: Any = shell.SyntaxTB
        raise _shown_as(CellSyntaxError(str(error)), formatter.structured_traceback(SyntaxError, error, [])) from None
    try:
        exec(compiled, shell.user_global_ns, shell.user_ns)  # what a cell is for
    except BaseException as error:
        trace = _from_cell_on(error.__traceback__, file)
        raise _shown_as(error, shell.InteractiveTB.structured_traceback(type(error), error, trace))  # noqa: B904
    found = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [name for name in dict.fromkeys(found) if not name.startswith("_") and name in shell.user_ns]


def _shown_as(error: BaseException, lines: list[str]) -> BaseException:
    with contextlib.suppress(AttributeError):  # a class without a __dict__ shows the magic's frames too
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
    return error


def _from_cell_on(trace: TracebackType | None, file: str) -> TracebackType | None:
    while trace is not None and trace.tb_frame.f_code.co_filename != file:
        trace = trace.tb_next
    return trace


TOOL = Magic(_COMMAND, _run)
