"""The ids of traces, spans and groups."""

from __future__ import annotations

from os import urandom  # bound here: looked up for every span

from agentkit.exceptions import UserError

__all__ = ["check_trace_id", "gen_group_id", "gen_span_id", "gen_trace_id"]

_TRACE_PREFIX = "trace_"
_TRACE_DIGITS = 32


def gen_trace_id() -> str:
    """Return a new trace id: `trace_` and 32 hexadecimal digits."""
    return _TRACE_PREFIX + urandom(16).hex()


def gen_span_id() -> str:
    """Return a new span id: `span_` and 24 hexadecimal digits."""
    return "span_" + urandom(12).hex()


def gen_group_id() -> str:
    """Return a new id for traces that belong together: `group_` and 24 hexadecimal digits."""
    return "group_" + urandom(12).hex()


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
