"""`dataset.check()`: what is taken by the platform and makes a training worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from agentkit import UserError
from agentkit.finetuning import FineTuningDataset
from agentkit.finetuning.examples import is_refusal, texts_of
from agentkit.finetuning.near import NearDuplicates, similarity
from agentkit.finetuning.personal import personal_data
from agentkit.training_files.findings import RULES
from tests.unit.finetuning.lines import Line, chat, many, pair, written

LONG = "The train to the airport leaves every ten minutes from the main station, platform four, all day long. "
KEY = "sk-" + "Ab1" * 12


def made(*examples: Any, **options: Any) -> FineTuningDataset:
    return FineTuningDataset.from_examples(examples, **options)


def told(dataset: FineTuningDataset, **options: Any) -> list[tuple[Any, ...]]:
    report = dataset.check(**options)
    return [
        (None if pd.isna(line) else int(line), rule, problem)
        for line, rule, problem in report[["line", "rule", "problem"]].itertuples(index=False)
    ]


def test_what_is_well_has_no_problems() -> None:
    report = made(*many()).check()
    assert (report.ok, len(report), repr(report)) == (True, 0, "examples: 60 examples for SFT, nothing wrong")
    assert made(*[pair(f"question {i}", f"yes {i}", f"no {i}") for i in range(60)]).check().counts == {}


def labels(*counts: int) -> list[Line]:
    return [
        chat(f"Message number {i} of group {label}: {i * 7919}", f"label {label}")
        for label, count in enumerate(counts)
        for i in range(count)
    ]


def refusing(count: int) -> list[Line]:
    lines = many()
    for index in range(count):
        lines[index]["messages"][-1]["content"] = f"I'm sorry, but I can't help with number {index}."
    return lines


def toned(old: str, new: str) -> list[Line]:
    lines = many()
    for index, line in enumerate(lines):
        line["messages"][-1]["content"] = f"{(old if index % 2 else new)} Number {index} it is, as {index * 31} says."
    return lines


CASES: dict[str, tuple[str, list[Line], list[tuple[Any, str]]]] = {
    "duplicate": ("duplicate", [*many(), many()[3]], [(61, "says the same as line 4")]),
    "near-duplicate": (
        "near-duplicate",
        [*many(), chat(LONG * 2 + "Why?", LONG), chat("x " + LONG * 2 + "Why?", LONG)],
        [(62, "says nearly the same as line 61")],
    ),
    "contradiction": (
        "contradiction",
        [*many(), chat("Is it?", "It is."), chat("Is it?", "It is not.")],
        [(62, "answers the same prompt otherwise than line 61")],
    ),
    "contradicting pairs": (
        "contradiction",
        [*[pair(f"question {i}", f"yes {i}", f"no {i}") for i in range(60)], pair("question 4", "no 4", "yes 4")],
        [(5, "rejects what line 61 prefers"), (61, "rejects what line 5 prefers")],
    ),
    "imbalance of labels": (
        "imbalance",
        labels(55, 5),
        [(None, "'label 0' is the answer in 92% of the examples, 'label 1' in 8.3%")],
    ),
    "imbalance of times": (
        "imbalance",
        labels(30, 30, 2),
        [(None, "'label 0' is the answer in 48% of the examples, 'label 2' in 3.2%")],
    ),
    "imbalance of texts": (
        "imbalance",
        [*many(30), *labels(40)],
        [(None, "'label 0' is the answer in 57% of the examples")],
    ),
    "refusals": ("refusals", refusing(36), [(None, "60% of the answers are refusals")]),
    "missing-system": (
        "missing-system",
        [*many(), chat("No rules?", "None at all.", system=None)],
        [(None, "1 of 61 examples have no system message; line 61 is the first without")],
    ),
    "tone": (
        "tone",
        toned("Das schicken wir Ihnen.", "Das schicken wir dir."),
        [(None, "answers are written in several ways: Sie and du (50% to 50%)")],
    ),
    "secret": ("secret", [*many(), chat("Use it", f"The key is {KEY}")], [(61, "has an API key")]),
    "personal-data": (
        "personal-data",
        [*many(), chat("Who?", "Write to jo@mail-server.de or call +49 30 9012345.")],
        [(61, "has an e-mail address, a phone number")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_warning_has_a_failing_example(case: str) -> None:
    rule, lines, expected = CASES[case]
    report = made(*lines).check()
    found = [(line, problem) for line, each, problem in told(made(*lines)) if each == rule]
    assert found == expected
    assert set(report["level"]) == {"warning"}
    assert report.ok
    assert KEY not in repr(report.to_dataframe().to_dict())


def test_every_rule_of_a_whole_set_has_a_failing_example() -> None:
    names = list(RULES)
    of_sets = set(names[names.index("duplicate") :])
    assert {rule for rule, _, _ in CASES.values()} == of_sets - {"overlap", "truncated"}, (
        "these have tests of their own"
    )


def test_long_examples_are_told_by_the_models_limit() -> None:
    lines = [*many(), chat("word " * 300, "Done.")]
    assert told(made(*lines), max_tokens=200) == [(61, "truncated", "has 321 tokens, of which 200 are read")]
    assert told(made(*lines), model="gpt-4o-mini") == []
    long = [*many(), chat("word " * 20_000, "Done.")]
    assert told(made(*long), model="ft:gpt-3.5-turbo-0125:me::1") == [
        (61, "truncated", "has 20,021 tokens, of which 16,385 are read")
    ]
    assert told(made(*long), model="gpt-4.1-mini-2025-04-14") == [], "its limit isn't known"
    with pytest.raises(UserError, match="max_tokens is a whole number"):
        made(chat()).check(max_tokens=0)


def test_validation_data_is_looked_for_in_the_training_data() -> None:
    training = made(*many(), chat("Is it?", "Yes, indeed it is."))
    validation = made(many()[4], chat("Is it?", "Perhaps."), chat("Another one?", "Yes."))
    report = training.check(validation=validation, quality=False)
    assert report[["line", "rule", "problem", "level"]].to_numpy().tolist() == [
        [5, "overlap", "is in the validation data, too: line 1", "error"],
        [61, "overlap", "has the prompt of line 2 of the validation data", "warning"],
    ]
    with pytest.raises(UserError, match="validation is a FineTuningDataset, not list"):
        training.check(validation=[])  # type: ignore[arg-type]


def test_the_parts_of_a_split_do_not_overlap() -> None:
    train, test = made(*[chat(f"question {i % 40}", f"answer {i}") for i in range(120)]).split()
    assert "overlap" not in train.check(validation=test).counts


def test_few_examples_are_an_error_and_not_many_a_warning() -> None:
    assert made(*many(9)).check().counts == {"too-few": 1}
    assert made(*many(9)).check().ok is False
    assert made(*many(49)).check().counts == {"few": 1}


def test_a_report_is_a_dataframe_that_shows_itself(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [*many(57), chat(" "), "{", "{", many()[0]])
    report = FineTuningDataset.from_jsonl(path).check()
    assert list(report.columns) == ["line", "field", "rule", "problem", "remedy", "level"]
    assert (report.examples, report.errors, report.warnings, report.ok) == (61, 2, 2, False)
    assert repr(report) == (
        "train.jsonl: 61 examples for SFT, 2 errors, 2 warnings\n"
        "  error    json: line 59: isn't JSON: expecting property name enclosed in double quotes, at character 2,"
        " near '{'\n"
        "           The line breaks off: is a line end in a text, or wasn't the file written to its end? (2 times)\n"
        "  warning  empty-text: line 58: messages[1].content says nothing\n"
        "           Say something there, or take the message out.\n"
        "  warning  duplicate: line 61: says the same as line 1\n"
        "           Take it out: dataset.dedupe()."
    )
    assert type(report[report["level"] == "error"]).__name__ == "DataFrame"


def test_a_report_repeats_no_keys_and_no_tricks(tmp_path: Path) -> None:
    lines = [f'{{"messages": {KEY}', {"\u202e\x1b[31m<b>": 1, "messages": []}]
    report = FineTuningDataset.from_jsonl(written(tmp_path / "train.jsonl", [*many(), *lines])).check()
    shown = repr(report) + report._repr_html_() + repr(report.to_numpy().tolist())
    assert "isn't JSON: expecting value, at character 14, near '{\"messages\": sk-[redacted]" in repr(report)
    assert (KEY in shown, "\x1b" in shown, "\u202e" in shown) == (False, False, False)
    assert "<b>" not in report._repr_html_()
    assert report._repr_html_().startswith("<p>train.jsonl: 62 examples for SFT, 3 errors</p><table")


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ("I'm sorry, but I can't do that.", True),
        ("I’m sorry, I cannot help.", True),
        ("Unfortunately, I can't share that.", True),
        ("As an AI, I have no opinion.", True),
        ("Es tut mir leid, das geht nicht.", True),
        ("Ich kann Ihnen dabei leider nicht helfen.", True),
        ("Je ne peux pas.", True),
        ("I can help with that.", False),
        ("The shop is sorry about it.", False),
        ("", False),
    ],
)
def test_refusals_are_known_by_how_they_begin(answer: str, refused: bool) -> None:
    assert is_refusal(answer) is refused


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Write to Jo.Doe+news@mail.server.org.", ["an e-mail address"]),
        ("Write to jo@example.com, a@shop.example or b@localhost.test.", []),
        ("Call (415) 867-5309 or 030-1234.", ["a phone number"]),
        ("Call +44 20 7946 0958 now.", ["a phone number"]),
        ("Call 212-555-0123.", []),
        ("IBAN DE89 3704 0044 0532 0130 00", ["a bank account (IBAN)"]),
        ("IBAN DE89 3704 0044 0532 0130 01", []),
        ("Card 4111 1111 1111 1111", []),
        ("Card 4012 8888 8888 1881", ["a card number"]),
        ("Card 4012 8888 8888 1882", []),
        ("SSN 123-45-6789, not 000-12-3456", ["a social security number"]),
        ("On 2026-11-21 at 10:30, 3 of 1,200 came; order 12345678901.", []),
    ],
)
def test_personal_data_is_known_by_its_form_and_its_check_digits(text: str, kinds: list[str]) -> None:
    assert personal_data(text) == kinds


def test_similarity_is_the_part_that_two_examples_share() -> None:
    assert similarity(chat(LONG), chat(LONG.upper(), system="Another.")) == 1.0
    assert similarity(chat(LONG), chat("Nothing of the kind, about cats and dogs", "No.")) == 0.0
    assert 0.4 < similarity(chat(LONG * 2 + "Why is it so?"), chat(LONG + "Why is it so?" * 2)) < 1
    assert similarity({}, {"messages": 3}) == 0.0


def test_near_duplicates_among_thousands_are_found() -> None:
    looks = NearDuplicates()
    lines = [chat(f"{LONG} {i}: " + " ".join(str(i * j * 7919) for j in range(1, 40)), "Yes.") for i in range(3_000)]
    lines[2_500] = chat(lines[17]["messages"][1]["content"] + " please", "Yes.")
    for number, line in enumerate(lines):
        looks.add(number, texts_of(line))
    assert (17, 2_500) in set(looks.pairs(lambda number: lines[number]))


def test_lines_that_cannot_be_read_do_not_disturb(tmp_path: Path) -> None:
    path = written(tmp_path / "train.jsonl", [*many(), "{", "[1]", '{"messages": 5}', '{"input": 3}', b"\xff"])
    dataset = FineTuningDataset.from_jsonl(path)
    report = dataset.check(validation=dataset)
    assert report.counts["overlap"] > 59
    assert set(report.counts) <= set(RULES)
    assert len(dataset.dedupe(near=True)) == 65
    assert repr(dataset[58:].preview(9))
    assert len(dataset.diff(dataset)) == 0
    assert len(dataset.tokens()) == 65
