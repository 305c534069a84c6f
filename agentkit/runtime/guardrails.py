"""Guardrails: checks of what a run is given and of what it answers. A tripwire stops the run."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from agentkit._repr import fields_repr
from agentkit.exceptions import (
    AgentsException,
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
    UserError,
)
from agentkit.models import TResponseInputItem
from agentkit.runtime.stopping import stop_all
from agentkit.tooling import RunContextWrapper, TContext
from agentkit.tooling.callables import own_name
from agentkit.tooling.executor import call_in_thread
from agentkit.tracing import Span, guardrail_span

if TYPE_CHECKING:
    from agentkit.runtime.agent import Agent

__all__ = [
    "TRIPWIRES",
    "GuardrailFunctionOutput",
    "InputGuardrail",
    "InputGuardrailResult",
    "OutputGuardrail",
    "OutputGuardrailResult",
    "check_input",
    "check_output",
    "input_guardrail",
    "output_guardrail",
]

TRIPWIRES = (
    InputGuardrailTripwireTriggered,
    OutputGuardrailTripwireTriggered,
    ToolInputGuardrailTripwireTriggered,
    ToolOutputGuardrailTripwireTriggered,
)
"""What a guardrail stops a run with."""

R = TypeVar("R", bound="InputGuardrailResult | OutputGuardrailResult")


@dataclass
class GuardrailFunctionOutput:
    """What a guardrail found."""

    __repr__ = fields_repr

    output_info: Any
    """What it found, for whoever looks later."""
    tripwire_triggered: bool
    """Whether the run is to be stopped."""


@dataclass
class _Guardrail(Generic[TContext]):
    guardrail_function: Callable[..., Any]
    """Takes context, agent and what is to be checked; returns a `GuardrailFunctionOutput`; sync or async."""
    name: str | None = None
    """Its name in traces and errors; the function's when None."""

    def __post_init__(self) -> None:
        if not callable(self.guardrail_function):
            raise UserError(f"{type(self).__name__} needs a function, not {self.guardrail_function!r:.60}.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get_name()!r})"

    def get_name(self) -> str:
        """Return its name."""
        return self.name or own_name(self.guardrail_function)

    async def _found(self, *arguments: Any) -> GuardrailFunctionOutput:
        function = self.guardrail_function
        if inspect.iscoroutinefunction(function):
            found = await function(*arguments)
        else:  # beside the model call, which a function that takes its time would hold up
            found = await call_in_thread(function, *arguments)
            if inspect.isawaitable(found):
                found = await found
        if not isinstance(found, GuardrailFunctionOutput):
            raise UserError(
                f"Guardrail {self.get_name()!r} returned {type(found).__name__}.",
                hint="Return GuardrailFunctionOutput(output_info=…, tripwire_triggered=…).",
            )
        return found


@dataclass(repr=False)
class InputGuardrail(_Guardrail[TContext]):
    """Checks what a run is given, for the agent that it starts with."""

    run_in_parallel: bool = True
    """Whether the model is called meanwhile; either way no tool runs before it has passed."""

    async def run(
        self,
        agent: Agent[Any],
        input: str | list[TResponseInputItem],  # noqa: A002 (the documented name)
        context: RunContextWrapper[TContext],
    ) -> InputGuardrailResult:
        """Return what it finds in `input`."""
        return InputGuardrailResult(self, await self._found(context, agent, input))


@dataclass(repr=False)
class OutputGuardrail(_Guardrail[TContext]):
    """Checks a run's final output, for the agent that gave it."""

    async def run(
        self, context: RunContextWrapper[TContext], agent: Agent[Any], agent_output: Any
    ) -> OutputGuardrailResult:
        """Return what it finds in `agent_output`."""
        return OutputGuardrailResult(self, agent_output, agent, await self._found(context, agent, agent_output))


@dataclass
class InputGuardrailResult:
    """What a guardrail found in the input."""

    __repr__ = fields_repr

    guardrail: InputGuardrail[Any]
    """The guardrail."""
    output: GuardrailFunctionOutput
    """What it found."""


@dataclass
class OutputGuardrailResult:
    """What a guardrail found in the final output."""

    __repr__ = fields_repr

    guardrail: OutputGuardrail[Any]
    """The guardrail."""
    agent_output: Any
    """What it checked."""
    agent: Agent[Any]
    """The agent that gave it."""
    output: GuardrailFunctionOutput
    """What it found."""


_InputFunction = Callable[
    [RunContextWrapper[TContext], "Agent[Any]", str | list[TResponseInputItem]],
    GuardrailFunctionOutput | Awaitable[GuardrailFunctionOutput],
]
_OutputFunction = Callable[
    [RunContextWrapper[TContext], "Agent[Any]", Any], GuardrailFunctionOutput | Awaitable[GuardrailFunctionOutput]
]


@overload
def input_guardrail(func: _InputFunction[TContext]) -> InputGuardrail[TContext]: ...
@overload
def input_guardrail(
    func: None = None, *, name: str | None = None, run_in_parallel: bool = True
) -> Callable[[_InputFunction[TContext]], InputGuardrail[TContext]]: ...
def input_guardrail(
    func: _InputFunction[TContext] | None = None, *, name: str | None = None, run_in_parallel: bool = True
) -> InputGuardrail[TContext] | Callable[[_InputFunction[TContext]], InputGuardrail[TContext]]:
    """Return the guardrail that `func` is; as a decorator with or without arguments.

    Args:
        func: Takes context, agent and input, and returns a `GuardrailFunctionOutput`; sync or async.
        name: Its name in traces and errors; the function's when None.
        run_in_parallel: Whether the model is called meanwhile.
    """

    def make(function: _InputFunction[TContext]) -> InputGuardrail[TContext]:
        return InputGuardrail(function, name, run_in_parallel)

    return make if func is None else make(func)


@overload
def output_guardrail(func: _OutputFunction[TContext]) -> OutputGuardrail[TContext]: ...
@overload
def output_guardrail(
    func: None = None, *, name: str | None = None
) -> Callable[[_OutputFunction[TContext]], OutputGuardrail[TContext]]: ...
def output_guardrail(
    func: _OutputFunction[TContext] | None = None, *, name: str | None = None
) -> OutputGuardrail[TContext] | Callable[[_OutputFunction[TContext]], OutputGuardrail[TContext]]:
    """Return the guardrail that `func` is; as a decorator with or without arguments.

    Args:
        func: Takes context, agent and final output, and returns a `GuardrailFunctionOutput`; sync or async.
        name: Its name in traces and errors; the function's when None.
    """

    def make(function: _OutputFunction[TContext]) -> OutputGuardrail[TContext]:
        return OutputGuardrail(function, name)

    return make if func is None else make(func)


async def check_input(
    guardrails: Sequence[InputGuardrail[Any]],
    agent: Agent[Any],
    given: str | list[TResponseInputItem],
    context: RunContextWrapper[Any],
    *,
    results: list[InputGuardrailResult],
    parent: Span[Any] | None,
) -> None:
    """Run guardrails over the input side by side, and add what they find to `results`.

    Raises:
        InputGuardrailTripwireTriggered: One was triggered; the others are cancelled.
    """
    runs = [(guardrail, guardrail.run(agent, given, context)) for guardrail in guardrails]
    await _all_of(runs, results, InputGuardrailTripwireTriggered, parent)


async def check_output(
    guardrails: Sequence[OutputGuardrail[Any]],
    agent: Agent[Any],
    output: Any,
    context: RunContextWrapper[Any],
    *,
    results: list[OutputGuardrailResult],
    parent: Span[Any] | None,
) -> None:
    """Run guardrails over the final output side by side, and add what they find to `results`.

    Raises:
        OutputGuardrailTripwireTriggered: One was triggered; the others are cancelled.
    """
    runs = [(guardrail, guardrail.run(context, agent, output)) for guardrail in guardrails]
    await _all_of(runs, results, OutputGuardrailTripwireTriggered, parent)


async def _all_of(
    runs: Sequence[tuple[_Guardrail[Any], Coroutine[Any, Any, R]]],
    results: list[R],
    tripwire: Callable[[R], AgentsException],
    parent: Span[Any] | None,
) -> None:
    tasks = [asyncio.ensure_future(_traced(guardrail, run, parent)) for guardrail, run in runs]
    try:
        for next_done in asyncio.as_completed(tasks):
            result = await next_done
            results.append(result)
            if result.output.tripwire_triggered:
                raise tripwire(result)
    finally:
        await stop_all(tasks)


async def _traced(guardrail: _Guardrail[Any], run: Coroutine[Any, Any, R], parent: Span[Any] | None) -> R:
    with guardrail_span(guardrail.get_name(), parent=parent, disabled=parent is None) as span:
        result = await run
        span.span_data.triggered = result.output.tripwire_triggered
    return result
