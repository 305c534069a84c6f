"""What an agent may be made of: looked at when it is made, and again when a run begins, since it may be changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.models import Model, ModelSettings
from agentkit.models.output_schema import check_output_type
from agentkit.runtime.guardrails import InputGuardrail, OutputGuardrail
from agentkit.runtime.handoffs import Handoff
from agentkit.runtime.hooks import AgentHooks
from agentkit.tooling import HOSTED_TOOLS, FileSearchTool, FunctionTool, SearchableStore, Tool

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["check_agent"]


def check_agent(agent: Agent[Any]) -> None:
    """Refuse what would only fail later, in the middle of a run. Vector stores become the tool that searches them.

    Raises:
        UserError: A field has a value of the wrong kind, or two tools have one name; the message names it.
    """
    if not isinstance(agent.name, str):
        raise UserError(f"An agent's name has to be text, not {agent.name!r:.60}.")
    if not agent.name.strip():
        raise UserError("An agent's name can't be empty.", hint='Call it something: Agent(name="weather").')
    who = f"Agent {agent.name!r}"
    instructions = agent.instructions
    if instructions is not None and not isinstance(instructions, str):
        if not callable(instructions):
            raise UserError(f"{who}: instructions have to be text or a function, not {_kind(instructions)}.")
        if not _takes_two(instructions):
            raise UserError(f"{who}: its instruction function has to take two arguments, the context and the agent.")
    if agent.model is not None and not isinstance(agent.model, (str, Model)):
        raise UserError(
            f"{who}: model has to be a name or a Model, not {_kind(agent.model)}.",
            hint="job.use() is the name of a job's model." if _kind(agent.model) == "FineTuningJob" else None,
        )
    if not isinstance(agent.model_settings, ModelSettings):
        raise UserError(f"{who}: model_settings has to be ModelSettings, not {_kind(agent.model_settings)}.")
    if isinstance(agent.tools, list) and any(isinstance(tool, SearchableStore) for tool in agent.tools):
        agent.tools = _with_search(agent.tools)
    _check_tools(agent, who)
    _check_handoffs(agent, who)
    if agent.output_type is not None:
        try:
            check_output_type(agent.output_type)
        except UserError as error:
            raise UserError(f"{who}: {error.message[0].lower()}{error.message[1:]}", hint=error.hint) from None
    _check_guards(agent, who)


def _with_search(tools: list[Tool]) -> list[Tool]:
    """Return tools with one that searches in the place of the first vector store, for all of these."""
    stores = [tool for tool in tools if isinstance(tool, SearchableStore)]
    made: list[Tool] = []
    for tool in tools:
        if not isinstance(tool, SearchableStore):
            made.append(tool)
        elif tool is stores[0]:
            made.append(FileSearchTool(stores, include_search_results=True))  # for the citations' passages
    return made


def _check_tools(agent: Agent[Any], who: str) -> None:
    names: set[str] = set()
    for tool in _listed(agent.tools, "tools", who):
        if not isinstance(tool, (FunctionTool, *HOSTED_TOOLS)):
            hint = "Decorate it with @function_tool." if callable(tool) else "Make it with function_tool."
            raise UserError(f"{who}: {_kind(tool)} {tool!r:.60} is no tool.", hint=hint)
        if isinstance(tool, FunctionTool) and tool.is_enabled is True:  # others may take turns
            if tool.name in names:
                raise UserError(f"{who} has two tools or handoffs named {tool.name!r}.", hint="Rename one.")
            names.add(tool.name)


def _check_handoffs(agent: Agent[Any], who: str) -> None:
    from agentkit.runtime.agent import Agent

    for target in _listed(agent.handoffs, "handoffs", who):
        if not isinstance(target, (Agent, Handoff)):
            raise UserError(f"{who}: a handoff has to be an Agent, not {_kind(target)} {target!r:.60}.")


def _check_guards(agent: Agent[Any], who: str) -> None:
    kinds: Any = (("input_guardrails", InputGuardrail), ("output_guardrails", OutputGuardrail))
    for name, kind in kinds:
        for guardrail in _listed(getattr(agent, name), name, who):
            if not isinstance(guardrail, kind):
                hint = f"Decorate it with @{name.removesuffix('s')}."
                raise UserError(f"{who}: {guardrail!r:.60} is none of its {name}.", hint=hint)
    _listed(agent.mcp_servers, "mcp_servers", who)
    if agent.hooks is not None and not isinstance(agent.hooks, AgentHooks):
        raise UserError(f"{who}: hooks have to be AgentHooks, not {_kind(agent.hooks)}.")
    behavior = agent.tool_use_behavior
    stops = isinstance(behavior, dict) and isinstance(behavior.get("stop_at_tool_names"), (list, tuple, set))
    if not (behavior in ("run_llm_again", "stop_on_first_tool") or stops or callable(behavior)):
        hint = 'Use "run_llm_again", "stop_on_first_tool", {"stop_at_tool_names": […]} or a function.'
        raise UserError(f"{who}: tool_use_behavior can't be {behavior!r:.60}.", hint=hint)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # a built-in that doesn't say what it takes
        return True
    return True


def _kind(value: Any) -> str:
    return type(value).__name__


def _listed(value: Any, name: str, who: str) -> list[Any]:
    if not isinstance(value, list):
        raise UserError(f"{who}: {name} has to be a list, not {_kind(value)}.")
    return value
