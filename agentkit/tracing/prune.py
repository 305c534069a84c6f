"""Deleting old traces."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from agentkit._called_as import called_as
from agentkit._sqlite import NewerSchemaError, is_busy
from agentkit.exceptions import UserError
from agentkit.tracing.columns import flush_store, since_ns
from agentkit.tracing.database import Database
from agentkit.tracing.reader import gone_processes
from agentkit.tracing.store import advice, store_path

__all__ = ["Pruned", "prune"]


@dataclass(frozen=True)
class Pruned:
    """What `agentkit.traces.prune` deleted, or would delete."""

    traces: int
    """Traces."""
    spans: int
    """Their spans."""
    freed_bytes: int
    """By how much the file got smaller; 0 where nothing was, or somebody reads the file: later traces fill the room."""
    dry_run: bool = False
    """Whether this is only what would be deleted."""

    def __repr__(self) -> str:
        done = "Would delete" if self.dry_run else "Deleted"
        freed = "" if self.dry_run else f", {self.freed_bytes / 1e6:,.1f} MB freed"
        return (
            f"{done} {self.traces:,} trace{'' if self.traces == 1 else 's'} with {self.spans:,} "
            f"span{'' if self.spans == 1 else 's'}{freed}"
        )


@called_as("agentkit.traces.prune")
def prune(
    *,
    older_than: datetime | timedelta | str | None = None,
    keep: int | None = None,
    rated: bool = False,
    dry_run: bool = False,
) -> Pruned:
    """Delete traces for good, with their spans and notes. Ratings stay: `agentkit.feedback()` has what was said.

    Those that are going on are never deleted, nor, unless `rated`, those whose answers were rated.

    ```python
    agentkit.traces.prune(older_than="30d")
    agentkit.traces.prune(keep=10_000, dry_run=True)  # what would go, if only the newest 10,000 stayed
    ```

    Args:
        older_than: Traces that started before then: a time (without a zone: local time), a date, or how long ago, such
            as "30d" or a timedelta.
        keep: All but the newest so many.
        rated: Those whose answers were rated, too.
        dry_run: Only count.

    Raises:
        UserError: Neither `older_than` nor `keep` is given, or the file can't be written.
    """
    if older_than is None and keep is None:
        raise UserError(
            "prune needs to know which traces to delete.", hint='For example older_than="30d", or keep=10_000.'
        )
    if keep is not None and (not isinstance(keep, int) or isinstance(keep, bool) or keep < 0):
        raise UserError(f"keep is a number of traces, 0 or more, not {keep!r}.")
    before = since_ns(older_than, "older_than")
    flush_store()  # first: what waits may be what makes the file
    path = store_path()
    if not path.is_file():
        return Pruned(0, 0, 0, dry_run)
    try:
        database = Database(path)
        try:
            with database.changing() as connection:
                traces, spans = _delete(connection, before, keep, rated, dry_run)
            return Pruned(traces, spans, 0 if dry_run or not traces else _shrink(database, path), dry_run)
        finally:
            database.close()
    except (sqlite3.Error, OSError, NewerSchemaError) as error:
        raise UserError(
            f"Nothing was deleted: {path} can't be written ({error}).",
            hint="Wait until others have done with it." if is_busy(error) else advice(error),
        ) from error


def _delete(
    connection: sqlite3.Connection, before: int | None, keep: int | None, rated: bool, dry_run: bool
) -> tuple[int, int]:
    """Delete traces and all that hangs on them, and return how many of them and of their spans."""
    gone = gone_processes(connection)
    conditions = [f"(ended_ns IS NOT NULL OR process IS NULL OR process IN ({', '.join('?' * len(gone))}))"]
    values: list[Any] = [*gone]
    if before is not None:
        conditions.append("started_ns < ?")
        values.append(before)
    if keep is not None:
        conditions.append("seq NOT IN (SELECT seq FROM traces ORDER BY started_ns DESC, seq DESC LIMIT ?)")
        values.append(keep)
    if not rated:
        conditions.append("trace_id NOT IN (SELECT trace_id FROM feedback)")
    run = connection.execute
    run("CREATE TEMP TABLE doomed (trace_id TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID")
    run(f"INSERT INTO doomed SELECT trace_id FROM traces WHERE {' AND '.join(conditions)}", values)
    traces: int = run("SELECT count(*) FROM doomed").fetchone()[0]
    spans: int = run("SELECT count(*) FROM spans WHERE trace_id IN (SELECT trace_id FROM doomed)").fetchone()[0]
    if not dry_run:
        for table in ("spans", "notes", "traces"):
            run(f"DELETE FROM {table} WHERE trace_id IN (SELECT trace_id FROM doomed)")
        run("DELETE FROM requests WHERE key NOT IN (SELECT request_key FROM spans WHERE request_key IS NOT NULL)")
    run("DROP TABLE doomed")
    return traces, spans


def _shrink(database: Database, path: Path) -> int:
    """Give back to the disk what the file has no use for, unless somebody is reading it, and return how much."""
    before = _size_bytes(path)
    with suppress(sqlite3.OperationalError):  # busy, or no room for the copy that it takes: later traces fill the gaps
        database.compact()
    return max(before - _size_bytes(path), 0)


def _size_bytes(path: Path) -> int:
    """Return the size of the file, with what SQLite keeps beside it for a while."""
    return sum(each.stat().st_size for each in (path, Path(f"{path}-wal")) if each.is_file())
