"""Final outputs that no model gave: a tool's output, or an error handler's."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import AgentsException, UserError
from agentkit.runtime.agent import FunctionToolResult, ToolsToFinalOutputResult
from agentkit.runtime.ledger import Entry
from agentkit.runtime.run_config import RunErrorData, RunErrorHandlerInput, RunErrorHandlerResult
from agentkit.runtime.turn import Equipment, Final, Turn

if TYPE_CHECKING:
    from agentkit.runtime.progress import RunProgress

__all__ = ["error_handled", "final_from_tools"]


async def final_from_tools(run: RunProgress, turn: Turn, equipment: Equipment) -> Final | None:
    """Return the final output where the agent's `tool_use_behavior` makes one of its tools' outputs; None else."""
    behavior: Any = run.agent.tool_use_behavior
    if behavior == "run_llm_again":
        return None
    results = _results(run, turn, equipment)
    if not results:
        return None
    if behavior == "stop_on_first_tool":
        return _final(equipment, results[0].output)
    if isinstance(behavior, dict):
        named = [result for result in results if result.tool.name in behavior["stop_at_tool_names"]]
        return _final(equipment, named[0].output) if named else None
    decided = behavior(run.context, results)
    if inspect.isawaitable(decided):
        decided = await decided
    if not isinstance(decided, ToolsToFinalOutputResult):
        raise UserError(
            f"tool_use_behavior of agent {run.agent.name!r} returned {type(decided).__name__}.",
            hint="Return ToolsToFinalOutputResult(is_final_output=…, final_output=…).",
        )
    return _final(equipment, decided.final_output) if decided.is_final_output else None


def _final(equipment: Equipment, output: Any) -> Final:
    is_text = equipment.output_schema is None or equipment.output_schema.is_plain_text()
    return Final(str(output) if is_text else output)


def _results(run: RunProgress, turn: Turn, equipment: Equipment) -> list[FunctionToolResult]:
    """Return what the turn's function tools returned, in the order of the calls; rejected ones are left out."""
    calls = {call.call_id: call for call in turn.calls if call.kind == "tool"}
    results = []
    for entry, item in zip(run.ledger.entries, run.items(), strict=True):
        if entry.turn != run.turn or entry.kind != "tool_output" or entry.outcome == "rejected":
            continue
        call = calls.get(entry.item.get("call_id", ""))
        if call is not None:
            inner = run.inner.results.get(call.call_id)
            results.append(
                FunctionToolResult(equipment.tools_by_name[call.name], entry.value, item, agent_run_result=inner)
            )
    return results


async def error_handled(run: RunProgress, kind: str, error: AgentsException) -> Final | None:
    """Return the final output that the run's error handler gives in place of `error`; None where there is none.

    Args:
        run: The run.
        kind: Name of the handler.
        error: What went wrong.
    """
    handlers: Any = run.options.error_handlers or {}
    handler = handlers.get(kind)
    if handler is None:
        return None
    items = run.items()
    data = RunErrorData(
        input=run.input,
        new_items=list(items),
        history=run.ledger.all_items(),
        output=[item.to_input_item() for item in items],
        raw_responses=list(run.responses),
        last_agent=run.agent,
    )
    given = handler(RunErrorHandlerInput(error, run.context, data))
    if inspect.isawaitable(given):
        given = await given
    if given is None:
        return None
    result = given if isinstance(given, RunErrorHandlerResult) else RunErrorHandlerResult(given)
    if result.include_in_history:
        part = {"type": "output_text", "text": str(result.final_output), "annotations": []}
        message = {"type": "message", "role": "assistant", "status": "completed", "content": [part]}
        run.ledger.add(Entry("message", message, run.agent_key, run.turn))
    return Final(result.final_output)
