"""What a reader sees of a run: live, at its end, and where nobody reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agentkit.testing.kernel import CellResult, Kernel

ASK = [
    "%%ask weather\nWhat's the weather?\n",
    "%ask weather What's the weather?",
    "x = %ask weather What's the weather?",
]


def kinds(result: CellResult) -> list[str]:
    return [output["output_type"] for output in result.outputs]


def without_updates(result: CellResult) -> list[str]:
    """Return the kinds of a cell's output messages, as nbval gets them."""
    return [m["msg_type"] for m in result.messages if m["msg_type"] not in ("status", "execute_input")]


@pytest.mark.parametrize("code", ASK)
def test_where_nobody_reads_there_is_one_output(notebook: Kernel, code: str) -> None:
    notebook.run("model.reply('It is **sunny**.')").check()
    result = notebook.run(code).check()
    assert without_updates(result) == ["display_data"]
    assert result.text == "It is **sunny**."
    assert "<strong>sunny</strong>" in result.html
    assert notebook.run("_.final_output" if "x =" not in code else "x.final_output").text == "'It is **sunny**.'"


@pytest.mark.parametrize("code", ASK)
def test_live_output_ends_as_the_same_one_output(notebook: Kernel, code: str) -> None:
    notebook.run("for _i in range(2): model.reply('It is **sunny**.')").check()
    code = code.replace("weather", "weather --new", 1)
    live, still = notebook.run(code, allow_stdin=True).check(), notebook.run(code).check()
    assert kinds(live) == ["display_data"]
    assert live.outputs[0]["data"] == still.outputs[0]["data"]
    sent = without_updates(live)
    assert sent[:3] == ["comm_open", "comm_open", "display_data"]
    assert sent[-3:] == ["update_display_data", "comm_close", "comm_close"]


def test_steps_appear_while_they_happen(notebook: Kernel) -> None:
    notebook.run(
        "@function_tool\nasync def wait(a: int) -> str:\n    await asyncio.Event().wait()\n    return ''\n"
    ).check()
    notebook.run("@function_tool\ndef add(a: int, b: int) -> int:\n    return a + b\n").check()
    notebook.run("weather.tools = [wait, add]; model.reply(call('add', a=1, b=2)).reply(call('wait', a=3))").check()
    cell = notebook.start("%ask weather How much?", allow_stdin=True)
    cell.wait_for_text('<span class=\\"agk-m agk-ok\\">✓</span> <span class=\\"agk-n\\">add</span>')
    cell.wait_for_text('<span class=\\"agk-m\\">…</span> <span class=\\"agk-n\\">wait</span>')
    notebook.interrupt()
    assert "■</span> <span" in cell.result().html


def test_a_streamed_answer_of_4000_tokens_is_cheap(notebook: Kernel) -> None:
    text = "\n\n".join(
        f"Paragraph {n} has **bold** words, `code`, and many more words to come after it." for n in range(270)
    )
    notebook.run(f"weather.model = Slow({text!r})").check()
    result = notebook.run("%ask weather Tell me more", allow_stdin=True).check()
    messages = [m for m in result.messages if m["msg_type"] == "comm_msg"]
    size_bytes = sum(len(json.dumps(message, default=str)) for message in result.messages)
    assert len(text.split()) > 3_700
    assert len(messages) > 20
    assert size_bytes < 500_000


def test_an_answer_is_text_wherever_it_points(notebook: Kernel) -> None:
    notebook.run("model.reply('/etc/hostname').reply('http://127.0.0.1:9/internal')").check()
    assert notebook.run("%ask weather a").check().text == "/etc/hostname"
    assert notebook.run("%ask weather b").check().text == "http://127.0.0.1:9/internal"


def test_a_semicolon_hides_the_output(notebook: Kernel) -> None:
    notebook.run("model.reply('one').reply('two')").check()
    for code, answer in (("%%ask weather\nhi;\n", "one"), ("%ask weather --out r hi;", "two")):
        result = notebook.run(code, allow_stdin=True).check()
        assert result.outputs == []
        assert notebook.run("_.final_output").text == repr(answer)
    assert notebook.run("r.final_output").text == "'two'"


def test_a_result_is_shown_again_when_asked_for(notebook: Kernel) -> None:
    notebook.run("model.reply('It is **sunny**.')").check()
    first = notebook.run("%ask weather hi").check()
    again = notebook.run("_").check()
    assert again.outputs[0]["data"] == first.outputs[0]["data"]


def test_inside_other_magics_and_code_it_works_too(notebook: Kernel) -> None:
    notebook.run("for _n in 'abcd': model.reply(_n)").check()
    assert notebook.run("%%time\n%%ask weather\nhi\n").check().text.startswith("a\nCPU times")
    notebook.run("%%capture seen\n%%ask weather\nhi\n").check()
    assert notebook.run("seen.outputs[0].data['text/plain']").text == "'b'"
    assert notebook.run("for n in range(2):\n    %ask weather Number {{n}}?\n").check().text == "c\nd"
    questions = notebook.run("[request.input[-1]['content'] for request in model.requests]").text
    assert questions == "['hi', 'hi', 'Number 0?', 'Number 1?']"


def test_what_tools_print_stays_in_the_cell(notebook: Kernel) -> None:
    notebook.run(
        "@function_tool\ndef a() -> str:\n    print('thread'); return 'x'\n"
        "@function_tool\nasync def b() -> str:\n    print('loop'); return 'y'\n"
    ).check()
    notebook.run("weather.tools = [a, b]; model.reply(call('a'), call('b')).reply('Done.')").check()
    result = notebook.run("%ask weather hi", allow_stdin=True).check()
    assert sorted(result.stdout.split()) in (["loop", "thread"], ["loopthread"], ["threadloop"])
    assert [output["data"]["text/plain"] for output in result.outputs if "data" in output] == ["Done."]


def test_agents_and_tools_show_as_cards(notebook: Kernel) -> None:
    tool = notebook.run("%%tool\ndef add(a: int, b: int) -> int:\n    'Add.'\n    return a + b\n").check()
    agent = notebook.run("%%agent adder --tools add\nYou add.\n").check()
    assert (kinds(tool), kinds(agent)) == (["execute_result"], ["execute_result"])
    assert tool.text == "Tool add(a: int, b: int)\n  Add."
    assert agent.text == "Agent 'adder'\n  model: rehearsal-1\n  tools: add\n  instructions: You add."


def test_the_embedded_platform_answers(notebook: Kernel) -> None:
    notebook.run(
        "%%tool\ndef get_weather(city: str) -> str:\n    'Get the weather of a city.'\n    return f'sunny in {city}'\n"
    ).check()
    notebook.run("%%agent asker --tools get_weather\nYou are a helpful weather assistant.\n").check()
    result = notebook.run("%%ask asker\nWhat's the weather in Tokyo?\n").check()
    assert "sunny in Tokyo" in result.text
    assert "city=&quot;Tokyo&quot;" in result.html


def test_tab_completes_in_line_and_cell_magics(notebook: Kernel) -> None:
    assert notebook.complete("%ask wea") == ["weather"]
    assert notebook.complete("%%ask weather --")[:3] == ["--out", "--image", "--file"]
    assert notebook.complete("%%agent a --mod") == ["--model"]
    assert notebook.complete("%%ask weather\nHow is {{wea") == ["weather"]
    first_line = "%%ask wea"
    assert notebook.complete(first_line + "\nWhat?\n", len(first_line)) == ["weather"]


def panel_of(messages: list[dict[str, Any]]) -> str:
    """Return the comm of the run's widget."""
    opened = [m["content"] for m in messages if m["msg_type"] == "comm_open"]
    return str(next(content["comm_id"] for content in opened if "_esm" in content["data"]["state"]))


def test_the_stop_button_works_while_the_cell_runs(notebook: Kernel) -> None:
    notebook.run("weather.model = Hanging('some words')").check()
    cell = notebook.start("%%ask weather\nhi\n", allow_stdin=True)
    cell.wait_for_text("hanging")

    def click(kind: str) -> None:
        data = {"method": "custom", "content": {"kind": kind}}
        content = {"comm_id": panel_of(cell.messages), "data": data}
        notebook.client.shell_channel.send(notebook.client.session.msg("comm_msg", content))

    click("ready")
    click("stop")
    result = cell.result()
    assert result.error is not None
    assert result.error["ename"] == "Interrupted"
    assert notebook.run("_.status, _.text").text == "('cancelled', 'some words')"
