"""`@traced`: a span for each call of a function of the user's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar, overload

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.tracing.traced_calls import Given, TracedCall, Tracer

__all__ = ["traced"]

F = TypeVar("F", bound=Callable[..., Any])  # the function as it is: overloads, generators and methods keep their types

_MADE_BY_RUNS = ("agent", "generation", "guardrail", "handoff", "mcp_tools", "response")


@overload
def traced(function: F, /) -> F: ...


@overload
def traced(
    *,
    name: str | None = None,
    kind: str = "custom",
    record_input: bool | None = None,
    record_output: bool | None = None,
) -> Callable[[F], F]: ...


@called_as("traced")
def traced(
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    kind: str = "custom",
    record_input: bool | None = None,
    record_output: bool | None = None,
) -> F | Callable[[F], F]:
    """Record each call of a function as a span: its arguments, its result, how long it took, and what it raised.

    ```python
    @agentkit.traced
    def search(query: str) -> list[str]: ...


    @agentkit.traced(name="look it up", record_output=False)
    async def fetch(address: str) -> bytes: ...
    ```

    The span is part of what is current: a trace, a tool at work, another traced function. Where no trace is current,
    the call is a trace of its own, whose workflow is the function's name; runs and spans within it are part of that.
    Functions, coroutines, generators of both kinds and methods can be traced; of a method, `self` isn't recorded. A
    generator's span lasts from its first item to its end, and is current only while the generator itself is at work.
    Where tracing is switched off, the function is just called.

    Args:
        function: The function.
        name: What the span is called; the function's qualified name when None, such as "Index.search".
        kind: The kind of span: "custom", "function" for what is a tool, or a word of your own such as "retriever".
        record_input: Whether the arguments are recorded. When None, they are, unless
            `OPENAI_AGENTS_TRACE_INCLUDE_SENSITIVE_DATA` is 0, or a run in the same trace leaves such data out
            (`RunConfig(trace_include_sensitive_data=False)`).
        record_output: Whether the result is recorded, likewise.

    Raises:
        UserError: It is no function, or the kind is one that only runs make.
    """
    if name is not None and not isinstance(name, str):
        raise UserError(f"@traced got name={name!r}.", hint='It is a text: @traced(name="search").')
    if not isinstance(kind, str) or not kind or kind in _MADE_BY_RUNS:
        raise UserError(
            f"A traced function can't be a span of kind {kind!r}.",
            hint='Use "custom", "function", or a word of your own; agent_span() and its like make the others.',
        )

    for argument, value in (("record_input", record_input), ("record_output", record_output)):
        if value is not None and not isinstance(value, bool):
            raise UserError(f"@traced got {argument}={value!r:.60}.", hint="It is True, False or None.")

    def decorate(function: F) -> F:
        decorated: F = _decorated(function, Tracer(function, name, kind, record_input, record_output))
        return decorated

    return decorate if function is None else decorate(function)


def _decorated(function: Any, tracer: Tracer) -> Any:
    if isinstance(function, (classmethod, staticmethod)):  # the decorators in the other order
        return type(function)(_decorated(function.__func__, tracer))
    if inspect.isasyncgenfunction(function):
        return _around_async_generator(function, tracer)
    if inspect.isgeneratorfunction(function):
        return _around_generator(function, tracer)
    if inspect.iscoroutinefunction(function):
        return _around_coroutine(function, tracer)
    return _around_function(function, tracer)


def _around_function(function: Any, tracer: Tracer) -> Any:
    @functools.wraps(function)
    def call_traced(*args: Any, **kwargs: Any) -> Any:
        call = tracer.begin(args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        call.resume()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        else:
            call.end(result)
            return result
        finally:
            call.pause()

    return call_traced


def _around_coroutine(function: Any, tracer: Tracer) -> Any:
    @functools.wraps(function)
    async def call_traced(*args: Any, **kwargs: Any) -> Any:
        call = tracer.begin(args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        call.resume()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        else:
            call.end(result)
            return result
        finally:
            call.pause()

    return call_traced


def _around_generator(function: Any, tracer: Tracer) -> Any:
    @functools.wraps(function)
    def iterate_traced(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = tracer.begin(args, kwargs)
        if call is None:
            return (yield from function(*args, **kwargs))
        given = Given(call)
        try:
            result = yield from _stepping(function(*args, **kwargs), call, given)
        except BaseException as error:
            if isinstance(error, GeneratorExit):
                call.end(given.shown())
            else:
                call.fail(error)
            raise
        call.end(given.shown())
        return result

    return iterate_traced


def _stepping(inner: Generator[Any, Any, Any], call: TracedCall, given: Given) -> Generator[Any, Any, Any]:
    """Pass on what a generator gives, and to it what it is sent; the span is current only while it is at work."""
    step, value = inner.send, None
    try:
        while True:
            call.resume()
            try:
                item = step(value)
            except StopIteration as stop:
                return stop.value
            finally:
                call.pause()
            given.note(item)
            try:
                step, value = inner.send, (yield item)
            except GeneratorExit:
                raise
            except BaseException as error:
                step, value = inner.throw, error
    finally:
        inner.close()


def _around_async_generator(function: Any, tracer: Tracer) -> Any:
    @functools.wraps(function)
    async def iterate_traced(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        call = tracer.begin(args, kwargs)
        given = Given(call)
        step, value = inner.asend, None
        try:
            while True:
                if call is not None:
                    call.resume()
                try:
                    item = await step(value)
                except StopAsyncIteration:
                    break
                finally:
                    if call is not None:
                        call.pause()
                given.note(item)
                try:
                    step, value = inner.asend, (yield item)
                except GeneratorExit:
                    raise
                except BaseException as error:
                    step, value = inner.athrow, error
        except BaseException as error:
            await inner.aclose()
            if call is not None and isinstance(error, GeneratorExit):
                call.end(given.shown())
            elif call is not None:
                call.fail(error)
            raise
        if call is not None:
            call.end(given.shown())

    return iterate_traced
