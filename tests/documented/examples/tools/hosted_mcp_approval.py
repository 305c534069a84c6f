import asyncio

from agentkit import Agent, HostedMCPTool, MCPToolApprovalFunctionResult, MCPToolApprovalRequest, Runner

SAFE_TOOLS = {"read_project_metadata"}


def approve_tool(request: MCPToolApprovalRequest) -> MCPToolApprovalFunctionResult:
    if request.data.name in SAFE_TOOLS:
        return {"approve": True}
    return {"approve": False, "reason": "Escalate to a human reviewer"}


async def main():
    agent = Agent(
        name="Assistant",
        tools=[
            HostedMCPTool(
                tool_config={
                    "type": "mcp",
                    "server_label": "gitmcp",
                    "server_url": "https://mcp.example/codex",
                    "require_approval": "always",
                },
                on_approval_request=approve_tool,
            )
        ],
    )
    result = await Runner.run(agent, "Which language is this repository written in?")
    print(result.final_output)


asyncio.run(main())
