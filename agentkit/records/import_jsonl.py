"""Traces from a file of lines of JSON, into the store."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentkit._called_as import called_as
from agentkit._sqlite import NewerSchemaError, open_shared, transaction
from agentkit.exceptions import UserError
from agentkit.records.export_jsonl import file_path, open_file
from agentkit.tracing.columns import flush_store
from agentkit.tracing.database import FEEDBACK_COLUMNS, NOTE_COLUMNS, SPAN_COLUMNS, TRACE_COLUMNS, Database
from agentkit.tracing.jsonl_lines import BadLineError, Record, record_of
from agentkit.tracing.redaction import Redactor
from agentkit.tracing.store import store_path

__all__ = ["Imported", "import_jsonl"]

_BATCH = 2_000
_TIMEOUT_S = 60.0
_SHOWN_BAD = 5
_STATUS = TRACE_COLUMNS.index("status")
_SPAN_STATUS = SPAN_COLUMNS.index("status")


@dataclass(frozen=True)
class Imported:
    """What `agentkit.traces.import_jsonl` brought into the store; what was there already isn't counted."""

    traces: int
    """Traces that are new, or ended now."""
    spans: int
    """Spans, likewise."""
    feedback: int
    """Ratings that are new, or newer."""
    notes: int
    """Notes, likewise."""
    known: int
    """Traces and spans of the file that were there already."""
    skipped: tuple[tuple[int, str], ...] = field(default=(), repr=False)
    """Number and fault of each line that was left out."""

    def __repr__(self) -> str:
        told = [f"Imported {_counted(self.traces, 'trace')} with {_counted(self.spans, 'span')}"]
        told += [_counted(self.feedback, "rating")] if self.feedback else []
        told += [_counted(self.notes, "note")] if self.notes else []
        told += [f"{self.known:,} traces and spans were there already"] if self.known else []
        told += [f"{_counted(len(self.skipped), 'bad line')} left out"] if self.skipped else []
        return "; ".join(told)


@called_as("agentkit.traces.import_jsonl")
def import_jsonl(path: str | os.PathLike[str], *, skip_bad: bool = False) -> Imported:
    """Bring traces from a file into this machine's store, with their spans, ratings and notes.

    Nothing gets in twice: what the store has stays as it is, unless the file has the end of what was unfinished, or a
    newer rating or note. API keys are taken out.

    Args:
        path: A file that `agentkit.traces.export_jsonl` or `JSONLExporter` wrote; compressed where its name ends in
            ".gz".
        skip_bad: Leave out lines that can't be read, such as a last one that was cut off. When False, one such line and
            nothing is imported.

    Raises:
        UserError: There is no such file, a line can't be read, or the store can't be written.
    """
    source = file_path(path)
    try:
        checked = _checked(source)
        if not skip_bad and (checked.bad or not checked.is_marked):
            raise _told(source, checked)
        return _written(source, checked)
    except (OSError, EOFError) as error:
        if isinstance(error, FileNotFoundError) and error.filename == str(source):
            raise UserError(f"There is no file {str(source)!r}.") from None
        raise UserError(f"{source} can't be read ({error}).") from error
    except NewerSchemaError as error:
        raise UserError(
            f"Nothing is imported: a newer agentkit wrote {store_path()} ({error}).",
            hint="Upgrade agentkit, or set AGENTKIT_HOME to another folder.",
        ) from error
    except sqlite3.Error as error:
        raise UserError(
            f"The traces can't be kept: {store_path()} can't be written ({error}).",
            hint="Make room or give access, and import again: what got in is not imported twice.",
        ) from error


@dataclass
class _Checked:
    """What a look at the whole file showed."""

    last_lines: dict[str, int] = field(default_factory=dict)
    """Number of the last line of each trace: a trace that was written while it went on has several."""
    bad: dict[int, str] = field(default_factory=dict)
    """Faults, by the numbers of the lines."""
    is_marked: bool = False
    """Whether the first line says that these are traces of agentkit."""


def _checked(source: Path) -> _Checked:
    found = _Checked()
    spans_of: dict[str, list[int]] = {}
    number = 0
    for number, line in _numbered(source):
        try:
            record = _read(line)
        except BadLineError as error:
            found.bad[number] = str(error) if line.endswith(b"\n") else "it is cut off in the middle"
            continue
        found.is_marked |= number == 1 and record is not None and not record.table
        if record is not None and record.table == "trace":
            found.last_lines[record.row[0]] = number
        elif record is not None and record.table == "span" and record.row[0] not in found.last_lines:
            spans_of.setdefault(record.row[0], []).append(number)
    if number == 0:
        found.bad[1] = "the file is empty"
    alone = spans_of.keys() - found.last_lines.keys()
    for trace_id in alone - _known(alone):
        found.bad |= dict.fromkeys(spans_of[trace_id], f"the trace {trace_id} that it belongs to has no line")
    return found


def _numbered(source: Path) -> Iterator[tuple[int, bytes]]:
    """Give number and content of each line."""
    with open_file(source, "rb", zipped=source.suffix == ".gz") as file:
        yield from enumerate(file, 1)


def _read(line: bytes) -> Record | None:
    """Return what a line holds; None for an empty one."""
    try:
        text = line.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise BadLineError("it is no UTF-8 text") from None
    return record_of(text) if text else None


def _known(trace_ids: Iterable[str]) -> set[str]:
    """Return those traces that the store has."""
    if not store_path().is_file():
        return set()
    flush_store()
    connection = open_shared(store_path(), timeout_s=_TIMEOUT_S)
    try:
        sql = "SELECT 1 FROM traces WHERE trace_id = ?"
        return {trace_id for trace_id in trace_ids if connection.execute(sql, (trace_id,)).fetchone()}
    finally:
        connection.close()


def _told(source: Path, checked: _Checked) -> UserError:
    unmarked = "the file doesn't begin with what says that it holds traces of agentkit"
    bad = checked.bad if checked.is_marked else {1: unmarked} | checked.bad
    first = [f"line {number}: {bad[number]}" for number in sorted(bad)[:_SHOWN_BAD]]
    more = len(bad) - len(first)
    lines = "; ".join(first) + (f"; and {more:,} more" if more else "")
    return UserError(
        f"Nothing is imported from {source}, {lines}.",
        hint="agentkit.traces.import_jsonl(path, skip_bad=True) imports what can be read.",
    )


def _written(source: Path, checked: _Checked) -> Imported:
    """Write the good lines into the store, a few thousand in a transaction, so that runs can be recorded meanwhile."""
    flush_store()
    Database(store_path()).close()  # makes the file, or brings it up to date
    connection = open_shared(store_path(), timeout_s=_TIMEOUT_S)
    counts = dict.fromkeys(("request", "trace", "span", "feedback", "note", "known"), 0)
    clean = Redactor().clean
    try:
        batch: list[Record] = []
        for number, line in _numbered(source):
            if number in checked.bad:
                continue
            record = _read(clean(line.decode("utf-8-sig")).encode())
            if record is None or not record.table:
                continue
            if record.table == "trace" and checked.last_lines[record.row[0]] != number:
                continue
            batch.append(record)
            if len(batch) >= _BATCH:
                _write(connection, batch, counts)
                batch = []
        _write(connection, batch, counts)
    finally:
        connection.close()
    return Imported(
        traces=counts["trace"],
        spans=counts["span"],
        feedback=counts["feedback"],
        notes=counts["note"],
        known=counts["known"],
        skipped=tuple(sorted(checked.bad.items())),
    )


def _write(connection: sqlite3.Connection, batch: list[Record], counts: dict[str, int]) -> None:
    with transaction(connection):
        for record in batch:
            if connection.execute(_SQL[record.table], _settled(record)).rowcount > 0:
                counts[record.table] += 1
            elif record.table in ("trace", "span"):
                counts["known"] += 1


def _settled(record: Record) -> tuple[Any, ...]:
    """Return a row as it is kept here: what was going on when it was written goes on no more, as far as is known."""
    place = {"trace": _STATUS, "span": _SPAN_STATUS}.get(record.table)
    if place is None or record.row[place] not in (None, "running"):
        return record.row
    return (*record.row[:place], "unfinished", *record.row[place + 1 :])


def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _updates(columns: Iterable[str]) -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in columns)


_SQL = {
    "request": f"{_insert('requests', ('key', 'body'))} ON CONFLICT (key) DO NOTHING",
    # What is recorded here stays as it is until it has ended; what came from a file, until a file tells more.
    "trace": f"{_insert('traces', TRACE_COLUMNS)} ON CONFLICT (trace_id) DO UPDATE SET {_updates(TRACE_COLUMNS[1:])}"
    " WHERE ended_ns IS NULL AND (excluded.ended_ns IS NOT NULL"
    " OR (process IS NULL AND excluded.total_tokens + excluded.tool_calls > total_tokens + tool_calls))",
    "span": f"{_insert('spans', SPAN_COLUMNS)} ON CONFLICT (trace_id, span_id) DO UPDATE SET"
    f" {_updates(SPAN_COLUMNS[2:])} WHERE ended_ns IS NULL AND excluded.ended_ns IS NOT NULL",
    "feedback": f"{_insert('feedback', FEEDBACK_COLUMNS)} ON CONFLICT (trace_id) DO UPDATE SET"
    f" {_updates(FEEDBACK_COLUMNS[1:])} WHERE excluded.created_ns > feedback.created_ns",
    "note": f"{_insert('notes', NOTE_COLUMNS)} ON CONFLICT (trace_id, span_id) DO UPDATE SET"
    f" {_updates(NOTE_COLUMNS[2:])} WHERE excluded.created_ns > notes.created_ns",
}


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
