"""MCP servers, whose tools an agent may call. `pip install "agentkit[mcp]"` brings the package that they need."""

from agentkit.exceptions import MCPServerError
from agentkit.mcp.approval import RequireApproval, RequireApprovalObject, RequireApprovalToolList
from agentkit.mcp.call_meta import MCPToolMetaContext, MCPToolMetaResolver
from agentkit.mcp.filters import (
    ToolFilter,
    ToolFilterCallable,
    ToolFilterContext,
    ToolFilterStatic,
    create_static_tool_filter,
)
from agentkit.mcp.function_tools import MCPUtil
from agentkit.mcp.server import MCPServer
from agentkit.mcp.servers import (
    MCPServerSse,
    MCPServerSseParams,
    MCPServerStdio,
    MCPServerStdioParams,
    MCPServerStreamableHttp,
    MCPServerStreamableHttpParams,
)
from agentkit.mcp.several_servers import MCPServerManager

__all__ = [
    "MCPServer",
    "MCPServerError",
    "MCPServerManager",
    "MCPServerSse",
    "MCPServerSseParams",
    "MCPServerStdio",
    "MCPServerStdioParams",
    "MCPServerStreamableHttp",
    "MCPServerStreamableHttpParams",
    "MCPToolMetaContext",
    "MCPToolMetaResolver",
    "MCPUtil",
    "RequireApproval",
    "RequireApprovalObject",
    "RequireApprovalToolList",
    "ToolFilter",
    "ToolFilterCallable",
    "ToolFilterContext",
    "ToolFilterStatic",
    "create_static_tool_filter",
]
