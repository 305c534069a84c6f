from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from agentkit import NoBackendError
from agentkit.notebook.over.watching import ConsoleWatch, progress_html
from agentkit.runtime.batch import BatchProgress, ProgressLine, progress_text

SETUP = """
import pandas as pd
from agentkit import Agent, function_tool
from agentkit.testing import ScriptedModel, call
model = ScriptedModel()
judge = Agent(name="judge", model=model)
df = pd.DataFrame({"text": ["good <i>tea</i>", None, "bad $tea$"]}, index=["x", "y", "z"])
"""


@pytest.fixture
def ask(run: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """A function that runs a cell whose output is kept as in a notebook that nobody watches."""
    monkeypatch.setenv("AGENTKIT_RENDER", "static")
    assert run(SETUP).error is None
    return run


def test_the_first_rows_what_failed_and_what_it_took_are_kept(ask: Callable[[str], Any]) -> None:
    ask("model.reply('fine').reply(ValueError('no <b>answer</b>'))")
    cell = ask("%%ask judge --over df --concurrency 1 --missing skip --afresh\nJudge: {{text}}\n")
    assert cell.error is None
    (output,) = cell.outputs
    shown, line = output["text/plain"].rsplit("\n", 1)
    assert shown == (
        "   text             answer  status\n"
        "x  good <i>tea</i>  fine    ok\n"
        "y                           skipped\n"
        "z  bad $tea$                failed\n"
        "✗ Row y: {{text}} is missing.\n"
        "✗ Row z: ValueError: no <b>answer</b>"
    )
    assert line.startswith("judge · scripted · 3 rows: 1 with an answer, 1 failed, 1 skipped · ")
    html = output["text/html"]
    assert "<td>good &lt;i&gt;tea&lt;/i&gt;</td>" in html
    assert "bad <span>$</span>tea<span>$</span>" in html
    assert "no &lt;b&gt;answer&lt;/b&gt;" in html
    assert list(cell.value["status"]) == ["ok", "skipped", "failed"]


def test_long_and_wide_rows_are_shown_in_part(ask: Callable[[str], Any]) -> None:
    ask("for n in range(20): model.reply('word ' * 100)")
    ask("df = pd.DataFrame({f'c{n}': range(20) for n in range(9)})")
    plain = ask("%%ask judge --over df --afresh\n{{c0}}\n").outputs[0]["text/plain"].splitlines()
    assert plain[0].split() == ["c0", "c1", "c2", "c3", "c4", "c5", "answer"]
    assert len(plain) == 1 + 10 + 2
    assert plain[11] == "… 10 more rows and 3 more columns"
    assert plain[1].endswith("word word word word word word word word…")


def test_columns_that_answers_have_too_many_of_are_counted(ask: Callable[[str], Any]) -> None:
    ask("import json; from pydantic import create_model")
    ask("judge.output_type = create_model('Many', **{f'f{n}': int for n in range(13)})")
    ask("for n in range(3): model.reply(json.dumps({f'f{n}': n for n in range(13)}))")
    plain = ask("%%ask judge --over df --afresh\nJudge: {{text}}\n").outputs[0]["text/plain"].splitlines()
    assert plain[0].split() == ["text", *(f"f{n}" for n in range(10))]
    assert plain[4] == "… 3 more columns"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%%ask judge --over df\n{{txt}}\n", "%%ask: {{txt}}: there is no column 'txt'. Did you mean text?"),
        ("%%ask judge --over df\nhello\n", "%%ask: The text names no column, so that every row would ask the same."),
        ("%%ask judge --over judge\n{{text}}\n", "%%ask: There are no rows in Agent"),
    ],
)
def test_what_cannot_be_asked_is_told_in_one_line(ask: Callable[[str], Any], code: str, message: str) -> None:
    cell = ask(code)
    assert type(cell.error).__name__ == "UsageError"
    assert str(cell.error).startswith(message)
    assert cell.outputs == []


def test_a_platform_that_answers_nothing_is_an_error_of_the_cell(ask: Callable[[str], Any]) -> None:
    ask("from agentkit import NoBackendError; model.reply(NoBackendError('nobody there'))")
    cell = ask("%%ask judge --over df --concurrency 1 --afresh\nJudge: {{text}}\n")
    assert isinstance(cell.error, NoBackendError)
    assert "[Failed: NoBackendError.]" in cell.outputs[0]["text/plain"]


def test_where_nobody_is_there_calls_that_need_approval_are_not_made(ask: Callable[[str], Any]) -> None:
    ask("made = []\n@function_tool(needs_approval=True)\ndef drop() -> str:\n    made.append(1); return 'x'\n")
    ask("judge.tools = [drop]; model.reply(call('drop')).reply('not done')")
    ask("df = df.head(1)")
    cell = ask("%%ask judge --over df --afresh\n{{text}}\n")
    assert list(cell.value["answer"]) == ["not done"]
    assert ask("made").value == []


def test_rows_that_wait_say_what_lets_them_go_on(ask: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTKIT_APPROVE", "wait")
    ask("@function_tool(needs_approval=True)\ndef drop() -> str:\n    return 'x'\n")
    ask("df = df.head(1); judge.tools = [drop]; model.reply(call('drop'))")
    plain = ask("%%ask judge --over df --afresh\n{{text}}\n").outputs[0]["text/plain"]
    assert "✗ Row x: It waits for an approval of drop." in plain
    assert '[To let these calls run: %config AgentKit.approve = "approve", and run the cell again.]' in plain


def test_in_a_terminal_a_line_says_what_it_took_and_the_rows_follow(
    ask: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTKIT_RENDER", "console")
    ask("for n in range(3): model.reply('fine')")
    cell = ask("%%ask judge --over df --afresh\nJudge: {{text}}\n")
    assert cell.stdout.startswith("judge · scripted · 3 rows · ")
    assert list(cell.value["answer"]) == ["fine"] * 3


def test_out_and_the_last_value_hold_the_dataframe(ask: Callable[[str], Any], loaded: InteractiveShell) -> None:
    ask("for n in range(3): model.reply('fine')")
    cell = ask("%%ask judge --over df --afresh --out judged\nJudge: {{text}};\n")
    assert cell.outputs == []
    assert list(loaded.user_ns["judged"]["answer"]) == ["fine"] * 3
    assert loaded.user_ns["_"] is loaded.user_ns["judged"]


HALF = BatchProgress(rows=200, ok=95, failed=5, running=8, reused=20, cost_usd=0.5, elapsed_s=8, last_error="E: <b>")


def test_progress_says_how_far_it_is_and_how_long_it_takes() -> None:
    assert progress_text(HALF) == "100 of 200 · 5 failed · 20 done before · $0.5000 · 10 s left"
    assert progress_text(BatchProgress(rows=3)) == "0 of 3"
    assert progress_text(BatchProgress(rows=30_000, ok=1, cost_usd=1e-6, elapsed_s=1)) == (
        "1 of 30,000 · under $0.0001 · 8.3 h left"
    )


def test_progress_is_a_bar_that_a_screen_reader_reads() -> None:
    shown = progress_html(HALF)
    assert 'value="100" max="200" aria-label="100 of 200 · 5 failed' in shown
    assert "E: &lt;b&gt;" in shown


def test_a_terminal_has_one_line_written_over_four_times_a_second() -> None:
    now, stream = [0.0], io.StringIO()
    line = ProgressLine(stream, clock=lambda: now[0], columns=lambda: 200)
    line.show(HALF)
    line.show(HALF)
    now[0] = 0.25
    line.show(BatchProgress(rows=2, ok=1))
    line.clear()
    first = "██████████░░░░░░░░░░ 100 of 200 · 5 failed · 20 done before · $0.5000 · 10 s left"
    second = "██████████░░░░░░░░░░ 1 of 2"
    assert stream.getvalue() == f"\r{first}\r{second.ljust(len(first))}\r{' ' * len(first)}\r"


def test_a_line_is_no_longer_than_the_terminal_is_wide() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream, columns=lambda: 31)
    line.show(HALF)
    line.clear()
    assert stream.getvalue() == f"\r██████████░░░░░░░░░░ 100 of 20\r{' ' * 30}\r"


def test_a_row_that_reports_after_the_end_leaves_nothing_in_the_terminal() -> None:
    stream = io.StringIO()
    watch = ConsoleWatch(stream)
    watch.show(BatchProgress(rows=3))
    watch.end()
    before = stream.getvalue()
    assert before.endswith("\r" + " " * len(before.split("\r")[1]) + "\r")
    watch.show(BatchProgress(rows=3, ok=1))
    assert stream.getvalue() == before
