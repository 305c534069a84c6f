"""`%%agent`: a cell's text becomes an agent's instructions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic, filled, variable_name, without_semicolon
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["AGENT"]

_COMMAND = Command(
    name="agent",
    summary="Define an agent: the cell's text is its instructions.",
    kinds=("cell",),
    subject=Subject("NAME", "The agent's name, and the variable that holds it. A name in quotes may be any text."),
    options=(
        Option(
            "--tools", "What it may call: tools or functions here, or dotted paths.", "NAME", many=True, values="tools"
        ),
        Option("--handoffs", "Agents that it may hand the conversation over to.", "NAME", many=True, values="agents"),
        Option("--handoff-description", "When other agents should hand over to it.", "TEXT"),
        Option("--model", "The model's name, or a variable that holds a Model.", "NAME", values="models"),
        Option(
            "--output-type", "Type of its answers: a class here, such as a pydantic model.", "NAME", values="variables"
        ),
        Option("--temperature", "Randomness, 0 to 2.", "NUMBER", convert=float),
        Option("--top-p", "Share of probability to sample from, 0 to 1.", "NUMBER", convert=float),
        Option("--max-tokens", "Most tokens of an answer.", "COUNT", convert=int),
        Option("--tool-choice", "auto, required, none, or the tool that it must call.", "CHOICE", values="tools"),
    ),
    text="{{name}} in the text takes the value that name has now; \\{{ writes {{. A ; at the end hides the card.",
    examples="""
%%agent weather --tools get_weather --model rehearsal-1
You are a helpful weather assistant.

%%agent "Spanish tutor" --handoff-description "For questions in Spanish"
You only speak Spanish.
(bound to spanish_tutor)
""",
)
_SETTINGS = ("temperature", "top_p", "max_tokens", "tool_choice")


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.runtime import Agent

    name = str(arguments.subject)
    variable = variable_name(_COMMAND, name if name.isidentifier() else _identifier(name))
    text, hidden = without_semicolon(cell or "")
    instructions = filled(_COMMAND, shell, text)
    if not instructions:
        raise usage_error(_COMMAND, "The cell is empty: write the agent's instructions below its first line.")
    try:
        agent = Agent(name=name, instructions=instructions, **_fields(shell, arguments))
    except UserError as error:
        raise usage_error(_COMMAND, str(error)) from None
    before = shell.user_ns.get(variable)
    shell.user_ns[variable] = agent
    if isinstance(before, Agent):
        namespace.put_in_place_of(shell.user_ns, before, agent)
    return None if hidden else agent


def _fields(shell: InteractiveShell, arguments: Arguments) -> dict[str, Any]:
    from agentkit.models import ModelSettings

    names = shell.user_ns
    fields: dict[str, Any] = {
        "tools": namespace.find_tools(_COMMAND, names, arguments["tools"] or []),
        "handoffs": namespace.find_handoffs(_COMMAND, names, arguments["handoffs"] or []),
        "handoff_description": arguments["handoff_description"],
        "model_settings": ModelSettings(**{key: arguments[key] for key in _SETTINGS if arguments[key] is not None}),
    }
    if arguments["model"]:
        fields["model"] = namespace.find_model(names, arguments["model"])
    if arguments["output_type"]:
        fields["output_type"] = _output_type(shell, arguments["output_type"])
    return fields


def _output_type(shell: InteractiveShell, path: str) -> Any:
    import builtins

    names = {"bool": bool, "dict": dict, "float": float, "int": int, "list": list, "str": str, **shell.user_ns}

    def types() -> list[str]:
        return [name for name, value in names.items() if isinstance(value, type) and not hasattr(builtins, name)]

    return namespace.find_value(_COMMAND, names, path, "type", types)


def _identifier(name: str) -> str:
    """Return a variable's name for a display name: `Spanish tutor` becomes `spanish_tutor`."""
    made = re.sub(r"\W+", "_", name).strip("_").lower()
    return f"agent_{made}" if made[:1].isdigit() else made


AGENT = Magic(_COMMAND, _run)
