"""What a training will cost: tokens and a price with its date, or hours on this machine; unknown where it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import agentkit
from agentkit import FineTuningDataset, UserError, backend
from agentkit.finetuning import probing
from agentkit.finetuning.costs import assumed_epochs
from agentkit.finetuning.hosted import training_price
from agentkit.local.tokenizing import count_tokens
from agentkit.pricing import price_of


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("AGENTKIT_HOME", str(tmp_path))
    probing.forget_probes()
    yield
    probing.forget_probes()
    backend.disconnect()


def examples(count: int = 100) -> FineTuningDataset:
    return FineTuningDataset.from_examples([(f"Question {number}", "Yes, of course.") for number in range(count)])


def test_tokens_and_price_of_a_model_that_openai_trains() -> None:
    dataset = examples()
    found = dataset.estimate("gpt-4.1-mini-2025-04-14", epochs=4)
    learnt = count_tokens("Yes, of course.")
    assert (found.tokens, found.examples, found.epochs) == (int(dataset.tokens()["tokens"].sum()), 100, 4)
    assert found.trained_tokens is not None
    assert found.trained_tokens >= 100 * learnt
    assert found.tokens is not None
    assert found.cost_usd == pytest.approx(found.tokens * 4 * 5 / 1_000_000)
    assert (found.price_date, found.seconds, found.hours) == ("2026-11-21", None, None)


def test_it_reads_as_a_few_lines() -> None:
    text = repr(examples(200).estimate("gpt-4o-2024-08-06"))
    assert text.splitlines()[:3] == [
        "Estimate for SFT of 'gpt-4o-2024-08-06'",
        "  examples: 200",
        "  epochs:   3 (assumed)",
    ]
    assert "($25.00 for 1,000,000, list of 2026-11-21)" in text
    assert text.endswith("time:     unknown")


def test_what_is_not_known_is_unknown() -> None:
    found = examples().estimate("gpt-9-nova")
    assert (found.cost_usd, found.seconds, found.price_date) == (None, None, "")
    assert "price:    unknown" in repr(found)
    assert found.note == "No training price of 'gpt-9-nova' is known."


def test_examples_that_are_too_long_count_as_they_are_cut() -> None:
    dataset = FineTuningDataset.from_examples([("word " * 20_000, "x"), ("word", "x")])
    found = dataset.estimate("gpt-3.5-turbo-0125", epochs=1)
    assert found.tokens is not None
    assert 16_385 < found.tokens < 16_450


@pytest.mark.parametrize(
    ("count", "epochs"), [(10, 10), (1, 25), (33, 3), (34, 3), (8_000, 3), (9_000, 2), (30_000, 1)]
)
def test_epochs_are_assumed_as_the_cookbook_does(count: int, epochs: int) -> None:
    assert assumed_epochs(count) == epochs


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("gpt-4.1-2025-04-14", 25.0),
        ("ft:gpt-4.1-mini-2025-04-14:org:try:abc", 5.0),
        ("gpt-4o-mini", 3.0),
        ("tiny-1", None),
        ("gpt-4", None),
    ],
)
def test_the_price_of_training_is_that_of_the_model_it_starts_from(model: str, price: float | None) -> None:
    found = training_price(model)
    assert (None if found is None else found.usd_per_million) == price


def test_what_is_trained_can_be_priced_when_it_is_used() -> None:
    for model in json.loads((Path(agentkit.__file__).parent / "data" / "fine_tuning.json").read_text())["trainable"][
        "models"
    ]:
        assert training_price(model) is not None
        assert price_of(f"ft:{model}:org:try:abc") is not None


def probing_with(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a program of ours make the steps; it finds what was asked for in `asked`."""
    lines = f"import json, sys, pathlib; asked = json.load(sys.stdin); {program}"
    monkeypatch.setattr(probing, "PROGRAM", (sys.executable, "-c", lines))


ANSWER = (
    "print(json.dumps({'seconds_per_step': 0.5, 'steps': 30, 'n_epochs': 3, 'start_s': 4.0, 'tokens_per_example': 12.5,"
    " 'device': 'cpu', 'parameters': 1000, 'tokens_per_second': 9.0}))"
)


def test_on_this_machine_a_few_steps_are_made_to_see(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    agentkit.connect("embedded")
    note = tmp_path / "asked.jsonl"
    keep = (
        f"asked['lines'] = pathlib.Path(asked['lines']).read_text(); open({str(note)!r}, 'a').write(json.dumps(asked))"
    )
    probing_with(f"{keep}; {ANSWER}", monkeypatch)
    dataset = examples()
    found = dataset.estimate(hyperparameters={"lora_rank": 4})
    assert (found.model, found.epochs, found.steps, found.tokens) == ("tiny-1", 3, 30, 1_250)
    assert (found.seconds, found.cost_usd) == (19.0, None)
    assert repr(found).splitlines()[-1] == "  time:     about 19 s (30 steps, 0.5 s a step, cpu)"
    assert json.loads(note.read_text()) == {
        "model": "tiny-1", "method": "supervised", "hyperparameters": {"lora_rank": 4}, "count": 100,
        "home": str(tmp_path), "lines": "".join(line.decode() + "\n" for line in dataset.lines),
    }  # fmt: skip


def test_the_same_steps_are_made_once_whatever_the_epochs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    agentkit.connect("embedded")
    note = tmp_path / "runs.txt"
    probing_with(f"open({str(note)!r}, 'a').write('x'); {ANSWER}", monkeypatch)
    dataset = examples()
    assert [dataset.estimate(epochs=epochs).steps for epochs in (None, 3, 50)] == [30, 30, 500]
    assert note.read_text() == "x"
    dataset.map(lambda line: line | {"tools": []}).estimate()
    assert note.read_text() == "xx"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("print(json.dumps({'error': {'code': 'invalid_model', 'message': 'No tokenizer.'}}))", "No tokenizer."),
        ("sys.exit('Traceback\\nOSError: disk full')", "No steps could be made to see: OSError: disk full"),
        ("sys.exit(1)", "No steps could be made to see: it said nothing"),
    ],
)  # fmt: skip
def test_steps_that_could_not_be_made_leave_the_time_unknown(
    monkeypatch: pytest.MonkeyPatch, program: str, why: str
) -> None:
    agentkit.connect("embedded")
    probing_with(program, monkeypatch)
    found = examples().estimate(epochs=2)
    assert (found.seconds, found.tokens, found.epochs, found.note) == (None, None, 2, why)
    assert "time:     unknown" in repr(found)


def test_arguments_that_make_no_sense_are_told() -> None:
    dataset = examples()
    with pytest.raises(UserError, match="A training needs the model to start from, and none is named"):
        dataset.estimate()
    with pytest.raises(UserError, match="n_epochs is a whole number from 1 to 50"):
        dataset.estimate("gpt-4o", epochs=0)
    with pytest.raises(UserError, match="The examples are for SFT, and method is 'dpo'"):
        dataset.estimate("gpt-4o", method="dpo")
    with pytest.raises(UserError, match="There are no examples to estimate"):
        dataset[:0].estimate("gpt-4o")
