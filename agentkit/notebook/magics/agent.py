"""`%%agent`: a cell's text becomes an agent's instructions."""

from __future__ import annotations

import builtins
import re
from typing import TYPE_CHECKING, Any

from agentkit.notebook import agent_parts, namespace
from agentkit.notebook.folders import read_text
from agentkit.notebook.magics.base import Magic, filled, variable_name, without_semicolon
from agentkit.notebook.model_options import AGENT_SETTINGS, check_tool_choice, model_settings
from agentkit.notebook.options import Arguments, Command, Option, Subject, closest, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.runtime import Agent

__all__ = ["AGENT", "identifier"]

_COMMAND = Command(
    name="agent",
    summary="Define an agent: the cell's text is its instructions.",
    kinds=("cell",),
    subject=Subject("NAME", "The agent's name, and the variable that holds it. A name in quotes may be any text."),
    options=(
        Option(
            "--tools",
            "What it may call: tools, functions or vector stores here, or dotted paths.",
            "NAME",
            many=True,
            values="tools",
        ),
        Option("--mcp-servers", "MCP servers whose tools it may call too.", "NAME", many=True, values="mcp servers"),
        Option(
            "--handoffs",
            "Agents that it may hand the conversation over to, or Handoff objects.",
            "NAME",
            many=True,
            values="handoffs",
        ),
        Option("--handoff-description", "When other agents should hand over to it.", "TEXT"),
        Option("--model", "The model's name, or a variable that holds a Model.", "NAME", values="models"),
        Option(
            "--output-type",
            "Type of its answers: a class here or a dotted path, also list[City], City | None.",
            "TYPE",
            values="types",
            expression=True,
        ),
        Option(
            "--instructions",
            "A file with its instructions, in the notebook's folder; the cell's text is added to them.",
            "FILE",
            values="files",
        ),
        Option(
            "--input-guardrails",
            "Checks of what it is asked: guardrails or functions here, or dotted paths.",
            "NAME",
            many=True,
            values="input guardrails",
        ),
        Option(
            "--output-guardrails",
            "Checks of what it answers.",
            "NAME",
            many=True,
            values="output guardrails",
        ),
        Option(
            "--tool-use",
            "again: the model gets what its tools return. stop: the first tool's output is the answer; so too after "
            "the tools that are named.",
            "again, stop or NAME",
            many=True,
            values="tool uses",
        ),
        Option("--hooks", "AgentHooks that are told what it does.", "NAME", values="hooks"),
        *AGENT_SETTINGS,
    ),
    text="{{name}} in the text takes the value that name has now; \\{{ writes {{. A ; at the end hides the card.",
    examples="""
%%agent weather --tools get_weather --model rehearsal-1
You are a helpful weather assistant.

%%agent "Spanish tutor" --handoff-description "For questions in Spanish"
You only speak Spanish.
(bound to spanish_tutor)

%%agent geographer --instructions prompts/geographer.md --output-type list[City]

%%agent clerk --tools look_up, refund --tool-use refund --reasoning-effort low --set timeout=30
Answer from the orders.
""",
)


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.runtime import Agent
    from agentkit.runtime.turn import equip

    name = str(arguments.subject)
    variable = variable_name(_COMMAND, name if name.isidentifier() else identifier(name))
    text, hidden = without_semicolon(cell or "")
    instructions = _instructions(shell, arguments["instructions"], text)
    try:
        agent = Agent(name=name, instructions=instructions, **_fields(shell, arguments))
        equipment = equip(agent)  # what is wrong with tools, handoffs or the output type is said here already
    except UserError as error:
        raise usage_error(_COMMAND, str(error)) from None
    _check_names(agent, arguments, [*equipment.tools_by_name], [*equipment.handoffs_by_name])
    if hasattr(builtins, variable):
        raise usage_error(_COMMAND, f"{variable} is a name of Python's own: choose another.")
    before = shell.user_ns.get(variable)
    shell.user_ns[variable] = agent
    if isinstance(before, Agent):
        namespace.put_in_place_of(shell.user_ns, before, agent)
    return None if hidden else agent


def _instructions(shell: InteractiveShell, file: str | None, text: str) -> str:
    """Return the instructions: those of a file, and the cell's below them."""
    parts = [] if file is None else [read_text(_COMMAND, shell, "--instructions", file)]
    instructions = "\n\n".join(part for part in (filled(_COMMAND, shell, part) for part in [*parts, text]) if part)
    if not instructions:
        said = "The cell is empty: write the agent's instructions below its first line."
        raise usage_error(_COMMAND, f"{said} Or name a file with them: --instructions FILE.")
    return instructions


def _fields(shell: InteractiveShell, arguments: Arguments) -> dict[str, Any]:
    names = shell.user_ns
    fields: dict[str, Any] = {
        "tools": namespace.find_tools(_COMMAND, names, arguments["tools"] or []),
        "mcp_servers": agent_parts.find_mcp_servers(_COMMAND, names, arguments["mcp_servers"] or []),
        "handoffs": namespace.find_handoffs(_COMMAND, names, arguments["handoffs"] or []),
        "handoff_description": arguments["handoff_description"],
        "input_guardrails": agent_parts.find_input_guardrails(_COMMAND, names, arguments["input_guardrails"] or []),
        "output_guardrails": agent_parts.find_output_guardrails(_COMMAND, names, arguments["output_guardrails"] or []),
        "model_settings": model_settings(_COMMAND, arguments),
    }
    if arguments["model"]:
        fields["model"] = namespace.find_model(names, arguments["model"])
    if arguments["hooks"]:
        fields["hooks"] = agent_parts.find_hooks(_COMMAND, names, arguments["hooks"])
    if arguments["output_type"]:
        from agentkit.notebook.type_expressions import find_type

        fields["output_type"] = find_type(_COMMAND, names, arguments["output_type"])
    if arguments["tool_use"]:
        fields["tool_use_behavior"] = _tool_use(arguments["tool_use"])
    return fields


def _tool_use(words: list[str]) -> Any:
    """Return the `tool_use_behavior` that `again`, `stop` or tools' names stand for."""
    named = [word for word in words if word not in ("again", "stop")]
    if len(named) == len(words):
        return {"stop_at_tool_names": named}
    if len(words) > 1:
        raise usage_error(_COMMAND, f"--tool-use takes again, or stop, or tools' names; not {', '.join(words)}.")
    return "run_llm_again" if words == ["again"] else "stop_on_first_tool"


def _check_names(agent: Agent[Any], arguments: Arguments, tools: list[str], handoffs: list[str]) -> None:
    """Refuse names of tools that the agent doesn't have; those of MCP servers aren't known before they are asked."""
    if agent.mcp_servers:
        return
    check_tool_choice(_COMMAND, agent.model_settings.tool_choice, [*tools, *handoffs])
    for word in arguments["tool_use"] or ():
        if word not in ("again", "stop", *tools):
            known = f"It has {', '.join(tools)}." if tools else "It has none: give it some by --tools."
            raise usage_error(_COMMAND, f"--tool-use: the agent has no tool {word}.{closest(word, tools)} {known}")


def identifier(name: str) -> str:
    """Return a variable's name for a display name: `Spanish tutor` becomes `spanish_tutor`."""
    made = re.sub(r"\W+", "_", name).strip("_").lower()
    return f"agent_{made}" if made[:1].isdigit() else made


AGENT = Magic(_COMMAND, _run)
