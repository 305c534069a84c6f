"""Traces as lines of JSON: exported, streamed, and imported again into another store."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.exceptions import UserError
from agentkit.records.export_jsonl import export_jsonl
from agentkit.records.frames import spans
from agentkit.records.import_jsonl import Imported, import_jsonl
from agentkit.records.traces import traces
from agentkit.tracing import (
    BatchTraceProcessor,
    Trace,
    add_trace_processor,
    agent_span,
    custom_span,
    flush_traces,
    function_span,
    response_span,
    set_trace_processors,
    trace,
)
from agentkit.tracing.feedback import add_feedback, rate
from agentkit.tracing.jsonl import JSONLExporter
from agentkit.tracing.jsonl_lines import TABLES as TABLES_OF_LINES
from agentkit.tracing.jsonl_lines import BadLineError, record_of
from agentkit.tracing.notes import annotate
from agentkit.tracing.processors import reset_tracing
from agentkit.tracing.store import store_path

KEY = "sk-abcdefghijklmnopqrstuvwxyz0123456789"
TABLES = ("traces", "spans", "requests", "feedback", "notes")


def record(name: str = "Weather", *, group: str | None = "chat-1") -> Trace:
    """Record a trace with an agent, a model call, a tool that fails, and something of a user's own."""
    with trace(name, group_id=group, metadata={"user": "ada", "text": "line\nbreak  "}) as made:
        made.input, made.output = "How is it in Oslo?", {"sky": "clear"}
        with agent_span("Forecaster"):
            with response_span() as called:
                called.span_data.model = "gpt-5.6"
                called.span_data.input = [{"role": "user", "content": "How is it in Oslo?"}]
                called.span_data.output = [{"type": "message", "content": "Clear. 🌞"}]
                called.span_data.usage = {"input_tokens": 12, "output_tokens": 3, "total_tokens": 15}
                called.span_data.first_token_s = 0.25
            with function_span("get_weather", input='{"city": "Oslo"}') as tool:
                tool.set_error({"message": "no clock", "data": {"type": "KeyError"}})
        with custom_span("mine", {"half": "\ud83d", "numbers": [1, 2.5, None]}):
            pass
    return made


def stored() -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the store, but for the order in which it came and the process that it came from."""
    flush_traces()
    connection = sqlite3.connect(store_path())
    try:
        found = {}
        for table in TABLES:
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            columns = ", ".join(name for name in names if name not in ("seq", "process"))
            found[table] = sorted(connection.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
        return found
    finally:
        connection.close()


def another_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str = "other") -> None:
    """From here on, there is an empty store."""
    flush_traces()
    reset_tracing()
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path / name))


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def rewrite(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


# -- out and in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.jsonl.gz"])
def test_what_is_exported_and_imported_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    made = [record(), record("Other", group=None)]
    rate(made[0].trace_id, "up", "well said")
    annotate(made[0], mark="good")
    annotate(made[1], comment="why?")
    path = tmp_path / "deep" / name
    assert export_jsonl(path) == 2
    before = stored()
    another_home(tmp_path, monkeypatch)
    imported = import_jsonl(path)
    assert imported == Imported(traces=2, spans=8, feedback=1, notes=2, known=0)
    assert repr(imported) == "Imported 2 traces with 8 spans; 1 rating; 2 notes"
    assert stored() == before
    assert import_jsonl(path) == Imported(traces=0, spans=0, feedback=0, notes=0, known=10)
    assert stored() == before


def test_a_line_is_json_that_other_programs_read(tmp_path: Path) -> None:
    made = record()
    export_jsonl(tmp_path / "runs.jsonl")
    header, kept, *rest = lines_of(tmp_path / "runs.jsonl")
    assert (header["type"], header["version"]) == ("agentkit-traces", 1)
    assert {name: kept[name] for name in ("type", "trace_id", "workflow", "agents", "models", "input", "output")} == {
        "type": "trace",
        "trace_id": made.trace_id,
        "workflow": "Weather",
        "agents": ["Forecaster"],
        "models": ["gpt-5.6"],
        "input": "How is it in Oslo?",
        "output": {"sky": "clear"},
    }
    assert kept["started_at"].endswith("Z")
    assert len(kept["started_at"]) == len("2026-11-21T14:46:20.123456789Z")
    assert [line["kind"] for line in rest] == ["agent", "response", "function", "custom"]
    assert rest[2]["error"] == {"message": "no clock", "data": {"type": "KeyError"}}
    assert "process" not in kept


def test_traces_are_chosen_by_filters_ids_and_frames(tmp_path: Path) -> None:
    one, two, three = (record(name) for name in ("One", "Two", "Three"))
    path = tmp_path / "some.jsonl"

    def exported(*args: Any, **filters: Any) -> list[str]:
        count = export_jsonl(path, *args, **filters)
        names = [line["workflow"] for line in lines_of(path) if line["type"] == "trace"]
        assert len(names) == count
        return names

    assert exported() == ["One", "Two", "Three"]
    assert exported(two) == ["Two"]
    assert exported([three, one.trace_id[:20], three]) == ["Three", "One"]
    assert exported(traces(limit=2)) == ["Three", "Two"]
    assert exported(limit=2) == ["Two", "Three"]
    assert exported(agent="nobody") == []
    assert exported(agent="Forecaster", group="chat-1") == ["One", "Two", "Three"]
    with pytest.raises(UserError, match="not by both"):
        export_jsonl(path, one, limit=2)
    with pytest.raises(UserError, match="has no argument 'agnet'"):
        export_jsonl(path, agnet="x")
    with pytest.raises(UserError, match="not by 3"):
        export_jsonl(path, 3)
    with pytest.raises(UserError, match="no column trace_id"):
        export_jsonl(path, spans()[["name"]])
    with pytest.raises(UserError, match="No trace 'trace_nowhere'"):
        export_jsonl(path, "trace_nowhere")
    assert exported(one) == ["One"]  # and the file of before was replaced only now


def test_nothing_recorded_gives_a_file_without_traces(tmp_path: Path) -> None:
    assert export_jsonl(tmp_path / "none.jsonl") == 0
    assert import_jsonl(tmp_path / "none.jsonl") == Imported(0, 0, 0, 0, 0)


def test_the_file_is_private_and_complete_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record()
    export_jsonl(tmp_path / "runs.jsonl")
    assert (tmp_path / "runs.jsonl").stat().st_mode & 0o077 == 0
    before = (tmp_path / "runs.jsonl").read_bytes()
    with pytest.raises(UserError, match="can't be written"):
        export_jsonl(tmp_path / "runs.jsonl" / "below")
    with pytest.raises(UserError, match="is a folder"):
        export_jsonl(tmp_path)
    assert (tmp_path / "runs.jsonl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["runs.jsonl"]


def test_keys_are_neither_exported_nor_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record("Plain words")
    export_jsonl(tmp_path / "runs.jsonl")
    monkeypatch.setenv("SOME_API_KEY", "Plain words")  # known as a key only now
    export_jsonl(tmp_path / "clean.jsonl")
    assert "Plain words" not in (tmp_path / "clean.jsonl").read_text()
    monkeypatch.delenv("SOME_API_KEY")
    text = (tmp_path / "runs.jsonl").read_text().replace("How is it in Oslo?", KEY)
    another_home(tmp_path, monkeypatch)
    (tmp_path / "keys.jsonl").write_text(text)
    import_jsonl(tmp_path / "keys.jsonl")
    assert KEY not in repr(stored())


def test_newer_ratings_and_notes_replace_older_ones_and_not_the_other_way(tmp_path: Path) -> None:
    made = record()
    rate(made.trace_id, "down", "first")
    export_jsonl(tmp_path / "old.jsonl")
    rate(made.trace_id, "up", "second")
    export_jsonl(tmp_path / "new.jsonl")
    assert import_jsonl(tmp_path / "old.jsonl").feedback == 0
    assert list(traces()["remark"]) == ["second"]
    rate(made.trace_id, "down", "third")
    add_feedback(made.trace_id, "down", remark="third")
    assert import_jsonl(tmp_path / "new.jsonl").feedback == 0
    assert list(traces()["remark"]) == ["third"]


# -- bad files --------------------------------------------------------------------------------------------------------


def test_a_line_that_was_cut_off_is_told_and_left_out_only_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    path = tmp_path / "runs.jsonl"
    export_jsonl(path)
    path.write_bytes(path.read_bytes()[:-40])
    another_home(tmp_path, monkeypatch)
    with pytest.raises(UserError, match=r"line 6: it is cut off in the middle\. .*skip_bad=True"):
        import_jsonl(path)
    assert not store_path().exists()
    imported = import_jsonl(path, skip_bad=True)
    assert (imported.traces, imported.spans) == (1, 3)
    assert imported.skipped == ((6, "it is cut off in the middle"),)
    assert repr(imported) == "Imported 1 trace with 3 spans; 1 bad line left out"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "spam"}, "its type is 'spam'"),
        ({"trace_id": "trace_1"}, "trace_id is 'trace_1'"),
        ({"trace_id": None}, "trace_id is missing"),
        ({"span_id": ""}, "span_id is empty"),
        ({"started_at": "yesterday"}, "started_at is 'yesterday'"),
        ({"started_at": "2026-11-21T10:00:00+01:00"}, "started_at is '2026-11-21T10:00:00"),
        ({"ended_at": "2001-01-01T00:00:00Z"}, "it ends before it starts"),
        ({"depth": -1}, "depth is -1"),
        ({"depth": 2**70}, "depth is 1180591620717411303424"),
        ({"input_tokens": True}, "input_tokens is True"),
        ({"first_token_s": "fast"}, "first_token_s is 'fast'"),
        ({"name": 3}, "name is 3"),
    ],
)
def test_values_that_cannot_be_are_told_with_their_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], said: str
) -> None:
    record()
    path = tmp_path / "runs.jsonl"
    export_jsonl(path)
    lines = path.read_text().splitlines()
    lines[3] = json.dumps(json.loads(lines[3]) | change)
    another_home(tmp_path, monkeypatch)
    with pytest.raises(UserError) as caught:
        import_jsonl(rewrite(path, lines))
    assert f"line 4: {said}" in str(caught.value)
    assert import_jsonl(path, skip_bad=True).spans == 3


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=5,
)


@settings(deadline=None)
@given(table=st.sampled_from([*TABLES_OF_LINES, "agentkit-traces"]), data=st.data())
def test_any_line_is_read_or_told_to_be_bad(table: str, data: st.DataObject) -> None:
    good = {"trace_id": "trace_" + "a" * 32, "span_id": "s", "depth": 0, "kind": "custom", "status": "ok", "key": "k"}
    good |= {"started_at": "2026-11-21T10:00:00.5Z", "created_at": "2026-11-21T10:00:00Z", "body": {}, "version": 1}
    names = st.sampled_from([*good, "ended_at", "agents", "input", "cost_usd", "input_tokens", "rating"])
    line = good | data.draw(st.dictionaries(names, ANYTHING, max_size=2)) | {"type": table}
    try:
        found = record_of(json.dumps(line))
    except (BadLineError, UserError):
        return
    assert found.table in ("", table)
    assert len(found.row) == len(TABLES_OF_LINES.get(table, ()))


def test_a_number_of_thousands_of_digits_is_told() -> None:
    line = '{"type":"span","trace_id":"trace_' + "a" * 32 + '","span_id":"s","depth":' + "1" * 5000 + "}"
    with pytest.raises(BadLineError):
        record_of(line)


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    with pytest.raises(UserError, match="There is no file"):
        import_jsonl(path)
    path.write_text("")
    with pytest.raises(UserError, match="the file is empty"):
        import_jsonl(path)
    path.write_bytes(b"\xff\xfe\n[]\n{}\n")
    with pytest.raises(UserError, match="line 1: it is no UTF-8 text; line 2: it is no JSON object; line 3: its type"):
        import_jsonl(path)
    path.write_text('{"type":"agentkit-traces","version":7}\n')
    with pytest.raises(UserError, match="has version 7 of the format, and this agentkit knows 1"):
        import_jsonl(path, skip_bad=True)
    (tmp_path / "runs.jsonl.gz").write_bytes(gzip.compress(b'{"type":"agentkit-traces","version":1}\n')[:-6])
    with pytest.raises(UserError, match="can't be read"):
        import_jsonl(tmp_path / "runs.jsonl.gz")
    (tmp_path / "plain.jsonl.gz").write_text("no gzip")
    with pytest.raises(UserError, match="can't be read"):
        import_jsonl(tmp_path / "plain.jsonl.gz")


def test_spans_whose_trace_is_nowhere_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = record()
    path = tmp_path / "runs.jsonl"
    export_jsonl(path)
    lines = path.read_text().splitlines()
    rewrite(path, [lines[0], *lines[2:]])
    assert import_jsonl(path).known == 4  # this store has the trace
    another_home(tmp_path, monkeypatch)
    with pytest.raises(UserError, match=rf"line 2: the trace {made.trace_id} that it belongs to has no line"):
        import_jsonl(path)
    assert import_jsonl(path, skip_bad=True).spans == 0


# -- streamed ---------------------------------------------------------------------------------------------------------


def test_a_streamed_file_holds_the_same_as_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "live" / "runs.jsonl"
    add_trace_processor(BatchTraceProcessor(JSONLExporter(path)))
    with trace("Long") as outer:
        outer.input = "begin"
        flush_traces()
        with custom_span("first"):
            pass
        flush_traces()
        with agent_span("Late"), response_span() as called:
            called.span_data.model, called.span_data.usage = "m", {"input_tokens": 1, "output_tokens": 2}
        outer.output = "end"
    record()
    before = stored()
    assert path.stat().st_mode & 0o077 == 0
    kinds = [line["type"] for line in lines_of(path)]
    assert kinds[:3] == ["agentkit-traces", "trace", "span"]
    another_home(tmp_path, monkeypatch)
    assert import_jsonl(path) == Imported(traces=2, spans=7, feedback=0, notes=0, known=0)
    assert stored() == before


def test_a_trace_that_had_not_ended_is_unfinished_until_its_end_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs.jsonl"
    add_trace_processor(BatchTraceProcessor(JSONLExporter(path)))
    begun = trace("Cut short")
    begun.start()
    flush_traces()
    partly = path.read_bytes()
    begun.finish()
    flush_traces()
    (tmp_path / "partly.jsonl").write_bytes(partly)
    another_home(tmp_path, monkeypatch)
    import_jsonl(tmp_path / "partly.jsonl")
    assert list(traces()["status"]) == ["unfinished"]
    assert import_jsonl(path).traces == 1
    assert list(traces()["status"]) == ["ok"]


def test_what_a_trace_holds_is_let_go_of_when_it_ends(tmp_path: Path) -> None:
    exporter = JSONLExporter(tmp_path / "runs.jsonl")
    set_trace_processors([BatchTraceProcessor(exporter)])
    begun = trace("Begun")
    begun.start()
    for number in range(3):
        with trace(f"Work {number}") as work, custom_span("step"):
            work.input = work.output = "long"
            flush_traces()
    late = function_span("late", parent=work)
    late.start()
    late.finish()
    flush_traces()
    held = exporter._totals
    assert begun.trace_id in held
    assert [total for total in held.values() if total["input"] is not None] == []
    begun.finish()
    flush_traces()
    assert begun.trace_id not in held


def test_after_a_line_that_was_cut_off_the_next_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    add_trace_processor(BatchTraceProcessor(JSONLExporter(path)))
    record()
    flush_traces()
    path.write_bytes(path.read_bytes()[:-10])
    record("Second")
    flush_traces()
    imported = import_jsonl(path, skip_bad=True)
    assert len(imported.skipped) == 1
    assert set(traces()["workflow"]) == {"Weather", "Second"}


def test_a_file_that_cannot_be_written_is_told_once_and_runs_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    add_trace_processor(BatchTraceProcessor(JSONLExporter(tmp_path / "file" / "runs.jsonl")))
    for _ in range(2):
        record()
        flush_traces()
    (logged,) = caplog.records
    assert "raised in export (NotADirectoryError" in logged.getMessage() or "FileExistsError" in logged.getMessage()
    assert len(traces()) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks a process")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_appends_to_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    add_trace_processor(BatchTraceProcessor(JSONLExporter(path)))
    record("Parent")
    flush_traces()
    child = os.fork()
    if child == 0:
        try:
            record("Child")
            flush_traces()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert {line["workflow"] for line in lines_of(path) if line["type"] == "trace"} == {"Parent", "Child"}
