"""Carrying out the commands that a model with `LocalShellTool` asks for."""

from __future__ import annotations

import inspect
from typing import Any

from agentkit.exceptions import AgentsException, ToolCallError
from agentkit.models.typed import typed_item
from agentkit.tooling import LocalShellCommandRequest, LocalShellTool, RunContextWrapper
from agentkit.tooling.executor import call_in_thread

__all__ = ["local_shell_call_output"]


async def local_shell_call_output(
    tool: LocalShellTool, call: dict[str, Any], context: RunContextWrapper[Any]
) -> dict[str, Any]:
    """Run what a `local_shell_call` asks for, and return the item that answers it.

    Args:
        tool: The tool; a sync executor runs beside the event loop.
        call: The item.
        context: The run's context, for the executor.

    Raises:
        ToolCallError: The executor failed; its exception is the `__cause__`.
    """
    request = LocalShellCommandRequest(context, typed_item(call))
    try:
        if inspect.iscoroutinefunction(tool.executor):
            output = await tool.executor(request)
        else:
            output = await call_in_thread(tool.executor, request)
            output = await output if inspect.isawaitable(output) else output
    except AgentsException:
        raise
    except Exception as error:  # foreign code
        raise ToolCallError(f"The local shell failed: {type(error).__name__}: {error}") from error
    return {"type": "local_shell_call_output", "id": call["call_id"], "call_id": call["call_id"], "output": str(output)}
