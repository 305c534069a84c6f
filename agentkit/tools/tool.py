"""Function tools: Python functions that a model may call."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, overload

from pydantic import ValidationError

from agentkit.exceptions import AgentsException, ModelBehaviorError, ToolCallError, UserError
from agentkit.tools.callables import check_tool_name, function_behind, own_name
from agentkit.tools.context import RunContextWrapper, ToolContext
from agentkit.tools.docstrings import DocstringStyle
from agentkit.tools.executor import call_in_thread
from agentkit.tools.function_schema import FuncSchema, function_schema
from agentkit.tools.strict_schema import StrictSchemaError, ensure_strict_json_schema

__all__ = ["FunctionTool", "Tool", "ToolErrorFunction", "default_tool_error_function", "function_tool"]

ToolErrorFunction = Callable[[RunContextWrapper[Any], Exception], str | Awaitable[str]]
"""Makes the text that the model gets in place of a result when a tool fails."""


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
            UserError: The API doesn't take the name, or a schema that is to be strict can't be.
        """
        check_tool_name(self.name)
        if self.strict_json_schema:
            self.params_json_schema = ensure_strict_json_schema(self.params_json_schema)


Tool = FunctionTool
"""Any tool that an agent may have."""


def default_tool_error_function(ctx: RunContextWrapper[Any], error: Exception) -> str:
    """Return what the model is told when a tool fails, unless the tool has a `failure_error_function` of its own."""
    return f"An error occurred while running the tool. Please try again. Error: {error}"


@overload
def function_tool(
    func: Callable[..., Any],
    *,
    name_override: str | None = None,
    description_override: str | None = None,
    docstring_style: DocstringStyle | None = None,
    use_docstring_info: bool = True,
    failure_error_function: ToolErrorFunction | None = default_tool_error_function,
    strict_mode: bool = True,
) -> FunctionTool: ...


@overload
def function_tool(
    func: None = None,
    *,
    name_override: str | None = None,
    description_override: str | None = None,
    docstring_style: DocstringStyle | None = None,
    use_docstring_info: bool = True,
    failure_error_function: ToolErrorFunction | None = default_tool_error_function,
    strict_mode: bool = True,
) -> Callable[[Callable[..., Any]], FunctionTool]: ...


def function_tool(
    func: Callable[..., Any] | None = None,
    *,
    name_override: str | None = None,
    description_override: str | None = None,
    docstring_style: DocstringStyle | None = None,
    use_docstring_info: bool = True,
    failure_error_function: ToolErrorFunction | None = default_tool_error_function,
    strict_mode: bool = True,
) -> FunctionTool | Callable[[Callable[..., Any]], FunctionTool]:
    """Return a tool that calls `func`; as a decorator with or without arguments.

    The schema comes from the signature, the descriptions from the docstring. Arguments are validated by pydantic
    before `func` is called. A sync function runs in a thread, so that several calls of one turn run side by side.

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

    Raises:
        UserError: `func` is none of these (a class, a generator, a method without its object), its name is none that
            the API takes, or a parameter can't be described; the message says what to do.
    """

    def make(function: Callable[..., Any]) -> FunctionTool:
        schema = _schema(
            function, name_override, description_override, docstring_style, use_docstring_info, strict_mode
        )
        return FunctionTool(
            name=schema.name,
            description=schema.description or "",
            params_json_schema=schema.params_json_schema,
            on_invoke_tool=_Invoke(function, schema, failure_error_function),
            strict_json_schema=schema.strict_json_schema,
        )

    return make if func is None else make(func)


def _schema(
    function: Callable[..., Any],
    name: str | None,
    description: str | None,
    style: DocstringStyle | None,
    use_docstring: bool,
    strict: bool,
) -> FuncSchema:
    if isinstance(function, FunctionTool):  # it can be called too, with any arguments
        raise UserError(f"{function.name!r} is a tool already.", hint="Pass it to the agent, or decorate it once.")
    try:
        return function_schema(function, style, name, description, use_docstring, strict)
    except StrictSchemaError as error:
        warnings.warn(f"Tool {name or own_name(function)!r} is used without strict mode: {error.message}", stacklevel=4)
        return function_schema(function, style, name, description, use_docstring, strict_json_schema=False)


class _Invoke:
    """Calls the function behind a tool. A class rather than a closure, so that it can be looked into."""

    def __init__(
        self,
        function: Callable[..., Any],
        schema: FuncSchema,
        failure_error_function: ToolErrorFunction | None,
    ) -> None:
        self.function = function
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
            return await self.failed(ctx, error, error)

    async def failed(self, ctx: ToolContext[Any], error: Exception, cause: BaseException) -> Any:
        """Return what the model is told of a failure, or raise it where that is what the tool wants."""
        if self.failure_error_function is None:
            if isinstance(error, AgentsException):
                raise error
            raise ToolCallError(f"Tool {self.schema.name!r} raised {type(error).__name__}: {error}") from cause
        ctx.error = error
        text = self.failure_error_function(ctx, error)
        return await text if inspect.isawaitable(text) else text

    def read(self, arguments: str) -> Any:
        """Return the model's arguments as the function's types.

        Raises:
            ValidationError: They don't fit.
        """
        try:
            return self.validate(arguments)
        except ValidationError:
            meant = _meant_by(arguments)
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
        result = await call_in_thread(self.function, *positional, **keyword)
        return await result if inspect.isawaitable(result) else result


def _meant_by(arguments: str) -> str | None:
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
