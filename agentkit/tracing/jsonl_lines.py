"""Lines of JSON that hold traces: one for each trace, span, request, rating and note, written and read.

The first line says what the file is: `{"type": "agentkit-traces", "version": 1, …}`. In the others "type" tells the
table and the other keys are its columns, with times as ISO 8601 in UTC to the nanosecond and JSON as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.tracing.database import FEEDBACK_COLUMNS, NOTE_COLUMNS, SPAN_COLUMNS, TRACE_COLUMNS
from agentkit.tracing.ids import check_trace_id

__all__ = ["FORMAT_VERSION", "TABLES", "BadLineError", "Record", "header_line", "line_of", "record_of"]

FORMAT_VERSION = 1
"""Of the lines; a file with a later one isn't read."""

_HEADER = "agentkit-traces"
_MAX_INT = 2**63 - 1
_TIMES = {"started_ns": "started_at", "ended_ns": "ended_at", "created_ns": "created_at"}
_JSON = ("error", "input", "output", "metadata", "data", "body")
_LISTS = ("agents", "models")
_NUMBERS = ("first_token_s", "cost_usd")
_TEXTS = (
    *("trace_id", "span_id", "parent_id", "workflow", "group_id", "session_id", "status", "last_agent", "kind", "name"),
    *("agent", "model", "request_key", "key", "rating", "remark", "question", "answer", "mark", "comment"),
)
_LEFT_OUT = ("process",)  # of this machine

TABLES: dict[str, tuple[str, ...]] = {
    "request": ("key", "body"),
    "trace": TRACE_COLUMNS,
    "span": SPAN_COLUMNS,
    "feedback": FEEDBACK_COLUMNS,
    "note": NOTE_COLUMNS,
}
"""What a line can hold, and the columns of that."""

_NEEDED = {
    "request": ("key", "body"),
    "trace": ("trace_id", "started_ns"),
    "span": ("trace_id", "span_id", "depth", "kind", "status", "started_ns"),
    "feedback": FEEDBACK_COLUMNS,
    "note": NOTE_COLUMNS,
}
_AT_LEAST_ZERO = ("turns", "tool_calls", "handoffs", "unpriced")
_COUNTED = {
    *("requests", "input_tokens", "output_tokens", "total_tokens", "cached_tokens", "cache_write_tokens"),
    "reasoning_tokens",
}


class BadLineError(ValueError):
    """A line that is none of this format; says why."""


class Record(NamedTuple):
    """What a line holds."""

    table: str
    """One of `TABLES`, or "" for the first line of a file."""
    row: tuple[Any, ...]
    """The columns of that table, as the store has them."""


def header_line() -> str:
    """Return the first line of a file, without its end."""
    from importlib.metadata import version

    return _json.dumps({"type": _HEADER, "version": FORMAT_VERSION, "agentkit": version("agentkit")}).decode()


def line_of(table: str, row: Sequence[Any]) -> str:
    """Return a row of the store as a line, without its end. What is missing in the row is missing in the line."""
    parts = [f'{{"type":"{table}"']
    for name, value in zip(TABLES[table], row, strict=True):
        if value is None or name in _LEFT_OUT:
            continue
        if name in _JSON:
            parts.append(f'"{name}":{_one_line(value)}')
        elif name in _TIMES:
            parts.append(f'"{_TIMES[name]}":"{_iso(value)}"')
        else:
            shown = value.split("\n") if name in _LISTS else value
            parts.append(f'"{name}":{_json.dumps(shown).decode()}')
    return ",".join(parts) + "}"


def _one_line(text: str) -> str:
    """Return JSON text that has no end of line in it; text that is no JSON, as a JSON text."""
    try:
        value = _json.loads(text)
    except ValueError:
        return _json.dumps(text).decode()
    return _json.dumps(value).decode() if "\n" in text or "\r" in text else text


def _iso(ns: int) -> str:
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def record_of(line: str) -> Record:
    """Return what a line holds.

    Raises:
        BadLineError: It is no line of this format.
        UserError: A later agentkit wrote it.
    """
    try:
        found = _json.loads(line)
    except ValueError:
        raise BadLineError("it is no JSON") from None
    if not isinstance(found, dict):
        raise BadLineError("it is no JSON object")
    table = found.get("type")
    if table == _HEADER:
        _check_version(found.get("version"))
        return Record("", ())
    if not isinstance(table, str) or table not in TABLES:
        raise BadLineError(f"its type is {_shown(table)}, not one of {', '.join(TABLES)}")
    row = tuple(_column(table, name, found) for name in TABLES[table])
    if "trace_id" in TABLES[table]:
        _check_ids(table, dict(zip(TABLES[table], row, strict=True)))
    return Record(table, row)


def _check_version(version: Any) -> None:
    if not isinstance(version, int) or version < 1:
        raise BadLineError(f"its version is {_shown(version)}")
    if version > FORMAT_VERSION:
        raise UserError(
            f"The file has version {version} of the format, and this agentkit knows {FORMAT_VERSION}.",
            hint="Upgrade agentkit: pip install -U agentkit.",
        )


def _check_ids(table: str, row: Mapping[str, Any]) -> None:
    if table != "feedback":  # which may be on what this store never had
        try:
            check_trace_id(row["trace_id"])
        except UserError:
            raise BadLineError(f"trace_id is {_shown(row['trace_id'])}") from None
    if table == "span" and not row["span_id"]:
        raise BadLineError("span_id is empty")
    if table == "feedback" and row["rating"] not in ("up", "down"):
        raise BadLineError(f"rating is {_shown(row['rating'])}")
    ended = row.get("ended_ns")
    if ended is not None and ended < row["started_ns"]:
        raise BadLineError("it ends before it starts")


def _shown(value: Any) -> str:
    """Return a value of a line for a message."""
    try:
        return f"{value!r:.60}"
    except ValueError:  # an integer of thousands of digits
        return "a very long number"


def _column(table: str, name: str, found: Mapping[str, Any]) -> Any:
    """Return the value of a column as the store has it."""
    shown = _TIMES.get(name, name)
    value = None if name in _LEFT_OUT else found.get(shown)
    if value is None:
        if name in _NEEDED[table]:
            raise BadLineError(f"{shown} is missing")
        return 0 if table == "trace" and (name in _AT_LEAST_ZERO or name in _COUNTED) else None
    try:
        return _reader(name)(value)
    except (ValueError, TypeError, OverflowError):
        raise BadLineError(f"{shown} is {_shown(value)}") from None


def _reader(name: str) -> Callable[[Any], Any]:
    if name in _JSON:
        return _json_text
    if name in _TIMES:
        return _ns
    if name in _LISTS:
        return _lines
    if name in _NUMBERS:
        return _number
    return _text if name in _TEXTS else _count


def _json_text(value: Any) -> str:
    return _json.dumps(value).decode()


def _ns(value: Any) -> int:
    """Return a time in nanoseconds since 1970; with fewer digits than nine, it is that much less exact."""
    if not isinstance(value, str) or not value.endswith("Z"):
        raise ValueError
    whole, _, fraction = value[:-1].partition(".")
    if fraction and not (fraction.isdecimal() and fraction.isascii()):
        raise ValueError
    seconds = datetime.fromisoformat(whole).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    ns = (seconds.days * 86_400 + seconds.seconds) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))
    return _in_range(ns)


def _lines(value: Any) -> str:
    if not isinstance(value, list) or not all(isinstance(each, str) and "\n" not in each for each in value):
        raise ValueError
    return "\n".join(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise ValueError
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value.encode("utf-8", "backslashreplace").decode()


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return _in_range(value)


def _in_range(value: int) -> int:
    if not 0 <= value <= _MAX_INT:
        raise ValueError
    return value
