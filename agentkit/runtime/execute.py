"""Carrying out the calls of a turn: tools side by side, then the handoff."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from agentkit.runtime.ledger import Entry, Outcome
from agentkit.runtime.progress import RunProgress
from agentkit.runtime.turn import Call, Equipment, Turn, unknown_tool_message
from agentkit.tools import ToolContext
from agentkit.tracing import SpanError, function_span, handoff_span

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["execute_handoff", "execute_tools"]

_UNCHANGING = (str, int, float, bool, type(None))


async def execute_tools(run: RunProgress, turn: Turn, equipment: Equipment) -> AsyncGenerator[None]:
    """Run the turn's tools side by side, and yield whenever an output has been written to the ledger, in call order.

    Raises:
        AgentsException: A tool failed whose errors are to be raised. The others are cancelled.
    """
    calls = [call for call in turn.calls if call.kind != "handoff"]
    if not calls:
        return
    run.used_tools.add(run.agent_key)
    if len(calls) == 1:  # no task needed
        _record(run, calls[0], *await _call_tool(run, calls[0], equipment))
        yield
        return
    tasks = [asyncio.ensure_future(_call_tool(run, call, equipment)) for call in calls]
    try:
        recorded = 0
        while recorded < len(tasks):
            await asyncio.wait(
                [task for task in tasks if not task.done()] or tasks, return_when=asyncio.FIRST_COMPLETED
            )
            for task in tasks:
                if task.done():
                    task.result()  # raises what the tool raised, whichever it was
            before = recorded
            while recorded < len(tasks) and tasks[recorded].done():
                _record(run, calls[recorded], *tasks[recorded].result())
                recorded += 1
            if recorded > before:
                yield
    finally:
        await _cancel(tasks)


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # seen, so that asyncio doesn't complain of it later


async def _call_tool(run: RunProgress, call: Call, equipment: Equipment) -> tuple[Any, Outcome]:
    """Return what the tool returns and whether that is a result, traced."""
    span = function_span(call.name, parent=run.agent_span, disabled=run.agent_span is None)
    with span:
        include_data = run.config.trace_include_sensitive_data
        if include_data:
            span.span_data.input = call.arguments
        outcome: Outcome = "ok"
        if call.kind == "unknown":
            outcome = "failed"
            output: Any = unknown_tool_message(call, equipment)
            span.set_error({"message": output, "data": {"tool_name": call.name}})
        else:
            context = ToolContext(
                context=run.context.context,
                usage=run.context.usage,
                tool_name=call.name,
                tool_call_id=call.call_id,
                tool_arguments=call.arguments,
                agent=run.agent,
            )
            try:
                output = await equipment.tools_by_name[call.name].on_invoke_tool(context, call.arguments)
            except asyncio.CancelledError:
                span.status = "cancelled"
                raise
            except Exception as error:  # recorded, not handled
                span.set_error(_span_error(call, error, include_data))
                raise
            if context.error is not None:
                outcome = "failed"
                span.set_error(_span_error(call, context.error, include_data))
        if include_data:  # what it is now: the object itself may be changed before the trace is written
            span.span_data.output = output if isinstance(output, _UNCHANGING) else str(output)
    return output, outcome


def _span_error(call: Call, error: Exception, include_data: bool) -> SpanError:
    what = str(error) if include_data else type(error).__name__  # an error's text quotes arguments and results
    return {"message": "Error running tool", "data": {"tool_name": call.name, "error": what}}


def _record(run: RunProgress, call: Call, output: Any, outcome: Outcome) -> None:
    item = {"type": "function_call_output", "call_id": call.call_id, "output": str(output)}
    run.ledger.add(Entry("tool_output", item, run.agent_key, run.turn, value=output, outcome=outcome))


async def execute_handoff(run: RunProgress, turn: Turn, equipment: Equipment) -> Agent[Any] | None:
    """Carry out the turn's first handoff, and return the agent that it leads to; None without one.

    Any further handoff of the turn is answered as ignored.
    """
    chosen = turn.handoff
    if chosen is None:
        return None
    ignored = [call for call in turn.calls if call.kind == "handoff" and call is not chosen]
    with handoff_span(from_agent=run.agent.name, parent=run.agent_span, disabled=run.agent_span is None) as span:
        way = equipment.handoffs_by_name[chosen.name]
        agent = await way.on_invoke_handoff(run.context, chosen.arguments)
        span.span_data.to_agent = agent.name
        if ignored:
            names = [equipment.handoffs_by_name[call.name].agent_name for call in [chosen, *ignored]]
            span.set_error({"message": "Multiple handoffs requested", "data": {"requested_agents": names}})
    for call in [chosen, *ignored]:
        said = way.get_transfer_message(agent) if call is chosen else "Multiple handoffs detected, ignoring this one."
        item = {"type": "function_call_output", "call_id": call.call_id, "output": said}
        kind: Any = "handoff_output" if call is chosen else "tool_output"
        target = run.key_of(agent) if call is chosen else None
        run.ledger.add(Entry(kind, item, run.agent_key, run.turn, target=target, value=said))
    return agent
