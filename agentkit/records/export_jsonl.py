"""Traces as a file of lines of JSON, and back from it."""

from __future__ import annotations

import gzip
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from agentkit._called_as import called_as
from agentkit._process import is_gone
from agentkit.exceptions import UserError
from agentkit.records.export_choice import chosen_traces, opened_store
from agentkit.tracing.database import SPAN_COLUMNS, TRACE_COLUMNS
from agentkit.tracing.jsonl_lines import TABLES, header_line, line_of
from agentkit.tracing.reader import reading
from agentkit.tracing.redaction import Redactor

__all__ = ["export_jsonl", "file_path", "open_file"]

_STATUS = TRACE_COLUMNS.index("status")
_PROCESS = TRACE_COLUMNS.index("process")
_KEY = SPAN_COLUMNS.index("request_key")


@called_as("agentkit.traces.export_jsonl")
def export_jsonl(
    path: str | os.PathLike[str],
    of: Any = None,  # a dataframe, ids, or what has one: results are of a layer above
    **filters: Any,
) -> int:
    """Write traces to a file, with their spans, ratings and notes: one JSON object a line, the oldest trace first.

    ```python
    agentkit.traces.export_jsonl("runs.jsonl")  # all
    agentkit.traces.export_jsonl("failed.jsonl.gz", error=True, since="7d")
    agentkit.traces.export_jsonl("one.jsonl", result)
    ```

    The file is complete or not there at all; one that is there is replaced. Only its user can read it: it holds what
    was said. API keys are taken out.

    Args:
        path: The file; compressed where the name ends in ".gz".
        of: Which traces: a dataframe of them, an id, the beginning of one, or what has one (a run's result), or several
            of these. All when None.
        **filters: Which traces, by what `agentkit.traces` takes: agent, model, session, status, error, since, …

    Returns:
        The number of traces that were written.

    Raises:
        UserError: There is no such trace, the arguments make no sense, or the file can't be written.
    """
    target = file_path(path)
    chosen = chosen_traces(of, filters)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # readable by its user alone
        os.close(handle)
        try:
            with open_file(Path(temporary), "wb", zipped=target.suffix == ".gz") as file:
                clean = Redactor().clean
                for line in _lines(chosen):
                    file.write(f"{clean(line)}\n".encode("utf-8", "backslashreplace"))
            os.replace(temporary, target)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
    except OSError as error:
        raise UserError(f"The traces can't be written to {target} ({error}).", hint="Choose another path.") from error
    return len(chosen)


def file_path(path: str | os.PathLike[str]) -> Path:
    """Return a path as it was meant.

    Raises:
        UserError: It is none, or that of a folder.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise UserError(
            f"The path of a file comes first, not {type(path).__name__} {' '.join(repr(path).split()):.60}.",
            hint='For example "runs.jsonl".',
        )
    if not str(path):
        raise UserError("The path of the file is empty.", hint='For example "runs.jsonl".')
    found = Path(path).expanduser()
    if found.is_dir():
        example = str(Path(path) / "runs.jsonl")
        raise UserError(f"{str(path)!r} is a folder, and a file is needed.", hint=f"Name one in it: {example!r}.")
    return found


def open_file(path: Path, mode: str, *, zipped: bool) -> IO[bytes]:
    """Open a file of bytes, compressed or not.

    Raises:
        OSError: It can't be opened.
    """
    return cast("IO[bytes]", gzip.open(path, mode) if zipped else path.open(mode))


def _lines(chosen: list[str]) -> Iterator[str]:
    yield header_line()
    if not chosen:
        return
    written: set[str] = set()
    with reading() as found:
        connection = opened_store(found)
        for trace_id in chosen:
            yield from _trace_lines(connection, trace_id, written)


def _trace_lines(connection: sqlite3.Connection, trace_id: str, written: set[str]) -> Iterator[str]:
    """Give the lines of one trace: what its model calls share, unless written before; itself; its spans; the rest."""
    trace = _rows(connection, "traces", TRACE_COLUMNS, trace_id)
    if not trace:  # deleted meanwhile
        return
    spans = _rows(connection, "spans", SPAN_COLUMNS, trace_id, " ORDER BY started_ns, seq")
    for key in dict.fromkeys(row[_KEY] for row in spans):
        if key is not None and key not in written:
            written.add(key)
            for request in connection.execute("SELECT key, body FROM requests WHERE key = ?", (key,)):
                yield line_of("request", request)
    yield line_of("trace", _honest(trace[0]))
    for span in spans:
        yield line_of("span", span)
    for table in ("feedback", "note"):
        name = "notes" if table == "note" else table
        for row in _rows(connection, name, TABLES[table], trace_id):
            yield line_of(table, row)


def _honest(trace: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a trace's row; one whose process is gone is unfinished, which on another machine can't be known."""
    if trace[_STATUS] in (None, "running") and trace[_PROCESS] is not None and is_gone(trace[_PROCESS]):
        return (*trace[:_STATUS], "unfinished", *trace[_STATUS + 1 :])
    return trace


def _rows(
    connection: sqlite3.Connection, table: str, columns: tuple[str, ...], trace_id: str, order: str = ""
) -> list[tuple[Any, ...]]:
    sql = f"SELECT {', '.join(columns)} FROM {table} WHERE trace_id = ?{order}"
    return connection.execute(sql, (trace_id,)).fetchall()
