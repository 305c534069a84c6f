"""MCP servers: what agents ask them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NoReturn, Self

from agentkit.exceptions import UserError
from agentkit.mcp.approval import Policy, RequireApproval, approval_policy
from agentkit.mcp.call_meta import MCPToolMetaResolver
from agentkit.tooling import (
    RunContextWrapper,
    ToolErrorFunction,
    ToolInputGuardrail,
    ToolOutputGuardrail,
    default_tool_error_function,
)

if TYPE_CHECKING:
    from mcp import Tool as MCPTool
    from mcp_types import (
        CallToolResult,
        GetPromptResult,
        ListPromptsResult,
        ListResourcesResult,
        ListResourceTemplatesResult,
        ReadResourceResult,
    )

__all__ = ["MCPServer"]


class MCPServer(ABC):
    """A server whose tools agents may call: `Agent(mcp_servers=[…])`. Derive from it for ways to a server of your own.

    Args:
        use_structured_content: Whether the model gets a tool's structured content, where there is one, instead of its
            texts and images. Most servers send the same in both.
        require_approval: Whose calls wait for a person: "always", "never", True, False, a dict of these by tool name,
            `{"always": {"tool_names": […]}, "never": {…}}`, or a function of context, agent and tool.
        failure_error_function: Makes the text for the model when a call fails; None raises the error instead.
        tool_meta_resolver: Makes the `_meta` of each call, sync or async, from an `MCPToolMetaContext`.
        tool_input_guardrails: Checks of each call.
        tool_output_guardrails: Checks of what each call returns.

    Raises:
        UserError: `require_approval` is none of these, or `tool_meta_resolver` is no function.
    """

    def __init__(
        self,
        use_structured_content: bool = False,
        require_approval: RequireApproval = None,
        failure_error_function: ToolErrorFunction | None = default_tool_error_function,
        tool_meta_resolver: MCPToolMetaResolver | None = None,
        *,
        tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None,
        tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None,
    ) -> None:
        self.use_structured_content = use_structured_content
        self.approval_policy: Policy = approval_policy(require_approval, f"MCP server {self.name!r}")
        self.failure_error_function = failure_error_function
        resolver: Any = tool_meta_resolver
        if resolver is not None and not callable(resolver):
            raise UserError(f"MCP server {self.name!r}: tool_meta_resolver has to be a function, not {resolver!r:.80}.")
        self.tool_meta_resolver = tool_meta_resolver
        self.tool_input_guardrails = list(tool_input_guardrails or ())
        self.tool_output_guardrails = list(tool_output_guardrails or ())

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called, in errors and traces."""

    @abstractmethod
    async def connect(self) -> None:
        """Connect to it; start it, where it is a process."""

    @abstractmethod
    async def cleanup(self) -> None:
        """Disconnect; end it, where it is a process."""

    @abstractmethod
    async def list_tools(self, run_context: RunContextWrapper[Any] | None = None, agent: Any = None) -> list[MCPTool]:
        """Return its tools, those that its filter lets through for this run and agent."""

    @abstractmethod
    async def call_tool(
        self, tool_name: str, arguments: dict[str, Any] | None, meta: dict[str, Any] | None = None
    ) -> CallToolResult:
        """Return what its tool answers."""

    @abstractmethod
    async def list_prompts(self) -> ListPromptsResult:
        """Return the prompts that it offers."""

    @abstractmethod
    async def get_prompt(self, name: str, arguments: dict[str, Any] | None = None) -> GetPromptResult:
        """Return one of its prompts, filled in."""

    async def list_resources(self, cursor: str | None = None) -> ListResourcesResult:
        """Return a page of the resources that it offers: the first, or that at a `next_cursor`."""
        self._lacks("list_resources")

    async def list_resource_templates(self, cursor: str | None = None) -> ListResourceTemplatesResult:
        """Return a page of the patterns of its resources' addresses: the first, or that at a `next_cursor`."""
        self._lacks("list_resource_templates")

    async def read_resource(self, uri: str) -> ReadResourceResult:
        """Return what is at the address of one of its resources."""
        self._lacks("read_resource")

    def _lacks(self, method: str) -> NoReturn:
        what = f"MCP server {self.name!r} is a {type(self).__name__}, which has no {method} of its own."
        raise NotImplementedError(f"{what} Write one.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cleanup()
