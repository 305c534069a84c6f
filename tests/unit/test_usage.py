"""Tokens of one call, and of many added up."""

from types import SimpleNamespace

import pytest

from agentkit.usage import InputTokensDetails, OutputTokensDetails, RequestUsage, Usage

WIRE = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 15,
}


def test_the_responses_api_counts() -> None:
    assert Usage.from_wire(WIRE) == Usage(1, 10, 5, 15, InputTokensDetails(4, 2), OutputTokensDetails(3))


def test_chat_completions_count_under_other_names() -> None:
    sent = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": None},
        "completion_tokens_details": None,
    }
    assert Usage.from_wire(sent) == Usage(1, 10, 5, 15, InputTokensDetails(4))


def test_a_server_that_counts_nothing_was_asked_all_the_same() -> None:
    assert Usage.from_wire(None) == Usage(requests=1)


def test_adding_keeps_each_call_with_its_agent_and_model() -> None:
    total = Usage()
    total.add(Usage.from_wire(WIRE), agent_name="a", model="gpt-4.1-mini")
    total.add(Usage(1, 1, 1, 2), agent_name="b", model="m")
    assert (total.requests, total.input_tokens, total.output_tokens, total.total_tokens) == (2, 11, 6, 17)
    assert (total.input_tokens_details, total.output_tokens_details) == (
        InputTokensDetails(4, 2),
        OutputTokensDetails(3),
    )
    assert total.request_usage_entries == [
        RequestUsage(10, 5, 15, InputTokensDetails(4, 2), OutputTokensDetails(3), "a", "gpt-4.1-mini"),
        RequestUsage(1, 1, 2, InputTokensDetails(), OutputTokensDetails(), "b", "m"),
    ]


def test_adding_what_was_added_up_keeps_its_calls() -> None:
    inner = Usage()
    inner.add(Usage(1, 1, 1, 2), agent_name="inner", model="m")
    inner.add(Usage(1, 2, 2, 4), agent_name="inner", model="m")
    outer = Usage()
    outer.add(inner)
    assert (outer.requests, [entry.total_tokens for entry in outer.request_usage_entries]) == (2, [2, 4])


def test_what_was_added_does_not_change_with_what_it_was_added_to() -> None:
    one, total = Usage.from_wire(WIRE), Usage()
    total.add(one)
    one.add(Usage.from_wire(WIRE))
    total.add(Usage.from_wire(WIRE))
    assert [entry.input_tokens_details.cached_tokens for entry in total.request_usage_entries] == [4, 4]


def test_details_may_be_of_the_openai_client_and_lack_some() -> None:
    total = Usage()
    foreign = Usage(1, 1, 1, 2, SimpleNamespace(cached_tokens=3), SimpleNamespace(reasoning_tokens=None))  # type: ignore[arg-type]
    total.add(foreign)
    assert (total.input_tokens_details, total.output_tokens_details) == (InputTokensDetails(3), OutputTokensDetails(0))


def test_the_cost_is_that_of_all_calls() -> None:
    total = Usage()
    total.add(Usage(1, 1_000_000, 0, 1_000_000), model="gpt-4.1-mini")
    total.add(Usage(1, 0, 1_000_000, 1_000_000), model="gpt-4.1")
    assert total.cost_usd == pytest.approx(0.4 + 8.0)


def test_the_cost_is_unknown_where_that_of_one_call_is() -> None:
    total = Usage()
    total.add(Usage(1, 1, 1, 2), model="gpt-4.1-mini")
    total.add(Usage(1, 1, 1, 2), model="house-model")
    assert total.cost_usd is None
    assert Usage(requests=3, total_tokens=10).cost_usd is None


def test_nothing_used_costs_nothing() -> None:
    assert Usage().cost_usd == 0


def test_saved_usage_reads_back() -> None:
    total = Usage()
    total.add(Usage.from_wire(WIRE), agent_name="a", model="m")
    assert Usage.from_json(total.to_json()) == total
