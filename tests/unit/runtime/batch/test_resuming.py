from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel

from agentkit import Agent, ModelSettings, NoBackendError, RunConfig, UserError, function_tool
from agentkit._home import home
from agentkit.runtime.batch import Batch, BatchOptions, run_over, run_over_async
from agentkit.runtime.batch.place import place_of

from .rows import Crowd, Echo

ROWS = [str(n) for n in range(10)]


def agent_of(model: Echo, **options: Any) -> Agent[Any]:
    return Agent(**{"name": "judge", "instructions": "Judge.", "model": model, **options})


def test_what_is_finished_is_not_asked_again() -> None:
    first, second = Echo(), Echo()
    before = run_over(agent_of(first), ROWS, "{{value}}", name="n", concurrency=1)
    after = run_over(agent_of(second), ROWS, "{{value}}", name="n")
    assert (len(first.asked), second.asked) == (10, [])
    pd.testing.assert_frame_equal(before, after)
    assert (before.attrs["batch_id"], after.attrs["batch"]["reused"]) == (after.attrs["batch_id"], 10)


def test_typed_answers_come_back_as_they_were() -> None:
    class Found(BaseModel):
        tags: list[str]
        n: int | None

    def agent() -> Agent[Any]:
        return agent_of(Echo(lambda text: f'{{"tags": ["{text}", "é"], "n": null}}'), output_type=Found)

    before = run_over(agent(), ROWS, "{{value}}", name="n")
    pd.testing.assert_frame_equal(before, run_over(agent(), ROWS, "{{value}}", name="n"))


def test_rows_that_failed_are_asked_again() -> None:
    first = Echo(lambda text: RuntimeError("no") if text in "37" else text)
    second = Echo()
    assert list(run_over(agent_of(first), ROWS, "{{value}}", name="n")["status"]).count("failed") == 2
    again = run_over(agent_of(second), ROWS, "{{value}}", name="n", concurrency=1)
    assert second.asked == ["3", "7"]
    assert list(again["status"]) == ["ok"] * 10


def test_only_rows_that_are_new_or_changed_are_asked() -> None:
    second = Echo()
    run_over(agent_of(Echo()), ROWS, "{{value}}", name="n")
    result = run_over(agent_of(second), ["9", "new", "0", "8"], "{{value}}", name="n")
    assert second.asked == ["new"]
    assert list(result["answer"]) == ["9", "NEW", "0", "8"]


def test_rows_that_ask_the_same_are_each_their_own() -> None:
    first, second = Echo(), Echo()
    run_over(agent_of(first), ["a", "a", "b"], "{{value}}", name="n")
    run_over(agent_of(second), ["a", "b", "a", "a"], "{{value}}", name="n")
    assert (sorted(first.asked), second.asked) == (["a", "a", "b"], ["a"])


def tool_of(result: str) -> Any:
    @function_tool
    def look(word: str) -> str:
        """Look it up."""
        return word + result

    return look


def tool_that_adds() -> Any:
    @function_tool
    def look(word: str) -> str:
        """Look it up."""
        return word + "a" + "!"

    return look


class One(BaseModel):
    n: int


class Two(BaseModel):
    n: float


def hello(ctx: Any, agent: Any) -> str:
    return "hello"


def goodbye(ctx: Any, agent: Any) -> str:
    return "goodbye"


def inner(instructions: str) -> Agent[Any]:
    return Agent(name="inner", instructions=instructions, model="none")


CHANGES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"instructions": "Judge."}, {"instructions": "Judge well."}),
    ({"instructions": hello}, {"instructions": goodbye}),
    ({"model_settings": ModelSettings(temperature=0)}, {"model_settings": ModelSettings(temperature=1)}),
    ({"tools": [tool_of("a")]}, {"tools": [tool_of("b")]}),
    ({"tools": [tool_of("a")]}, {"tools": [tool_that_adds()]}),
    ({"tools": [inner("a").as_tool()]}, {"tools": [inner("b").as_tool()]}),
    ({"handoffs": [inner("a")]}, {"handoffs": [inner("b")]}),
    ({"output_type": One}, {"output_type": Two}),
    ({"name": "judge"}, {"name": "other"}),
]


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_another_agent_is_asked_for_every_row(before: dict[str, Any], after: dict[str, Any]) -> None:
    def ask(options: dict[str, Any]) -> list[str]:
        model = Echo(lambda text: '{"n": 1}' if "output_type" in options else text)
        run_over(agent_of(model, **options), ROWS[:2], "{{value}}", name="n", concurrency=1)
        return model.asked

    assert [ask(before), ask(before), ask(after), ask(after)] == [["0", "1"], [], ["0", "1"], []]


def test_agents_that_hand_over_to_each_other_are_told_too() -> None:
    def ask() -> list[str]:
        model = Echo()
        one, other = agent_of(model), agent_of(model, name="other")
        one.handoffs, other.handoffs = [other], [one]
        run_over(one, ["a"], "{{value}}", name="n")
        return model.asked

    assert [ask(), ask()] == [["a"], []]


@pytest.mark.parametrize(
    "change",
    [
        {"template": "{{value}}!"},
        {"name": "m"},
        {"run_config": RunConfig(model_settings=ModelSettings(top_p=0.5))},
        {"afresh": True},
        {"resume": False},
    ],
)
def test_another_template_name_or_setting_asks_for_every_row(change: dict[str, Any]) -> None:
    model = Echo()
    run_over(agent_of(Echo()), ["a", "b"], "{{value}}", name="n")
    run_over(agent_of(model), ["a", "b"], **{"template": "{{value}}", "name": "n", **change})
    assert len(model.asked) == 2


def test_a_key_that_is_refused_now_is_an_error_whatever_was_answered_before() -> None:
    run_over(agent_of(Echo()), ROWS[:4], "{{value}}", name="n")
    refusing = Echo(lambda _: NoBackendError("nobody"))
    with pytest.raises(NoBackendError, match="nobody"):
        run_over(agent_of(refusing), ROWS, "{{value}}", name="n", concurrency=1)
    assert refusing.asked == ["4"]


def test_afresh_forgets_what_was_spent_too() -> None:
    def ask(**options: Any) -> list[str]:
        frame = run_over(
            agent_of(Echo()), ["abcd", "efgh"], "{{value}}", name="n", concurrency=1, budget_tokens=1, **options
        )
        return list(frame["status"])

    assert [ask(), ask(), ask(afresh=True)] == [["ok", "skipped"]] * 3
    model = Echo()
    run_over(agent_of(model), ["abcd", "efgh"], "{{value}}", name="n")
    assert model.asked == ["efgh"]


async def test_what_was_finished_before_a_stop_is_kept() -> None:
    model = Crowd(100)  # never so many: the rows wait for ever
    await run_over_async(agent_of(Crowd(1)), ROWS[:4], "{{value}}", name="n", concurrency=1)
    batch = Batch(agent_of(model), ROWS, "{{value}}", BatchOptions(name="n", concurrency=2))
    task = asyncio.ensure_future(batch.run())
    while model.inside < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    result = batch.result()
    assert list(result["status"]) == ["ok"] * 4 + ["cancelled"] * 6
    assert list(result["error"][4:]) == ["Stopped."] * 2 + ["Stopped before it was asked."] * 4
    rest = Crowd(1)
    await run_over_async(agent_of(rest), ROWS, "{{value}}", name="n", concurrency=1)
    assert rest.asked == ROWS[4:]


def test_a_file_that_is_none_of_ours_is_refused_before_any_call() -> None:
    path = home() / "batches.sqlite3"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("no database at all, whatever it is called, and long enough to be looked at" * 20)
    model = Echo()
    with pytest.raises(UserError, match=r"Finished rows can't be kept in .*: file is not a database"):
        run_over(agent_of(model), ROWS, "{{value}}", name="n")
    assert model.asked == []


def test_only_its_user_can_read_the_file() -> None:
    run_over(agent_of(Echo()), ["a"], "{{value}}", name="n")
    assert (home() / "batches.sqlite3").stat().st_mode & 0o077 == 0


def test_in_tests_nothing_is_found_that_was_there_before() -> None:
    models = [Echo(), Echo()]
    for model in models:
        run_over(agent_of(model), ["a"], "{{value}}")
    assert [model.asked for model in models] == [["a"], ["a"]]
    assert place_of(None) is None
    assert place_of("n") == "name:n"


KILLED = """
import asyncio, sys
from agentkit import Agent
from agentkit.runtime.batch import run_over
from agentkit.testing import ScriptedModel

log, concurrency, lasts = open(sys.argv[1], "a"), int(sys.argv[2]), int(sys.argv[3])

class Counting(ScriptedModel):
    async def get_response(self, system_instructions, input, *args, **options):
        log.write(input[-1]["content"] + "\\n")
        log.flush()
        self.made = getattr(self, "made", 0) + 1
        if self.made > lasts:
            print("waiting", flush=True)
            await asyncio.Event().wait()
        self.reply("done " + input[-1]["content"])
        return await super().get_response(system_instructions, input, *args, **options)

agent = Agent(name="judge", instructions="Judge.", model=Counting())
result = run_over(agent, [str(n) for n in range(100)], "{{value}}", concurrency=concurrency)
assert list(result["answer"]) == [f"done {n}" for n in range(100)], result
print("whole", result.attrs["batch"]["reused"], flush=True)
"""


@pytest.mark.parametrize("concurrency", [1, 8])
def test_after_a_kill_at_row_40_the_rerun_makes_exactly_60_calls(tmp_path: Path, concurrency: int) -> None:
    script, log = tmp_path / "script.py", tmp_path / "calls.txt"
    script.write_text(KILLED)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env["AGENTKIT_HOME"] = str(tmp_path / "home")

    def start(lasts: int) -> subprocess.Popen[str]:
        command = [sys.executable, str(script), str(log), str(concurrency), str(lasts)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)

    with start(lasts=40) as first:
        assert first.stdout is not None
        assert [first.stdout.readline() for _ in range(concurrency)] == ["waiting\n"] * concurrency
        first.send_signal(signal.SIGKILL)
    before = log.read_text().split()
    assert before == ROWS_OF_100[: 40 + concurrency]
    log.write_text("")
    with start(lasts=1000) as second:
        said, _ = second.communicate(timeout=60)
    assert (second.returncode, said) == (0, "whole 40\n")
    again = log.read_text().split()
    assert len(again) == 60
    assert again == ROWS_OF_100[40:]


ROWS_OF_100 = [str(n) for n in range(100)]


def test_a_write_that_fails_later_is_told_once_and_loses_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    model = Echo()
    answer: Callable[[str], Any] = model.answer

    def drop(text: str) -> Any:
        if text == "1":
            with sqlite3.connect(home() / "batches.sqlite3") as connection:
                connection.execute("DROP TABLE finished")
            connection.close()
        return answer(text)

    model.answer = drop
    result = run_over(agent_of(model), ROWS, "{{value}}", name="n", concurrency=1)
    assert list(result["status"]) == ["ok"] * 10
    assert [record.name for record in caplog.records] == ["agentkit.batch"]
