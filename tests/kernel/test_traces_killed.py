"""Four kernels that run agents, and are killed without warning again and again: what they had flushed is all there.

Kernels take a second to start, so that there are only a few kills here; `AGENTKIT_TEST_KILLS=200` makes them 200. Two
hundred of other processes are in tests/unit/tracing/test_killed.py.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from agentkit.records.frames import spans
from agentkit.records.traces import traces
from agentkit.testing.kernel import Kernel, RunningCell
from agentkit.tracing import store_path

KILLS = int(os.environ.get("AGENTKIT_TEST_KILLS", "8"))
KERNELS = 4
SEED = 20_261_121
ACKNOWLEDGED = "acknowledged "

WRITE = '''
import asyncio
from agentkit import Agent, Runner, function_tool
from agentkit.testing import ScriptedModel, call
from agentkit.tracing import custom_span, flush_traces, trace

@function_tool
async def look_up(city: str) -> str:
    """Look the weather up."""
    await asyncio.sleep(0.01)
    return f"{{city}}: sunny, " + "x" * 300

outer = trace("cut off {number}")
outer.start()
custom_span("under way", parent=outer).start()
while True:
    model = ScriptedModel()
    model.reply(call("look_up", city="Oslo")).reply("It is sunny.")
    result = await Runner.run(Agent(name="weather", model=model, tools=[look_up]), "Oslo?")
    flush_traces()
    print("acknowledged", result.trace_id, flush=True)
'''


def text_of(message: dict[str, Any]) -> str:
    content = message["content"]
    return str(content["text"]) if message["msg_type"] == "stream" and content["name"] == "stdout" else ""


class Writer:
    """A kernel that runs agents until it is killed."""

    def __init__(self, kernel: Kernel, number: int) -> None:
        self.kernel = kernel
        self._cell = self._begin(number)

    def _begin(self, number: int) -> RunningCell:
        self.number = number
        return self.kernel.start(WRITE.format(number=number), timeout_s=3600)

    def hear(self) -> None:
        """Wait until a run was acknowledged."""
        self._cell.wait_for(lambda message: ACKNOWLEDGED in text_of(message))

    def acknowledged(self) -> list[str]:
        """Return the traces that the cell has acknowledged, as far as was heard."""
        said = "".join(map(text_of, self._cell.messages)).split("\n")[:-1]
        return [line.removeprefix(ACKNOWLEDGED) for line in said]

    def kill(self) -> None:
        pid: Any = getattr(self.kernel.manager.provisioner, "pid", None)
        os.kill(pid, signal.SIGKILL)

    def begin_again(self, number: int) -> None:
        self.kernel.restart()
        self._cell = self._begin(number)


def check(acknowledged: list[str]) -> None:
    """The file is sound, and has every run that was acknowledged, once and whole."""
    with closing(sqlite3.connect(store_path())) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT 1 FROM spans GROUP BY span_id HAVING count(*) > 1").fetchall() == []
    frame = traces().set_index("trace_id")
    assert frame.index.is_unique
    kept = frame.loc[acknowledged]
    assert set(kept["status"]) == {"ok"}
    assert set(kept[["turns", "tool_calls", "output"]].itertuples(index=False, name=None)) == {(2, 1, "It is sunny.")}
    every = spans().groupby("trace_id")
    kinds = every["kind"].agg(list).loc[acknowledged]
    assert {tuple(each) for each in kinds} == {("agent", "generation", "function", "generation")}
    tokens = ["input_tokens", "output_tokens"]
    assert (every[tokens].sum().loc[acknowledged] == kept[tokens]).all(axis=None)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="has no SIGKILL")
def test_kernels_killed_at_any_moment_lose_nothing_that_was_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))
    chance = random.Random(SEED)
    acknowledged: list[str] = []
    killed: list[int] = []
    with ExitStack() as running:
        writers = [Writer(running.enter_context(Kernel(home=tmp_path)), number) for number in range(KERNELS)]
        for number in range(KERNELS, KERNELS + KILLS):
            victim = chance.choice(writers)
            for _ in range(chance.randint(1, 5)):
                victim.hear()
            for _ in range(chance.randrange(200_000)):  # anywhere between two acknowledgements
                pass
            victim.kill()
            killed.append(victim.number)
            acknowledged += victim.acknowledged()
            victim.begin_again(number)
            if len(killed) % 20 == 0:
                check(acknowledged)
        for writer in writers:
            writer.hear()
            writer.kill()
            killed.append(writer.number)
            acknowledged += writer.acknowledged()
    assert len(acknowledged) >= KILLS + KERNELS
    check(acknowledged)
    cut_off = traces(status="unfinished")
    cut_off = cut_off[cut_off["workflow"].str.startswith("cut off")]
    assert sorted(cut_off["workflow"]) == sorted(f"cut off {number}" for number in killed)
    assert sorted(spans(name="under way", status="unfinished")["trace_id"]) == sorted(cut_off["trace_id"])
