"""One run for each row of a dataframe, as a reader sees it."""

from __future__ import annotations

from typing import Any

import pytest

from agentkit.testing.kernel import CellResult, Kernel

ROWS = '''
import pandas as pd
from typing import Literal
from pydantic import BaseModel
class Echo(ScriptedModel):
    """Answers with the question in capitals; hangs at "wait", fails at "fail"."""
    async def get_response(self, system_instructions, input, *args, **options):
        text = input[-1]["content"]
        if text == "wait":
            print("hanging", flush=True)
            await asyncio.Event().wait()
        self.reply(ValueError("no <b>such</b> row") if text == "fail" else text.upper())
        return await super().get_response(system_instructions, input, *args, **options)
model = Echo()
weather.model = model
df = pd.DataFrame({"text": list("abc")})
'''


@pytest.fixture
def rows(notebook: Kernel) -> Kernel:
    notebook.run(ROWS).check()
    return notebook


def kinds(result: CellResult) -> list[str]:
    return [m["msg_type"] for m in result.messages if m["msg_type"] not in ("status", "execute_input")]


def asked(kernel: Kernel) -> str:
    return kernel.run("[request.input[-1]['content'] for request in model.requests]").text


CELL = "%%ask weather --over df --afresh\n{{text}}\n"


def test_where_nobody_reads_there_is_one_output(rows: Kernel) -> None:
    result = rows.run(CELL).check()
    assert kinds(result) == ["display_data"]
    table, _, line = result.text.rpartition("\n")
    assert table == "   text  answer\n0  a     A\n1  b     B\n2  c     C"
    assert line.startswith("weather · scripted · 3 rows · ")
    assert rows.run("list(_['answer'])").text == "['A', 'B', 'C']"


def test_live_output_ends_as_the_same_one_output(rows: Kernel) -> None:
    live, still = rows.run(CELL, allow_stdin=True).check(), rows.run(CELL).check()
    assert [output["output_type"] for output in live.outputs] == ["display_data"]
    assert live.outputs[0]["data"] == still.outputs[0]["data"]
    assert kinds(live)[:3] == ["comm_open", "comm_open", "display_data"]
    assert kinds(live)[-3:] == ["update_display_data", "comm_close", "comm_close"]


def test_the_dataframe_is_shown_as_any_other_from_the_next_cell_on(rows: Kernel) -> None:
    rows.run("%%ask weather --over df --afresh --out answered\n{{text}}\n").check()
    assert "dataframe" in rows.run("answered").check().html
    assert "dataframe" in rows.run("_").check().html


def test_in_code_its_value_is_the_dataframe(rows: Kernel) -> None:
    rows.run("x = %ask weather --over df --afresh {{text}}").check()
    assert rows.run("x['answer'].tolist()").text == "['A', 'B', 'C']"
    hidden = rows.run("%ask weather --over df --afresh {{text}};").check()
    assert (hidden.outputs, rows.run("_['answer'].tolist()").text) == ([], "['A', 'B', 'C']")


def test_a_stopped_cell_keeps_what_is_done_and_goes_on_when_it_is_run_again(rows: Kernel) -> None:
    rows.run("df = pd.DataFrame({'text': ['x', 'y', 'wait', 'z']})").check()
    code = "%%ask weather --over df --concurrency 1\n{{text}}\n"
    cell = rows.start(code, allow_stdin=True)
    cell.wait_for_text("hanging")
    rows.interrupt()
    stopped = cell.result()
    assert stopped.error is not None
    assert stopped.error["ename"] == "Interrupted"
    note = "[Stopped: 2 of 4 rows have their answer, and are kept: run it again to go on.]"
    assert note in stopped.text
    assert rows.run("list(_['status'])").text == "['ok', 'ok', 'cancelled', 'cancelled']"
    rows.run("df.loc[2, 'text'] = 'w'; model.requests.clear()").check()
    whole = rows.run(code).check()
    assert asked(rows) == "['w', 'z']"
    assert "4 rows ·" in whole.text


def test_the_stop_button_works_while_the_cell_runs(rows: Kernel) -> None:
    rows.run("df = pd.DataFrame({'text': ['wait', 'v']})").check()
    cell = rows.start("%%ask weather --over df --concurrency 1\n{{text}}\n", allow_stdin=True)
    cell.wait_for_text("hanging")
    opened: list[dict[str, Any]] = [m["content"] for m in cell.messages if m["msg_type"] == "comm_open"]
    panel = next(content["comm_id"] for content in opened if "_esm" in content["data"]["state"])
    for kind in ("ready", "stop"):
        content = {"comm_id": panel, "data": {"method": "custom", "content": {"kind": kind}}}
        rows.client.shell_channel.send(rows.client.session.msg("comm_msg", content))
    result = cell.result()
    assert result.error is not None
    assert (result.error["ename"], len(result.outputs)) == (
        "Interrupted",
        3,
    )  # what was printed, what is kept, the error


def test_progress_is_sent_seldom_and_says_where_it_stands(rows: Kernel) -> None:
    rows.run("df = pd.DataFrame({'text': [str(n) for n in range(300)] + ['fail']})").check()
    result = rows.run("%%ask weather --over df --afresh\n{{text}}\n", allow_stdin=True).check()
    sent = [m["content"]["data"]["content"] for m in result.messages if m["msg_type"] == "comm_msg"]
    states = [content["all"]["done"] for content in sent if "all" in content]
    assert "of 301" in states[0]
    assert len(states) < 100  # of 603 changes
    assert "<b>such" not in result.html + "".join(states)
    assert "Row 300: ValueError: no &lt;b&gt;such&lt;/b&gt; row" in result.html
    assert "301 rows: 300 with an answer, 1 failed" in result.text


def test_tools_use_what_the_cell_made_where_they_ask_for_it(rows: Kernel) -> None:
    rows.run(
        "import sqlite3\nbase = sqlite3.connect(':memory:')\n"
        "@function_tool(run_in='caller')\ndef look() -> str:\n"
        "    return str(base.execute('select 41 + 1').fetchone()[0])\n"
        "weather.model = ScriptedModel(call('look'), call('look'))\n"
        "weather.tools, weather.tool_use_behavior = [look], 'stop_on_first_tool'\n"
    ).check()
    rows.run("df = df.head(2)").check()
    rows.run("%%ask weather --over df --afresh --concurrency 1\n{{text}}\n", allow_stdin=True).check()
    assert rows.run("list(_['answer'])").text == "['42', '42']"
