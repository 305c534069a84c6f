"""Agents: a model with instructions, tools, handoffs and a type of answer."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal

from typing_extensions import TypedDict

from agentkit._called_as import called_as
from agentkit._repr import brief, fields_repr
from agentkit.exceptions import UserError
from agentkit.models import AgentOutputSchemaBase, DynamicPromptFunction, Model, ModelSettings, Prompt
from agentkit.models.prompts import resolve_prompt
from agentkit.runtime.agent_check import check_agent
from agentkit.runtime.guardrails import InputGuardrail, OutputGuardrail
from agentkit.runtime.handoffs import Handoff
from agentkit.runtime.hooks import AgentHooks
from agentkit.tooling import (
    Enabled,
    FunctionTool,
    NeedsApproval,
    RunContextWrapper,
    TContext,
    Tool,
    ToolErrorFunction,
    default_tool_error_function,
)

if TYPE_CHECKING:
    from agentkit.runtime.graph import AgentGraph
    from agentkit.runtime.items import RunItem, ToolApprovalItem

__all__ = [
    "Agent",
    "AgentBase",
    "FunctionToolResult",
    "Instructions",
    "MCPConfig",
    "StopAtTools",
    "ToolUseBehavior",
    "ToolsToFinalOutputFunction",
    "ToolsToFinalOutputResult",
]

Instructions = str | Callable[[RunContextWrapper[Any], "Agent[Any]"], str | Awaitable[str]]
"""Text, or a function of context and agent that returns it."""


class StopAtTools(TypedDict):
    """The run ends with the output of the first of these tools that is called."""

    stop_at_tool_names: list[str]


class MCPConfig(TypedDict, total=False):
    """How the tools of an agent's MCP servers are offered to the model."""

    convert_schemas_to_strict: bool
    include_server_in_tool_names: bool
    failure_error_function: ToolErrorFunction | None


@dataclass
class FunctionToolResult:
    """What a function tool returned in a turn, for a `tool_use_behavior` function."""

    __repr__ = fields_repr

    tool: FunctionTool
    """The tool."""
    output: Any
    """What it returned."""
    run_item: RunItem | None = None
    """The item of the output."""
    interruptions: list[ToolApprovalItem] = field(default_factory=list)
    """Calls inside an agent used as a tool that wait for approval."""
    agent_run_result: Any = None
    """The result of an agent used as a tool."""


@dataclass
class ToolsToFinalOutputResult:
    """Whether the tools' outputs end the run."""

    __repr__ = fields_repr

    is_final_output: bool
    """Whether the run ends; else the model is called with the outputs."""
    final_output: Any = None
    """The run's final output, where it ends."""


ToolsToFinalOutputFunction = Callable[
    [RunContextWrapper[Any], list[FunctionToolResult]], ToolsToFinalOutputResult | Awaitable[ToolsToFinalOutputResult]
]
"""Decides from the context and the tools' results whether the run ends with them; sync or async."""

ToolUseBehavior = Literal["run_llm_again", "stop_on_first_tool"] | StopAtTools | ToolsToFinalOutputFunction
"""What happens with a tool's output: the model gets it, or it is the run's final output."""


@dataclass(eq=False)  # agents hand over to each other in circles: they are told apart, not compared
class Agent(Generic[TContext]):
    """A model with instructions, tools, handoffs and a type of answer.

    It holds no state of a run: one agent may take part in any number of runs at once.

    Raises:
        UserError: A field has a value of the wrong kind; the message names it.
    """

    name: str
    """What it is called, in traces and in handoffs."""
    instructions: Instructions | None = None
    """What it is to do: text, or a function of context and agent that returns it, sync or async."""
    prompt: Prompt | DynamicPromptFunction | None = None
    """A prompt stored on the platform, `{"id": …, "version": …, "variables": …}`, or a function that returns one."""
    handoff_description: str | None = None
    """When to hand a conversation over to it, for the agents that may."""
    handoffs: list[Agent[Any] | Handoff[TContext]] = field(default_factory=list)
    """Agents that it may hand the conversation over to."""
    model: str | Model | None = None
    """The model or its name; the platform's default when None."""
    model_settings: ModelSettings = field(default_factory=ModelSettings)
    """Settings of its model calls."""
    tools: list[Tool] = field(default_factory=list)
    """What it may call. An `agentkit.VectorStore` among them becomes a `FileSearchTool` for it."""
    mcp_servers: list[Any] = field(default_factory=list)  # MCPServer: the package is an extra
    """MCP servers whose tools it may call too."""
    mcp_config: MCPConfig = field(default_factory=lambda: MCPConfig())
    """How these are offered to the model."""
    input_guardrails: list[InputGuardrail[TContext]] = field(default_factory=list)
    """Checks of the input of runs that start with it."""
    output_guardrails: list[OutputGuardrail[TContext]] = field(default_factory=list)
    """Checks of its final output."""
    output_type: type[Any] | AgentOutputSchemaBase | None = None
    """Type of its answer; text when None."""
    hooks: AgentHooks[TContext] | None = None
    """Called at the events of the agent."""
    tool_use_behavior: ToolUseBehavior = "run_llm_again"
    """What happens with its tools' outputs: the model gets them, or they are the final output."""
    reset_tool_choice: bool = True
    """Whether a forced `tool_choice` is lifted once a tool has been called, as else the model could never answer."""

    def __post_init__(self) -> None:
        """Refuse values that would only fail later, in the middle of a run."""
        check_agent(self)

    @called_as("agent.as_tool")
    def as_tool(
        self,
        tool_name: str | None = None,
        tool_description: str | None = None,
        custom_output_extractor: Callable[[Any], Any] | None = None,
        is_enabled: Enabled = True,
        on_stream: Callable[[Any], Any] | None = None,
        run_config: Any = None,
        max_turns: int | None = None,
        hooks: Any = None,
        previous_response_id: str | None = None,
        conversation_id: str | None = None,
        session: Any = None,
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        needs_approval: NeedsApproval = False,
        parameters: type[Any] | None = None,
        input_builder: Callable[[Any], Any] | None = None,
        include_input_schema: bool = False,
    ) -> FunctionTool:
        """Return a tool that runs this agent: it gets an input made for it, and its answer is the tool's output.

        Other than after a handoff it doesn't see the conversation, and the calling agent goes on.

        Args:
            tool_name: Name for the model; made from the agent's when None.
            tool_description: What it does and when to use it, for the model.
            custom_output_extractor: Makes the tool's output from the inner run's `RunResult`; sync or async. The final
                output, as text, when None.
            is_enabled: Whether the model is offered it; a function of context and agent is asked before each call.
            on_stream: Called with an `AgentToolStreamEvent` for each event of the inner run; sync or async.
            run_config: Settings of the inner run; those of the outer one when None.
            max_turns: Model calls that the inner run may make; 10 when None.
            hooks: `RunHooks` of the inner run.
            previous_response_id: Response that the inner run goes on from.
            conversation_id: Conversation that the inner run belongs to.
            session: Session of the inner run.
            failure_error_function: Makes the text for the model when the inner run fails; None raises the error.
            needs_approval: Whether a call waits for a person.
            parameters: Type of the arguments, such as a pydantic model; one text named `input` when None.
            input_builder: Makes the inner run's input from `{"params": …, "summary": …, "json_schema": …}`.
            include_input_schema: Whether the inner agent is told the schema of its parameters.

        Raises:
            UserError: The name is none that the API takes.
        """
        from agentkit.runtime.agent_tool import AgentToolOptions, agent_tool

        options = AgentToolOptions(
            extract=custom_output_extractor,
            on_stream=on_stream,
            run_config=run_config,
            max_turns=max_turns,
            hooks=hooks,
            previous_response_id=previous_response_id,
            conversation_id=conversation_id,
            session=session,
            failure_error_function=failure_error_function,
            parameters=parameters,
            input_builder=input_builder,
            include_input_schema=include_input_schema,
        )
        return agent_tool(
            self, tool_name, tool_description, options, is_enabled=is_enabled, needs_approval=needs_approval
        )

    async def get_mcp_tools(self, run_context: RunContextWrapper[TContext]) -> list[Tool]:
        """Return the tools of the agent's MCP servers, as function tools.

        Raises:
            UserError: Two servers have a tool of the same name.
            AgentsException: A server can't be reached; the message names it.
        """
        if not self.mcp_servers:
            return []
        from agentkit.mcp import MCPUtil

        tools = await MCPUtil.get_all_function_tools(
            self.mcp_servers,
            bool(self.mcp_config.get("convert_schemas_to_strict", False)),
            run_context,
            self,
            include_server_in_tool_names=bool(self.mcp_config.get("include_server_in_tool_names", False)),
            failure_error_function=self.mcp_config.get("failure_error_function", default_tool_error_function),
            reserved_tool_names={tool.name for tool in self.tools if isinstance(tool, FunctionTool)},
        )
        return list(tools)

    async def get_all_tools(self, run_context: RunContextWrapper[TContext]) -> list[Tool]:
        """Return the tools that the model is offered now: those enabled, and those of MCP servers."""
        tools = await self.get_mcp_tools(run_context) if self.mcp_servers else []
        return tools + [tool for tool in self.tools if await is_enabled(tool, run_context, self)]

    async def get_prompt(self, run_context: RunContextWrapper[TContext]) -> Any:
        """Return the stored prompt for a run, or None."""
        return None if self.prompt is None else await resolve_prompt(self.prompt, run_context, self)

    def graph(self) -> AgentGraph:
        """Return a drawing of the agent, of all agents that a conversation may come to from it, and of their tools.

        It shows itself in a notebook, and as a tree of lines in a terminal; `.svg` is the drawing, `.save(path)` keeps
        it. What the agents have is looked at now: servers aren't asked for their tools, nor functions whether
        something is switched on.
        """
        from agentkit.runtime.graph import AgentGraph

        return AgentGraph([self])

    def clone(self, **changes: Any) -> Agent[TContext]:
        """Return a copy with `changes`, such as `agent.clone(name="Robot")`. Lists are shared unless changed."""
        return dataclasses.replace(self, **changes)

    async def get_system_prompt(self, run_context: RunContextWrapper[TContext]) -> str | None:
        """Return the instructions for a run.

        Raises:
            UserError: The instruction function returned something else than text.
        """
        if self.instructions is None or isinstance(self.instructions, str):
            return self.instructions
        text = self.instructions(run_context, self)
        if inspect.isawaitable(text):
            text = await text
        if not isinstance(text, str):
            raise UserError(f"Agent {self.name!r}: its instruction function returned {_kind(text)}, not text.")
        return text

    def __repr__(self) -> str:
        told = {
            "model": self.model,
            "tools": [tool.name for tool in self.tools],
            "mcp_servers": [getattr(server, "name", type(server).__name__) for server in self.mcp_servers],
            "handoffs": [getattr(way, "agent_name", None) or getattr(way, "name", "?") for way in self.handoffs],
            "output_type": self.output_type,
        }
        shown = "".join(f", {name}={brief(value)}" for name, value in told.items() if value)
        return f"{type(self).__name__}({self.name!r}{shown})"


Agent.__init__ = called_as("Agent")(Agent.__init__)  # type: ignore[method-assign]

AgentBase = Agent
"""The name that the SDK's documentation gives to what its kinds of agents share: here there is one."""


async def is_enabled(what: Any, context: RunContextWrapper[Any], agent: Agent[Any]) -> bool:
    """Return whether a tool or handoff is offered to the model now. Hosted tools always are."""
    enabled = getattr(what, "is_enabled", True)
    if callable(enabled):
        enabled = enabled(context, agent)
        if inspect.isawaitable(enabled):
            enabled = await enabled
    return bool(enabled)


def _kind(value: Any) -> str:
    return type(value).__name__
