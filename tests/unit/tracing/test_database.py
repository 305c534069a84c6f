from __future__ import annotations

from pathlib import Path

import pytest

from agentkit._sqlite import open_to_read
from agentkit.tracing.database import _CHUNKS, SPAN_COLUMNS, TRACE_COLUMNS, Batch, Database

SQLITE_LEAST = 32_766
"""Values that a statement may have, unless SQLite was built with more."""


def span_row(number: int) -> tuple[object, ...]:
    given = {"trace_id": "trace_1", "span_id": f"span_{number}", "depth": 0, "kind": "custom", "status": "ok"}
    return tuple((given | {"started_ns": number}).get(name) for name in SPAN_COLUMNS)


@pytest.mark.parametrize("count", [1, 16, 17, 128, 1023, 1024, 1025, 3217])
def test_batches_of_every_size_are_written_whole_and_in_order(tmp_path: Path, count: int) -> None:
    database = Database(tmp_path / "traces.sqlite3")
    database.write(Batch([], [span_row(number) for number in range(count)], {}))
    database.write(Batch([], [span_row(number) for number in range(count)], {}))  # once more: brought up to date
    database.close()
    connection = open_to_read(tmp_path / "traces.sqlite3", timeout_s=1)
    rows = connection.execute("SELECT span_id FROM spans ORDER BY seq").fetchall()
    connection.close()
    assert rows == [(f"span_{number}",) for number in range(count)]


def test_no_statement_has_more_values_than_every_sqlite_takes() -> None:
    assert max(_CHUNKS) * max(len(SPAN_COLUMNS), len(TRACE_COLUMNS)) <= SQLITE_LEAST
