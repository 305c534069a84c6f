"""Keeps all traces and spans in one SQLite file of the user's."""

from __future__ import annotations

import os
import sqlite3
import threading
from logging import getLogger
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from agentkit._home import home
from agentkit._sqlite import NewerSchemaError, file_identity, is_busy, is_corrupt, set_aside
from agentkit.tracing.batching import Batcher
from agentkit.tracing.database import Batch, Database
from agentkit.tracing.processors import TracingProcessor
from agentkit.tracing.rows import RowMaker, cleaned

# This module is loaded at the first trace, and all it needs with it: a writer thread that was importing when a process
# forked would leave the child with half a module.
if TYPE_CHECKING:
    from agentkit.tracing.record import Span, Trace
    from agentkit.tracing.rows import Entry

__all__ = ["TraceStore", "advice", "store_path"]

_PATIENCE_S = 60.0
"""How long to try while another process keeps the file locked."""
_RETRY_S = 0.05
_START_ITEMS = 4_000
"""With more than this waiting, spans are written when they end, and no longer when they start as well: that is made up
for once fewer wait, if they haven't ended by then."""
_SAY_AGAIN_S = 60.0
"""What has gone wrong again, after it had gone well, is said again after so long."""
_MAX_ENDS = 1_000
"""Ends of traces that are kept in memory while they can't be written."""


def store_path() -> Path:
    """Return the path of the file that traces are kept in. It may not exist yet."""
    return home() / "traces.sqlite3"


def advice(error: BaseException) -> str:
    """Return what to do about a file that can't be used."""
    if isinstance(error, NewerSchemaError):
        return "Upgrade agentkit, or set AGENTKIT_HOME to another folder."
    if is_corrupt(error):
        return "It is damaged. The next run sets it aside and begins a new file; if that does not happen, move it away."
    return "Make room or give access, or set AGENTKIT_HOME to a folder that can be written."


class TraceStore(TracingProcessor):
    """Keeps traces and spans in the file at `store_path()`, for `traces()` and `spans()`. Used unless replaced.

    Nothing is written by the caller: a thread does that at most half a second later. What can't be written is lost with
    one logged warning, and the run goes on.
    """

    def __init__(self) -> None:
        self._home_setting: str | None = None
        self._batcher: Batcher[Entry] | None = None
        self._lock = threading.Lock()

    def on_trace_start(self, trace: Trace) -> None:
        """Keep `trace` as running."""
        self._follow_home().put((trace,))

    def on_trace_end(self, trace: Trace) -> None:
        """Keep how `trace` ended."""
        (self._batcher or self._follow_home()).put(trace)

    def on_span_start(self, span: Span[Any]) -> None:
        """Keep `span` as running, should it outlast the next batch."""
        batcher = self._batcher or self._follow_home()
        if len(batcher.waiting) < _START_ITEMS:
            batcher.put((span,))
        else:
            batcher.put_later((span,))

    def on_span_end(self, span: Span[Any]) -> None:
        """Keep how `span` ended."""
        (self._batcher or self._follow_home()).put(span)

    def shutdown(self) -> None:
        """Write what waits, end the thread and close the file."""
        if self._batcher is not None:
            self._batcher.stop()

    def force_flush(self) -> None:
        """Write what waits, and wait for that."""
        if self._batcher is not None:
            self._batcher.flush()

    def _follow_home(self) -> Batcher[Entry]:
        """Return the queue for the file of the present `AGENTKIT_HOME`, which may have changed since the last trace."""
        setting = os.environ.get("AGENTKIT_HOME")
        batcher = self._batcher
        if batcher is not None and setting == self._home_setting:
            return batcher
        with self._lock:
            if self._batcher is None or setting != self._home_setting:
                if self._batcher is not None:
                    self._batcher.stop()
                path = store_path()
                warner = _Warner(path)
                self._batcher = Batcher(
                    lambda: _StoreSink(path, warner), on_drop=warner.dropped, still_wanted=_is_under_way
                )
                self._home_setting = setting
            return self._batcher


def _is_under_way(entry: Entry) -> bool:
    return isinstance(entry, tuple) and not entry[0].ended_ns


class _Warner:
    """Says what is lost, each thing once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._said: dict[str, float] = {}  # and when
        self._over: set[str] = set()

    def warn(self, what: str, advice: str, *, error: object = None) -> None:
        """Log `what`, unless it was said before and has gone on since, or was said a moment ago."""
        now = monotonic()
        if what in self._said and not (what in self._over and now - self._said[what] >= _SAY_AGAIN_S):
            return
        self._said[what] = now
        self._over.discard(what)
        reason = "" if error is None else f" ({error})"
        getLogger("agentkit.tracing").warning("%s: %s%s. %s", self._path, what, reason, advice)

    def recovered(self) -> None:
        """Note that something could be written: what goes wrong from here on has begun anew."""
        self._over.update(self._said)

    def dropped(self) -> None:
        """Say that spans come faster than they can be written."""
        self.warn(
            "spans come faster than they can be written, and some aren't kept",
            "Runs go on. Record fewer spans, or see what slows the disk down.",
        )


class _StoreSink:
    """Writes batches into the file, and copes with whatever is wrong with it. Never raises."""

    def __init__(self, path: Path, warner: _Warner) -> None:
        self._path = path
        self._warner = warner
        self._rows = RowMaker()
        self._database: Database | None = None
        self._identity = (0, 0)  # of the file that was tried last
        self._lost_starts: set[str] = set()
        self._lost_ends: dict[str, Trace] = {}

    def write(self, items: list[Entry], *, last_chance: bool) -> None:
        if self._lost_ends:  # without its end, a trace would seem to go on for as long as this process does
            items = [*self._lost_ends.values(), *items]
            self._lost_ends = {}
        batch = self._rows.rows(items)
        if (failure := self._rows.failure) is not None:
            self._warner.warn("some spans can't be turned into rows, and aren't kept", "Runs go on.", error=failure)
        give_up_at = monotonic() + (0 if last_chance else _PATIENCE_S)
        times_corrupt = 0
        while (error := self._attempt(batch)) is not None:
            if is_busy(error) and monotonic() < give_up_at:
                sleep(_RETRY_S)  # most of the waiting is SQLite's own, but not always
                continue
            self.close()  # the next batch tries from the beginning: the disk may have room again
            if is_corrupt(error):
                times_corrupt += 1
                # The first time, look again: another process may have set the file aside meanwhile.
                if times_corrupt == 1 or (times_corrupt == 2 and self._set_aside(error)):
                    continue
            self._warner.warn(
                "can't be written, so new traces aren't kept",
                "Runs go on, and what comes once it can be written is kept. Make room or give access, or set"
                " AGENTKIT_HOME to a folder that can be written.",
                error=error,
            )
            self._lose(items, batch)
            return
        if self._lost_starts:
            self._lost_starts.difference_update(row[0] for row in batch.traces)

    def _lose(self, items: list[Entry], batch: Batch) -> None:
        """Note that a batch wasn't written: traces of which something is in the file will say that they lack some."""
        self._rows.lose(batch)
        for entry in items:
            record = entry[0] if isinstance(entry, tuple) else entry
            if record.as_span() is not None:
                continue
            if isinstance(entry, tuple):
                self._lost_starts.add(record.trace_id)
            elif record.trace_id in self._lost_starts:  # nothing of it is in the file
                self._lost_starts.discard(record.trace_id)
            elif len(self._lost_ends) < _MAX_ENDS:
                self._lost_ends[record.trace_id] = record.trace

    def close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _attempt(self, batch: Batch) -> Exception | None:
        """Write `batch`; return what went wrong where that depends on the file."""
        try:
            self._opened().write(batch)
            self._warner.recovered()
        except NewerSchemaError as error:
            self._warner.warn(
                "a newer agentkit wrote this file, so new traces aren't kept",
                "Upgrade agentkit, or set AGENTKIT_HOME to another folder.",
                error=error,
            )
        except (sqlite3.InterfaceError, sqlite3.ProgrammingError, UnicodeError, OverflowError) as error:
            self._write_cleaned(batch, error)
        except (sqlite3.Error, OSError) as error:
            return error
        return None

    def _opened(self) -> Database:
        if self._database is not None and not self._database.is_current():
            self.close()  # somebody moved or deleted the file
        if self._database is None:
            self._identity = file_identity(self._path)
            self._database = Database(self._path)
        return self._database

    def _write_cleaned(self, batch: Batch, error: Exception) -> None:
        """Write `batch` once more with values that SQLite takes: it refused some, such as half an emoji in a name."""
        try:
            self._opened().write(cleaned(batch))
        except (sqlite3.Error, OSError):
            self._warner.warn("some traces and spans can't be stored, and aren't kept", "Runs go on.", error=error)

    def _set_aside(self, error: Exception) -> bool:
        """Rename the damaged file and return whether that worked, so that a new one can be begun."""
        if file_identity(self._path) != self._identity:
            return True  # another process has just done so
        try:
            kept = set_aside(self._path)
        except OSError:
            return False
        self._warner.warn(
            "was damaged, so earlier traces are missing; new ones go to a new file",
            f"The damaged file is kept as {kept.name}; the sqlite3 command's .recover may get its traces back.",
            error=error,
        )
        return True
