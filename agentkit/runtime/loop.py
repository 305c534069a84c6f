"""The loop: call the model, carry out what it asks for, until it has answered. All ways of running drain this one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any

from agentkit.exceptions import AgentsException, MaxTurnsExceeded, ModelConnectionError, UserError
from agentkit.models import Model, ModelResponse, ModelSettings, ModelTracing, RawResponsesStreamEvent
from agentkit.models.call import accepted_arguments, streams_batches
from agentkit.models.responses import response_from_wire
from agentkit.runtime.execute import execute_handoff, execute_tools
from agentkit.runtime.handoffs import Handoff
from agentkit.runtime.items import ItemHelpers
from agentkit.runtime.ledger import Entry
from agentkit.runtime.progress import RunProgress
from agentkit.runtime.stream_events import AgentUpdatedStreamEvent, RunItemStreamEvent, StreamEvent
from agentkit.runtime.turn import Equipment, Final, HandOver, classify, decide_next_step
from agentkit.tracing import (
    NoOpTrace,
    ResponseSpanData,
    Span,
    SpanError,
    agent_span,
    generation_span,
    get_current_span,
    get_current_trace,
    response_span,
    trace,
)

__all__ = ["run_loop"]

_EVENT_NAMES: dict[str, Any] = {
    "message": "message_output_created",
    "reasoning": "reasoning_item_created",
    "tool_call": "tool_called",
    "tool_output": "tool_output",
    "handoff_call": "handoff_requested",
    "handoff_output": "handoff_occured",
}
_DELTA = "response.output_text.delta"
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


async def run_loop(run: RunProgress) -> AsyncGenerator[Sequence[StreamEvent]]:
    """Carry out a run, and yield what happens in it, in lists as it comes.

    However it ends, the history is left valid, every span closed and the run's trace kept.

    Raises:
        AgentsException: The run was stopped; `run_data` holds the result so far.
    """
    own_trace = False
    try:
        own_trace = _start_trace(run)
        _start_agent(run)
        async with aclosing(_turns(run)) as turns:
            async for events in turns:
                yield events
        run.status = "completed"
    except SystemExit as error:  # it would end the event loop, and with it all other runs
        ended = UserError(f"Code that the run calls called sys.exit({error.code!r}).", hint="Raise an error instead.")
        _note_failure(run, ended, own_trace)
        raise ended from error
    except BaseException as error:
        _note_failure(run, error, own_trace)
        raise
    finally:
        if run.status == "running":  # the consumer left: GeneratorExit takes no except clause's word for it
            run.status = "cancelled"
        if run.status != "completed":
            run.close_open_ends("The run was stopped before this call had finished.")
        _end_agent(run)
        _finish_trace(run, own_trace)


async def _turns(run: RunProgress) -> AsyncGenerator[Sequence[StreamEvent]]:
    yield [AgentUpdatedStreamEvent(run.agent)]
    while True:
        run.turn += 1
        if run.max_turns is not None and run.turn > run.max_turns:
            run.turn = run.max_turns
            raise MaxTurnsExceeded(
                f"The run was stopped after {run.max_turns} turn{'' if run.max_turns == 1 else 's'} (max_turns).",
                hint="What it had done is in the exception's run_data.",
            )
        equipment, model = await run.equipment()
        async with aclosing(_call_model(run, model, equipment)) as batches:
            async for batch in batches:
                yield batch
        turn = classify(run.responses[-1], equipment)
        for kind, item in zip(turn.kinds, run.responses[-1].raw_output, strict=True):
            run.ledger.add(Entry(kind, item, run.agent_key, run.turn))
        told = len(run.ledger.entries) - len(turn.kinds)
        yield _new_events(run, told)
        told = len(run.ledger.entries)
        async with aclosing(execute_tools(run, turn, equipment)) as outputs:
            async for _ in outputs:
                yield _new_events(run, told)
                told = len(run.ledger.entries)
        handed_to = await execute_handoff(run, turn, equipment)
        yield _new_events(run, told)
        match decide_next_step(turn, equipment, handed_to):
            case Final(output):
                run.final_output = output
                return
            case HandOver(agent):
                _end_agent(run)
                run.hand_over(agent)
                _start_agent(run)
                yield [AgentUpdatedStreamEvent(agent)]


def _new_events(run: RunProgress, told: int) -> list[StreamEvent]:
    """Return the events for the ledger's entries from number `told` on; none where nobody watches."""
    if not run.streamed:
        return []
    entries, items = run.ledger.entries, run.items()
    return [RunItemStreamEvent(_EVENT_NAMES[entries[i].kind], items[i]) for i in range(told, len(entries))]


async def _call_model(run: RunProgress, model: Model, equipment: Equipment) -> AsyncGenerator[Sequence[StreamEvent]]:
    """Call the model and put its response on the run; yield its raw events where the run is streamed."""
    history = run.ledger.history
    own = streams_batches(model)  # our adapters read the history in place; others get a list of their own
    arguments: dict[str, Any] = {
        "system_instructions": await run.agent.get_system_prompt(run.context),
        "input": history if own else list(history),
        "model_settings": _settings(run, equipment),
        "tools": equipment.tools,
        "output_schema": equipment.output_schema,
        "handoffs": equipment.handoffs,
        "tracing": ModelTracing.DISABLED,  # the loop traces the call itself
        "previous_response_id": None,
        "conversation_id": None,
        "prompt": None,
    }
    with _model_span(run, model, arguments["system_instructions"]) as span, _noting_error(run, span):
        if run.streamed:
            response: ModelResponse | None = None
            started = time.perf_counter()
            async with aclosing(_stream(model, arguments)) as batches:
                async for batch in batches:
                    response = _watch(run, span, batch, started) or response
                    yield batch
            if response is None:
                raise ModelConnectionError(
                    "The model's stream ended before its answer was complete.",
                    hint="What had come is in the exception's run_data.",
                )
        else:
            response = await model.get_response(**accepted_arguments(model.get_response, arguments))
        _finish_model_call(run, span, response)


@contextmanager
def _noting_error(run: RunProgress, span: Span[Any]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        span.set_error(_error_note(run, error))
        raise


async def _stream(model: Any, arguments: dict[str, Any]) -> AsyncGenerator[list[RawResponsesStreamEvent]]:
    if streams_batches(model):
        async with aclosing(model.stream_batches(**arguments)) as batches:
            async for batch in batches:
                yield batch
        return
    events = model.stream_response(**accepted_arguments(model.stream_response, arguments))
    try:
        async for event in events:
            yield [RawResponsesStreamEvent(event)]
    finally:
        if hasattr(events, "aclose"):
            await events.aclose()


def _watch(
    run: RunProgress, span: Span[Any], batch: list[RawResponsesStreamEvent], started: float
) -> ModelResponse | None:
    """Keep what a broken-off answer would leave, and return the response when it is complete."""
    response = None
    for event in batch:
        kind = event.wire_type
        if kind == _DELTA:
            if not run.deltas:
                span.span_data.first_token_s = time.perf_counter() - started
            run.deltas.append(event)
        elif kind in _TERMINAL:
            event_json = event.json
            answer = event_json.get("response") or {"status": "failed", "error": event_json.get("error") or event_json}
            response = response_from_wire(answer)
    return response


def _finish_model_call(run: RunProgress, span: Span[Any], response: ModelResponse) -> None:
    run.deltas = []
    run.responses.append(response)
    run.context.usage.add(response.usage)
    data = span.span_data
    data.usage = response.usage.to_dict()
    data.model = response.model or data.model  # who answered, not who was asked
    if run.config.trace_include_sensitive_data:
        data.output = response.raw_output
    if isinstance(data, ResponseSpanData):
        data.response_id = response.response_id


def _settings(run: RunProgress, equipment: Equipment) -> ModelSettings:
    settings = run.agent.model_settings.resolve(run.config.model_settings)
    forced = settings.tool_choice not in (None, "auto", "none")
    if forced and run.agent.reset_tool_choice and run.agent_key in run.used_tools:
        settings = replace(settings, tool_choice=None)
    return settings


def _model_span(run: RunProgress, model: Model, instructions: str | None) -> Span[Any]:
    """Return the span for a model call. Of the input it records what no earlier span of the run has."""
    if run.agent_span is None:
        return generation_span(disabled=True)
    make: Any = response_span if getattr(model, "api", None) == "responses" else generation_span
    span: Span[Any] = make(parent=run.agent_span)
    data = span.span_data
    data.model = getattr(model, "model", None) or type(model).__name__
    if run.config.trace_include_sensitive_data:
        new = run.ledger.history[run.traced_count :]
        if instructions is not None and instructions != run.traced_instructions:
            new.insert(0, {"role": "system", "content": instructions})
        data.input, data.input_start = new, run.traced_count
        run.traced_instructions = instructions
    run.traced_count = len(run.ledger.history)
    return span


def _start_trace(run: RunProgress) -> bool:
    """Give the run its trace, the caller's where one is under way, and return whether it is the run's own."""
    config = run.config
    if config.tracing_disabled:
        return False
    current = get_current_trace()
    its_trace = current or trace(
        config.workflow_name, trace_id=config.trace_id, group_id=config.group_id, metadata=config.trace_metadata
    )
    if isinstance(its_trace, NoOpTrace):
        return False
    run.trace = its_trace
    if current is None:
        its_trace.start(mark_as_current=True)
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


def _finish_trace(run: RunProgress, own: bool) -> None:
    if run.trace is None:
        return
    if run.config.trace_include_sensitive_data:
        run.trace.output = run.final_output if run.final_output is not None else _said_so_far(run) or None
    if own:
        run.trace.status = "ok" if run.status == "completed" else run.status
        run.trace.finish(reset_current=True)


def _start_agent(run: RunProgress) -> None:
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


def _end_agent(run: RunProgress) -> None:
    if run.agent_span is not None:
        run.agent_span.finish()
        run.agent_span = None


def _output_type_name(output_type: Any) -> str:
    return "str" if output_type is None else getattr(output_type, "__name__", None) or str(output_type)


def _note_failure(run: RunProgress, error: BaseException, own_trace: bool) -> None:
    """Put on the run, its spans and the exception what stopped it."""
    if isinstance(error, (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt)):
        run.status = "cancelled"
        if run.agent_span is not None:
            run.agent_span.status = "cancelled"
        return
    run.status = "max_turns" if isinstance(error, MaxTurnsExceeded) else "error"
    note = _error_note(run, error)
    if run.agent_span is not None:
        run.agent_span.set_error(note)
    if run.trace is not None and own_trace:
        run.trace.error = note
    if isinstance(error, AgentsException) and error.run_data is None:
        from agentkit.runtime.result import RunResult

        error.run_data = RunResult(run)


def _error_note(run: RunProgress, error: BaseException) -> SpanError:
    """Return what a trace says of an error; its kind alone where texts, which quote what was said, are to stay out."""
    kind = type(error).__name__
    text = str(error) if run.config.trace_include_sensitive_data or isinstance(error, MaxTurnsExceeded) else ""
    return {"message": text or kind, "data": {"type": kind}}
