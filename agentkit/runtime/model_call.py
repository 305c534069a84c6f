"""Calling the model: what it gets, what comes back, and the span of it."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import replace
from typing import Any

from agentkit import _logging
from agentkit.exceptions import ModelConnectionError, UserError
from agentkit.models import Model, ModelResponse, ModelSettings, ModelTracing, RawResponsesStreamEvent, retrying
from agentkit.models.call import streams_batches
from agentkit.models.given import GivenArguments
from agentkit.models.responses import response_from_wire
from agentkit.models.sent import SentRequest
from agentkit.runtime.arriving import fit_response
from agentkit.runtime.hooks import call_hooks
from agentkit.runtime.progress import RunProgress
from agentkit.runtime.run_config import CallModelData, ModelInputData
from agentkit.runtime.stream_events import StreamEvent
from agentkit.runtime.traced import error_note
from agentkit.runtime.turn import Equipment
from agentkit.tracing import ResponseSpanData, Span, generation_span, response_span

__all__ = ["call_model", "model_arguments"]

_DELTA = "response.output_text.delta"
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


async def call_model(run: RunProgress, model: Model, equipment: Equipment) -> AsyncGenerator[Sequence[StreamEvent]]:
    """Call the model and put its response on the run; yield its raw events where the run is streamed."""
    arguments = await model_arguments(run, model, equipment)
    instructions = arguments["system_instructions"]
    if calls := run.hook_calls("on_llm_start"):
        await call_hooks(calls, run.context, run.agent, instructions, list(arguments["input"]))
    offered = len(equipment.tools) + len(equipment.handoffs)
    _logging.model_asked(run.agent.name, model, instructions=instructions, items=arguments["input"], tools=offered)
    filtered = arguments["input"] if run.config.call_model_input_filter is not None else None
    with _model_span(run, model, instructions, filtered) as span, _noting_error(run, span):
        note, on_request = _retry_noter(run, span), _request_noter(run, span, model, arguments)
        if run.streamed:
            response: ModelResponse | None = None
            started = time.perf_counter()
            async with aclosing(retrying.stream(model, arguments, on_retry=note, on_request=on_request)) as batches:
                async for batch in batches:
                    response = _watch(run, span, batch, started) or response
                    yield batch
            if response is None:
                raise ModelConnectionError(
                    "The model's stream ended before its answer was complete.",
                    hint="What had come is in the exception's run_data.",
                )
        else:
            response = await retrying.get_response(model, arguments, on_retry=note, on_request=on_request)
        response = fit_response(response)
        _finish_model_call(run, span, response)
    tokens = response.usage.total_tokens
    _logging.model_answered(run.agent.name, model, response.raw_output, total_tokens=tokens)
    if calls := run.hook_calls("on_llm_end"):
        await call_hooks(calls, run.context, run.agent, response)


async def model_arguments(run: RunProgress, model: Model, equipment: Equipment) -> dict[str, Any]:
    """Return what the model is called with."""
    agent, options = run.agent, run.options
    instructions = await agent.get_system_prompt(run.context)
    history: Any = run.ledger.history
    if run.server_keeps_history:
        history = list(history[run.sent_count :])
    elif not streams_batches(model):  # our adapters read the history in place; others get a list of their own
        history = list(history)
    if run.config.call_model_input_filter is not None:
        instructions, history = await _filtered(run, instructions, list(history))
    return {
        "system_instructions": instructions,
        "input": history,
        "model_settings": _settings(run, equipment),
        "tools": equipment.tools,
        "output_schema": equipment.output_schema,
        "handoffs": equipment.handoffs,
        "tracing": ModelTracing.DISABLED,  # the loop traces the call itself
        "previous_response_id": run.previous_response_id,
        "conversation_id": options.conversation_id,
        "prompt": None if agent.prompt is None else await agent.get_prompt(run.context),
    }


async def _filtered(run: RunProgress, instructions: str | None, items: list[Any]) -> tuple[str | None, list[Any]]:
    """Return instructions and input as the run's filter makes them."""
    change: Any = run.config.call_model_input_filter
    data = change(CallModelData(ModelInputData(items, instructions), run.agent, run.context.context))
    if inspect.isawaitable(data):
        data = await data
    if not isinstance(data, ModelInputData) or not isinstance(data.input, list):
        raise UserError(
            f"call_model_input_filter returned {type(data).__name__}.",
            hint="Return ModelInputData(input=[…], instructions=…).",
        )
    return data.instructions, data.input


def _retry_noter(run: RunProgress, span: Span[Any]) -> Callable[[retrying.RetryNotice], None]:
    """Return what puts each retry of the call on its span, with what it is for."""

    def note(notice: retrying.RetryNotice) -> None:
        run.retries.append(notice)
        if run.on_retry is not None:
            run.on_retry(notice)
        data = span.span_data
        data.retries = [*(data.retries or ()), {
            "error": error_note(run, notice.error)["message"], "delay_s": round(notice.delay_s, 3),
        }]  # fmt: skip

    return note


def _request_noter(
    run: RunProgress, span: Span[Any], model: Model, arguments: dict[str, Any]
) -> Callable[[SentRequest], None] | None:
    """Return what puts each request of the call on its span, the last one to stay; None where it isn't to be kept."""
    if run.agent_span is None or not run.config.trace_include_sensitive_data:
        return None
    data = span.span_data
    data.request = GivenArguments(model, arguments)  # until one of our adapters tells what it makes of them

    def note(request: SentRequest) -> None:
        data.request = request

    return note


@contextmanager
def _noting_error(run: RunProgress, span: Span[Any]) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        span.set_error(error_note(run, error))
        raise


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
    asked = span.span_data.model if run.agent_span is not None else None
    for meter in run.meters():
        meter.usage.add(response.usage, agent_name=run.agent.name, model=response.model or asked)
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


def _model_span(
    run: RunProgress, model: Model, instructions: str | None, filtered: list[dict[str, Any]] | None
) -> Span[Any]:
    """Return the span for a model call. Of the input it records what no earlier span of the run has.

    Args:
        run: The run.
        model: The model.
        instructions: What it is told.
        filtered: The input where the run's filter has made it: then all of it is recorded, and nothing else.
    """
    if run.agent_span is None:
        return generation_span(disabled=True)
    make: Any = response_span if getattr(model, "api", None) == "responses" else generation_span
    span: Span[Any] = make(parent=run.agent_span)
    data = span.span_data
    data.model = getattr(model, "model", None) or type(model).__name__
    if run.config.trace_include_sensitive_data:
        start = run.traced_count if filtered is None else 0
        new = list(run.ledger.history[start:] if filtered is None else filtered)
        count = len(new)
        if instructions is not None and instructions != run.traced_instructions:
            new.insert(0, {"role": "system", "content": instructions})
        data.input, data.input_start = new, start
        data.input_after, data.input_count = (run.traced_span if start else None), start + count
        if filtered is None and run.server_keeps_history:
            data.sent_start = run.sent_count
        run.traced_instructions, run.traced_span = instructions, span.span_id
    run.traced_count = len(run.ledger.history)
    return span
