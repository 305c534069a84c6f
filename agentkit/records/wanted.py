"""Which traces and spans a user's filters mean: checked, so that a slip of the pen isn't an empty frame."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from agentkit.exceptions import UserError
from agentkit.tracing.columns import flush_store, name_of_agent, since_ns, trace_id_of
from agentkit.tracing.filters import SpanFilter, TraceFilter
from agentkit.tracing.reader import find_trace, reading

__all__ = ["Since", "checked_role", "span_filter", "trace_filter"]

Since = datetime | timedelta | str | None
"""A time (without a zone: local time), a date such as "2026-11-21", or how long ago, such as "2h" or a timedelta."""

_SPAN_STATUSES = ("ok", "error", "cancelled", "running", "unfinished")
_TRACE_STATUSES = (*_SPAN_STATUSES, "waiting", "max_turns", "budget", "guardrail")
_KINDS = (
    *("agent", "response", "generation", "function", "handoff", "guardrail", "mcp_tools", "custom"),
    *("task", "turn", "speech", "speech_group", "transcription"),
)
_MEANT = {"tool": "function", "tool_call": "function", "model": "response", "model call": "response", "llm": "response"}
"""What pictures and people call kinds."""
_ROLES = ("system", "developer", "user", "assistant", "tool")
_RARE_ROLES = ("critic", "discriminator", "function", "unknown")
"""Roles that the platform knows beside them."""
_RATINGS = ("up", "down")


def span_filter(
    *,
    kinds: tuple[str, ...] | None = None,
    kind: Any = None,
    agent: Any = None,
    name: Any = None,
    model: Any = None,
    session: Any = None,
    status: Any = None,
    error: Any = None,
    text: Any = None,
    since: Since = None,
    until: Since = None,
) -> SpanFilter:
    """Return which spans are meant: by `kinds`, which the caller chose, and what the user gave.

    Raises:
        UserError: A filter makes no sense.
    """
    if kind is not None:
        kinds = (_one_of("kind", kind, _KINDS, stored=("spans", "kind")),)
    return SpanFilter(
        kinds=kinds,
        agent=name_of_agent(agent),
        name=_text("name", name),
        model=_text("model", model),
        session=_text("session", getattr(session, "session_id", session)),
        status=None if status is None else _one_of("status", status, _SPAN_STATUSES, stored=("spans", "status")),
        error=_truth("error", error),
        text=_text("text", text),
        since_ns=since_ns(since),
        until_ns=since_ns(until, "until"),
    )


def trace_filter(
    trace_id: Any = None,  # an id, or anything that has one: a result, a trace, a span
    *,
    agent: Any = None,
    model: Any = None,
    session: Any = None,
    group: Any = None,
    status: Any = None,
    error: Any = None,
    text: Any = None,
    rating: Any = None,
    since: Since = None,
    until: Since = None,
) -> TraceFilter:
    """Return which traces are meant.

    Raises:
        UserError: A filter makes no sense, or there is no such trace.
    """
    return TraceFilter(
        agent=name_of_agent(agent),
        model=_text("model", model),
        session=_text("session", getattr(session, "session_id", session)),
        group=_text("group", group),
        status=None if status is None else _one_of("status", status, _TRACE_STATUSES, stored=("traces", "status")),
        error=_truth("error", error),
        text=_text("text", text),
        rating=None if rating is None else _one_of("rating", rating, _RATINGS),
        since_ns=since_ns(since),
        until_ns=since_ns(until, "until"),
        trace_id=_whole_id(trace_id_of(trace_id)),
    )


def checked_role(role: Any) -> str | None:
    """Return the role that is meant; None for None.

    Raises:
        UserError: There is no such role.
    """
    if role in _RARE_ROLES:
        return str(role)
    return None if role is None else _one_of("role", role, _ROLES)


def _one_of(name: str, given: Any, known: Sequence[str], *, stored: tuple[str, str] | None = None) -> str:
    """Return a value that is known, or that some row of the store has in a table's column: users have their own.

    Raises:
        UserError: There is no such value.
    """
    if isinstance(given, str) and given in known:
        return given
    others = [] if stored is None else _stored(*stored)
    if isinstance(given, str) and given in others:
        return given
    every = list(dict.fromkeys([*known, *others]))
    said = given.strip().lower() if isinstance(given, str) else ""
    near = [_MEANT[said]] if name == "kind" and said in _MEANT else get_close_matches(said, every, n=1, cutoff=0.6)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    raise UserError(f"There is no {name} {given!r:.80}.", hint=f"{meant}There are: {', '.join(every)}.")


def _stored(table: str, column: str) -> list[str]:
    flush_store()
    with reading() as connection:
        if connection is None:
            return []
        rows = connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1")
        return [value for (value,) in rows]


def _truth(name: str, given: Any) -> bool | None:
    if given is None or isinstance(given, bool):
        return given
    raise UserError(
        f"{name} is True, False or None, not {given!r:.80}.",
        hint=f"What failed: {name}=True; the others: {name}=False.",
    )


def _text(name: str, given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    what = "a session's id, or a session" if name == "session" else "a text"
    raise UserError(f"{name} is {what}, not {type(given).__name__} {given!r:.80}.")


def _whole_id(given: str | None) -> str | None:
    if given is None:
        return None
    flush_store()
    with reading() as connection:
        return find_trace(connection, given)
