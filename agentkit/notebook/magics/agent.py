"""`%%agent`: a cell's text becomes an agent's instructions."""

from __future__ import annotations

import builtins
import re
import typing
from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.magics.base import Magic, filled, variable_name, without_semicolon
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.models import ModelSettings

__all__ = ["AGENT"]

_CHOICES = ("auto", "required", "none")

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
        Option(
            "--tool-choice",
            "auto, required, none, or the tool that it must call.",
            "CHOICE",
            values="tool choices",
        ),
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
    from agentkit.runtime.turn import equip

    name = str(arguments.subject)
    variable = variable_name(_COMMAND, name if name.isidentifier() else _identifier(name))
    text, hidden = without_semicolon(cell or "")
    instructions = filled(_COMMAND, shell, text)
    if not instructions:
        raise usage_error(_COMMAND, "The cell is empty: write the agent's instructions below its first line.")
    try:
        agent = Agent(name=name, instructions=instructions, **_fields(shell, arguments))
        equipment = equip(agent)  # what is wrong with tools, handoffs or the output type is said here already
    except UserError as error:
        raise usage_error(_COMMAND, str(error)) from None
    _check_settings(agent.model_settings, [*equipment.tools_by_name, *equipment.handoffs_by_name])
    if hasattr(builtins, variable):
        raise usage_error(_COMMAND, f"{variable} is a name of Python's own: choose another.")
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
    names = {"bool": bool, "dict": dict, "float": float, "int": int, "list": list, "str": str, **shell.user_ns}

    def types() -> list[str]:
        return [name for name, value in names.items() if isinstance(value, type) and not hasattr(builtins, name)]

    found = namespace.find_value(_COMMAND, names, path, "type", types)
    if not isinstance(found, type) and typing.get_origin(found) is None:
        raise usage_error(_COMMAND, f"{path} is of type {type(found).__name__}, and no type that an answer can have.")
    return found


def _check_settings(settings: ModelSettings, tools: list[str]) -> None:
    if settings.temperature is not None and not 0 <= settings.temperature <= 2:
        raise usage_error(_COMMAND, f"--temperature has to be 0 to 2, not {settings.temperature}.")
    if settings.top_p is not None and not 0 <= settings.top_p <= 1:
        raise usage_error(_COMMAND, f"--top-p has to be 0 to 1, not {settings.top_p}.")
    if settings.max_tokens is not None and settings.max_tokens < 1:
        raise usage_error(_COMMAND, f"--max-tokens has to be 1 or more, not {settings.max_tokens}.")
    if settings.tool_choice is not None and settings.tool_choice not in (*_CHOICES, *tools):
        known = ", ".join([*_CHOICES, *tools])
        raise usage_error(_COMMAND, f"--tool-choice has to be one of {known}; not {settings.tool_choice}.")


def _identifier(name: str) -> str:
    """Return a variable's name for a display name: `Spanish tutor` becomes `spanish_tutor`."""
    made = re.sub(r"\W+", "_", name).strip("_").lower()
    return f"agent_{made}" if made[:1].isdigit() else made


AGENT = Magic(_COMMAND, _run)
