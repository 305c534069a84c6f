"""What the tests of MCP servers share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from agentkit.mcp import MCPServerStdio

SCRIPT = Path(__file__).parent / "mcp_a_server.py"


async def said(server: Any, tool: str, **arguments: Any) -> str:
    """What a tool answers, as text."""
    return "".join(part.text for part in (await server.call_tool(tool, arguments)).content)


def outputs(result: Any) -> list[Any]:
    """The outputs of the tools that a run called."""
    return [item.raw_item["output"] for item in result.new_items if item.type == "tool_call_output_item"]


def children() -> list[int]:
    """Ids of the child processes that are servers of ours, or wait to end one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_text()
        except OSError:
            continue
        ours = ("mcp_a_server.py" in command and "--http" not in command) or "kill -KILL" in command
        if int(parent) == os.getpid() and ours:
            found.append(int(folder.name))
    return found


TOOLS = [
    "add",
    "fail",
    "picture",
    "facts",
    "large",
    "grumble",
    "stand_still",
    "die",
    "wait",
    "how_many_wait",
    "meet",
    "pid",
    "grow",
]
"""The tools of the server, over stdio."""


def stdio(*args: str, name: str = "sums", **options: Any) -> MCPServerStdio:
    options.setdefault("client_session_timeout_seconds", 60)
    return MCPServerStdio(params={"command": sys.executable, "args": [str(SCRIPT), *args]}, name=name, **options)
