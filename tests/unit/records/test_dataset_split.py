"""Parts of a data set, files, and what it shows of itself."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from agentkit import Agent, RunConfig, Runner, SQLiteSession, UserError
from agentkit.records.datasets.dataset import Dataset
from agentkit.records.traces import traces
from agentkit.testing import ScriptedModel
from agentkit.tracing.feedback import rate


def run(asked: str, answer: str, rating: Any = "up", **options: Any) -> None:
    guide = Agent(name="guide", instructions="Be brief.", model=ScriptedModel(answer))
    rate(Runner.run_sync(guide, asked, **options), rating)


def questions(dataset: Dataset) -> list[str]:
    return [example["messages"][-2]["content"] for example in dataset]


def test_a_fraction_is_for_validation_and_the_same_seed_gives_the_same_parts() -> None:
    for number in range(10):
        run(f"question {number}", "answer")
    frame = traces()
    dataset = frame.to_dataset(split=0.2)
    train, validation = dataset.splits["train"], dataset.splits["validation"]
    assert (list(dataset.splits), len(dataset), len(train), len(validation)) == (["train", "validation"], 10, 8, 2)
    assert sorted(questions(train) + questions(validation)) == [f"question {number}" for number in range(10)]
    assert (list(train.frame["line"]), list(validation.frame["line"])) == (list(range(1, 9)), [1, 2])
    assert list(dataset.frame["split"]) == [
        "train" if q in questions(train) else "validation" for q in questions(dataset)
    ]
    assert questions(frame.to_dataset(split=0.2).splits["validation"]) == questions(validation)
    others = [questions(frame.to_dataset(split=0.2, seed=seed).splits["validation"]) for seed in range(1, 6)]
    assert any(other != questions(validation) for other in others)


def test_parts_have_the_names_and_sizes_that_were_asked_for() -> None:
    for number in range(20):
        run(f"question {number}", "answer")
    parts = traces().to_dataset(split={"train": 0.5, "dev": 0.3, "test": 0.2}).splits
    assert {name: len(part) for name, part in parts.items()} == {"train": 10, "dev": 6, "test": 4}


@pytest.mark.parametrize("seed", range(5))
def test_sessions_groups_and_prompts_stay_together(seed: int) -> None:
    for number in range(4):
        session = SQLiteSession(f"s{number}")
        for turn in range(3):
            run(f"session {number} {turn}", "answer", session=session)
        run(f"same {number}", "one")
        run(f"same {number}", "another")
        for turn in range(2):
            run(f"group {number} {turn}", "answer", run_config=RunConfig(group_id=f"g{number}"))
    splits = traces().to_dataset(split=0.4, seed=seed).splits
    of = {question: name for name, part in splits.items() for question in questions(part)}
    assert len(of) == 4 * 6  # the questions of all 28 examples
    for number in range(4):
        for kind in ("session", "group"):
            assert len({name for question, name in of.items() if question.startswith(f"{kind} {number} ")}) == 1
    same = [question for part in splits.values() for question in set(questions(part)) if question.startswith("same")]
    assert len(same) == len(set(same)) == 4
    assert {name for name, part in splits.items() if len(part)} == {"train", "validation"}


def test_what_can_not_be_apart_can_not_be_split() -> None:
    session = SQLiteSession("s")
    run("a", "1", session=session)
    run("b", "2", session=session)
    with pytest.raises(UserError) as info:
        traces().to_dataset(split=0.5)
    assert str(info.value) == (
        "2 examples can't be split into 2 parts: those of one conversation, and those with the same prompt, stay "
        "together, which leaves 1 to divide. Take more traces, fewer parts or split=None."
    )


def test_each_part_has_an_example_where_there_are_enough() -> None:
    session = SQLiteSession("s")
    for number in range(8):
        run(f"long {number}", "answer", session=session)
    run("x", "1")
    run("y", "2")
    parts = traces().to_dataset(split={"train": 0.4, "validation": 0.3, "test": 0.3}).splits
    assert sorted(len(part) for part in parts.values()) == [1, 1, 8]


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (1.5, "split is a fraction between 0 and 1, or one for each name, not 1.5."),
        (True, "split is a fraction between 0 and 1, or one for each name, not True."),
        ("half", "split is a fraction between 0 and 1, or one for each name, not 'half'."),
        ({"train": 0.5, "test": 0.4}, "The fractions of a split add up to 1, and these to 0.9."),
        ({"train": "all"}, "The fraction of 'train' is between 0 and 1, not 'all'."),
        ({1: 1.0}, "The parts of a split have names, and 1 is none."),
        ({}, "The fractions of a split add up to 1, and these to 0."),
    ],
)
def test_a_split_that_makes_no_sense_says_so(split: Any, said: str) -> None:
    with pytest.raises(UserError) as info:
        traces().to_dataset(split=split)
    assert str(info.value).startswith(said)
    assert "split=0.2" in str(info.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "dpo"}, "There is no data set of the kind 'dpo'."),
        ({"rating": "good"}, 'rating is "up", "down" or None, not \'good\'.'),
        ({"where": "x"}, "where is a function that takes a trace and returns True or False, not 'x'."),
        ({"scrub": "x"}, "scrub is a function that takes a text and returns one, not 'x'."),
        ({"redact": "no"}, "redact is True, False or \"skip\", not 'no'."),
        ({"tools": "no"}, "tools is True or False, not 'no'."),
        ({"images": None}, "images is True or False, not None."),
        ({"dedupe": 1}, "dedupe is True or False, not 1."),
        ({"seed": 0.5}, "seed is a whole number, not 0.5."),
        ({"agent": 3}, "agent is the name of an agent or an agent, not 3."),
        ({"ratings": "up"}, "agentkit.traces().to_dataset has no argument 'ratings'. Did you mean rating?"),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as info:
        traces().to_dataset(**options)
    assert str(info.value).startswith(said)


def test_it_is_written_with_its_sources_beside_it(tmp_path: Path) -> None:
    run("When? ☀", "In June.")
    run("Where?", "Here.")
    dataset = traces().to_dataset(split=0.5)
    path = dataset.to_jsonl(tmp_path / "train.jsonl")
    assert path == tmp_path / "train.jsonl"
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == dataset.examples
    assert "☀" in path.read_text("utf-8")
    with (tmp_path / "train.sources.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["trace_id"], row["split"]) for row in rows] == [
        (str(number), trace_id, part)
        for number, (trace_id, part) in enumerate(
            zip(dataset.frame["trace_id"], dataset.frame["split"], strict=True), 1
        )
    ]
    dataset.splits["validation"].to_jsonl(str(tmp_path / "validation.jsonl"), sources=False)
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_file()) == [
        "train.jsonl",
        "train.sources.csv",
        "validation.jsonl",
    ]


def test_what_can_not_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There are no examples to write\."):
        traces().to_dataset().to_jsonl(tmp_path / "train.jsonl")
    run("When?", "In June.")
    dataset = traces().to_dataset()
    with pytest.raises(UserError, match=r"Training files are named \*\.jsonl, and 'train\.json' isn't\."):
        dataset.to_jsonl(tmp_path / "train.json")
    with pytest.raises(UserError, match=r"can't be written \(No such file or directory\)\."):
        dataset.to_jsonl(tmp_path / "none" / "train.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(UserError, match=r"can't be written \(Is a directory\)\."):
        dataset.to_jsonl(tmp_path / "folder.jsonl")
    assert [each.name for each in tmp_path.iterdir() if each.name != "home"] == ["folder.jsonl"]


def test_it_tells_what_it_is_in_a_few_lines() -> None:
    assert repr(traces().to_dataset()) == "Dataset for fine-tuning: no examples"
    run("When?", "In June.")
    run("Where?", "Here.")
    run("Why?", "No idea.", "down")
    run("Where?", "Here.")
    assert repr(traces().to_dataset(split=0.5)).splitlines() == [
        "Dataset for fine-tuning: 2 examples of guide, from 2 traces",
        "  split: train 1, validation 1",
        f"  tokens: {traces(rating='up', limit=1)['total_tokens'].sum() + traces(text='When')['total_tokens'].sum()}",
        "  left out: 1 not rated up, 1 duplicate",
    ]


def test_a_name_with_signs_that_would_act_in_a_terminal_is_told_without_them() -> None:
    result = Runner.run_sync(Agent(name="a\x1b[31m", model=ScriptedModel("1")), "a")
    rate(result, "up")
    assert repr(traces().to_dataset()).splitlines()[0] == (
        "Dataset for fine-tuning: 1 example of 'a\\x1b[31m', from 1 trace"
    )


def test_a_part_of_the_frame_is_enough() -> None:
    run("When?", "In June.")
    assert len(traces()[["trace_id"]].to_dataset()) == 1
    assert len(traces().head(0).to_dataset()) == 0
    empty = traces().head(0).to_dataset(split=0.5)
    assert {name: len(part) for name, part in empty.splits.items()} == {"train": 0, "validation": 0}
