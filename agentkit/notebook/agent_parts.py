"""What an agent is made of besides tools: guardrails, hooks and MCP servers, found by the names in a magic's line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from agentkit.notebook.namespace import find_value, functions_in, instances
from agentkit.notebook.options import Command, kind_of, usage_error

if TYPE_CHECKING:
    from agentkit.runtime import AgentHooks, InputGuardrail, OutputGuardrail

__all__ = ["find_hooks", "find_input_guardrails", "find_mcp_servers", "find_output_guardrails", "parts_in"]

Part = Literal["handoffs", "hooks", "input guardrails", "mcp servers", "output guardrails"]

_CLASSES: dict[Part, tuple[tuple[str, str], ...]] = {
    "handoffs": (("agentkit.runtime", "Agent"), ("agentkit.runtime", "Handoff")),
    "hooks": (("agentkit.runtime", "AgentHooks"),),
    "input guardrails": (("agentkit.runtime", "InputGuardrail"),),
    "mcp servers": (("agentkit.mcp", "MCPServer"), ("agentkit.mcp", "MCPServerManager")),
    "output guardrails": (("agentkit.runtime", "OutputGuardrail"),),
}


def parts_in(names: Mapping[str, Any], kind: Part) -> list[str]:
    """Return the notebook's variables of a kind, sorted. Imports nothing: a class not loaded yet has no objects."""
    return sorted({name for place in _CLASSES[kind] for name in instances(names, *place)})


def find_input_guardrails(command: Command, names: Mapping[str, Any], paths: list[str]) -> list[InputGuardrail[Any]]:
    """Return the guardrails of the input that variables or dotted paths name. Functions become guardrails.

    Raises:
        UsageError: A name stands for nothing, or for something that is none.
    """
    return [guardrail for path in paths for guardrail in _guardrails(command, names, path, "input")]


def find_output_guardrails(command: Command, names: Mapping[str, Any], paths: list[str]) -> list[OutputGuardrail[Any]]:
    """Return the guardrails of the output that variables or dotted paths name. Functions become guardrails.

    Raises:
        UsageError: A name stands for nothing, or for something that is none.
    """
    return [guardrail for path in paths for guardrail in _guardrails(command, names, path, "output")]


def find_hooks(command: Command, names: Mapping[str, Any], path: str) -> AgentHooks[Any]:
    """Return the hooks of an agent that a variable or a dotted path names; a class of them is made into an object.

    Raises:
        UsageError: It stands for nothing, or for no hooks of an agent.
    """
    from agentkit.runtime import AgentHooks, RunHooks

    value = find_value(command, names, path, "hooks object", _alike(names, "hooks"))
    if isinstance(value, type) and issubclass(value, AgentHooks):
        try:
            value = value()
        except Exception as error:  # a user's class
            said = f"{path} can't be made without arguments ({type(error).__name__}: {error}): name an object of it."
            raise usage_error(command, said) from None
    if isinstance(value, RunHooks) or (isinstance(value, type) and issubclass(value, RunHooks)):
        said = f"{path} is hooks of a run: pass it to Runner.run(hooks=…), or make it a subclass of AgentHooks."
        raise usage_error(command, said)
    if not isinstance(value, AgentHooks):
        said = f"{path} is {kind_of(value)}, and no hooks: an object of a subclass of AgentHooks."
        raise usage_error(command, said)
    return value


def find_mcp_servers(command: Command, names: Mapping[str, Any], paths: list[str]) -> list[Any]:
    """Return the MCP servers that variables name. Lists of them and managers are taken apart.

    Raises:
        UsageError: A name stands for nothing, or for no server.
    """
    found: list[Any] = []
    for path in paths:
        value = find_value(command, names, path, "MCP server", _alike(names, "mcp servers"))
        value = getattr(value, "active_servers", value)  # of an MCPServerManager
        for entry in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(entry, type) or not (hasattr(entry, "list_tools") and hasattr(entry, "call_tool")):
                said = f"{path} is {kind_of(entry)}, and no MCP server: an MCPServerStdio, for example."
                raise usage_error(command, said)
            found.append(entry)
    return found


def _guardrails(command: Command, names: Mapping[str, Any], path: str, side: Literal["input", "output"]) -> list[Any]:
    from agentkit.runtime import InputGuardrail, OutputGuardrail

    kinds = {"input": InputGuardrail, "output": OutputGuardrail}
    other: Literal["input", "output"] = "output" if side == "input" else "input"
    kind: Part = "input guardrails" if side == "input" else "output guardrails"
    value = find_value(command, names, path, "guardrail", _alike(names, kind))
    found = []
    for entry in value if isinstance(value, (list, tuple)) else [value]:
        if isinstance(entry, kinds[side]):
            found.append(entry)
        elif isinstance(entry, kinds[other]):
            said = f"{path} is a guardrail of the {other}: give it to --{other}-guardrails."
            raise usage_error(command, said)
        else:
            found.append(kinds[side](_checking_function(command, path, entry, side)))
    return found


def _checking_function(command: Command, path: str, value: Any, side: str) -> Any:
    """Return a function that wasn't decorated, if it can be a guardrail's."""
    from agentkit.tooling import FunctionTool

    decorate = f"Decorate a function of the context, the agent and the {side} with @{side}_guardrail."
    if not callable(value) or isinstance(value, (type, FunctionTool)):
        raise usage_error(command, f"{path} is {kind_of(value)}, and no {side} guardrail. {decorate}")
    try:
        inspect.signature(value).bind(None, None, None)
    except TypeError:
        taken = inspect.signature(value)
        raise usage_error(command, f"{path}{taken} can't be a guardrail. {decorate}") from None
    except ValueError:  # a built-in that doesn't say what it takes
        pass
    return value


def _alike(names: Mapping[str, Any], kind: Part) -> Callable[[], list[str]]:
    return lambda: [*parts_in(names, kind), *(functions_in(names) if kind.endswith("guardrails") else ())]
