"""What readers note on traces and spans: a mark, such as "check", and a comment in their own words."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.exceptions import UserError
from agentkit.tracing.changing import change_store
from agentkit.tracing.columns import checked_limit, columns_of, dataframe, flush_store, since_ns
from agentkit.tracing.database import NOTE_COLUMNS
from agentkit.tracing.reader import find_trace, read_notes, reading
from agentkit.tracing.redaction import Redactor

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    import pandas as pd

    from agentkit.tracing.database import Database

__all__ = ["MARKS", "annotate", "notes"]

MARKS = ("check", "good", "bug")
"""The marks that the browser offers; any other short word does as well."""

_MARK = re.compile(r"[^\s,]{1,20}")
_MOST_CHARS = 4_000
_DTYPES = {
    "trace_id": "string",
    "span_id": "string",
    "mark": "string",
    "comment": "string",
    "created_at": "time",
}


@called_as("agentkit.annotate")
def annotate(
    trace_or_span: Any,  # an id, or anything that has one: a result, a trace, a span of an opened trace
    *,
    mark: str | None = None,
    comment: str | None = None,
) -> None:
    """Note something on a trace or on one of its spans: `agentkit.notes()` reads it, and views of the trace show it.

    A trace or span has one mark and one comment; a new one replaces it.

    Args:
        trace_or_span: A trace's id, the beginning of one, or what has one: a run's result, a trace; or a span, such as
            `agentkit.open_trace(result).errors[0]`.
        mark: A short word to find it by, such as "check", "good" or "bug"; "" takes it away, None leaves it.
        comment: In your own words, at most 4,000 characters; "" takes it away, None leaves it.

    Raises:
        UserError: There is no such trace or span, the mark is no short word, or the file can't be written.
    """
    if mark is None and comment is None:
        raise UserError("There is nothing to note.", hint='annotate(result, mark="check", comment="Why Oslo?")')
    _check(mark, comment)
    trace_id, span_id = _place(trace_or_span)
    clean = Redactor().clean
    new = tuple(
        None if text is None else clean(text).encode("utf-8", "backslashreplace").decode().strip()
        for text in (mark, comment)
    )
    change_store("note", lambda database: _change(database, trace_id, span_id, new))


def _change(database: Database, trace_id: str, span_id: str, new: tuple[str | None, ...]) -> None:
    """Put mark and comment in place of the present ones; None leaves one. Nobody else writes in between."""
    with database.changing() as connection:
        where = "WHERE trace_id = ? AND span_id = ?"
        found = connection.execute(f"SELECT mark, comment FROM notes {where}", (trace_id, span_id)).fetchone()
        after = tuple(old if text is None else text for old, text in zip(found or ("", ""), new, strict=True))
        if any(after):
            database.put_note((trace_id, span_id, *after, time.time_ns()))
        else:
            database.drop_note(trace_id, span_id)


@called_as("agentkit.notes")
def notes(
    trace: Any = None,  # an id, or anything that has one
    *,
    mark: str | None = None,
    since: datetime | timedelta | str | None = None,
    limit: int | None = None,
) -> pd.DataFrame:
    """Return one row a note, the newest first: on all traces and spans, or on one trace.

    Args:
        trace: Only notes on this trace and its spans: its id, the beginning of one, or what has one.
        mark: Only notes with this mark.
        since: Only what was noted then or later: a time, a date, or how long ago, such as "2h".
        limit: At most so many rows.

    Returns:
        A dataframe with these columns; the same when there are no rows.

        | column | dtype | |
        |---|---|---|
        | trace_id | string | joins with `traces()` |
        | span_id | string | joins with `spans()`; missing where the note is on the trace itself |
        | mark, comment | string | missing where there is none |
        | created_at | datetime64[us, UTC] | when it was noted, the last time |

    Raises:
        UserError: There is no such trace, an argument makes no sense, or the file can't be read.
    """
    _check(mark, None)
    most, earliest = checked_limit(limit), since_ns(since)
    rows = read_notes(None if trace is None else _place(trace)[0])
    rows = [row for row in rows if (mark is None or row[2] == mark) and (earliest is None or row[4] >= earliest)]
    column = columns_of(NOTE_COLUMNS, rows[:most])
    shown = {name: [text or None for text in column[name]] for name in ("trace_id", "span_id", "mark", "comment")}
    return dataframe(_DTYPES, shown | {"created_at": column["created_ns"]})


def _check(mark: Any, comment: Any) -> None:  # whatever a caller passes
    if mark is not None and (not isinstance(mark, str) or (mark and not _MARK.fullmatch(mark))):
        raise UserError(
            f"A mark is a word of at most 20 characters, not {mark!r:.60}.",
            hint=f"For example {', '.join(MARKS)}; what takes more words is a comment.",
        )
    if comment is not None and not isinstance(comment, str):
        raise UserError(f"A comment is text, not {type(comment).__name__}.")
    if comment is not None and len(comment) > _MOST_CHARS:
        raise UserError(f"The comment has {len(comment):,} characters; at most {_MOST_CHARS:,} are kept.")


def _place(given: Any) -> tuple[str, str]:
    """Return the ids of a trace and of a span; "" for the latter where a trace is meant."""
    span_id = getattr(given, "span_id", None)
    trace_id = given if isinstance(given, str) else getattr(given, "trace_id", None)
    if isinstance(given, str) and given.startswith("span_"):
        raise UserError(
            f"A span is told by itself, not by its id alone ({given!r:.60}).",
            hint="agentkit.open_trace(…).span(id) gives it.",
        )
    if not isinstance(trace_id, str):
        raise UserError(
            f"Notes are on traces and spans, not on {type(given).__name__}.",
            hint="Pass a trace_id, a run's result, or a span of agentkit.open_trace(…).",
        )
    flush_store()
    with reading() as connection:
        found = find_trace(connection, trace_id)
        if not isinstance(span_id, str) or not span_id or connection is None:
            return found, ""
        known = connection.execute("SELECT 1 FROM spans WHERE trace_id = ? AND span_id = ?", (found, span_id))
        if known.fetchone() is None:
            raise UserError(f"The trace {found} has no span {span_id!r:.60}.")
        return found, span_id
