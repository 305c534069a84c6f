from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentkit.sessions import whole_items


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
