"""Carrying out the calls of a turn: tools side by side, then the handoff."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit import _logging
from agentkit.exceptions import ModelBehaviorError
from agentkit.runtime.approvals import REJECTED, Verdict, key_of, told_instead, verdict_on
from agentkit.runtime.call_tool import InnerRunWaits, call_function_tool
from agentkit.runtime.hooks import call_hooks
from agentkit.runtime.items import ToolApprovalItem
from agentkit.runtime.ledger import Entry, EntryKind, Outcome
from agentkit.runtime.progress import RunProgress
from agentkit.runtime.stopping import stop_all
from agentkit.runtime.turn import Call, Equipment, Turn, unknown_tool_message
from agentkit.tooling import ComputerTool, LocalShellTool, output_for_model
from agentkit.tracing import function_span, handoff_span

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = ["execute_handoff", "execute_tools"]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of a call."""

    item: dict[str, Any]
    """The item that goes back to the model."""
    value: Any = None
    """What the tool returned, as the Python object it is."""
    outcome: Outcome = "ok"
    kind: EntryKind = "tool_output"


async def execute_tools(run: RunProgress, turn: Turn, equipment: Equipment) -> AsyncGenerator[None]:
    """Run the turn's tools side by side, and yield whenever there is news.

    News are outputs in the ledger, in the order of the calls, and events of inner runs. Calls that wait for approval
    are put on the run's `waiting`.

    Raises:
        AgentsException: A tool failed whose errors are to be raised. The others are cancelled.
    """
    calls = [call for call in turn.calls if call.kind != "handoff" and not run.answered(call.call_id)]
    if not calls:
        return
    run.used_tools.add(run.agent_key)
    work = _Work(run, equipment)
    if len(calls) == 1 and not run.streamed:  # no task needed
        work.record(calls[0], await work.carry_out(calls[0]))
        yield
        return
    tasks = [asyncio.ensure_future(work.carry_out(call)) for call in calls]
    news = run.news = asyncio.Event()
    for task in tasks:
        task.add_done_callback(lambda _: news.set())
    recorded = 0
    try:
        while recorded < len(tasks):
            await news.wait()
            news.clear()
            for task in tasks:
                if task.done():
                    task.result()  # raises what the tool raised, whichever it was
            while recorded < len(tasks) and tasks[recorded].done():
                work.record(calls[recorded], tasks[recorded].result())
                recorded += 1
            yield
    finally:
        run.news = None
        try:
            await stop_all(tasks)
        finally:
            _record_done(work, calls[recorded:], tasks[recorded:])


def _record_done(work: _Work, calls: Sequence[Call], tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Record the answers of calls that were through before the run was stopped: the history is to say so."""
    for call, task in zip(calls, tasks, strict=True):
        if not task.cancelled() and task.exception() is None and isinstance(answer := task.result(), _Answer):
            work.record(call, answer)


class _Work:
    """The calls of one turn, each carried out by its kind."""

    def __init__(self, run: RunProgress, equipment: Equipment) -> None:
        self.run = run
        self.equipment = equipment
        execution = run.config.tool_execution
        limit = execution.max_function_tool_concurrency if execution is not None else None
        self.turns: Any = contextlib.nullcontext() if limit is None else asyncio.Semaphore(limit)
        self.screen = asyncio.Lock()
        """A computer's actions come one after another."""

    def record(self, call: Call, answer: _Answer | list[ToolApprovalItem]) -> None:
        """Write an answer to the ledger, or down what the call waits for."""
        run = self.run
        if isinstance(answer, list):
            run.waiting += answer
            return
        run.ledger.add(Entry(answer.kind, answer.item, run.agent_key, run.turn, None, answer.value, answer.outcome))

    async def carry_out(self, call: Call) -> _Answer | list[ToolApprovalItem]:
        """Return what came of a call, or what it waits for."""
        verdict = await verdict_on(self.run, call, self.equipment)
        if verdict.approved is None:
            return [ToolApprovalItem(self.run.agent, call.item, call.name, self.run.path)]
        approvals, key = self.run.context.approvals, key_of(self.run, call)
        once = approvals.take(key)  # a decision holds for one call, however that ends
        answer = await self._answer(call, verdict)
        if isinstance(answer, list) and once is not None:  # it hasn't ended: calls inside it wait
            approvals.calls[key] = once
        return answer

    async def _answer(self, call: Call, verdict: Verdict) -> _Answer | list[ToolApprovalItem]:
        """Return what came of a call that has been decided on."""
        if call.kind == "mcp_approval":
            return _decision(call, verdict)
        if not verdict.approved:
            text = verdict.message or REJECTED
            text = await told_instead(self.run, call, "approval_rejected", text, own=verdict.message is not None)
            return _Answer(_function_output(call, text), text, "rejected")
        if call.kind == "tool":
            async with self.turns:
                return await self._function(call)
        if call.kind == "unknown":
            return await self._unknown(call)
        async with self.screen:
            return await self._hosted(call)

    async def _function(self, call: Call) -> _Answer | list[ToolApprovalItem]:
        try:
            output, outcome = await call_function_tool(self.run, call, self.equipment)
        except InnerRunWaits as waits:
            return waits.interruptions
        try:
            shown = output_for_model(output)
        except Exception as error:  # the object's own way of becoming text, or one of Python's limits
            text = f"The tool returned a {type(output).__name__} that can't be made into text: {error}"
            return _Answer(_function_output(call, text), text, "failed")
        return _Answer(_function_output(call, shown), output, outcome)

    async def _unknown(self, call: Call) -> _Answer:
        run = self.run
        text = unknown_tool_message(call, self.equipment)
        if run.config.tool_not_found_behavior == "raise_error":
            raise ModelBehaviorError(text)
        with function_span(call.name, parent=run.agent_span, disabled=run.agent_span is None) as span:
            span.span_data.call_id = call.call_id
            text = await told_instead(run, call, "tool_not_found", text)
            if run.config.trace_include_sensitive_data:
                span.span_data.input, span.span_data.output = call.arguments, text
            span.set_error({"message": text, "data": {"tool_name": call.name}})
        return _Answer(_function_output(call, text), text, "failed")

    async def _hosted(self, call: Call) -> _Answer:
        """Return the answer to a hosted tool that acts through this side: a computer, a shell."""
        run = self.run
        kind: type[ComputerTool | LocalShellTool] = ComputerTool if call.kind == "computer" else LocalShellTool
        tool = next((tool for tool in self.equipment.tools if isinstance(tool, kind)), None)
        if tool is None:
            raise ModelBehaviorError(
                f"The model sent a {call.item['type']}, but agent {run.agent.name!r} has no such tool."
            )
        await call_hooks(run.hook_calls("on_tool_start"), run.context, run.agent, tool)
        with function_span(tool.name, parent=run.agent_span, disabled=run.agent_span is None) as span:
            span.span_data.call_id = call.call_id
            if isinstance(tool, ComputerTool):
                from agentkit.runtime.computer_actions import computer_call_output

                item = await computer_call_output(tool, call.item, run.context, agent=run.agent)
            else:
                from agentkit.runtime.local_shell import local_shell_call_output

                item = await local_shell_call_output(tool, call.item, run.context)
        await call_hooks(run.hook_calls("on_tool_end"), run.context, run.agent, tool, item["output"])
        return _Answer(item, item["output"])


def _function_output(call: Call, output: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call.call_id, "output": output}


def _decision(call: Call, verdict: Verdict) -> _Answer:
    item = {
        "type": "mcp_approval_response",
        "approval_request_id": call.call_id,
        "approve": bool(verdict.approved),
        **({"reason": verdict.message} if verdict.message else {}),
    }
    return _Answer(item, verdict.approved, "ok" if verdict.approved else "rejected", "mcp_approval_response")


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
        _logging.agent_handed_over(run.agent.name, agent.name)
        if ignored:
            names = [equipment.handoffs_by_name[call.name].agent_name for call in [chosen, *ignored]]
            span.set_error({"message": "Multiple handoffs requested", "data": {"requested_agents": names}})
    turn_start = next(i for i, entry in enumerate(run.ledger.entries) if entry.turn == run.turn)
    for call in [chosen, *ignored]:
        said = way.get_transfer_message(agent) if call is chosen else "Multiple handoffs detected, ignoring this one."
        kind: EntryKind = "handoff_output" if call is chosen else "tool_output"
        target = run.key_of(agent) if call is chosen else None
        run.ledger.add(Entry(kind, _function_output(call, said), run.agent_key, run.turn, target=target, value=said))
    source = run.agent
    if (hooks := run.options.hooks) is not None:
        await call_hooks([(hooks, "on_handoff")], run.context, source, agent)
    await call_hooks([(source.hooks, "on_handoff")], run.context, agent, source)
    await rewrite(run, way, turn_start)
    return agent


async def rewrite(run: RunProgress, way: Any, turn_start: int) -> None:
    """Let an input filter make what the next agent sees."""
    if (
        way.input_filter
        or way.nest_handoff_history
        or run.config.handoff_input_filter
        or run.config.nest_handoff_history
    ):
        from agentkit.runtime.handoff_history import rewrite_history

        await rewrite_history(run, way, turn_start)
