"""Agents as tools: a tool whose call is a run of its own, with an input made for it."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from agentkit import _json
from agentkit.exceptions import ModelBehaviorError, UserError
from agentkit.models import TResponseInputItem
from agentkit.runtime.call_tool import InnerRunWaits
from agentkit.runtime.run_config import DEFAULT_MAX_TURNS, RunConfig
from agentkit.runtime.stream_events import AgentToolStreamEvent
from agentkit.tooling import Enabled, FunctionTool, NeedsApproval, ToolContext, ToolErrorFunction
from agentkit.tooling.tool import told_of_failure
from agentkit.usage import Usage

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent
    from agentkit.runtime.result import RunResult

__all__ = ["AgentToolOptions", "agent_behind", "agent_tool"]

_TEXT_INPUT = {
    "type": "object",
    "properties": {
        "input": {"type": "string", "description": "What the agent is to do, with all that it has to know."}
    },
    "required": ["input"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class AgentToolOptions:
    """How an agent used as a tool is run: the arguments of `Agent.as_tool`."""

    extract: Callable[[Any], Any] | None
    on_stream: Callable[[Any], Any] | None
    run_config: RunConfig | dict[str, Any] | None
    max_turns: int | None
    hooks: Any
    previous_response_id: str | None
    conversation_id: str | None
    session: Any
    failure_error_function: ToolErrorFunction | None
    parameters: type[Any] | None
    input_builder: Callable[[Any], Any] | None
    include_input_schema: bool


def agent_tool(
    agent: Agent[Any],
    name: str | None,
    description: str | None,
    options: AgentToolOptions,
    *,
    is_enabled: Enabled,
    needs_approval: NeedsApproval,
) -> FunctionTool:
    """Return a tool that runs `agent`. See `Agent.as_tool`."""
    adapter = None if options.parameters is None else TypeAdapter(options.parameters)
    schema = _TEXT_INPUT if adapter is None else adapter.json_schema()
    if schema.get("type") != "object":
        raise UserError(
            f"Agent {agent.name!r}: the parameters of a tool are an object, not {options.parameters!r:.60}.",
            hint="Use a pydantic model, a dataclass or a TypedDict.",
        )
    return FunctionTool(
        name=name or _plain_name(agent.name),
        description=description or "",
        params_json_schema=schema,
        on_invoke_tool=_RunAgent(agent, options, adapter),
        is_enabled=is_enabled,
        needs_approval=needs_approval,
    )


def agent_behind(tool: Any) -> Agent[Any] | None:  # any tool
    """Return the agent that a tool runs, or None where it runs none."""
    invoke = getattr(tool, "on_invoke_tool", None)
    return invoke.agent if isinstance(invoke, _RunAgent) else None


def _plain_name(name: str) -> str:
    plain = re.sub(r"[^a-zA-Z0-9_-]+", "_", name).strip("_")[:64]
    if not plain:
        raise UserError(f"No tool name can be made from the agent's name {name!r}.", hint="Give as_tool a tool_name.")
    return plain.lower()


class _RunAgent:
    """Runs the agent behind a tool. A class rather than a closure, so that it can be looked into."""

    def __init__(self, agent: Agent[Any], options: AgentToolOptions, adapter: TypeAdapter[Any] | None) -> None:
        self.agent = agent
        self.options = options
        self.adapter = adapter

    async def __call__(self, ctx: ToolContext[Any], arguments: str) -> Any:
        try:
            return await self._run(ctx, arguments)
        except (asyncio.CancelledError, InnerRunWaits):
            raise
        except Exception as error:  # a run may fail in any way that the user's own code does
            return await told_of_failure(ctx.tool_name, self.options.failure_error_function, ctx, error, error)

    async def _run(self, ctx: ToolContext[Any], arguments: str) -> Any:
        from agentkit.runtime.loop import run_loop
        from agentkit.runtime.result import AgentToolInvocation, RunResult
        from agentkit.runtime.run import new_run
        from agentkit.runtime.run_state import RunState

        options, inner = self.options, ctx.inner
        resumed = None if inner is None else inner.states.pop(ctx.tool_call_id, None)
        streamed = options.on_stream is not None or ctx.emit is not None
        run = new_run(
            self.agent,
            resumed if resumed is not None else await self._input(arguments),
            context=ctx.context,
            max_turns=DEFAULT_MAX_TURNS if options.max_turns is None else options.max_turns,
            hooks=options.hooks,
            run_config=_config(options.run_config, ctx),
            previous_response_id=options.previous_response_id,
            conversation_id=options.conversation_id,
            session=options.session,
            approvals=ctx.approvals,
            streamed=streamed,
        )
        run.context.usage = Usage()  # of a run that goes on, what it used before is counted already
        if inner is not None:
            run.put_inside(inner, ctx.tool_call_id)
        try:
            async with aclosing(run_loop(run)) as batches:
                async for batch in batches:
                    for event in batch:
                        await self._tell(ctx, event)
        finally:
            if inner is None:  # else each call has been counted, when it was made
                ctx.usage.add(run.context.usage)
        if run.status == "waiting":
            if inner is None:
                raise UserError(f"Tool {ctx.tool_name!r} waits for an approval, but was called outside a run.")
            inner.states[ctx.tool_call_id] = RunState.of(run)
            raise InnerRunWaits(list(run.waiting))
        result = RunResult(run)
        result.agent_tool_invocation = AgentToolInvocation(ctx.tool_name, ctx.tool_call_id, ctx.tool_arguments)
        if inner is not None:
            inner.results[ctx.tool_call_id] = result
        return await self._output(result)

    async def _input(self, arguments: str) -> str | list[TResponseInputItem]:
        """Return the inner run's input for the model's arguments."""
        if self.adapter is None:
            return _text_input(arguments, self.agent.name)
        try:
            params = self.adapter.validate_json(arguments or "{}")
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in problem["loc"]) or "the arguments"
            raise ModelBehaviorError(
                f"Invalid JSON input for agent {self.agent.name!r}: {place}: {problem['msg']}."
            ) from error
        plain = self.adapter.dump_python(params, mode="json")
        schema = self.adapter.json_schema()
        builder = self.options.input_builder
        if builder is not None:
            built = builder({"params": plain, "summary": _summary(schema), "json_schema": schema})
            if inspect.isawaitable(built):
                built = await built
            return built  # type: ignore[no-any-return]  # new_run refuses what is no input
        text = _json.dumps(plain).decode()
        return (
            f"{text}\n\nSchema of this input: {_json.dumps(schema).decode()}"
            if self.options.include_input_schema
            else text
        )

    async def _tell(self, ctx: ToolContext[Any], event: Any) -> None:
        """Pass on an event of the inner run, to the tool's own callback and to whoever watches the outer run."""
        inner_path: tuple[str, ...] = ()
        agent, call, innermost = self.agent, ctx.tool_call, event
        if isinstance(event, AgentToolStreamEvent):
            inner_path, agent, call, innermost = event.path, event.agent, event.tool_call, event.event
        told = AgentToolStreamEvent(innermost, agent, call, (ctx.tool_name, *inner_path))
        if self.options.on_stream is not None:
            done = self.options.on_stream(told)
            if inspect.isawaitable(done):
                await done
        if ctx.emit is not None:
            ctx.emit(told)

    async def _output(self, result: RunResult) -> Any:
        if self.options.extract is not None:
            output = self.options.extract(result)
            return await output if inspect.isawaitable(output) else output
        output = result.final_output
        if output is None or output == "":
            return result.text
        return output if isinstance(output, str) else _as_text(output)


def _config(own: RunConfig | dict[str, Any] | None, ctx: ToolContext[Any]) -> RunConfig | dict[str, Any] | None:
    """Return the inner run's settings: its own, or the outer run's without what belongs to that run alone."""
    outer: RunConfig | None = ctx.run_config
    if own is not None or outer is None:
        return own
    return replace(
        outer,
        input_guardrails=None,
        output_guardrails=None,
        session_input_callback=None,
        session_settings=None,
        budget_usd=None,  # the outer run's holds inside it too
        budget_tokens=None,
    )


def _text_input(arguments: str, name: str) -> str:
    try:
        given = _json.loads(arguments or "{}")
    except ValueError as error:
        raise ModelBehaviorError(f"Invalid JSON input for agent {name!r}: {error}.") from error
    if not isinstance(given, dict) or not isinstance(given.get("input"), str):
        raise ModelBehaviorError(
            f'Invalid JSON input for agent {name!r}: it takes {{"input": "…"}}, not {arguments:.80}.'
        )
    return str(given["input"])


def _summary(schema: dict[str, Any]) -> str:
    """Return the parameters in words: a line for each, with its type and description."""
    lines = [
        f"- {name} ({field.get('type', 'any')}): {field.get('description', '')}".rstrip(": ")
        for name, field in schema.get("properties", {}).items()
    ]
    return "\n".join([str(schema.get("description", "")), *lines]).strip()


def _as_text(output: Any) -> str:
    """Return a final output that is no text as the calling agent gets it: JSON where it is data."""
    try:
        return TypeAdapter(type(output)).dump_json(output).decode()
    except (ValueError, TypeError, AttributeError):
        return str(output)
