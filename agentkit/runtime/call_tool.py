"""One call of a function tool: guardrails before and after, hooks, a time limit, a span."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

from agentkit import _logging
from agentkit.exceptions import (
    AgentsException,
    ToolCallError,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    ToolTimeoutError,
)
from agentkit.runtime.hooks import call_hooks
from agentkit.runtime.items import ToolApprovalItem
from agentkit.runtime.ledger import Outcome
from agentkit.runtime.turn import Call, Equipment
from agentkit.tooling import (
    FunctionTool,
    ToolContext,
    ToolInputGuardrailData,
    ToolInputGuardrailResult,
    ToolOutputGuardrailData,
    ToolOutputGuardrailResult,
)
from agentkit.tracing import SpanError, function_span

if TYPE_CHECKING:
    from agentkit.runtime.progress import RunProgress

__all__ = ["InnerRunWaits", "call_function_tool"]

_UNCHANGING = (str, int, float, bool, type(None))


class InnerRunWaits(BaseException):
    """An agent used as a tool has calls that wait for approval. Not an error: no `except Exception` may take it.

    Attributes:
        interruptions: The calls.
    """

    def __init__(self, interruptions: list[ToolApprovalItem]) -> None:
        super().__init__()
        self.interruptions = interruptions


async def call_function_tool(run: RunProgress, call: Call, equipment: Equipment) -> tuple[Any, Outcome]:
    """Return what the tool returns and whether that is a result, traced.

    Raises:
        InnerRunWaits: It is an agent, whose run waits for approval.
        AgentsException: It failed, and its errors are to be raised; or a guardrail stopped the run.
    """
    tool = equipment.tools_by_name[call.name]
    include_data = run.config.trace_include_sensitive_data
    with function_span(call.name, parent=run.agent_span, disabled=run.agent_span is None) as span:
        span.span_data.call_id = call.call_id
        if include_data:
            span.span_data.input = call.arguments
        context = _context(run, call)
        _logging.tool_started(call.name, call.call_id, call.arguments)
        try:
            output, outcome = await _guarded(run, tool, context)
        except (asyncio.CancelledError, InnerRunWaits):
            span.status = "cancelled"
            raise
        except Exception as error:  # recorded, not handled
            span.set_error(_span_error(call, error, include_data))
            raise
        if context.error is not None:
            outcome = "failed"
            span.set_error(_span_error(call, context.error, include_data))
        if include_data:
            span.span_data.output = _as_it_is_now(output)
        _logging.tool_ended(call.name, call.call_id, output, outcome=outcome)
    return output, outcome


def _as_it_is_now(output: Any) -> Any:
    """Return a tool's output for its span: the object itself may be changed before the trace is written."""
    if isinstance(output, _UNCHANGING):
        return output
    try:
        return str(output)
    except Exception:  # the object's own way of becoming text
        return f"<{type(output).__name__}>"


def _context(run: RunProgress, call: Call) -> ToolContext[Any]:
    run.inner.path, run.inner.meters = run.path, run.meters()
    return ToolContext(
        context=run.context.context,
        usage=run.context.usage,
        approvals=run.context.approvals,
        tool_name=call.name,
        tool_call_id=call.call_id,
        tool_arguments=call.arguments,
        tool_call=call.item,
        agent=run.agent,
        run_config=run.config,
        inner=run.inner,
    )


async def _guarded(run: RunProgress, tool: FunctionTool, context: ToolContext[Any]) -> tuple[Any, Outcome]:
    if context.tool_call_id not in run.inner.states:  # else it began before, and goes on
        rejected = await _rejected(run, tool, context)
        if rejected is not None:
            return rejected, "rejected"
        await call_hooks(run.hook_calls("on_tool_start"), context, run.agent, tool)
    output = await _in_time(tool, context)
    for guard in tool.tool_output_guardrails:
        found = await guard.run(ToolOutputGuardrailData(context, run.agent, output))
        run.tool_output_guardrail_results.append(ToolOutputGuardrailResult(guard, found))
        if found.behavior["type"] == "raise_exception":
            raise ToolOutputGuardrailTripwireTriggered(guard, found)
        if found.behavior["type"] == "reject_content":
            output = found.behavior["message"]
            break
    await call_hooks(run.hook_calls("on_tool_end"), context, run.agent, tool, output)
    return output, "ok"


async def _rejected(run: RunProgress, tool: FunctionTool, context: ToolContext[Any]) -> str | None:
    """Return what the model is told where a guardrail lets the call not through; None where all do."""
    for check in tool.tool_input_guardrails:
        found = await check.run(ToolInputGuardrailData(context, run.agent))
        run.tool_input_guardrail_results.append(ToolInputGuardrailResult(check, found))
        if found.behavior["type"] == "raise_exception":
            raise ToolInputGuardrailTripwireTriggered(check, found)
        if found.behavior["type"] == "reject_content":
            return found.behavior["message"]
    return None


async def _in_time(tool: FunctionTool, context: ToolContext[Any]) -> Any:
    if tool.timeout_seconds is None:
        return await _invoked(tool, context)
    try:
        async with asyncio.timeout(tool.timeout_seconds):
            return await _invoked(tool, context)
    except TimeoutError as error:
        late = ToolTimeoutError(tool.name, tool.timeout_seconds)
        if tool.timeout_behavior == "raise_exception":
            raise late from error
        context.error = late
        if tool.timeout_error_function is None:
            return str(late)
        text = tool.timeout_error_function(context, late)
        return await text if inspect.isawaitable(text) else text


async def _invoked(tool: FunctionTool, context: ToolContext[Any]) -> Any:
    """Return what the tool returns.

    Raises:
        AgentsException: It raised, which a tool made from a function does only where it is told to.
    """
    try:
        return await tool.on_invoke_tool(context, context.tool_arguments)
    except AgentsException:
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():  # the run itself is being stopped, or the time is over
            raise
        raise ToolCallError(f"Tool {tool.name!r} failed: something it waited for was cancelled.") from error
    except Exception as error:  # a tool made by hand may raise anything
        raise ToolCallError(f"Tool {tool.name!r} raised {type(error).__name__}: {error}") from error


def _span_error(call: Call, error: Exception, include_data: bool) -> SpanError:
    what = str(error) if include_data else type(error).__name__  # an error's text quotes arguments and results
    return {"message": "Error running tool", "data": {"tool_name": call.name, "error": what}}
