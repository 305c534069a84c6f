"""The list of traces: pages of it, filters, and how it is sorted."""

from __future__ import annotations

from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.notebook.browser.kept import kept_page
from agentkit.notebook.browser.pages import Page, read_choices, read_page
from agentkit.notebook.browser.wanted import PAGE_ROWS, Wanted, wanted_of
from agentkit.notebook.display.trace_view import head_facts
from agentkit.pricing import forget_prices, set_price
from agentkit.records.opened import open_trace
from agentkit.tracing.feedback import add_feedback
from agentkit.tracing.notes import annotate
from tests.unit.notebook.browser.recorded import START_NS, put, span, trace_row


def asked(**filters: Any) -> list[str]:
    """Return the questions of what is listed."""
    return [row.question for row in read_page(wanted_of(**filters)).rows]


def sorted_by(sort: str, *, descending: bool = True) -> list[str]:
    wanted = Wanted().changed_by({"sort": sort, "descending": descending})
    return [row.question for row in read_page(wanted).rows]


@pytest.fixture
def some_traces() -> None:
    """Three traces: Oslo, which took longest; Paris, which failed; Rome, which cost most."""
    put(trace_row(1, started_ns=START_NS, ended_ns=START_NS + 60 * 10**9, agents="weather", models="gpt-5",
                  input="Rain in Oslo?", output="Yes.", session_id="s-1"))  # fmt: skip
    put(trace_row(2, started_ns=START_NS + 10**9, ended_ns=START_NS + 2 * 10**9, agents="weather\nplanner",
                  models="gpt-5\nsmall", input="To Paris!", status="error", error={"message": "No seat.", "data": None},
                  total_tokens=1_500, group_id="trip"))  # fmt: skip
    put(trace_row(3, started_ns=START_NS + 2 * 10**9, ended_ns=START_NS + 5 * 10**9, agents="planner", models="small",
                  input=[{"role": "system", "content": "You plan."}, {"role": "user", "content": "And  to\nRome?"}],
                  cost_usd=1.25, total_tokens=20))  # fmt: skip


def test_the_newest_comes_first_with_what_there_is_to_know(some_traces: None) -> None:
    add_feedback(f"trace_{2:032x}", "down", remark="no")
    annotate(f"trace_{2:032x}", mark="bug", comment="again")
    rows = read_page(Wanted()).rows
    assert [row.question for row in rows] == ["And to Rome?", "To Paris!", "Rain in Oslo?"]
    assert rows[1]._asdict() | {"started_ns": 0} == {
        "trace_id": f"trace_{2:032x}",
        "status": "error",
        "state": "failed",
        "agents": "weather → planner",
        "started_ns": 0,
        "duration": "1.00 s",
        "tokens": "1,500",
        "cost": "",
        "question": "To Paris!",
        "error": "No seat.",
        "rating": "down",
        "mark": "bug",
        "comment": "again",
    }
    assert rows[1].started == "2026-11-18 11:06:41"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"agent": "planner"}, ["And to Rome?", "To Paris!"]),
        ({"model": "gpt-5"}, ["To Paris!", "Rain in Oslo?"]),
        ({"session": "s-1"}, ["Rain in Oslo?"]),
        ({"group": "trip"}, ["To Paris!"]),
        ({"status": "error"}, ["To Paris!"]),
        ({"error": True}, ["To Paris!"]),
        ({"error": False}, ["And to Rome?", "Rain in Oslo?"]),
        ({"text": "SEAT"}, ["To Paris!"]),
        ({"text": "100%"}, []),
        ({"rating": "up"}, []),
        ({"since": "2026-11-18T11:06:41Z"}, ["And to Rome?", "To Paris!"]),
        ({"until": "2026-11-18T11:06:41Z"}, ["Rain in Oslo?"]),
        ({"since": "1h"}, []),
        ({"agent": "planner", "model": "gpt-5"}, ["To Paris!"]),
    ],
)
def test_filters_are_those_of_traces(some_traces: None, filters: dict[str, Any], found: list[str]) -> None:
    assert asked(**filters) == found


@pytest.mark.parametrize(
    ("sort", "descending", "first"),
    [
        ("started", True, "And to Rome?"),
        ("started", False, "Rain in Oslo?"),
        ("duration", True, "Rain in Oslo?"),
        ("duration", False, "To Paris!"),
        ("tokens", True, "To Paris!"),
        ("cost", True, "And to Rome?"),
        ("cost", False, "And to Rome?"),
        ("status", False, "To Paris!"),
        ("agent", False, "And to Rome?"),
        ("rating", True, "And to Rome?"),
        ("question", False, "Rain in Oslo?"),
    ],
)
def test_columns_sort_both_ways_and_what_is_missing_comes_last(
    some_traces: None, sort: str, descending: bool, first: str
) -> None:
    assert sorted_by(sort, descending=descending)[0] == first


def test_pages_hold_no_more_than_is_shown() -> None:
    for number in range(2 * PAGE_ROWS + 3):
        put(trace_row(number, started_ns=START_NS + number * 10**9, input=str(number)))
    first = read_page(Wanted())
    assert (len(first.rows), first.total, first.count) == (PAGE_ROWS, 53, 3)
    last = read_page(Wanted(page=2))
    assert [row.question for row in last.rows] == ["2", "1", "0"]
    beyond = read_page(Wanted(page=99))
    assert (beyond.number, beyond.rows) == (2, last.rows)


def test_a_trace_whose_process_is_gone_is_unfinished() -> None:
    put(trace_row(1, status="running", ended_ns=None, process="elsewhere/1/1"))
    put(trace_row(2, status="running", ended_ns=None))
    from agentkit._process import this_process

    machine = this_process().split("/")[0]
    put(trace_row(3, status="running", ended_ns=None, process=f"{machine}/99999999/1"))
    assert {row.trace_id[-1]: row.status for row in read_page(Wanted()).rows} == {
        "1": "running",  # of another machine: nobody knows
        "2": "running",
        "3": "unfinished",
    }
    assert [row.trace_id[-1] for row in read_page(Wanted(status="unfinished")).rows] == ["3"]


def test_a_long_question_is_told_by_its_beginning() -> None:
    put(trace_row(1, input="word\n" * 100_000))
    put(trace_row(2, input=[{"role": "user", "content": "x" * 100_000}]))
    put(trace_row(3, input={"rows": [1, 2]}))
    one, two, three = (row.question for row in reversed(read_page(Wanted()).rows))
    assert one.startswith("word word word")
    assert len(one) == 160
    assert two == "x" * 159 + "…"
    assert three == '{"rows":[1,2]}'


def test_without_a_store_there_is_nothing() -> None:
    assert read_page(Wanted()) == Page([], 0, 0)
    assert read_choices() == {"agents": [], "models": []}
    assert kept_page(Page([], 0, 0), Wanted())["text/plain"] == "No traces"


def test_there_is_to_choose_among_the_agents_and_models_that_were_used(some_traces: None) -> None:
    assert read_choices() == {"agents": ["planner", "weather"], "models": ["small", "gpt-5"]}


def test_what_a_front_end_makes_up_counts_as_not_said() -> None:
    said = {"sort": "1; DROP TABLE traces", "page": -1, "age": "eon", "rating": "best", "agent": 3, "text": None}
    assert Wanted(text="x", page=3).changed_by(said) == Wanted()


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"rating": "best"}, "There is no rating 'best'. There are: up, down."),
        ({"status": "failed"}, "There is no status 'failed'. There are: ok, error, "),
        ({"error": "yes"}, "error is True, False or None, not 'yes'."),
        ({"model": 3}, "model is a text, not int 3."),
        ({"agent": 3}, "agent is the name of an agent or an agent, not 3."),
        ({"since": "yesterdayish"}, "since is a time or how long ago, not 'yesterdayish'."),
        ({"until": "soon"}, "until is a time or how long ago, not 'soon'."),
    ],
)
def test_wrong_filters_say_so(filters: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        wanted_of(**filters)
    assert str(caught.value).startswith(message)


def test_what_the_notebook_keeps_of_a_page_can_be_read(some_traces: None) -> None:
    wanted = wanted_of(agent="planner", error=True)
    assert kept_page(read_page(wanted), wanted)["text/plain"].splitlines() == [
        "1 trace: agent planner, failed",
        "          started (UTC)        agents             asked                 took    tokens  cost  noted",
        "  failed  2026-11-18 11:06:41  weather → planner  To Paris! ✗ No seat.  1.00 s  1,500",
    ]


def test_a_cost_is_shown_where_all_of_it_is_known() -> None:
    calls = [
        span(0, "response", model="gpt-4.1", requests=1, input_tokens=1_000, output_tokens=0, total_tokens=1_000,
             cost_usd=0.002),
        span(1, "response", model="own", requests=1, input_tokens=1_000, output_tokens=0, total_tokens=1_000),
    ]  # fmt: skip
    put(trace_row(1, models="gpt-4.1\nown", cost_usd=0.002, unpriced=1, requests=2), calls)
    assert [row.cost for row in read_page(Wanted()).rows] == [""]
    (first, *_), opened = read_page(Wanted()).rows, open_trace(f"trace_{1:032x}")
    assert "price of 1 of 2 calls not known" in head_facts(opened)
    set_price("own", input=3.0, output=0.0)
    try:
        assert [row.cost for row in read_page(Wanted()).rows] == ["$0.0050"]
        assert "$0.0050" in head_facts(open_trace(first.trace_id))
    finally:
        forget_prices()
