"""What the notebook's names stand for: agents, tools, models and types, looked up for the magics and for Tab."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from agentkit.notebook.display.text import clean
from agentkit.notebook.options import Command, closest, kind_of, typed_sign, usage_error

if TYPE_CHECKING:
    from agentkit.models import Model
    from agentkit.runtime import Agent, Handoff
    from agentkit.tooling import FunctionTool, Tool

__all__ = [
    "agents_in",
    "find_agent",
    "find_handoffs",
    "find_model",
    "find_tools",
    "find_value",
    "functions_in",
    "instances",
    "is_store",
    "model_names",
    "put_in_place_of",
    "tools_in",
]

T = TypeVar("T")
_MISSING = object()


def agents_in(names: Mapping[str, Any]) -> dict[str, Agent[Any]]:
    """Return the agents among the notebook's variables. Imports nothing: where no class is loaded, there are none."""
    return instances(names, "agentkit.runtime", "Agent")


def tools_in(names: Mapping[str, Any]) -> dict[str, FunctionTool]:
    """Return the tools among the notebook's variables."""
    return instances(names, "agentkit.tooling", "FunctionTool")


def model_names(names: Mapping[str, Any]) -> list[str]:
    """Return the models known without asking the platform: those in use here, and its default."""
    from agentkit import backend
    from agentkit.exceptions import UserError

    known = {agent.model for agent in agents_in(names).values() if isinstance(agent.model, str)}
    with contextlib.suppress(UserError):
        current = backend.current_backend()
        known |= {current.known_model or "", *current.listed_models}
    variables = instances(names, "agentkit.models", "Model")
    return sorted({*known, *variables} - {""})


def instances(names: Mapping[str, Any], module: str, class_name: str) -> dict[str, Any]:
    """Return the variables that hold an object of a class, by its module's name: nothing is imported for it."""
    cls = getattr(sys.modules.get(module), class_name, None)
    if cls is None:
        return {}
    return {name: value for name, value in names.items() if not name.startswith("_") and isinstance(value, cls)}


def find_agent(command: Command, names: Mapping[str, Any], name: str) -> Agent[Any]:
    """Return the agent that a variable holds, or that is called so.

    Raises:
        UsageError: There is none; the message names those that are like it.
    """
    agents = agents_in(names)
    if name in agents:
        return agents[name]
    by_own_name = {variable: agent for variable, agent in agents.items() if agent.name == name}
    if by_own_name:
        return _first_of(command, name, by_own_name)
    if name in names:
        raise usage_error(command, f"{name} is {kind_of(names[name])}, not an agent.")
    near = closest(name, [*agents, *(agent.name for agent in agents.values())])
    if not near:
        near = f" There is {', '.join(agents)}." if agents else f" Define it first: %%agent {name}."
    raise usage_error(command, f"There is no agent {name!r}.{near}")


def _first_of(command: Command, name: str, found: dict[str, Agent[Any]]) -> Agent[Any]:
    """Return the first of the agents that have a name, and say so where there are others."""
    chosen, agent = next(iter(found.items()))
    if any(other is not agent for other in found.values()):
        others = [variable for variable, other in found.items() if other is not agent]
        said = f"{name} is the name of {len(others) + 1} agents, in {', '.join([chosen, *others])}: {chosen} is meant. "
        print(clean(f"{typed_sign(command)}: {said}Give the variable to mean another."), file=sys.stderr)
    return agent


def find_tools(command: Command, names: Mapping[str, Any], paths: list[str]) -> list[Tool]:
    """Return the tools that variables or dotted paths name. Functions become tools; lists of either are taken apart.

    Raises:
        UsageError: A name stands for nothing, or for no tool.
    """
    from agentkit.exceptions import UserError
    from agentkit.runtime import Agent
    from agentkit.tooling import HOSTED_TOOLS, FunctionTool, function_tool

    found: list[Tool] = []
    for path in paths:
        value = find_value(command, names, path, "tool", lambda: [*tools_in(names), *functions_in(names)])
        for entry in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(entry, (FunctionTool, *HOSTED_TOOLS)) or is_store(entry):
                found.append(entry)
            elif isinstance(entry, Agent):
                hint = f"Make a tool of it: {path}_tool = {path}.as_tool(None, {entry.name!r})."
                raise usage_error(command, f"{path} is an agent. {hint}")
            elif callable(entry) and not isinstance(entry, type):  # a function, a partial, an object with __call__
                try:
                    found.append(function_tool(entry))
                except UserError as error:
                    raise usage_error(command, f"{path} can't be a tool: {error}") from None
            else:
                raise usage_error(command, f"{path} is {kind_of(entry)}, not a tool.")
    return found


def is_store(value: Any) -> bool:  # whatever a variable holds
    """Tell whether a value is something that a file search can be given."""
    from agentkit.tooling import SearchableStore

    return not isinstance(value, type) and isinstance(value, SearchableStore)


def find_handoffs(command: Command, names: Mapping[str, Any], paths: list[str]) -> list[Agent[Any] | Handoff[Any]]:
    """Return the agents that an agent may hand over to, by variables, names or dotted paths.

    `Handoff` objects are taken too, and lists are taken apart.

    Raises:
        UsageError: A name stands for neither.
    """
    from agentkit.runtime import Agent, Handoff

    found: list[Agent[Any] | Handoff[Any]] = []
    for path in paths:
        value = names.get(path)
        if value is None and re.fullmatch(r"[^\W\d]\w*(?:[.:]\w+)+", path):
            value = find_value(command, names, path, "agent", lambda: list(agents_in(names)))
        for entry in value if isinstance(value, (list, tuple)) and value else [value]:
            if isinstance(entry, (Agent, Handoff)):
                found.append(entry)
            else:
                found.append(find_agent(command, names, path))
    return found


def find_model(names: Mapping[str, Any], name: str) -> str | Model:
    """Return the `Model` or the trained model's name that a variable holds, or the name for the platform to look up."""
    from agentkit.models import Model

    value = names.get(name)
    if isinstance(value, str) and value.startswith("ft:"):  # as `%finetune use` puts it there
        return value
    if callable(use := getattr(value, "use", None)) and hasattr(value, "fine_tuned_model"):  # a FineTuningJob
        return str(use())
    return value if isinstance(value, Model) else name


def find_value(
    command: Command,
    names: Mapping[str, Any],
    path: str,
    kind: str,
    alike: Callable[[], list[str]],
) -> Any:
    """Return what a variable or a dotted path stands for: `add`, `shop.tools.add`, `shop.tools:add`.

    Args:
        command: The magic that asks, for the error.
        names: The notebook's variables.
        path: What was typed.
        kind: What is looked for, for the error.
        alike: Gives the names that may have been meant.

    Raises:
        UsageError: It stands for nothing, or its module can't be imported.
    """
    first, *attributes = path.replace(":", ".").split(".")
    value = names.get(first, _MISSING)
    if value is _MISSING and attributes:
        value, attributes = _imported(command, [first, *attributes])
    for attribute in attributes:
        value = getattr(value, attribute, _MISSING)
    if value is _MISSING:
        near = closest(path, alike()) if "." not in path else ""
        raise usage_error(command, f"There is no {kind} {path!r}.{near}")
    return value


def _imported(command: Command, parts: list[str]) -> tuple[Any, list[str]]:
    """Return the module that the longest beginning of a dotted path names, and the rest of the path."""
    for length in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:length])
        try:
            return importlib.import_module(module), parts[length:]
        except ModuleNotFoundError as error:
            if error.name is None or not module.startswith(error.name):  # it is there, and imports something that isn't
                raise usage_error(command, f"{module} can't be imported: {error}.") from None
        except Exception as error:  # importing runs anybody's code
            said = f"{module} can't be imported: {type(error).__name__}: {error}."
            raise usage_error(command, said) from None
    return _MISSING, []


def functions_in(names: Mapping[str, Any]) -> list[str]:
    """Return the names of the functions that the notebook has defined."""
    return [
        name
        for name, value in names.items()
        if not name.startswith("_") and callable(value) and getattr(value, "__module__", None) == "__main__"
    ]


def put_in_place_of(names: Mapping[str, Any], old: Any, new: Any) -> None:
    """Let the notebook's agents use `new` where they had `old`, a tool or an agent that was defined again.

    Names are what the magics were given; without this, an agent would go on with what a name stood for once.
    """
    for agent in agents_in(names).values():
        agent.tools[:] = [new if tool is old else tool for tool in agent.tools]
        agent.handoffs[:] = [new if target is old else target for target in agent.handoffs]
