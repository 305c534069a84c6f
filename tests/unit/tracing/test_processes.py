"""Several processes at one store, and processes that end without warning."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import custom_span, store_path, trace

WRITE = """
import sys
import agentkit.tracing as t
name, count = sys.argv[1], int(sys.argv[2])
for n in range(count):
    with t.trace(name) as made, t.agent_span(name):
        for _ in range(8):
            with t.response_span() as span:
                span.span_data.usage = {"input_tokens": 10, "output_tokens": 1}
        with t.function_span("f", output="x" * 300):
            pass
    t.flush_traces()
    print(made.trace_id, flush=True)
"""
SPANS = 10  # of each trace


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    with process.stdout:  # not communicate(): with a timeout it forgets what readline() has read ahead
        rest = process.stdout.read()
    assert process.wait(60) == 0
    return rest


def integrity() -> list[tuple[str]]:
    connection = sqlite3.connect(store_path())
    try:
        return connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.close()


def assert_whole(trace_ids: list[str]) -> None:
    """Each of the traces is there once, with all its spans and their sums."""
    kept = traces().set_index("trace_id")
    assert kept.index.is_unique
    every = spans()
    assert every["span_id"].is_unique
    counts = every.groupby("trace_id").size()
    for trace_id in trace_ids:
        row = kept.loc[trace_id]
        assert (row["status"], row["turns"], row["total_tokens"], counts[trace_id]) == ("ok", 8, 88, SPANS)


def test_two_processes_write_while_a_third_reads() -> None:
    writers = [start(WRITE, name, "25") for name in ("one", "two")]
    acknowledged: list[str] = []
    for _ in range(20):
        for writer in writers:
            assert writer.stdout is not None
            acknowledged.append(writer.stdout.readline().strip())
        assert_whole(acknowledged)
    for writer in writers:
        acknowledged += finish(writer).split()
    assert len(acknowledged) == 50
    assert_whole(acknowledged)
    assert sorted(traces()["workflow"]) == ["one"] * 25 + ["two"] * 25
    assert integrity() == [("ok",)]


KILLED = (
    """
import agentkit.tracing as t
t.trace("cut off").start(mark_as_current=True)
t.agent_span("A").start(mark_as_current=True)
t.custom_span("at work").start()
"""
    + WRITE
)


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL")
def test_killed_writers_leave_a_whole_file_with_everything_they_acknowledged() -> None:
    acknowledged: list[str] = []
    for round_ in range(6):
        writers = [start(KILLED, str(n), "100000") for n in range(2)]
        for _ in range(1 + 7 * round_):
            for writer in writers:
                assert writer.stdout is not None
                acknowledged.append(writer.stdout.readline().strip())
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        for writer in writers:
            assert writer.stdout is not None
            with writer.stdout:
                rest = writer.stdout.read()
            assert writer.wait() == -signal.SIGKILL
            acknowledged += rest.split("\n")[:-1]  # the last line may be half a line
        assert_whole(acknowledged)
        assert integrity() == [("ok",)]
        running = traces(status="unfinished")
        assert sum(running["workflow"] == "cut off") == 2 * (round_ + 1)
    cut_off = traces(status="unfinished").set_index("workflow").loc["cut off", "trace_id"].iloc[0]
    assert list(zip(spans(cut_off)["name"], spans(cut_off)["status"], strict=True))[:2] == [
        ("A", "unfinished"),
        ("at work", "unfinished"),
    ]


def test_what_is_recorded_just_before_the_end_of_a_process_is_kept() -> None:
    finish(start("import agentkit.tracing as t\nwith t.trace('last'), t.custom_span('c'): pass"))
    finish(start("import agentkit.tracing as t\nwith t.trace('failed'), t.custom_span('c'): raise SystemExit"))
    assert list(traces()["workflow"]) == ["failed", "last"]
    assert len(spans()) == 2


def test_every_process_finds_the_same_new_store() -> None:
    writers = [start(WRITE, "w", "1") for _ in range(6)]  # all of them want to make the file
    assert_whole([finish(writer).strip() for writer in writers])


FORK = """
import os
import agentkit.tracing as t
with t.trace("before"), t.custom_span("c"):
    pass
with t.trace("around") as around:
    with t.custom_span("unwritten, the parent's"):
        pass
    child = os.fork()
    if child == 0:
        with t.custom_span("child's, in the parent's trace"):
            pass
        with t.trace("child's"), t.custom_span("c"):
            pass
        t.flush_traces()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
with t.trace("after"), t.custom_span("c"):
    pass
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="has no fork")
def test_parent_and_forked_child_both_record() -> None:
    finish(start(FORK))
    frame = traces()
    assert sorted(frame["workflow"]) == ["after", "around", "before", "child's"]
    assert set(frame["status"]) == {"ok"}
    around = frame.set_index("workflow").loc["around", "trace_id"]
    assert sorted(spans(around)["name"]) == ["child's, in the parent's trace", "unwritten, the parent's"]
    assert len(spans()) == 5
    assert integrity() == [("ok",)]


def test_this_process_sees_what_another_wrote_since() -> None:
    with trace("mine"), custom_span("c"):
        pass
    assert len(traces()) == 1
    finish(start(WRITE, "other", "1"))
    assert list(traces()["workflow"]) == ["other", "mine"]
