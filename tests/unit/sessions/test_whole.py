from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.sessions import whole_items
from agentkit.sessions.whole import latest_whole, whole_cut


def call(call_id: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}


def output(call_id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "1"}


REASONING = {"type": "reasoning", "id": "rs", "summary": []}
USER = {"role": "user", "content": "Hi"}
ANSWER = {"type": "message", "role": "assistant", "content": []}


@pytest.mark.parametrize(
    ("items", "kept"),
    [
        ([USER, call("a"), output("a")], [USER, call("a"), output("a")]),
        ([output("a"), USER], [USER]),
        ([call("a"), USER], [USER]),
        ([output("a"), call("a")], []),
        ([call("a"), call("a"), output("a")], [call("a"), output("a")]),
        ([REASONING, ANSWER], [REASONING, ANSWER]),
        ([REASONING, call("a"), output("a")], [REASONING, call("a"), output("a")]),
        ([REASONING, call("a"), USER], [USER]),
        ([REASONING, REASONING, ANSWER], [REASONING, REASONING, ANSWER]),
        ([REASONING, USER], [USER]),
        ([REASONING], []),
        (
            [
                {"type": "mcp_approval_request", "id": "m"},
                {"type": "mcp_approval_response", "approval_request_id": "m"},
            ],
            [
                {"type": "mcp_approval_request", "id": "m"},
                {"type": "mcp_approval_response", "approval_request_id": "m"},
            ],
        ),
        ([{"type": "web_search_call", "id": "ws"}], [{"type": "web_search_call", "id": "ws"}]),
        ([{"type": "computer_call", "call_id": "c"}], []),
    ],
)
def test_halves_are_left_out(items: list[Any], kept: list[Any]) -> None:
    assert whole_items(items) == kept


ITEMS = st.lists(
    st.sampled_from([USER, ANSWER, REASONING, *(make(name) for make in (call, output) for name in "ab")]), max_size=12
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(ITEMS)
def test_what_is_kept_is_whole_and_in_order(items: list[Any]) -> None:
    kept = whole_items(items)
    assert whole_items(kept) == kept
    remaining = iter(items)
    assert all(any(item is other for other in remaining) for item in kept)
    for name in "ab":
        kinds = [item["type"] for item in kept if item.get("call_id") == name]
        assert kinds.count("function_call") == kinds.count("function_call_output")


CALL_A, OUTPUT_A = call("a"), output("a")


@pytest.mark.parametrize(
    ("limit", "latest"),
    [
        (5, [USER, REASONING, CALL_A, OUTPUT_A, ANSWER]),
        (4, [REASONING, CALL_A, OUTPUT_A, ANSWER]),
        (3, [ANSWER]),
        (2, [ANSWER]),
        (1, [ANSWER]),
        (0, []),
    ],
)
def test_a_limit_takes_the_latest_and_cuts_nothing(limit: int, latest: list[Any]) -> None:
    items = [USER, REASONING, CALL_A, OUTPUT_A, ANSWER]
    assert latest_whole(reversed(items), limit) == latest


@pytest.mark.parametrize(
    ("items", "limit", "latest"),
    [
        ([REASONING, ANSWER], 1, []),
        ([REASONING, CALL_A, call("b"), OUTPUT_A, output("b")], 3, []),
        ([REASONING, ANSWER, REASONING, ANSWER], 2, [REASONING, ANSWER]),
        ([REASONING, ANSWER, USER, ANSWER], 1, [ANSWER]),
        ([REASONING, ANSWER, USER, ANSWER], 3, [USER, ANSWER]),
    ],
)
def test_an_answer_goes_with_the_reasoning_that_led_to_it(items: list[Any], limit: int, latest: list[Any]) -> None:
    assert latest_whole(reversed(items), limit) == latest


@pytest.mark.parametrize(
    ("count", "cut"), [(0, 0), (1, 1), (2, 1), (3, 1), (4, 4), (5, 5), (6, 5), (7, 7), (99, 7), (-1, 0)]
)
def test_a_conversation_is_cut_where_nothing_is_halved(count: int, cut: int) -> None:
    items = [USER, REASONING, CALL_A, OUTPUT_A, USER, REASONING, ANSWER]
    assert whole_cut(items, count) == cut


def test_what_the_platform_answers_itself_needs_no_answer() -> None:
    searched = [{"type": "tool_search_call", "id": "t"}, {"type": "tool_search_output", "id": "o"}]
    assert whole_items(searched) == searched
    assert whole_items([{"type": "tool_search_call", "call_id": "c"}]) == []


def test_reasoning_stays_when_one_of_two_calls_is_left() -> None:
    items = [REASONING, call("a"), call("b"), output("b")]
    assert whole_items(items) == [REASONING, call("b"), output("b")]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(ITEMS, st.integers(0, 12))
def test_both_sides_of_a_cut_are_as_whole_as_before(items: list[Any], count: int) -> None:
    items = whole_items(items)
    cut = whole_cut(items, count)
    assert cut <= max(count, 0)
    assert whole_items(items[:cut]) + whole_items(items[cut:]) == items
