"""The dataframes of what was recorded, as Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from agentkit.exceptions import UserError
from agentkit.records.export_parquet import _frames, export_parquet
from agentkit.tracing import custom_span, response_span, trace
from agentkit.tracing.feedback import rate
from agentkit.tracing.notes import annotate

NAMES = ["traces", "spans", "calls", "tools", "turns", "messages", "feedback", "notes"]


def record(name: str, **metadata: Any) -> str:
    with trace(name, metadata=metadata) as made:
        with response_span() as called:
            called.span_data.model = "gpt-5.6"
            called.span_data.input = [{"role": "user", "content": "Grüße, 世界 🌍"}]
            called.span_data.output = [{"type": "message", "role": "assistant", "content": "yes"}]
            called.span_data.usage = {"input_tokens": 12, "output_tokens": 3, "total_tokens": 15}
        with custom_span(f"step of {name}"):
            pass
    return made.trace_id


def test_what_pandas_reads_back_is_the_same(tmp_path: Path) -> None:
    for name in ("One", "Two"):
        record(name)
    rate(record("Three"), "up")
    annotate(record("Four"), mark="bug")
    files = export_parquet(tmp_path / "deep" / "runs")
    assert list(files) == NAMES
    for name, one in _frames().items():
        frame = pd.DataFrame(one.every())
        assert len(frame) or name == "tools"
        pd.testing.assert_frame_equal(pd.read_parquet(files[name]), frame)
    assert str(pd.read_parquet(files["traces"])["started_at"].dtype) == "datetime64[us, UTC]"
    assert sorted(path.name for path in (tmp_path / "deep" / "runs").iterdir()) == sorted(f"{n}.parquet" for n in NAMES)
    assert files["messages"].stat().st_mode & 0o077 == 0


def test_with_nothing_recorded_the_columns_are_the_same(tmp_path: Path) -> None:
    for name, path in export_parquet(tmp_path).items():
        frame = pd.read_parquet(path)
        assert len(frame) == 0
        assert frame.dtypes.astype(str).to_dict() == _frames()[name].every().dtypes.astype(str).to_dict()


def test_only_the_traces_that_are_meant_are_written(tmp_path: Path) -> None:
    record("One")
    rate(two := record("Two"), "down")
    files = export_parquet(tmp_path, two)
    for name in ("traces", "spans", "calls", "turns", "messages", "feedback"):
        assert set(pd.read_parquet(files[name])["trace_id"]) == {two}
    assert list(pd.read_parquet(files["spans"])["name"].dropna()) == ["step of Two"]
    assert list(pd.read_parquet(export_parquet(tmp_path, rating="down")["traces"])["trace_id"]) == [two]


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agentkit.records.export_parquet.find_spec", lambda name: None)
    with pytest.raises(UserError, match="need the package pyarrow") as caught:
        export_parquet(tmp_path)
    assert "[parquet]'" in str(caught.value)


def test_folders_that_cannot_be_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be made"):
        export_parquet(tmp_path / "file")
    with pytest.raises(UserError, match="not by 3"):
        export_parquet(3)  # type: ignore[arg-type]
