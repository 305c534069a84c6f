"""Guardrails of one tool: checks before it is called and of what it returned."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, overload

from typing_extensions import TypedDict

from agentkit._repr import fields_repr
from agentkit.exceptions import UserError
from agentkit.tooling.callables import own_name
from agentkit.tooling.context import TContext, ToolContext
from agentkit.tooling.executor import call_in_thread

__all__ = [
    "AllowBehavior",
    "RaiseExceptionBehavior",
    "RejectContentBehavior",
    "ToolGuardrailFunctionOutput",
    "ToolInputGuardrail",
    "ToolInputGuardrailData",
    "ToolInputGuardrailResult",
    "ToolOutputGuardrail",
    "ToolOutputGuardrailData",
    "ToolOutputGuardrailResult",
    "tool_input_guardrail",
    "tool_output_guardrail",
]


class AllowBehavior(TypedDict):
    """The call, or its output, goes through."""

    type: Literal["allow"]


class RejectContentBehavior(TypedDict):
    """The model gets `message` instead; the run goes on."""

    type: Literal["reject_content"]
    message: str


class RaiseExceptionBehavior(TypedDict):
    """The run is stopped."""

    type: Literal["raise_exception"]


def _allow() -> AllowBehavior:
    return {"type": "allow"}


@dataclass
class ToolGuardrailFunctionOutput:
    """What a guardrail of a tool found. `allow`, `reject_content` and `raise_exception` make one."""

    __repr__ = fields_repr

    output_info: Any = None
    """What it found, for whoever looks later."""
    behavior: AllowBehavior | RejectContentBehavior | RaiseExceptionBehavior = field(default_factory=_allow)
    """What is to happen."""

    @classmethod
    def allow(cls, output_info: Any = None) -> ToolGuardrailFunctionOutput:
        """Let the call, or its output, through."""
        return cls(output_info, {"type": "allow"})

    @classmethod
    def reject_content(cls, message: str, output_info: Any = None) -> ToolGuardrailFunctionOutput:
        """Give the model `message` instead, and go on."""
        return cls(output_info, {"type": "reject_content", "message": message})

    @classmethod
    def raise_exception(cls, output_info: Any = None) -> ToolGuardrailFunctionOutput:
        """Stop the run."""
        return cls(output_info, {"type": "raise_exception"})


@dataclass
class ToolInputGuardrailData:
    """What a guardrail before a call is given."""

    __repr__ = fields_repr

    context: ToolContext[Any]
    """The run's context, and the call with its arguments."""
    agent: Any  # an Agent, which lives two layers up
    """The agent on whose behalf the tool is called."""


@dataclass
class ToolOutputGuardrailData(ToolInputGuardrailData):
    """What a guardrail after a call is given."""

    __repr__ = fields_repr

    output: Any
    """What the tool returned."""


ToolInputGuardrailFunction = Callable[
    [ToolInputGuardrailData], ToolGuardrailFunctionOutput | Awaitable[ToolGuardrailFunctionOutput]
]
ToolOutputGuardrailFunction = Callable[
    [ToolOutputGuardrailData], ToolGuardrailFunctionOutput | Awaitable[ToolGuardrailFunctionOutput]
]


@dataclass
class _ToolGuardrail(Generic[TContext]):
    guardrail_function: Callable[..., Any]
    """Takes the data, and returns what it found; sync or async."""
    name: str | None = None
    """Its name in traces and errors; the function's when None."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.get_name()!r})"

    def get_name(self) -> str:
        """Return its name."""
        return self.name or own_name(self.guardrail_function)

    async def run(self, data: Any) -> ToolGuardrailFunctionOutput:
        """Return what it finds.

        Raises:
            UserError: It returned something else than a `ToolGuardrailFunctionOutput`.
        """
        if inspect.iscoroutinefunction(self.guardrail_function):
            found = await self.guardrail_function(data)
        else:
            found = await call_in_thread(self.guardrail_function, data)
            if inspect.isawaitable(found):
                found = await found
        if not isinstance(found, ToolGuardrailFunctionOutput):
            raise UserError(
                f"Tool guardrail {self.get_name()!r} returned {type(found).__name__}.",
                hint="Return ToolGuardrailFunctionOutput.allow(), .reject_content(…) or .raise_exception().",
            )
        return found


@dataclass(repr=False)
class ToolInputGuardrail(_ToolGuardrail[TContext]):
    """Checks a call before the tool runs."""


@dataclass(repr=False)
class ToolOutputGuardrail(_ToolGuardrail[TContext]):
    """Checks what a tool returned before the model sees it."""


@dataclass
class ToolInputGuardrailResult:
    """What a guardrail found before a call."""

    __repr__ = fields_repr

    guardrail: ToolInputGuardrail[Any]
    """The guardrail."""
    output: ToolGuardrailFunctionOutput
    """What it found."""


@dataclass
class ToolOutputGuardrailResult:
    """What a guardrail found in an output."""

    __repr__ = fields_repr

    guardrail: ToolOutputGuardrail[Any]
    """The guardrail."""
    output: ToolGuardrailFunctionOutput
    """What it found."""


@overload
def tool_input_guardrail(func: ToolInputGuardrailFunction) -> ToolInputGuardrail[Any]: ...
@overload
def tool_input_guardrail(
    func: None = None, *, name: str | None = None
) -> Callable[[ToolInputGuardrailFunction], ToolInputGuardrail[Any]]: ...
def tool_input_guardrail(
    func: ToolInputGuardrailFunction | None = None, *, name: str | None = None
) -> ToolInputGuardrail[Any] | Callable[[ToolInputGuardrailFunction], ToolInputGuardrail[Any]]:
    """Return the guardrail that `func` is, for `function_tool(tool_input_guardrails=[…])`; a decorator."""

    def make(function: ToolInputGuardrailFunction) -> ToolInputGuardrail[Any]:
        return ToolInputGuardrail(function, name)

    return make if func is None else make(func)


@overload
def tool_output_guardrail(func: ToolOutputGuardrailFunction) -> ToolOutputGuardrail[Any]: ...
@overload
def tool_output_guardrail(
    func: None = None, *, name: str | None = None
) -> Callable[[ToolOutputGuardrailFunction], ToolOutputGuardrail[Any]]: ...
def tool_output_guardrail(
    func: ToolOutputGuardrailFunction | None = None, *, name: str | None = None
) -> ToolOutputGuardrail[Any] | Callable[[ToolOutputGuardrailFunction], ToolOutputGuardrail[Any]]:
    """Return the guardrail that `func` is, for `function_tool(tool_output_guardrails=[…])`; a decorator."""

    def make(function: ToolOutputGuardrailFunction) -> ToolOutputGuardrail[Any]:
        return ToolOutputGuardrail(function, name)

    return make if func is None else make(func)
