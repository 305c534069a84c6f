"""Writes traces to a file of lines of JSON while they happen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit._home import make_private_file
from agentkit.tracing.database import TRACE_COLUMNS
from agentkit.tracing.jsonl_lines import header_line, line_of
from agentkit.tracing.processors import TracingExporter
from agentkit.tracing.record import Trace
from agentkit.tracing.rows import RowMaker

if TYPE_CHECKING:
    from agentkit.tracing.record import Span

__all__ = ["JSONLExporter"]

_MAX_KEPT = 10_000
_ADDED = TRACE_COLUMNS[TRACE_COLUMNS.index("turns") : TRACE_COLUMNS.index("cut") + 1]
_OF_THE_CHANGE = ("status", "ended_ns", "error")


class JSONLExporter(TracingExporter):
    """Appends traces to a file as they happen, a line for each span; `agentkit.traces.import_jsonl` reads it back.

    ```python
    add_trace_processor(BatchTraceProcessor(JSONLExporter("runs.jsonl")))
    ```

    A trace has a line when it starts and another when it ends; the last one counts. Several processes may write to one
    file. Keys are taken out of all texts; where the file can't be written, that is logged once, and runs go on.

    Args:
        path: The file; made, with its folder, for its user alone, if it isn't there.
    """

    traces_at = "both"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self._rows = RowMaker()
        self._totals: dict[str, dict[str, Any]] = {}
        self._requests: set[str] = set()

    def export(self, items: Sequence[Trace | Span[Any]]) -> None:
        """Append `items`.

        Raises:
            OSError: The file can't be written.
        """
        batch = self._rows.rows([item if item.ended_ns else (item,) for item in items])
        new = {key: body for key, body in batch.requests.items() if key not in self._requests}
        lines = [line_of("request", request) for request in new.items()]
        lines += [line_of("span", row) for row in batch.spans]
        for row in batch.traces:
            total = self._added(dict(zip(TRACE_COLUMNS, row, strict=True)))
            if row[TRACE_COLUMNS.index("status")] is not None or total["ended_ns"] is not None:
                lines.append(line_of("trace", [total[name] for name in TRACE_COLUMNS]))
            if total["ended_ns"] is not None:
                del self._totals[total["trace_id"]]
        self._append(lines)
        self._requests = (self._requests if len(self._requests) < _MAX_KEPT else set()) | new.keys()
        while len(self._totals) > _MAX_KEPT:
            self._totals.pop(next(iter(self._totals)))

    def _added(self, change: dict[str, Any]) -> dict[str, Any]:
        """Return a trace with what a batch adds to it."""
        total = self._totals.setdefault(change["trace_id"], change)
        if total is change:
            return total
        for name in _ADDED:
            if change[name] is not None:
                total[name] = (total[name] or 0) + change[name]
        for name in ("agents", "models"):
            total[name] = "\n".join(filter(None, (total[name], change[name]))) or None
        for name in ("session_id", "last_agent", "input", "output", "metadata"):
            total[name] = total[name] if change[name] is None else change[name]
        if change["status"] is not None:
            total.update((name, change[name]) for name in _OF_THE_CHANGE)
        return total

    def _append(self, lines: list[str]) -> None:
        make_private_file(self.path)
        file = os.open(self.path, os.O_RDWR | os.O_APPEND)
        try:
            data = "".join(f"{line}\n" for line in (*self._beginning(file), *lines)).encode("utf-8", "backslashreplace")
            while data:
                data = data[os.write(file, data) :]
        finally:
            os.close(file)

    def _beginning(self, file: int) -> list[str]:
        """Return what is to stand before new lines: what a new file begins with; the end of a line that was cut off."""
        size = os.fstat(file).st_size
        if not size:
            return [header_line()]
        os.lseek(file, -1, os.SEEK_END)
        return [] if os.read(file, 1) == b"\n" else [""]
