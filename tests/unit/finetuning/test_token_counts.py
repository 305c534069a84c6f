"""Tokens of examples, counted offline by the documented chat format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agentkit.exceptions import UserError
from agentkit.finetuning import FineTuningDataset
from agentkit.finetuning.tokens import encoding_of, max_example_tokens, tokens_of
from agentkit.local.tokenizing import count_tokens
from tests.unit.finetuning.lines import TOOL, chat, image, pair, with_call, written

# The conversation of OpenAI's cookbook, "How to count tokens with tiktoken", with the count that its API returned.
COOKBOOK = [
    ("system", None, "You are a helpful, pattern-following assistant that translates corporate jargon into plain"
     " English."),
    ("system", "example_user", "New synergies will help drive top-line growth."),
    ("system", "example_assistant", "Things working well together will increase revenue."),
    ("system", "example_user", "Let's circle back when we have more bandwidth to touch base on opportunities for"
     " increased leverage."),
    ("system", "example_assistant", "Let's talk later when we're less busy about how to do better."),
    ("user", None, "This late pivot means we don't have time to boil the ocean for the client deliverable."),
]  # fmt: skip


@pytest.mark.parametrize(("model", "tokens"), [("gpt-3.5-turbo-0125", 129), ("gpt-4o", 124)])
def test_the_cookbooks_conversation_has_the_tokens_that_the_api_counts(model: str, tokens: int) -> None:
    messages = [
        {"role": role, "content": content} | ({"name": name} if name else {}) for role, name, content in COOKBOOK
    ]
    assert tokens_of({"messages": messages}, encoding_of(model)).tokens == tokens


def test_answers_of_weight_0_are_not_trained() -> None:
    line = chat("a", "one two three")
    assert tokens_of(line).trained == 3 + 1 + 3
    line["messages"][-1]["weight"] = 0
    assert tokens_of(line).trained == 0
    assert tokens_of(line).tokens == tokens_of(chat("a", "one two three")).tokens


def test_of_a_pair_both_answers_count() -> None:
    counted = tokens_of(pair("1 and 1?", "2", "3"))
    assert (counted.messages, counted.trained) == (3, 10)
    assert counted.tokens == 3 + 1 + count_tokens("1 and 1?") + 3 + 10


def test_tools_and_calls_count_as_their_json() -> None:
    line = with_call()
    plain = tokens_of({"messages": line["messages"]}).tokens
    assert tokens_of(line).tokens - plain == count_tokens(json.dumps([TOOL], separators=(",", ":")))


@pytest.mark.parametrize(("detail", "tokens"), [("low", 85), ("high", 85 + 170), (None, 85 + 170)])
def test_images_count_by_their_size_and_detail(detail: str | None, tokens: int) -> None:
    shown = image()
    shown["image_url"] = {"url": shown["image_url"]["url"]} | ({"detail": detail} if detail else {})
    line = {"messages": [{"role": "user", "content": [shown]}]}
    assert tokens_of(line).tokens == 3 + 1 + 3 + tokens
    far = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    assert tokens_of({"messages": [{"role": "user", "content": [far]}]}).tokens == 7 + 85


def test_token_counts_are_a_dataframe() -> None:
    frame = FineTuningDataset.from_examples([chat("a", "b"), chat("a a a", "b")]).tokens("gpt-4o")
    assert frame.to_numpy().tolist() == [[1, 3, 20, 5], [2, 3, 22, 5]]
    assert (list(frame.columns), frame.attrs["encoding"]) == (["line", "messages", "tokens", "trained"], "o200k_base")


def test_the_distribution_says_how_long_examples_are() -> None:
    dataset = FineTuningDataset.from_examples([chat("a " * count, "b") for count in range(1, 12)])
    frame = dataset.token_distribution()
    assert list(frame.index) == ["messages", "tokens", "trained"]
    assert frame.loc["messages"].to_dict() == {
        "total": 33, "mean": 3, "min": 3, "p10": 3, "p50": 3, "p90": 3, "max": 3,
    }  # fmt: skip
    tokens = dataset.tokens()["tokens"]
    assert frame.loc["tokens", ["total", "min", "max"]].tolist() == [tokens.sum(), tokens.min(), tokens.max()]
    empty = FineTuningDataset.from_examples([]).token_distribution()
    assert empty["total"].tolist() == [0, 0, 0]
    assert empty["mean"].isna().all()


@pytest.mark.parametrize(
    ("model", "encoding", "limit"),
    [
        (None, "o200k_base", None),
        ("gpt-4.1-mini-2025-04-14", "o200k_base", None),
        ("gpt-4o-2024-08-06", "o200k_base", 65_536),
        ("gpt-4o-mini-2024-07-18", "o200k_base", 65_536),
        ("gpt-4o-audio-preview", "o200k_base", None),
        ("gpt-4-0613", "cl100k_base", None),
        ("gpt-3.5-turbo-0125", "cl100k_base", 16_385),
        ("ft:gpt-3.5-turbo-0125:org::id", "cl100k_base", 16_385),
        ("babbage-002", "cl100k_base", None),
    ],
)
def test_a_model_has_a_vocabulary_and_maybe_a_limit(model: str | None, encoding: str, limit: int | None) -> None:
    assert (encoding_of(model), max_example_tokens(model)) == (encoding, limit)


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"messages": 3},
        {"messages": [{"role": 3, "content": [5, {"type": "x"}]}]},
        {"input": 3},
        {"preferred_output": 4},
        {"messages": [{"tool_calls": [3, {}]}]},
    ],
)
def test_what_is_no_example_is_counted_all_the_same(line: Any) -> None:
    assert tokens_of(line).tokens >= 3


def test_lines_that_cannot_be_read_have_no_count(tmp_path: Path) -> None:
    frame = FineTuningDataset.from_jsonl(written(tmp_path / "train.jsonl", [chat(), "{"])).tokens()
    assert frame["tokens"].isna().tolist() == [False, True]


def test_a_model_that_is_no_name_is_told() -> None:
    dataset = FineTuningDataset.from_examples([("a?", "b")])
    for look in (lambda: dataset.tokens(5), lambda: dataset.check(model=5)):  # type: ignore[arg-type]
        with pytest.raises(UserError, match="model is a model's name, not 5"):
            look()
