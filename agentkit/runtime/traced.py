"""What a run leaves in its trace: the trace itself, a span for each agent, and what went wrong."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from agentkit.exceptions import BudgetExceeded, MaxTurnsExceeded
from agentkit.runtime.guardrails import TRIPWIRES
from agentkit.runtime.handoffs import Handoff
from agentkit.runtime.items import ItemHelpers
from agentkit.runtime.progress import RunProgress, RunStatus
from agentkit.tracing import NoOpTrace, SpanError, agent_span, get_current_span, get_current_trace, trace

__all__ = ["end_agent", "error_note", "finish_trace", "note_failure", "start_agent", "start_trace"]


_STATUS: dict[type[BaseException], RunStatus] = {
    MaxTurnsExceeded: "max_turns",
    BudgetExceeded: "budget",
    **dict.fromkeys(TRIPWIRES, "guardrail"),
}


def start_trace(run: RunProgress) -> bool:
    """Give the run its trace, the caller's where one is under way, and return whether it is the run's own."""
    config = run.config
    if config.tracing_disabled:
        return False
    current = get_current_trace()
    its_trace = current or trace(
        config.workflow_name,
        trace_id=config.trace_id,
        group_id=config.group_id,
        metadata=config.trace_metadata,
        tracing=config.tracing,
    )
    if isinstance(its_trace, NoOpTrace):
        return False
    run.trace = its_trace
    its_trace.data_left_out |= not config.trace_include_sensitive_data
    if current is None:
        its_trace.start(mark_as_current=True)
    if config.trace_include_sensitive_data:  # which the environment may not want: what a run is told counts more
        its_trace.data_unwanted = False
    if its_trace.session_id is None:
        its_trace.session_id = getattr(run.options.session, "session_id", None)
    if config.trace_include_sensitive_data and its_trace.input is None:
        its_trace.input = _asked(run)
    return current is None


def _asked(run: RunProgress) -> Any:
    """Return what the run was asked: of a conversation the last message, as the spans hold all of it."""
    last = run.ledger.history[-1] if run.ledger.history else {}
    return last["content"] if last.get("role") == "user" and "content" in last else list(run.ledger.history)


def _said_so_far(run: RunProgress) -> str:
    """Return what the models have said, all messages joined."""
    return ItemHelpers.text_message_outputs(run.items())


def finish_trace(run: RunProgress, own: bool) -> None:
    """Put the final output on the run's trace, and finish it if it is the run's own."""
    if run.trace is None:
        return
    if run.config.trace_include_sensitive_data:
        run.trace.output = run.final_output if run.final_output is not None else _said_so_far(run) or None
    if own:
        run.trace.status = "ok" if run.status == "completed" else run.status
        run.trace.finish(reset_current=True)


def start_agent(run: RunProgress) -> None:
    """Start the span of the agent whose turn it is."""
    if run.trace is None:
        return
    agent, span = run.agent, get_current_span()
    run.agent_span = agent_span(
        agent.name,
        handoffs=[target.agent_name if isinstance(target, Handoff) else target.name for target in agent.handoffs],
        tools=[tool.name for tool in agent.tools],
        output_type=_output_type_name(agent.output_type),
        parent=span if span is not None and span.trace_id == run.trace.trace_id else run.trace,
    )
    run.agent_span.start()


def end_agent(run: RunProgress) -> None:
    """Finish the agent's span."""
    if run.agent_span is not None:
        run.agent_span.finish()
        run.agent_span = None


def _output_type_name(output_type: Any) -> str:
    return "str" if output_type is None else getattr(output_type, "__name__", None) or str(output_type)


def note_failure(run: RunProgress, error: BaseException, own_trace: bool) -> None:
    """Put on the run, its spans and the exception what stopped it."""
    if isinstance(error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt)):
        run.status = "cancelled"
        if run.agent_span is not None:
            run.agent_span.status = "cancelled"
        return
    run.status = _STATUS.get(type(error), "error")
    note = error_note(run, error)
    if run.agent_span is not None:
        run.agent_span.set_error(note)
    if run.trace is not None and own_trace:
        run.trace.error = note
    if getattr(error, "run_data", None) is None:
        from agentkit.runtime.result import RunErrorDetails

        with suppress(AttributeError):  # an exception of the user's own may take no attributes
            error.run_data = RunErrorDetails(run)  # type: ignore[attr-defined]


def error_note(run: RunProgress, error: BaseException) -> SpanError:
    """Return what a trace says of an error; its kind alone where texts, which quote what was said, are to stay out."""
    kind = type(error).__name__
    text = str(error) if run.config.trace_include_sensitive_data or isinstance(error, MaxTurnsExceeded) else ""
    return {"message": text or kind, "data": {"type": kind}}
