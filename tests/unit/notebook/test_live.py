from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel

from agentkit import AgentOutputSchema
from agentkit.notebook.display.live import LiveView
from agentkit.notebook.display.markdown import render_markdown
from agentkit.notebook.display.transcript import Step


class FrontEnd:
    """Does to text what the widget's script does, as far as its state goes; and loses messages when told to."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.done = self.live = self.status = ""
        self.steps: dict[str, str] = {}
        self.next: int | None = None
        self.deaf = False

    def send(self, content: dict[str, Any]) -> None:
        self.messages.append(content)
        if self.deaf:
            return
        if "all" in content:
            state = content["all"]
            self.done, self.live, self.status = state["done"], state["live"], state["status"]
            self.steps = dict(state["steps"])
        elif self.next is not None and content["n"] == self.next:
            for op in content["ops"]:
                self.apply(*op)
        else:
            self.next = None
            return
        self.next = content["n"] + 1

    def apply(self, name: str, *texts: str) -> None:
        match name, texts:
            case "block", (html,):
                self.done, self.live = self.done + html, ""
            case "live", (html,):
                self.live = html
            case "tail", (text,):
                self.live += text
            case "clear", ():
                self.done = self.live = ""
            case "status", (text,):
                self.status = text
            case "step", (key, html):
                self.steps[key] = html

    @property
    def size_bytes(self) -> int:
        return len(json.dumps(self.messages))


class Stage:
    """A view on a clock that stands still until it is moved, and the front end that it talks to."""

    def __init__(self, loop: Any) -> None:
        self.now = 100.0
        self.front_end = FrontEnd()
        self.stops: list[str] = []
        self.view = LiveView(self.front_end, loop, on_stop=lambda: self.stops.append("stop"), clock=lambda: self.now)


class Timers:
    """Stands in for the loop: keeps what is to be called later."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Any]] = []

    def call_later(self, delay: float, callback: Any) -> Any:
        self.due.append((delay, callback))
        return _Handle()

    def call_soon_threadsafe(self, callback: Any) -> None:
        callback()


class _Handle:
    def cancel(self) -> None:
        pass


@pytest.fixture
def stage() -> Stage:
    return Stage(Timers())


def text_of(html: str) -> str:
    """Return what of HTML is text, without any space: added text may stand behind the element that it goes into."""
    return "".join(re.sub("<[^>]+>", "", html).split())


def greeted(stage: Stage) -> Stage:
    stage.view.front_end_says({"kind": "ready"})
    return stage


def stream(stage: Stage, text: str, *, step_s: float = 0.06, size: int = 12) -> None:
    for at in range(0, len(text), size):
        stage.now += step_s
        stage.view._timer = None
        stage.view.text(text[at : at + size])
    stage.view.flush()


def test_blocks_are_sent_once_and_only_the_last_is_open(stage: Stage) -> None:
    greeted(stage)
    stream(stage, "# Title\n\nOne **bold** paragraph.\n\nAnother")
    blocks = [op[1] for message in stage.front_end.messages for op in message.get("ops", ()) if op[0] == "block"]
    assert blocks == ["<h1>Title</h1>\n", "<p>One <strong>bold</strong> paragraph.</p>\n"]
    assert stage.front_end.done == "".join(blocks)
    assert text_of(stage.front_end.live) == "Another"


def test_a_space_at_the_end_of_what_is_rendered_comes_with_what_follows(stage: Stage) -> None:
    greeted(stage)
    text = "In Tokyo it is mild, with a light wind from the west and a little rain. "
    shown: list[str] = []
    for word in text.split(" "):
        stream(stage, f"{word} ")
        for message in stage.front_end.messages:
            for name, *texts in message.get("ops", ()):
                shown.append(re.sub("<[^>]+>|\n$", "", texts[0]) if name == "live" else shown[-1] + texts[0])
        stage.front_end.messages.clear()
    assert [each for each in shown if not text.startswith(each.rstrip())] == []
    assert shown[-1].rstrip() == text.rstrip()


def test_no_more_than_one_message_is_sent_in_50_ms(stage: Stage) -> None:
    greeted(stage)
    for _ in range(100):
        stage.view.text("word ")
    assert len(stage.front_end.messages) == 2  # the greeting, and the first word
    [(delay, flush)] = stage.view._loop.due  # type: ignore[attr-defined]
    assert delay == pytest.approx(0.05)
    stage.now += delay
    flush()
    assert text_of(stage.front_end.live) == "word" * 100


def test_a_long_run_sends_half_as_often(stage: Stage) -> None:
    greeted(stage)
    stage.now += 11
    stage.view.text("one ")
    stage.view.text("two ")
    assert stage.view._loop.due[-1][0] == pytest.approx(0.1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        "word " * 3200,
        "Some **bold** words and `code`.\n\n" * 500,
        "```python\n" + "x = call(1, 2)  # comment\n" * 640,
        "\n".join(f"- item {n} is **good**" for n in range(700)),
        "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 1500,
    ],
    ids=["paragraph", "paragraphs", "code", "list", "table"],
)
def test_4000_tokens_stay_under_half_a_megabyte(stage: Stage, text: str) -> None:
    greeted(stage)
    stream(stage, text, size=4)
    assert stage.front_end.size_bytes < 500_000


def test_what_is_shown_at_the_end_is_all_of_the_text(stage: Stage) -> None:
    greeted(stage)
    text = (
        "# T\n\n"
        + "a b c d e f g h. " * 40
        + "\n\n```py\nx = 1\n\ny = 2\n```\n\n- one\n- two\n\n| a |\n|---|\n| 1 |\n\nend."
    )
    stream(stage, text)
    assert text_of(stage.front_end.done + stage.front_end.live) == text_of(render_markdown(text))


def test_a_front_end_that_comes_late_gets_the_whole_state(stage: Stage) -> None:
    stage.front_end.deaf = True
    stage.view.status("weather is answering")
    stage.view.step(Step("call", "c1", "get_weather", '{"city":"Oslo"}', "sunny", "ok"))
    stream(stage, "One.\n\nTwo")
    stage.front_end.deaf = False
    greeted(stage)
    assert stage.front_end.done == "<p>One.</p>\n"
    assert stage.front_end.live == "<p>Two</p>\n"
    assert stage.front_end.status == "weather is answering"
    assert list(stage.front_end.steps) == ["c1"]
    assert stage.front_end.messages[-1]["all"]["channel"] is True


def test_a_front_end_that_missed_a_message_asks_and_is_whole_again(stage: Stage) -> None:
    greeted(stage)
    stage.front_end.deaf = True
    stream(stage, "One.\n\n")
    stage.front_end.deaf = False
    stream(stage, "Two.\n\nThree")
    assert stage.front_end.next is None
    greeted(stage)
    assert stage.front_end.done == "<p>One.</p>\n<p>Two.</p>\n"


def test_without_a_front_end_that_talks_the_state_is_sent_unasked(stage: Stage) -> None:
    stage.view.start()
    assert [delay for delay, _ in stage.view._loop.due] == [0.3, 0.8, 2.0, 4.0]  # type: ignore[attr-defined]
    stream(stage, "One")
    stage.view._send_unasked()
    assert stage.front_end.live == "<p>One</p>\n"
    assert stage.front_end.messages[-1]["all"]["channel"] is False


def test_text_that_was_no_answer_is_taken_away(stage: Stage) -> None:
    greeted(stage)
    stream(stage, "Let me see.\n\nI look")
    stage.view.clear_text()
    stage.now += 1
    stage.view.flush()
    assert (stage.front_end.done, stage.front_end.live) == ("", "")
    stream(stage, "It is sunny.")
    assert stage.front_end.live.startswith("<p>It is")


class Stop(BaseModel):
    city: str
    nights: int
    remark: str = ""


def test_a_structured_answer_streams_as_a_table_that_fills(stage: Stage) -> None:
    greeted(stage)
    stage.view.status("planner is answering", schema=AgentOutputSchema(Stop))
    stream(stage, '{"city": "<b>**Oslo**</b>", "nights": 3, "rem', size=3)
    cells = ["<dt>city</dt><dd>&lt;b&gt;**Oslo**&lt;/b&gt;</dd>", "<dt>nights</dt><dd><code>3</code></dd>"]
    to_come = '<dt>remark</dt><dd><span class="agk-d">…</span></dd>'
    assert stage.front_end.live == f'<div class="agk-h">Stop</div><dl class="agk-k">{"".join(cells)}{to_come}</dl>'
    assert stage.front_end.done == ""
    stage.view.front_end_says({"kind": "ready"})
    assert stage.front_end.live.endswith(f"{to_come}</dl>")


def test_what_is_no_json_streams_as_text(stage: Stage) -> None:
    greeted(stage)
    stage.view.status("planner is answering", schema=AgentOutputSchema(Stop))
    stream(stage, "I will **not** say.", size=3)
    assert stage.front_end.live.startswith("<pre><code>I w")
    assert text_of(stage.front_end.live) == "Iwill**not**say."


def test_a_table_of_200_rows_costs_in_proportion(stage: Stage) -> None:
    greeted(stage)
    stage.view.status("planner is answering", schema=AgentOutputSchema(list[Stop]))
    rows = [
        {"city": f"City {n}", "nights": n, "remark": "Some words on it, as models like to write."} for n in range(200)
    ]
    text = json.dumps({"response": rows})
    stream(stage, text, size=4, step_s=0.1)
    assert stage.front_end.size_bytes < 60 * len(text)
    assert "City 199" in stage.front_end.live
    assert "▸ 180 before" in stage.front_end.live


def test_an_answer_that_begins_again_fills_another_table(stage: Stage) -> None:
    greeted(stage)
    stage.view.status("planner is answering", schema=AgentOutputSchema(Stop))
    stream(stage, '{"city": "Oslo", "nights": 3, "remark": ""}')
    stage.view.clear_text()
    stream(stage, '{"city": "Bergen", ')
    assert "Bergen" in stage.front_end.live
    assert "Oslo" not in stage.front_end.live


def test_no_part_of_a_key_is_sent(stage: Stage) -> None:
    greeted(stage)
    stream(stage, "The key is sk-proj-abcdefgh12345678ijkl, or so.", size=2)
    assert "abcd" not in json.dumps(stage.front_end.messages)
    assert text_of(stage.front_end.live) == "Thekeyissk-[redacted],orso."


def test_stop_is_passed_on(stage: Stage) -> None:
    stage.view.front_end_says({"kind": "stop"})
    assert stage.stops == ["stop"]


def test_nothing_is_sent_once_closed(stage: Stage) -> None:
    greeted(stage)
    stage.view.close()
    stream(stage, "late")
    stage.view.front_end_says({"kind": "ready"})
    assert len(stage.front_end.messages) == 1


def test_steps_and_status_are_harmless(stage: Stage) -> None:
    greeted(stage)
    evil = '<img src=x onerror="alert(1)">'
    stage.view.step(Step("call", "c1", evil, f'{{"a": "{evil}"}}', evil, "ok"))
    stage.view.step(Step("handoff", "h1", evil, output=evil, state="ok"))
    stage.view.step(Step("text", "t1", evil, state="ok"))
    stage.now += 1
    stage.view.flush()
    assert len(stage.front_end.steps) == 3
    assert all("<img" not in html for html in stage.front_end.steps.values())
