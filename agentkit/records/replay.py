"""A recorded model call made once more, as it was or with changes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.backend import current_backend
from agentkit.exceptions import ModelConnectionError, UserError
from agentkit.models import Model, ModelResponse, ModelSettings, MultiProvider, OpenAIProvider, retrying
from agentkit.models.given import GivenArguments
from agentkit.models.responses import response_from_wire
from agentkit.pricing import cost_usd
from agentkit.records.amounts import dollars, seconds
from agentkit.records.arguments import model_arguments, tools_named
from agentkit.records.changes import check_changes
from agentkit.records.conversation import conversation_of
from agentkit.runtime.run_config import RunConfig
from agentkit.tracing import NoOpTrace, Span, Trace, generation_span, response_span, trace
from agentkit.usage import Usage

if TYPE_CHECKING:
    from agentkit.records.call import RecordedCall
    from agentkit.records.request import RecordedRequest

__all__ = ["Replay", "answer_lines", "line_diff", "replayed"]

Item = dict[str, Any]

_DELTA = "response.output_text.delta"
_TERMINAL = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


@dataclass(frozen=True, slots=True, repr=False)
class Replay:
    """What came of a model call that was made once more."""

    before: RecordedCall
    """The call that was recorded."""
    output: list[Item]
    """The items of the new answer."""
    model: str
    """The model that gave it."""
    usage: Usage
    """Tokens that it took."""
    cost_usd: float | None
    """What that costs at list price; None where it isn't known."""
    duration_s: float
    """Seconds that the call took."""
    first_token_s: float | None
    """Seconds until the first of its text, where it was streamed."""
    trace_id: str | None
    """Where the call itself is recorded; None where tracing is off."""
    left_out: list[str]
    """What of the recorded request wasn't sent, and why."""

    @property
    def text(self) -> str:
        """The new answer's text."""
        return _text(self.output)

    @property
    def request(self) -> RecordedRequest | None:
        """What was sent; None where tracing is off."""
        after = self.after
        return None if after is None else after.request

    @property
    def after(self) -> RecordedCall | None:
        """The new call as it is recorded; None where tracing is off."""
        if self.trace_id is None:
            return None
        from agentkit.records.opened import open_trace

        return open_trace(self.trace_id).calls[0]

    def diff(self) -> str:
        """Return how the answers differ, line by line: "-" as it was, "+" as it is. "" where they are the same."""
        before, after = answer_lines(self.before.output), answer_lines(self.output)
        return "\n".join(line_diff(before, after))

    def __str__(self) -> str:
        told = [self.model, f"{self.usage.input_tokens:,} tokens in, {self.usage.output_tokens:,} out"]
        if self.cost_usd is not None:
            told.append(dollars(self.cost_usd))
        told.append(seconds(self.duration_s))
        lines = [*answer_lines(self.output), "", " · ".join(told)]
        lines += [f"Not sent: {why}" for why in self.left_out]
        changed = self.diff()
        lines += ["", "The answer is the same as before." if not changed else f"Before and now:\n{changed}"]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.model!r}, {'the same answer' if not self.diff() else 'another answer'})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # IPython's
        printer.text(repr(self) if cycle else str(self))


async def replayed(
    call: RecordedCall,
    *,
    model: str | Model | None,
    instructions: str | None,
    settings: ModelSettings | Mapping[str, Any] | None,
    tools: Sequence[Any] | None,
    input: str | list[Item] | None,  # noqa: A002 (what `Runner.run` calls it)
    client: Any,  # an AsyncOpenAI: imported where it is used
    stream: bool,
) -> Replay:
    """Make a recorded call once more. Arguments and errors as for `RecordedCall.replay`."""
    check_changes(
        model=model, instructions=instructions, settings=settings, tools=tools, input=input, client=client,
        stream=stream,
    )  # fmt: skip
    request = call.request
    arguments = _arguments(call, request, instructions, input)
    if tools is not None:
        arguments["tools"] = tools_named(list(tools), arguments["tools"])
        (arguments["model_settings"].extra_args or {}).pop("tools", None)
    arguments["model_settings"] = _settings(arguments["model_settings"], settings)
    asked = _model(call, request, model, client)
    return await _call(call, asked, arguments, _left_out(request, tools is None), stream=stream)


def _left_out(request: RecordedRequest, same_tools: bool) -> list[str]:
    """Return what of a recorded request can't be sent again, and why."""
    names = [*request.get("headers", []), *request.get("query", [])]
    told = [f"{name}, whose value isn't recorded" for name in names]
    if request.body is not None:
        return told
    given = request.get("arguments") or {}
    if "model_settings" not in given:
        told.append("tools and settings, which aren't recorded")
    hosted = [str(tool.get("name") or tool.get("type")) for tool in given.get("tools") or () if _is_hosted(tool)]
    if hosted and same_tools:
        told.append(f"{', '.join(hosted)}, of which only the name is recorded")
    return told


def _is_hosted(tool: Mapping[str, Any]) -> bool:
    return tool.get("type") != "function"


def _arguments(call: RecordedCall, request: RecordedRequest, instructions: str | None, given: Any) -> dict[str, Any]:
    """Return what the model is to be called with.

    Raises:
        UserError: It isn't recorded, or the call would change a conversation that the platform keeps.
    """
    conversation = conversation_of(call)
    if given is None and conversation.missing:
        raise UserError(
            f"This call can't be made again as it was: {'; '.join(conversation.missing)}.", hint="Pass input=….",
        )  # fmt: skip
    if given is not None:
        given = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
    items = conversation.items if given is None else given
    told = request.instructions if instructions is None else instructions or None
    arguments = model_arguments(request, items, told)
    if arguments["conversation_id"] is not None:
        if given is None:
            raise UserError(
                f"This call was part of conversation {arguments['conversation_id']!r}, which the platform keeps, and "
                "would be added to it once more.",
                hint="Pass input=…, such as input=call.messages: then it is made by itself.",
            )
        arguments["conversation_id"] = None
    return arguments


def _settings(recorded: ModelSettings, changes: ModelSettings | Mapping[str, Any] | None) -> ModelSettings:
    """Return the settings with changes: a mapping may take one back by None.

    Raises:
        UserError: There is no such setting.
    """
    if not isinstance(changes, Mapping):
        return recorded.resolve(changes)
    known = {field.name for field in fields(ModelSettings)}
    if unknown := [name for name in changes if name not in known]:
        raise UserError(f"There is no model setting {unknown[0]!r}.", hint=f"There are: {', '.join(sorted(known))}.")
    taken_back = {name: None for name, value in changes.items() if value is None}
    return replace(recorded, **taken_back).resolve({k: v for k, v in changes.items() if v is not None})


def _model(call: RecordedCall, request: RecordedRequest, model: str | Model | None, client: Any) -> Model:
    """Return the model to call.

    Raises:
        UserError: It isn't known which.
    """
    if isinstance(model, Model):
        return model
    made_by = request.get("made_by")
    if model is None and request.body is None and made_by is not None:
        raise UserError(
            f"This call was made by a {made_by}, which makes its requests itself.",
            hint='Say which model to ask: call.replay(model="…"), or a Model.',
        )
    name = model or (request.body or {}).get("model") or call.model
    if made_by == "LiteLLM" and model is None and client is None:
        return MultiProvider().get_model(f"litellm/{name}")
    # by the same API, unless the platform that is asked now was connected by another
    chosen = None if client is not None else current_backend().plan.api
    api = chosen or request["api"]
    use_responses = None if api is None else api == "responses"
    if client is not None:
        return OpenAIProvider(openai_client=client, use_responses=use_responses).get_model(name)
    return MultiProvider(openai_use_responses=use_responses).get_model(name)


async def _call(
    call: RecordedCall, model: Model, arguments: dict[str, Any], left_out: list[str], *, stream: bool
) -> Replay:
    """Call the model, in a trace of its own."""
    keep = RunConfig().trace_include_sensitive_data
    about = {"replay_of": call.trace_id, "span_id": call.span_id}
    with trace("Replay", metadata=about) as its_trace, _span(model, its_trace, arguments, keep) as span:
        data = span.span_data

        def note(request: Any) -> None:
            data.request = request

        started = time.perf_counter()
        response, first_token_s = await _answer(model, arguments, note if keep else None, stream=stream)
        duration_s = time.perf_counter() - started
        data.usage, data.first_token_s = response.usage.to_dict(), first_token_s
        data.model = response.model or data.model
        if keep:
            data.output, its_trace.output = response.raw_output, _text(response.raw_output)
        if hasattr(data, "response_id"):
            data.response_id = response.response_id
    name = str(response.model or getattr(model, "model", None) or type(model).__name__)
    return Replay(
        call, response.raw_output, name, response.usage, cost_usd(name, response.usage), duration_s, first_token_s,
        None if isinstance(its_trace, NoOpTrace) else its_trace.trace_id, left_out,
    )  # fmt: skip


def _span(model: Model, its_trace: Trace, arguments: dict[str, Any], keep: bool) -> Span[Any]:
    """Return the span for the call, which isn't started yet."""
    make: Any = response_span if getattr(model, "api", None) == "responses" else generation_span
    span: Span[Any] = make(parent=its_trace)
    data = span.span_data
    data.model = getattr(model, "model", None) or type(model).__name__
    if keep:
        told, items = arguments["system_instructions"], arguments["input"]
        data.input = [*([{"role": "system", "content": told}] if told is not None else []), *items]
        data.input_count = len(items)
        data.request = GivenArguments(model, arguments)
        its_trace.input = _text(items[-1:]) or None
    return span


async def _answer(
    model: Model, arguments: dict[str, Any], note: Any, *, stream: bool
) -> tuple[ModelResponse, float | None]:
    """Return the model's answer, and the seconds until its first text where it is streamed."""
    if not stream:
        return await retrying.get_response(model, arguments, on_request=note), None
    started, first = time.perf_counter(), None
    response = None
    async for batch in retrying.stream(model, arguments, on_request=note):
        for event in batch:
            if event.wire_type == _DELTA and first is None:
                first = time.perf_counter() - started
            elif event.wire_type in _TERMINAL:
                told = event.json
                failed = {"status": "failed", "error": told.get("error") or told}
                response = response_from_wire(told.get("response") or failed)
    if response is None:
        raise ModelConnectionError("The model's stream ended before its answer was complete.")
    return response, first


def _text(items: Any) -> str:
    """Return the text of messages."""
    said = []
    for item in items if isinstance(items, list) else []:
        content = item.get("content")
        parts = content if isinstance(content, list) else [{"text": content or ""}]
        said += [str(part.get("text") or part.get("refusal") or "") for part in parts if item.get("role")]
    return "\n".join(filter(None, said))


def line_diff(before: list[str], after: list[str]) -> list[str]:
    """Return how lines differ: "-" or "+" in front of each, " " in front of two beside them that don't."""
    lines = list(unified_diff(before, after, lineterm="", n=2))[2:]
    return ["…" if line.startswith("@@") else line for line in lines[1:]]


def answer_lines(items: Any) -> list[str]:
    """Return an answer's items as lines for a person: its text, and its calls as Python would write them."""
    if not isinstance(items, list):
        return [] if items is None else str(items).splitlines()
    lines: list[str] = []
    for item in items:
        if not isinstance(item, dict):
            continue
        if item.get("type") == "function_call":
            lines.append(f"{item.get('name')}({_arguments_text(item.get('arguments'))})")
        elif item.get("role"):
            lines += _text([item]).splitlines()
        elif item.get("type") != "reasoning":
            lines.append(f"[{item.get('type')}]")
    return lines


def _arguments_text(arguments: Any) -> str:
    try:
        value = _json.loads(arguments or "{}")
    except (ValueError, TypeError):
        return str(arguments)
    if not isinstance(value, dict):
        return str(arguments)
    return ", ".join(f"{name}={_json.dumps(each).decode()}" for name, each in value.items())
