"""MCP servers, whose tools an agent may call. `pip install "agentkit[mcp]"` brings the package that they need."""

from agentkit.exceptions import MCPServerError
from agentkit.mcp.approval import RequireApproval, RequireApprovalObject, RequireApprovalToolList
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

__all__ = [
    "MCPServer",
    "MCPServerError",
    "MCPServerSse",
    "MCPServerSseParams",
    "MCPServerStdio",
    "MCPServerStdioParams",
    "MCPServerStreamableHttp",
    "MCPServerStreamableHttpParams",
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
