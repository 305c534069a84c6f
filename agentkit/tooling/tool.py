"""Function tools: Python functions that a model may call."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, overload

from pydantic import ValidationError
from typing_extensions import TypedDict, Unpack

from agentkit._called_as import called_as
from agentkit.exceptions import AgentsException, ModelBehaviorError, ToolCallError, UserError
from agentkit.tooling.callables import check_tool_name, function_behind, own_name
from agentkit.tooling.context import RunContextWrapper, ToolContext
from agentkit.tooling.docstrings import DocstringStyle
from agentkit.tooling.executor import RunIn, add_hint, call_in
from agentkit.tooling.function_schema import FuncSchema, function_schema
from agentkit.tooling.guardrails import ToolInputGuardrail, ToolOutputGuardrail
from agentkit.tooling.strict_schema import StrictSchemaError, ensure_strict_json_schema

__all__ = [
    "Enabled",
    "FunctionTool",
    "NeedsApproval",
    "ToolErrorFunction",
    "default_tool_error_function",
    "function_tool",
]

ToolErrorFunction = Callable[[RunContextWrapper[Any], Exception], str | Awaitable[str]]
"""Makes the text that the model gets in place of a result when a tool fails."""

Enabled = bool | Callable[[RunContextWrapper[Any], Any], bool | Awaitable[bool]]
"""Whether something is offered to the model: a value, or a function of context and agent, sync or async."""

NeedsApproval = bool | Callable[[RunContextWrapper[Any], dict[str, Any], str], bool | Awaitable[bool]]
"""Whether a call waits for a person: a value, or a function of context, arguments and the call's id, sync or async."""

TimeoutBehavior = Literal["error_as_result", "raise_exception"]
"""Whether the model is told that a tool took too long, or the run is stopped."""


@dataclass
class FunctionTool:
    """A tool that runs in this process. `function_tool` makes one from a function; making one by hand works too."""

    name: str
    """Name the model calls it by: 1 to 64 letters (a-z, A-Z), digits, `_` and `-`."""
    description: str
    """What it does and when to use it, for the model."""
    params_json_schema: dict[str, Any]
    """JSON schema of its arguments: an object."""
    on_invoke_tool: Callable[[ToolContext[Any], str], Awaitable[Any]]
    """Takes the context and the arguments as JSON text; what it returns goes to the model, as text."""
    strict_json_schema: bool = True
    """Whether the model must keep to the schema. The schema is brought into strict form."""
    is_enabled: Enabled = True
    """Whether the model is offered it, asked anew before each model call."""
    tool_input_guardrails: list[ToolInputGuardrail[Any]] = field(default_factory=list)
    """Checks of a call, before the tool runs."""
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] = field(default_factory=list)
    """Checks of what it returns, before the model sees it."""
    needs_approval: NeedsApproval = False
    """Whether a call waits until a person has approved it."""
    timeout_seconds: float | None = None
    """How long a call may take; no limit when None."""
    timeout_behavior: TimeoutBehavior = "error_as_result"
    """Whether the model is told of a call that took too long, or the run is stopped by `ToolTimeoutError`."""
    timeout_error_function: ToolErrorFunction | None = None
    """Makes the text for the model when a call took too long."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function behind the tool, as Python does: nothing is validated and no error is turned into text.

        Raises:
            UserError: The tool wasn't made from a function.
        """
        function = getattr(self.on_invoke_tool, "function", None)
        if function is None:
            raise UserError(f"Tool {self.name!r} wasn't made from a function.", hint="Call its on_invoke_tool.")
        return function(*args, **kwargs)

    def __post_init__(self) -> None:
        """Check the name, and bring the schema into strict form where that is asked for.

        Raises:
            UserError: The API doesn't take the name, a schema that is to be strict can't be, or a field has a value of
            the wrong kind; the message names it.
        """
        check_tool_name(self.name)
        self.tool_input_guardrails = list(self.tool_input_guardrails or ())
        self.tool_output_guardrails = list(self.tool_output_guardrails or ())
        self._check()
        if self.strict_json_schema:
            self.params_json_schema = ensure_strict_json_schema(self.params_json_schema)

    def __repr__(self) -> str:
        parameters = self.params_json_schema.get("properties")
        names = ", ".join(map(str, parameters)) if isinstance(parameters, dict) else ""
        return f"{type(self).__name__}({f'{self.name}({names})'!r})"

    def _check(self) -> None:
        limit = self.timeout_seconds
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit <= 0):
            raise UserError(f"Tool {self.name!r}: a timeout is a number of seconds above 0, not {limit!r}.")
        if self.timeout_behavior not in ("error_as_result", "raise_exception"):
            hint = 'Use "error_as_result" or "raise_exception".'
            raise UserError(
                f"Tool {self.name!r} has the unknown timeout_behavior {self.timeout_behavior!r}.", hint=hint
            )
        for name in ("is_enabled", "needs_approval"):
            value = getattr(self, name)
            if not isinstance(value, bool) and not callable(value):
                raise UserError(f"Tool {self.name!r}: {name} has to be True, False or a function, not {value!r:.60}.")
        kinds: Any = (("tool_input_guardrails", ToolInputGuardrail), ("tool_output_guardrails", ToolOutputGuardrail))
        for name, kind in kinds:
            for guardrail in getattr(self, name):
                if not isinstance(guardrail, kind):
                    hint = f"Decorate it with @{name.removesuffix('s')}."
                    raise UserError(f"Tool {self.name!r}: {guardrail!r:.60} is none of its {name}.", hint=hint)


class _Options(TypedDict, total=False):
    """Options of `function_tool`, for type checkers."""

    name_override: str | None
    description_override: str | None
    docstring_style: DocstringStyle | None
    use_docstring_info: bool
    failure_error_function: ToolErrorFunction | None
    strict_mode: bool
    is_enabled: Enabled
    needs_approval: NeedsApproval
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None
    timeout: float | None
    timeout_behavior: TimeoutBehavior
    timeout_error_function: ToolErrorFunction | None
    run_in: RunIn | None


def default_tool_error_function(ctx: RunContextWrapper[Any], error: Exception) -> str:
    """Return what the model is told when a tool fails, unless the tool has a `failure_error_function` of its own."""
    return f"An error occurred while running the tool. Please try again. Error: {error}"


@overload
def function_tool(func: Callable[..., Any], **options: Unpack[_Options]) -> FunctionTool: ...
@overload
def function_tool(func: None = None, **options: Unpack[_Options]) -> Callable[[Callable[..., Any]], FunctionTool]: ...
@called_as("function_tool")
def function_tool(
    func: Callable[..., Any] | None = None,
    *,
    name_override: str | None = None,
    description_override: str | None = None,
    docstring_style: DocstringStyle | None = None,
    use_docstring_info: bool = True,
    failure_error_function: ToolErrorFunction | None = default_tool_error_function,
    strict_mode: bool = True,
    is_enabled: Enabled = True,
    needs_approval: NeedsApproval = False,
    tool_input_guardrails: list[ToolInputGuardrail[Any]] | None = None,
    tool_output_guardrails: list[ToolOutputGuardrail[Any]] | None = None,
    timeout: float | None = None,
    timeout_behavior: TimeoutBehavior = "error_as_result",
    timeout_error_function: ToolErrorFunction | None = None,
    run_in: RunIn | None = None,
) -> FunctionTool | Callable[[Callable[..., Any]], FunctionTool]:
    """Return a tool that calls `func`; as a decorator with or without arguments.

    The schema comes from the signature, the descriptions from the docstring. Arguments are validated by pydantic
    before `func` is called. A sync function runs in the thread that waits for the run, where it may use what that
    thread made, or in one of its own.

    Args:
        func: A function, sync or async, whose first parameter may be a `RunContextWrapper` or `ToolContext`. Also a
            bound method, a `functools.partial`, or an object with `__call__`, which is named after its class.
        name_override: Name for the model, instead of the function's.
        description_override: Description for the model, instead of the docstring's.
        docstring_style: "google", "numpy" or "sphinx"; found out when None.
        use_docstring_info: Whether to take descriptions from the docstring.
        failure_error_function: Makes the text for the model when the call fails; None raises the error instead.
        strict_mode: Whether the model must keep to the schema. Where a parameter takes arbitrary keys, which strict
            mode can't express, the tool is made without it and a warning names the parameter.
        is_enabled: Whether the model is offered the tool; a function of context and agent is asked before each call.
        needs_approval: Whether a call waits for a person; a function of context, arguments and call id decides.
        tool_input_guardrails: Checks of a call, before the tool runs.
        tool_output_guardrails: Checks of what it returns, before the model sees it.
        timeout: Seconds that a call may take.
        timeout_behavior: Whether the model is told of a call that took too long, or the run is stopped.
        timeout_error_function: Makes the text for the model when a call took too long.
        run_in: Where a sync function is called. None: in the thread that waits for the run (`Runner.run_sync`, `%ask`,
            a cell that awaits `Runner.run`), one call after another; in a thread of its own where none waits, or where
            there is a timeout. "thread": always in a thread of its own, so that slow calls of one turn overlap.
            "caller": never; where none waits, it holds up the event loop.

    Raises:
        UserError: `func` is none of these (a class, a generator, a method without its object), its name is none that
            the API takes, or a parameter can't be described; the message says what to do.
    """
    if run_in not in (None, "caller", "thread"):
        raise UserError(f"A tool can't run in {run_in!r}.", hint='Use run_in="caller" or run_in="thread", or leave it.')
    # of a thread that is lent, nothing can take a call away when its time is over
    place: RunIn | None = "thread" if run_in is None and timeout is not None else run_in

    stack = 3 if func is None else 5  # frames from a warning to the code that makes the tool

    def make(function: Callable[..., Any]) -> FunctionTool:
        schema = _schema(
            function, name_override, description_override, docstring_style, use_docstring_info, strict_mode, stack
        )
        return FunctionTool(
            name=schema.name,
            description=schema.description or "",
            params_json_schema=schema.params_json_schema,
            on_invoke_tool=_Invoke(function, schema, failure_error_function, place),
            strict_json_schema=schema.strict_json_schema,
            is_enabled=is_enabled,
            tool_input_guardrails=tool_input_guardrails or [],
            tool_output_guardrails=tool_output_guardrails or [],
            needs_approval=needs_approval,
            timeout_seconds=timeout,
            timeout_behavior=timeout_behavior,
            timeout_error_function=timeout_error_function,
        )

    return make if func is None else make(func)


def _schema(
    function: Callable[..., Any],
    name: str | None,
    description: str | None,
    style: DocstringStyle | None,
    use_docstring: bool,
    strict: bool,
    stack: int,
) -> FuncSchema:
    if isinstance(function, FunctionTool):  # it can be called too, with any arguments
        raise UserError(f"{function.name!r} is a tool already.", hint="Pass it to the agent, or decorate it once.")
    try:
        return function_schema(function, style, name, description, use_docstring, strict)
    except StrictSchemaError as error:
        warnings.warn(
            f"Tool {name or own_name(function)!r} is used without strict mode: {error.message}", stacklevel=stack
        )
        return function_schema(function, style, name, description, use_docstring, strict_json_schema=False)


class _Invoke:
    """Calls the function behind a tool. A class rather than a closure, so that it can be looked into."""

    def __init__(
        self,
        function: Callable[..., Any],
        schema: FuncSchema,
        failure_error_function: ToolErrorFunction | None,
        run_in: RunIn | None = None,
    ) -> None:
        self.function = function
        self.run_in = run_in
        self.schema = schema
        self.failure_error_function = failure_error_function
        self.is_async = inspect.iscoroutinefunction(function_behind(function))

    @functools.cached_property
    def validate(self) -> Callable[[str], Any]:
        """Makes the arguments' model from JSON text. Made for the first call."""
        return self.schema.params_pydantic_model.__pydantic_validator__.validate_json

    async def __call__(self, ctx: ToolContext[Any], arguments: str) -> Any:
        try:
            return await self.call(ctx, arguments)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():  # the run itself is being stopped
                raise
            return await self.failed(ctx, RuntimeError("something it waited for was cancelled"), error)
        except SystemExit as error:  # a tool may not end the kernel
            return await self.failed(ctx, RuntimeError(f"it called sys.exit({error.code!r})"), error)
        except Exception as error:  # the user's function may raise anything
            add_hint(error)
            return await self.failed(ctx, error, error)

    async def failed(self, ctx: ToolContext[Any], error: Exception, cause: BaseException) -> Any:
        """Return what the model is told of a failure, or raise it where that is what the tool wants."""
        return await told_of_failure(self.schema.name, self.failure_error_function, ctx, error, cause)

    def read(self, arguments: str) -> Any:
        """Return the model's arguments as the function's types.

        Raises:
            ValidationError: They don't fit.
        """
        try:
            return self.validate(arguments)
        except ValidationError:
            meant = meant_arguments(arguments)
            if meant is None:
                raise
        return self.validate(meant)

    async def call(self, ctx: ToolContext[Any], arguments: str) -> Any:
        """Return what the function returns for the model's arguments."""
        try:
            data = self.read(arguments)
        except ValidationError as error:
            raise ModelBehaviorError(f"Invalid JSON input for tool {self.schema.name}: {_problems(error)}") from error
        positional, keyword = self.schema.to_call_args(data)
        if self.schema.takes_context:
            positional.insert(0, ctx)
        if self.is_async:
            return await self.function(*positional, **keyword)
        result = await call_in(self.run_in, self.function, *positional, **keyword)
        return await result if inspect.isawaitable(result) else result


async def told_of_failure(
    name: str, tell: ToolErrorFunction | None, ctx: ToolContext[Any], error: Exception, cause: BaseException
) -> Any:
    """Return what the model is told of a tool's failure, or raise it where `tell` is None.

    Raises:
        AgentsException: The failure itself, or a `ToolCallError` caused by it.
    """
    if tell is None:
        if isinstance(error, AgentsException):
            raise error
        raise ToolCallError(f"Tool {name!r} raised {type(error).__name__}: {error}") from cause
    ctx.error = error
    text = tell(ctx, error)
    return await text if inspect.isawaitable(text) else text


def meant_arguments(arguments: str) -> str | None:
    """Return the object that odd arguments stand for, as JSON text, or None where they say nothing else.

    Models send nothing, null or an empty text for "no arguments", and some servers encode the object twice.
    """
    text = (arguments or "").strip()
    if text.startswith('"'):
        try:
            decoded: str = json.loads(text)
        except ValueError:
            return None
        text = decoded.strip()
        if text.startswith("{"):
            return text
    return "{}" if text in ("", "null") else None


def _problems(error: ValidationError) -> str:
    """Return what is wrong with the arguments, a clause for each problem: field, fault and the value that was sent."""
    clauses = []
    for problem in error.errors(include_url=False, include_context=False):
        place = ".".join(str(part) for part in problem["loc"])
        value = "" if problem["type"] in ("missing", "json_invalid") else f" (got {problem['input']!r:.80})"
        clauses.append(f"{place}: {problem['msg']}{value}" if place else f"{problem['msg']}{value}")
    return "; ".join(clauses)
