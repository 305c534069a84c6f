"""Two hundred kills without warning, while four processes write: nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
from contextlib import closing
from typing import NoReturn

import pytest

from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.tracing import agent_span, custom_span, flush_traces, function_span, response_span, store_path, trace

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="has neither fork nor SIGKILL")

KILLS = 200
WRITERS = 4
CALLS, TOOLS = 3, 2  # spans of each trace, beside that of its agent
SEED = 20_261_121


def write_for_ever(number: int, told: int) -> NoReturn:
    """Record traces, and say on the file descriptor `told` which ones are flushed."""
    trace(f"cut off {number}").start(mark_as_current=True)
    custom_span("under way").start()
    while True:
        with trace("whole") as made:
            made.input = f"question to {number}"
            with agent_span(f"agent {number % 7}"):
                for call in range(CALLS):
                    with response_span() as span:
                        span.span_data.model = "rehearsal-1"
                        span.span_data.usage = {"input_tokens": 10 + call, "output_tokens": 1}
                for tool in range(TOOLS):
                    with function_span(f"tool {tool}", output="x" * 300):
                        pass
        flush_traces()
        os.write(told, f"{made.trace_id}\n".encode())


class Writer:
    """A forked process that writes until it is killed."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._heard, told = os.pipe()
        if sys.platform == "linux":  # so that those who aren't listened to soon wait, rather than fill the disk
            import fcntl

            fcntl.fcntl(told, fcntl.F_SETPIPE_SZ, 4096)
        self._rest = b""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._heard)
                write_for_ever(number, told)
            finally:
                os._exit(1)
        os.close(told)

    def hear(self) -> list[str]:
        """Wait until something was acknowledged, and return it."""
        *whole, self._rest = (self._rest + os.read(self._heard, 65_536)).split(b"\n")
        return [trace_id.decode() for trace_id in whole]

    def kill(self) -> list[str]:
        """Kill it, and return what it acknowledged before. The last line may be half a line."""
        os.kill(self.pid, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == -signal.SIGKILL
        while piece := os.read(self._heard, 65_536):
            self._rest += piece
        os.close(self._heard)
        return [trace_id.decode() for trace_id in self._rest.split(b"\n")[:-1]]


def check_file() -> None:
    """The file opens, is sound, and has nothing twice."""
    with closing(sqlite3.connect(store_path())) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        for table, key in (("traces", "trace_id"), ("spans", "span_id")):
            twice = f"SELECT {key} FROM {table} GROUP BY {key} HAVING count(*) > 1"
            assert connection.execute(twice).fetchall() == []


def check_whole(acknowledged: list[str]) -> None:
    """Every trace that was acknowledged is there with all its spans and their sums; so is every other that ended."""
    frame = traces().set_index("trace_id")
    assert set(acknowledged) <= set(frame.index)
    ended = frame[frame["workflow"] == "whole"]
    ended = ended[ended["status"] == "ok"]
    assert set(acknowledged) <= set(ended.index)
    counts = ended[["turns", "tool_calls", "requests", "input_tokens", "output_tokens", "total_tokens"]]
    sums = (CALLS, TOOLS, CALLS, 33, 3, 36)
    assert set(counts.itertuples(index=False, name=None)) == {sums}
    kept = spans()
    of_ended = kept[kept["trace_id"].isin(ended.index)]
    assert set(of_ended["status"]) == {"ok"}
    assert set(of_ended.groupby("trace_id", observed=True).size()) == {1 + CALLS + TOOLS}
    assert of_ended["trace_id"].nunique() == len(ended)


def check_unfinished(killed: set[int]) -> None:
    """What the killed were at is there once, and marked as unfinished."""
    frame = traces()
    cut_off = frame[frame["workflow"].str.startswith("cut off")]
    assert cut_off["workflow"].is_unique
    assert {f"cut off {number}" for number in killed} <= set(cut_off["workflow"])
    assert set(cut_off["status"]) == {"unfinished"}
    inside = spans(name="under way", status="unfinished")
    assert sorted(inside["trace_id"]) == sorted(cut_off["trace_id"])


# Python warns of a fork beside threads that other tests have left; none of theirs is needed here.
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_200_kills_of_four_processes_that_write_lose_nothing_that_was_flushed() -> None:
    chance = random.Random(SEED)
    writers = [Writer(number) for number in range(WRITERS)]
    acknowledged: list[str] = []
    killed: set[int] = set()
    try:
        for number in range(WRITERS, WRITERS + KILLS):
            victim = writers.pop(chance.randrange(WRITERS))
            writers.append(victim)
            for _ in range(chance.randint(1, 3)):
                acknowledged += victim.hear()
            for _ in range(chance.randrange(20_000)):  # anywhere between two acknowledgements, and within
                pass
            acknowledged += writers.pop().kill()
            killed.add(victim.number)
            writers.append(Writer(number))
            if len(killed) % 50 == 0:
                check_file()
                check_whole(acknowledged)
    finally:
        for writer in writers:
            acknowledged += writer.kill()
    assert len(acknowledged) == len(set(acknowledged)) >= KILLS
    check_file()
    check_whole(acknowledged)
    check_unfinished(killed)
