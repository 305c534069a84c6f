"""Where in which trace the running code is.

One context variable holds the innermost trace or span, so asyncio tasks and threads started with a copied context
inherit it and change only their own. No `Token` is kept: one may be reset only in the context that made it, and a
stream may well be finished by another task than the one that began it. Each trace and span remembers instead what was
current before it.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from agentkit.tracing.record import Span, Trace

__all__ = ["current", "enter", "get_current_span", "get_current_trace", "leave"]

Scope: TypeAlias = "Trace | Span[Any]"

current: ContextVar[Scope | None] = ContextVar("agentkit_trace_position", default=None)
"""The innermost trace or span that was marked as current."""


def enter(scope: Scope) -> None:
    """Make `scope` the current one, until `leave(scope)`."""
    outer = current.get()
    while outer is not None and outer.ended_ns:  # nothing goes back to what has ended; nor is it kept in memory
        outer = outer.outer
    scope.outer = outer
    current.set(scope)


def leave(scope: Scope) -> None:
    """Make current what was so before `scope`, along with what was left open inside it.

    Where `scope` is not current at all, as in another task than that which entered it, nothing changes.
    """
    here = current.get()
    while here is not None:
        if here is scope:
            current.set(scope.outer)
            return
        here = here.outer


def get_current_trace() -> Trace | None:
    """Return the trace that the running code is part of, or None. One that has ended is no longer current."""
    here = current.get()
    while here is not None:
        trace = here.trace
        if not trace.ended_ns:
            return trace
        here = here.outer
    return None


def get_current_span() -> Span[Any] | None:
    """Return the innermost current span of the current trace, or None."""
    here = current.get()
    return None if here is None else here.as_span()
