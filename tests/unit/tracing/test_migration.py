"""Files of earlier releases, and of a later one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from agentkit._home import make_private_file
from agentkit.exceptions import UserError
from agentkit.records.frames import calls, spans
from agentkit.records.traces import traces
from agentkit.tracing import custom_span, flush_traces, store_path, trace
from agentkit.tracing.database import MIGRATIONS, SCHEMA_VERSION
from agentkit.tracing.feedback import add_feedback, feedback
from agentkit.tracing.notes import annotate
from agentkit.tracing.prune import prune

TRACES = 50
SECOND = 1_000_000_000


def trace_id(number: int) -> str:
    return f"trace_{number:032x}"


def earlier_file(version: int) -> None:
    """Make a file as an earlier release did, with traces of an agent that called a model and a tool."""
    make_private_file(store_path())
    with closing(sqlite3.connect(store_path())) as connection:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                connection.execute(statement)
        for number in range(TRACES):
            began = (1_700_000_000 + number) * SECOND
            one = trace_id(number)
            connection.execute(
                "INSERT INTO traces (trace_id, workflow, group_id, status, started_ns, ended_ns, agents, last_agent,"
                " models, turns, tool_calls, handoffs, requests, input_tokens, output_tokens, total_tokens,"
                " cached_tokens, reasoning_tokens, input, output) VALUES"
                " (?, 'run', 'group_1', 'ok', ?, ?, 'A', 'A', 'gpt-4.1', 1, 1, 0, 1, 1000, 20, 1020, 5, 2, ?, ?)",
                (one, began, began + SECOND, f'"question {number}"', '"fine"'),
            )
            for place, (kind, name, parent, depth, used) in enumerate(
                [
                    ("agent", "A", None, 0, None),
                    ("response", None, "span_0", 1, 1000),
                    ("function", "f", "span_0", 1, None),
                ]
            ):
                connection.execute(
                    "INSERT INTO spans (trace_id, span_id, parent_id, depth, kind, name, status, started_ns, ended_ns,"
                    " model, requests, input_tokens, output_tokens, total_tokens, input)"
                    " VALUES (?, ?, ?, ?, ?, ?, 'ok', ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(one, f"span_{place}", parent, depth, kind, name, began + place, began + SECOND),
                        *(("gpt-4.1", 1, used, 20, 1020, '[{"role":"user"}]') if used else (None,) * 6),
                    ),
                )
        if version >= 2:
            connection.execute(
                "INSERT INTO feedback VALUES (?, 'up', 'good', 'q', 'a', 'A', 'gpt-4.1', '', 1)", (trace_id(0),)
            )
        connection.execute(f"PRAGMA user_version = {version}")
        connection.commit()


def version_of_file() -> int:
    with closing(sqlite3.connect(store_path())) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version


def check_everything_is_there() -> None:
    frame = traces(group="group_1")
    assert list(frame["trace_id"]) == [trace_id(number) for number in reversed(range(TRACES))]
    assert list(frame["input"]) == [f"question {number}" for number in reversed(range(TRACES))]
    assert set(frame[["status", "turns", "tool_calls", "input_tokens", "total_tokens", "cached_tokens"]].itertuples(
        index=False, name=None
    )) == {("ok", 1, 1, 1000, 1020, 5)}  # fmt: skip
    assert frame["cost_usd"].notna().all()  # priced now, as the earlier release kept no prices
    shown = spans(trace_id(7))[["span_id", "parent_id", "kind", "agent", "duration_s"]]
    assert shown.astype(object).where(shown.notna(), None).to_numpy().tolist() == [
        ["span_0", None, "agent", "A", 1.0],
        ["span_1", "span_0", "response", "A", 0.999999999],
        ["span_2", "span_0", "function", "A", 0.999999998],
    ]
    assert len(calls(agent="A")) == TRACES
    assert frame["cost_usd"].sum() == pytest.approx(calls()["cost_usd"].sum())


@pytest.mark.parametrize("version", [1, 2])
def test_reading_brings_an_earlier_file_up_to_date_with_all_that_is_in_it(version: int) -> None:
    earlier_file(version)
    check_everything_is_there()
    assert version_of_file() == SCHEMA_VERSION
    assert list(feedback()["trace_id"]) == [trace_id(0)] * (version - 1)


@pytest.mark.parametrize("version", [1, 2])
def test_recording_brings_an_earlier_file_up_to_date_with_all_that_is_in_it(version: int) -> None:
    earlier_file(version)
    with trace("new"), custom_span("c"):
        pass
    flush_traces()
    assert version_of_file() == SCHEMA_VERSION
    check_everything_is_there()
    assert list(traces(limit=2)["workflow"]) == ["new", "run"]


BOTH = """
import sys
import agentkit.tracing as t
from agentkit.records.traces import traces
print("ready", flush=True)
sys.stdin.readline()
if sys.argv[1] == "write":
    with t.trace("new"), t.custom_span("c"):
        pass
    t.flush_traces()
print(len(traces(group="group_1")))
"""


@pytest.mark.parametrize("version", [1, 2])
def test_processes_that_open_an_earlier_file_at_once_all_find_it_up_to_date(version: int) -> None:
    earlier_file(version)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", BOTH, what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for what in ("write", "read", "write", "read")
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in started] == [(f"{TRACES}\n", "")] * 4
    assert version_of_file() == SCHEMA_VERSION
    check_everything_is_there()
    assert list(traces(limit=3)["workflow"]) == ["new", "new", "run"]


def test_a_file_of_a_later_release_is_changed_by_nobody() -> None:
    with trace("before") as before, custom_span("c"):
        pass
    flush_traces()
    with closing(sqlite3.connect(store_path())) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    for change in (
        lambda: prune(older_than="0s"),
        lambda: add_feedback(before.trace_id, "up"),
        lambda: annotate(before.trace_id, mark="good"),
    ):
        with pytest.raises(UserError, match=r"(?s)version 4, and this agentkit knows 3.*Upgrade agentkit"):
            change()
    assert list(traces()["workflow"]) == ["before"]
    assert len(feedback()) == 0
