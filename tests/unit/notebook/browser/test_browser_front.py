"""What the widget is sent, and what it may ask for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from agentkit.notebook.browser.opened import OpenedTrace
from agentkit.notebook.display.kept_digest import digest_of
from agentkit.tracing.feedback import feedback
from agentkit.tracing.notes import notes
from tests.hostile.corpus import HOSTILE, Hostile
from tests.hostile.harmless import assert_harmless, assert_plain
from tests.unit.notebook.browser.conftest import MakeFront
from tests.unit.notebook.browser.recorded import START_NS, put, span, trace_row


def run(number: int = 1, **fields: Any) -> str:
    """Put a trace into the store: an agent, a model call and two tools, one within the other."""
    spans = [
        span(0, "agent", name="weather", ended_ns=START_NS + 10 * 10**9),
        span(1, "response", parent=0, model="gpt-5", input=[{"role": "user", "content": "Rain?"}], output=[]),
        span(2, "function", parent=0, name="ask_others", input={"city": "Oslo"}, output="wet"),
        span(3, "function", parent=2, depth=2, name="get_weather", status="error", output=None,
             error={"message": "Too slow.", "data": None}),
    ]  # fmt: skip
    return put(trace_row(number, **({"agents": "weather", "input": "Rain?"} | fields)), spans)


def span_id(number: int) -> str:
    return f"span_{number:024x}"


async def test_the_first_thing_it_is_sent_is_the_list(front: MakeFront) -> None:
    run()
    told = front()
    told.say("ready")
    assert (await told.until("all"))["agents"] == ["weather"]
    listed = await told.until("list")
    assert [row["question"] for row in listed["rows"]] == ["Rain?"]
    assert listed["wanted"] | {"page": 0} == {
        "agent": None, "model": None, "status": None, "rating": None, "error": False, "text": "", "age": "",
        "sort": "started", "descending": True, "page": 0,
    }  # fmt: skip
    assert [message["n"] for message in told.messages] == [0, 1]


async def test_the_reader_filters_and_sorts(front: MakeFront) -> None:
    run(1, input="Oslo?")
    run(2, input="Rome?", status="error")
    told = front(status="error")
    told.say("ready")
    assert [row["question"] for row in (await told.until("list"))["rows"]] == ["Rome?"]
    told.say("list", sort="question", descending=False)
    assert [row["question"] for row in (await told.until("list"))["rows"]] == ["Oslo?", "Rome?"]
    told.say("list", text="oslo")
    assert (await told.until("list"))["title"] == "1 trace: with 'oslo'"
    assert told.front.wanted.text == "oslo"


async def test_an_opened_trace_comes_as_rows_and_details_as_they_are_looked_at(front: MakeFront) -> None:
    trace_id = run()
    told = front()
    told.say("open", trace=trace_id[:30])
    head = await told.until("trace")
    message = told.messages[-1]
    assert (head["id"], head["title"], head["live"]) == (trace_id, "weather", False)
    assert message["order"] == [span_id(number) for number in range(4)]
    assert [(row["level"], row["kind"], row["name"]) for row in message["rows"].values()] == [
        (1, "agent", "weather"),
        (2, "model", "gpt-5"),
        (2, "tool", "ask_others"),
        (3, "tool", "get_weather"),
    ]
    assert message["seconds"] == 10
    assert "Oslo" not in json.dumps(message["rows"])
    told.say("details", span=span_id(2))
    details = await told.until("details")
    assert details["parent"] == {"id": span_id(0), "name": "agent weather"}
    assert details["children"] == [{"id": span_id(3), "name": "tool get_weather"}]
    assert "Oslo" in details["html"]
    assert_harmless(details["html"])


async def test_marks_comments_and_ratings_go_to_the_store_and_come_back(front: MakeFront) -> None:
    trace_id = run()
    told = front()
    told.say("open", trace=trace_id)
    await told.until("trace")
    told.say("note", span=span_id(3), mark="bug")
    assert (await told.until("details"))["mark"] == "bug"
    told.say("note", span="", comment="look again")
    assert (await told.until("head"))["comment"] == "look again"
    told.say("rate", rating="down", remark="slow")
    head = await told.until("head")
    assert (head["rating"], head["remark"]) == ("down", "slow")
    assert sorted(map(tuple, notes()[["mark", "comment"]].fillna("").values.tolist())) == [
        ("", "look again"),
        ("bug", ""),
    ]
    assert feedback()[["rating", "remark", "question"]].values.tolist() == [["down", "slow", "Rain?"]]
    told.say("rate", rating="")
    assert (await told.until("head"))["rating"] == ""
    assert feedback().empty


async def test_what_goes_wrong_is_told_in_the_browser(front: MakeFront) -> None:
    told = front()
    told.say("open", trace="trace_nowhere")
    assert (await told.until("told")).startswith("No trace 'trace_nowhere' in ")
    told.say("open", trace=run())
    await told.until("trace")
    told.say("note", span="", mark="two words")
    assert (await told.until("told")).startswith("A mark is a word of at most 20 characters")
    told.say("details", span="span_ffff")
    assert (await told.until("told")).startswith("No span of this trace begins")


async def test_messages_that_make_no_sense_are_passed_over(front: MakeFront) -> None:
    told = front()
    for message in ({}, {"kind": "sing"}, {"kind": "reveal", "begin": "x"}, {"kind": "note"}, {"kind": "rate"}):
        told.front.says(message)
    told.say("ready")
    await told.until("list")
    assert [list(message) for message in told.messages] == [["n", "all"], ["n", "list"]]


async def test_a_run_under_way_is_followed_as_long_as_it_can_be_seen(front: MakeFront) -> None:
    trace_id = run(status="running", ended_ns=None)
    told = front()
    told.say("open", trace=trace_id)
    assert (await told.until("trace"))["live"]
    told.say("alive", visible=True)
    put(
        trace_row(1, status="running", ended_ns=None), [span(9, parent=0, name="late", status="running", ended_ns=None)]
    )
    rows = await told.until("order")
    assert rows == [*map(span_id, range(4)), span_id(9)]
    assert list(told.messages[-1]["rows"]) == [span_id(9)]
    assert told.messages[-1]["rows"][span_id(9)]["length"] is None
    ended = span(9, parent=0, name="late")
    put(trace_row(1, agents="weather", output="Yes."), [ended])
    while (await told.until("head"))["live"]:
        pass
    await told.until_kept("late · 1.00 s")
    following = told.front._following
    assert following is not None
    told.say("alive", visible=False)
    await following
    assert not told.front.is_visible


async def test_new_traces_come_into_the_list_by_themselves(front: MakeFront) -> None:
    run(1, input="first")
    told = front()
    told.say("ready")
    await told.until("list")
    told.say("alive", visible=True)
    run(2, input="second", started_ns=START_NS + 10**9)
    assert [row["question"] for row in (await told.until("list"))["rows"]] == ["second", "first"]


async def test_of_thousands_of_steps_some_come_and_the_others_when_they_are_asked_for(front: MakeFront) -> None:
    spans = [span(0, "agent", name="main", ended_ns=START_NS + 5_000 * 10**9)]
    spans += [
        span(number, parent=0, name=str(number), status="error" if number == 3_000 else "ok")
        for number in range(1, 4_000)
    ]
    told = front()
    told.say("open", trace=put(trace_row(), spans))
    await told.until("trace")
    message = told.messages[-1]
    shown = [key for key in message["order"] if not key.startswith("gap")]
    assert len(shown) == 200
    assert span_id(3_000) in shown
    begin, end = next(
        row["gap"] for row in message["rows"].values() if "gap" in row and row["gap"][1] - row["gap"][0] > 500
    )
    told.say("reveal", begin=begin, end=end)
    order = await told.until("order")
    assert len([key for key in order if not key.startswith("gap")]) == 300
    told.say("details", span=span_id(3_500))
    assert span_id(3_500) in await told.until("order")
    assert (await told.until("details"))["name"] == "tool 3500"


async def test_what_was_looked_at_last_is_kept(front: MakeFront) -> None:
    trace_id = run()
    told = front()
    told.say("ready")
    assert (await told.until_kept("1 trace"))["text/plain"].splitlines()[0] == "1 trace"
    told.say("open", trace=trace_id)
    bundle = await told.until_kept("get_weather")
    assert re.match('<div class="agk agk-trace agk-kept agk-k[0-9a-f]{8}">', bundle["text/html"])
    told.say("list")
    assert (await told.until_kept("1 trace"))["text/plain"].splitlines()[0] == "1 trace"


async def test_the_widget_is_told_what_is_kept_also_after_a_reload(front: MakeFront) -> None:
    trace_id = run()
    told = front()
    told.say("ready")
    assert await told.until("kept") == digest_of(await told.until_kept("1 trace"))
    told.say("open", trace=trace_id)
    opened = digest_of(await told.until_kept("get_weather"))
    assert re.fullmatch("agk-k[0-9a-f]{8}", opened)
    assert await told.until("kept") == opened
    told.say("ready")
    await told.until("all")
    assert next(message["kept"] for message in reversed(told.messages) if "all" in message) == opened


async def test_a_closed_browser_says_and_does_nothing(front: MakeFront) -> None:
    told = front()
    told.say("ready")
    await told.until("list")
    told.front.close()
    told.say("ready")
    told.say("alive", visible=True)
    other = front()
    other.say("ready")
    await other.until("list")
    assert len(told.messages) == 2
    assert told.front._changes._connection is None


@pytest.mark.parametrize("hostile", HOSTILE[::11], ids=lambda hostile: hostile.id)
async def test_hostile_text_arrives_as_plain_text_or_harmless_html(front: MakeFront, hostile: Hostile) -> None:
    text = hostile.text[:20_000].encode("utf-8", "backslashreplace").decode()
    error = {"message": text, "data": text}
    spans = [
        span(0, "agent", name=text, agent=text, input=text, output=[text], error=error, data={text: text}),
        span(1, "response", parent=0, model=text, input=[{"role": text, "content": text}], status="error"),
    ]
    line = text.replace("\n", " ")
    told = front()
    told.say(
        "open", trace=put(trace_row(agents=line, models=line, input=text, error=error, metadata={text: text}), spans)
    )
    await told.until("trace")
    told.say("details", span=span_id(0))
    await told.until("details")
    told.say("ready")
    await told.until("all")
    told.say("list")
    await told.until("list")
    for message in told.messages:
        for path, value in _leaves(message):
            assert_harmless(value) if path in ("html", "about") else assert_plain(value)


def _leaves(value: Any, name: str = "") -> Any:
    """Yield every text in a message, with the name of the field that holds it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, key)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, name)


def test_one_trace_is_opened_without_reading_its_texts() -> None:
    opened = OpenedTrace(run())
    assert all(each.input is None and each.output is None and each.data is None for each in opened.trace.all_spans)
