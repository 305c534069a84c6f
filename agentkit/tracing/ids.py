"""The ids of traces, spans and groups."""

from __future__ import annotations

import os

from agentkit.exceptions import UserError

__all__ = ["check_trace_id", "gen_group_id", "gen_span_id", "gen_trace_id"]

_TRACE_PREFIX = "trace_"
_TRACE_DIGITS = 32
_SPAN_BYTES = 12
_AT_ONCE = 64

_span_ids: list[str] = []
"""Ids for the next spans. The system is asked for many at once: each time it is, the interpreter is let go of, and a
busy loop would have to wait for the writer at every span."""


def gen_trace_id() -> str:
    """Return a new trace id: `trace_` and 32 hexadecimal digits."""
    return _TRACE_PREFIX + os.urandom(16).hex()


def gen_span_id() -> str:
    """Return a new span id: `span_` and 24 hexadecimal digits."""
    try:
        return _span_ids.pop()
    except IndexError:
        digits, width = os.urandom(_SPAN_BYTES * _AT_ONCE).hex(), 2 * _SPAN_BYTES
        _span_ids.extend(["span_" + digits[start : start + width] for start in range(width, len(digits), width)])
        return "span_" + digits[:width]


def gen_group_id() -> str:
    """Return a new id for traces that belong together: `group_` and 24 hexadecimal digits."""
    return "group_" + os.urandom(12).hex()


def check_trace_id(trace_id: str) -> str:
    """Return `trace_id` if it has the documented form, `trace_` and 32 letters or digits.

    Raises:
        UserError: It has another form.
    """
    if isinstance(trace_id, str) and trace_id.startswith(_TRACE_PREFIX):
        rest = trace_id[len(_TRACE_PREFIX) :]
        if len(rest) == _TRACE_DIGITS and rest.isascii() and rest.isalnum():
            return trace_id
    raise UserError(
        f"A trace id is 'trace_' followed by 32 letters or digits, not {trace_id!r}.",
        hint="Make one with gen_trace_id(), or leave trace_id out.",
    )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_span_ids.clear)  # they are the parent's
