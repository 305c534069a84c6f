"""`FineTuningDataset`: made of files, dataframes, runs and Python, and written without loss."""

from __future__ import annotations

import json
import os
import random
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from agentkit import Agent, Runner, UserError
from agentkit.finetuning import FineTuningDataset, check_file
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel
from agentkit.tracing.feedback import rate
from tests.unit.finetuning.lines import chat, many, pair, with_call, with_images, written


def made(*examples: Any, **options: Any) -> FineTuningDataset:
    return FineTuningDataset.from_examples(examples, **options)


# -- from a file ----------------------------------------------------------------------------------------------------


def test_a_file_has_a_length_and_examples(tmp_path: Path) -> None:
    lines = [chat("a"), chat("b"), chat("c")]
    dataset = FineTuningDataset.from_jsonl(written(tmp_path / "train.jsonl", lines))
    assert (len(dataset), dataset.kind, list(dataset), dataset[1], dataset[-1]) == (3, "sft", lines, lines[1], lines[2])
    assert list(dataset[1:]) == lines[1:]
    assert repr(dataset) == "FineTuningDataset for SFT: 3 examples ('train.jsonl')"
    with pytest.raises(IndexError, match="There is no example 3: there are 3, from 0"):
        dataset[3]


@pytest.mark.parametrize(("line", "kind"), [(chat(), "sft"), (pair(), "dpo"), ("[]", "sft")])
def test_the_first_line_says_what_a_file_is_for(tmp_path: Path, line: Any, kind: str) -> None:
    assert FineTuningDataset.from_jsonl(written(tmp_path / "a.jsonl", [line])).kind == kind


def test_untouched_lines_come_back_byte_by_byte(tmp_path: Path) -> None:
    odd = [
        b'{"messages" : [ {"content":"gr\\u00fcn","role":"user"},{"role":"assistant","content":"\xc3\xbc"}] }',
        b'{"messages": [',
        b"\xff\xfe not even text",
        b'{"a": 1.0, "a": 1e2}\r',
        json.dumps(with_call()).encode(),
        json.dumps(with_images()).encode(),
    ]
    path = written(tmp_path / "train.jsonl", odd)
    target = FineTuningDataset.from_jsonl(path).to_jsonl(tmp_path / "copy.jsonl")
    assert target.read_bytes() == path.read_bytes()
    chosen = FineTuningDataset.from_jsonl(path)[::-1].to_jsonl(tmp_path / "other.jsonl")
    assert chosen.read_bytes().split(b"\n")[:-1] == odd[::-1]


def test_a_file_can_be_written_over_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [chat("a"), "", chat("b")])
    dataset = FineTuningDataset.from_jsonl(path)
    dataset.to_jsonl(path)
    assert list(dataset) == [chat("a"), chat("b")]
    assert sorted(os.listdir(tmp_path)) == ["train.jsonl"]


def test_lines_keep_the_numbers_that_they_have_in_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [*many(20), "", chat("x", " "), *many(35)[20:]])
    report = FineTuningDataset.from_jsonl(path).check(quality=False)
    assert report[["line", "rule"]].dropna().to_numpy().tolist() == [[21, "empty-line"], [22, "empty-text"]]


def test_a_line_that_cannot_be_read_is_told_by_its_number(tmp_path: Path) -> None:
    dataset = FineTuningDataset.from_jsonl(written(tmp_path / "train.jsonl", [chat(), "", "{"]))
    with pytest.raises(UserError, match=r"Line 3 of train\.jsonl can't be read\. dataset\.check\(\) says"):
        dataset[1]


def test_a_file_that_has_changed_is_not_read_by_old_places(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [chat(), chat()])
    dataset = FineTuningDataset.from_jsonl(path)
    written(path, [chat("something else")])
    with pytest.raises(UserError, match="has changed since it was opened"):
        dataset[0]


def test_texts_of_a_file_stay_in_it(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [chat("x" * 10_000)] * 2_000)
    tracemalloc.start()
    try:
        dataset = FineTuningDataset.from_jsonl(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(dataset), peak < path.stat().st_size / 5) == (2_000, True)


def test_a_check_holds_a_line_at_a_time(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [chat("x" * 50_000)] * 400)
    tracemalloc.start()
    try:
        report = check_file(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (report.ok, report.examples, peak < path.stat().st_size / 3) == (True, 400, True)


def test_lines_are_read_in_any_order(tmp_path: Path) -> None:
    lines = [chat(str(number) * (number + 1)) for number in range(300)]
    dataset = FineTuningDataset.from_jsonl(written(tmp_path / "train.jsonl", lines))
    order = random.Random(1).sample(range(300), 300)
    assert list(dataset.some(order)) == [lines[index] for index in order]
    assert list(dataset.some(order).some(range(0, 300, 7))) == [lines[order[index]] for index in range(0, 300, 7)]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x1f\x8b\x08", r"compressed \(gzip\).*gunzip"),
        (b"PAR1", "Parquet"),
        (b'[\n{"messages":', "one JSON value"),
        (b"\xff\xfea\0", "UTF-16"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match=problem):
        FineTuningDataset.from_jsonl(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        FineTuningDataset.from_jsonl(tmp_path / "no.jsonl")
    with pytest.raises(UserError, match="is a folder"):
        FineTuningDataset.from_jsonl(tmp_path)
    with pytest.raises(UserError, match='kind is "sft", "dpo" or None, not \'preferences\'. Pairs'):
        FineTuningDataset.from_jsonl(tmp_path, kind="preferences")  # type: ignore[arg-type]


def test_files_are_named_as_the_platform_wants_them(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"named \*\.jsonl"):
        made(chat()).to_jsonl(tmp_path / "train.json")
    with pytest.raises(UserError, match="no examples to write"):
        made().to_jsonl(tmp_path / "train.jsonl")
    with pytest.raises(UserError, match="can't be written"):
        made(chat()).to_jsonl(tmp_path / "no" / "train.jsonl")


# -- from Python ----------------------------------------------------------------------------------------------------


def test_examples_are_lines_messages_or_texts() -> None:
    dataset = made(("1 and 1?", "Two."), chat()["messages"], chat(), system="Be brief.")
    assert list(dataset) == [chat(), chat(), chat()]
    pairs = made(("1 and 1?", "2", "3"))
    assert (pairs.kind, list(pairs)) == ("dpo", [pair()])


@pytest.mark.parametrize(
    ("examples", "problem"),
    [
        ("text", "Examples are a list, not str 'text'"),
        ([chat(), 5], "Example 1 is 5. Give a dictionary"),
        ([{"messages": {1, 2}, "x": object()}], "Example 0 can't be written as JSON"),
    ],
)
def test_examples_of_another_kind_are_refused(examples: Any, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        FineTuningDataset.from_examples(examples)


# -- from dataframes ------------------------------------------------------------------------------------------------


def test_columns_that_say_what_they_are_need_no_names() -> None:
    frame = pd.DataFrame({"System": ["Be brief.", None], "Question": ["a", "b"], "completion": ["c", "d"]})
    assert list(FineTuningDataset.from_dataframe(frame)) == [
        chat("a", "c"),
        {"messages": [{"role": "user", "content": "b"}, {"role": "assistant", "content": "d"}]},
    ]


def test_columns_are_named_and_values_become_json() -> None:
    frame = pd.DataFrame({"mail": ["a"], "label": [{"topic": "ü", "urgent": True}], "n": [3]})
    dataset = FineTuningDataset.from_dataframe(frame, prompt="mail", answer="label", instructions="Be brief.")
    assert list(dataset) == [chat("a", '{"topic":"ü","urgent":true}')]
    numbers = FineTuningDataset.from_dataframe(frame, prompt="mail", answer="n")
    assert numbers[0]["messages"][-1] == {"role": "assistant", "content": "3"}


def test_liked_and_disliked_answers_are_pairs() -> None:
    frame = pd.DataFrame({"prompt": ["1 and 1?"], "chosen": ["2"], "rejected": ["3"]})
    dataset = FineTuningDataset.from_dataframe(frame)
    assert (dataset.kind, list(dataset)) == ("dpo", [pair()])


def test_columns_have_roles() -> None:
    frame = pd.DataFrame({"rules": ["Be brief."], "mail": ["a"], "category": ["b"]})
    roles = {"rules": "system", "mail": "user", "category": "assistant"}
    assert list(FineTuningDataset.from_dataframe(frame, roles=roles)) == [chat("a", "b")]


def test_a_column_of_messages_may_come_from_anywhere() -> None:
    messages = chat()["messages"]
    gaps = [{**each, "name": None} for each in messages]
    cells = [messages, json.dumps(messages), np.array(gaps, dtype=object), chat()]
    frame = pd.DataFrame({"messages": pd.Series(cells, dtype=object)})
    assert list(FineTuningDataset.from_dataframe(frame)) == [chat()] * 4


def test_rows_of_a_dataframe_are_the_source(tmp_path: Path) -> None:
    frame = pd.DataFrame({"prompt": ["a", "b"], "answer": ["c", "d"]}, index=[7, 9])
    dataset = FineTuningDataset.from_dataframe(frame)[1:]
    assert dataset.sources is not None
    assert dataset.sources.to_numpy().tolist() == [[1, 9]]
    dataset.to_jsonl(tmp_path / "train.jsonl")
    assert (tmp_path / "train.sources.csv").read_text() == "line,row\n1,9\n"


@pytest.mark.parametrize(
    ("columns", "options", "problem"),
    [
        ({"a": ["x"]}, {}, "Which column is answer and which prompt. There are 'a'"),
        ({"prompt": ["x"], "answer": [None]}, {}, r"Row 0 of 'answer' is empty. Leave such rows out: frame.dropna"),
        ({"prompt": ["x"], "answer": [float("nan")]}, {}, "Row 0 of 'answer' is empty"),
        ({"prompt": ["x"], "answer": [pd.NA]}, {}, "Row 0 of 'answer' is empty"),
        ({"prompt": ["x"]}, {"prompt": "promt"}, "There is no column 'promt'. Did you mean 'prompt'"),
        ({"a": ["x"]}, {"roles": {"a": "user"}}, "No column has the role assistant"),
        ({"a": ["x"]}, {"roles": {"a": "human"}}, "The role of 'a' is 'human'"),
        (
            {"instruction": ["x"], "input": ["y"], "output": ["z"]},
            {},
            "Which column is prompt: 'instruction' or 'input'",
        ),
        ({"messages": [3]}, {}, "Row 0 of 'messages' is 3"),
        ({"messages": ["["]}, {}, "Row 0 of 'messages' is no JSON"),
        ({"prompt": ["x"], "answer": ["y"]}, {"kind": "dpo"}, "Which column is preferred|make examples for SFT"),
    ],
)
def test_dataframes_that_cannot_be_examples_are_told(columns: Any, options: Any, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        FineTuningDataset.from_dataframe(pd.DataFrame(columns), **options)


# -- from recorded runs ---------------------------------------------------------------------------------------------


def run(asked: str, answer: str, rating: str) -> Any:
    guide = Agent(name="guide", instructions="Be brief.", model=ScriptedModel(answer))
    result = Runner.run_sync(guide, asked)
    rate(result, rating)
    return result


def test_rated_runs_become_examples_and_pairs_and_keep_their_source(home: Path) -> None:
    liked = run("When?", "In June.", "up")
    disliked = run("When?", "No idea.", "down")
    examples = FineTuningDataset.from_traces(traces())
    assert list(examples) == [chat("When?", "In June.")]
    pairs = FineTuningDataset.from_chats(kind="dpo", agent="guide")
    assert (pairs.kind, pairs[0]["preferred_output"], pairs[0]["non_preferred_output"]) == (
        "dpo",
        [{"role": "assistant", "content": "In June."}],
        [{"role": "assistant", "content": "No idea."}],
    )
    assert pairs.sources is not None
    assert pairs.sources[["trace_id", "other_trace_id"]].to_numpy().tolist() == [[liked.trace_id, disliked.trace_id]]
    assert list(FineTuningDataset.from_traces(traces().to_dataset("preferences"))) == list(pairs)


def test_what_is_no_trace_is_refused(home: Path) -> None:
    with pytest.raises(UserError, match="from_traces takes traces, not DataFrame"):
        FineTuningDataset.from_traces(pd.DataFrame({"a": [1]}))
    with pytest.raises(UserError, match="from_traces doesn't split"):
        FineTuningDataset.from_traces(traces(), split=0.2)


# -- parts ----------------------------------------------------------------------------------------------------------


def test_a_split_is_repeatable_and_loses_nothing() -> None:
    dataset = made(*many(50))
    train, test = dataset.split(test=0.2, seed=3)
    assert (len(train), len(test)) == (40, 10)
    assert sorted([*train.lines, *test.lines]) == sorted(dataset.lines)
    assert list(dataset.split(test=0.2, seed=3).test.lines) == list(test.lines)
    assert list(dataset.split(test=0.2, seed=4).test.lines) != list(test.lines)


def test_the_same_prompt_is_never_in_both_parts() -> None:
    dataset = made(*[chat(f"question {i % 7}", f"answer {i}") for i in range(40)])
    train, test = dataset.split(test=0.3)
    prompts = [{each["messages"][1]["content"] for each in part} for part in (train, test)]
    assert prompts[0] & prompts[1] == set()
    assert len(test) in range(8, 17)


@pytest.mark.parametrize(
    "stratify", ["answer", lambda line: line["messages"][-1]["content"], ["x", "x", "x", "y"] * 20]
)
def test_both_parts_have_as_much_of_each_label(stratify: Any) -> None:
    dataset = made(*[chat(f"question {i}", "rare" if i % 4 == 3 else "often") for i in range(80)])
    answers = [each["messages"][-1]["content"] for each in dataset.split(test=0.25, stratify=stratify).test]
    assert sorted(answers) == ["often"] * 15 + ["rare"] * 5


def test_splits_that_make_no_sense_are_refused() -> None:
    dataset = made(*many(5))
    with pytest.raises(UserError, match="test is a fraction between 0 and 1, not 2"):
        dataset.split(test=2)
    with pytest.raises(UserError, match="can't be told apart by 'mood'"):
        dataset.split(stratify="mood")
    with pytest.raises(UserError, match="There are 1 labels for 5 examples"):
        dataset.split(stratify=["a"])
    with pytest.raises(UserError, match="2 examples can't be split"):
        made(chat("a", "b"), chat("a", "c")).split()
    with pytest.raises(UserError, match="seed is a whole number"):
        dataset.split(seed=1.5)  # type: ignore[arg-type]


def test_duplicates_go_and_the_first_stays() -> None:
    weighted = chat()
    weighted["messages"][-1]["weight"] = 1
    dataset = made(chat(), chat("b"), weighted, chat())
    assert list(dataset.dedupe()) == [chat(), chat("b")]


def test_near_duplicates_go_when_asked() -> None:
    text = "The train to the airport leaves every ten minutes from the main station, platform four, all day long. "
    dataset = made(chat(text * 3 + "Why?", "A."), chat("Something else entirely, about cats.", "B."),
                   chat(text * 3 + "why ?", "A."))  # fmt: skip
    assert len(dataset.dedupe()) == 3
    assert list(dataset.dedupe(near=True)) == [dataset[0], dataset[1]]
    with pytest.raises(UserError, match=r"threshold is between 0\.5 and 1, not 7"):
        dataset.dedupe(near=True, threshold=7)
    with pytest.raises(UserError, match="near has to be True or False, not 'no'"):
        dataset.dedupe(near="no")  # type: ignore[arg-type]


def test_a_balanced_set_has_as_many_of_each_label() -> None:
    dataset = made(*[chat(f"question {i}", "rare" if i % 4 == 3 else "often") for i in range(40)])
    answers = [each["messages"][-1]["content"] for each in dataset.balance()]
    assert sorted(answers) == ["often"] * 10 + ["rare"] * 10
    assert len(dataset.balance(most=3)) == 6
    assert list(dataset.balance(seed=1).lines) == list(dataset.balance(seed=1).lines)
    with pytest.raises(UserError, match="30 labels for 30 examples: nothing to balance"):
        made(*many(30)).balance()


def test_changed_examples_are_written_anew_and_others_stay(tmp_path: Path) -> None:
    line = b'{"messages" : [{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}'
    dataset = FineTuningDataset.from_jsonl(written(tmp_path / "train.jsonl", [line, chat("x"), chat("gone")]))

    def change(example: Any) -> Any:
        if example["messages"][-2]["content"] == "gone":
            return None
        if example["messages"][-2]["content"] == "x":
            example["messages"][-2]["content"] = "y"
        return example

    assert next(iter(dataset.map(change).lines)) == line
    assert list(dataset.map(change))[1:] == [chat("y")]
    with pytest.raises(UserError, match="map takes a function of an example, not 5"):
        dataset.map(5)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="What map's function returned for example 0 can't be written as JSON"):
        dataset.map(lambda example: {"messages": object()})


# -- looking --------------------------------------------------------------------------------------------------------


def test_a_preview_reads_like_the_conversation() -> None:
    assert repr(made(with_call(), chat()).preview(1)) == (
        "examples: 1 of 2 examples\n\nline 1\n"
        "  user         1 and 1?\n"
        '  assistant    add({"a": 1})\n'
        "  tool         2\n"
        "  assistant    Two."
    )
    assert "  preferred    2\n  rejected     3" in repr(made(pair()).preview())


def test_a_preview_shows_no_keys_and_no_tricks() -> None:
    shown = repr(made(chat("sk-" + "a1" * 20 + "\x1b[31m\u202e", "x" * 1000)).preview())
    assert "a1a1" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "(1,000 characters)" in shown


def test_a_diff_tells_what_was_added_removed_and_changed() -> None:
    one = made(chat("a", "1"), chat("b", "2"), chat("c", "3"), chat("c", "3"))
    other = made(chat("c", "3"), chat("b", "4"), chat("d", "5"))
    frame = one.diff(other)
    assert [tuple(None if pd.isna(cell) else cell for cell in row) for row in frame.itertuples(index=False)] == [
        ("removed", 1, None, "a", "1", None),
        ("changed", 2, 2, "b", "2", "4"),
        ("removed", 4, None, "c", "3", None),
        ("added", None, 3, "d", None, "5"),
    ]
    assert len(one.diff(one)) == 0


def test_misspelt_options_are_told() -> None:
    with pytest.raises(TypeError, match=r"dataset\.split has no argument 'tests'"):
        made(chat()).split(tests=0.2)  # type: ignore[call-arg]
