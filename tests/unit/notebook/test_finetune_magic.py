"""`%finetune`: what it takes, what it refuses in a line, and what Tab offers. Trainings are in tests/kernel."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from agentkit.exceptions import UserError
from agentkit.notebook.completion import MagicCompleter
from agentkit.notebook.finetuning.named import as_typed
from agentkit.notebook.magics.finetune import FINETUNE
from agentkit.notebook.namespace import find_model

if TYPE_CHECKING:
    from conftest import Mistake, Run
    from IPython.core.interactiveshell import InteractiveShell

PARTS = ["check", "estimate", "start", "list", "watch", "cancel", "pause", "resume", "checkpoints", "use", "compare"]


@pytest.fixture
def train(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set as `train`, and the same as train.jsonl in the working folder, on the embedded platform."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTKIT_RENDER", "static")
    assert run("import agentkit; agentkit.connect('embedded');").error is None
    made = "[(f'Question {n}?', f'Answer {n}.') for n in range(12)], system='You answer.', name='train'"
    assert (
        run(f"train = agentkit.FineTuningDataset.from_examples({made}); train.to_jsonl('train.jsonl');").error is None
    )
    return tmp_path


def test_help_names_every_part_and_option(run: Run) -> None:
    told = run("%finetune --help").stdout
    assert [part for part in (*PARTS, "delete") if f"  {part} " not in told] == []
    options = run("%finetune start -h").stdout
    for flag in ("--model", "--method", "--epochs", "--suffix", "--seed", "--validation", "--name", "--watch"):
        assert f"  {flag}" in options
    assert FINETUNE.command.help() in (run("%finetune?").stdout + FINETUNE.command.help())


def test_examples_are_a_variable_or_a_file(run: Run, train: Path, mistake: Mistake) -> None:
    assert run("%finetune check train").value.summary.startswith("train: 12 examples for SFT")
    assert run("%finetune check train.jsonl --rules-only --name report").value.examples == 12
    assert run("report.ok").value is True
    assert run(
        "import pandas as pd\nframe = pd.DataFrame({'prompt': list('abcdefghijkl'), 'answer': list('abcdefghijkl')})"
    )
    assert run("%finetune check frame --rules-only").value.examples == 12
    assert run("%finetune check {{frame}} --rules-only").value.examples == 12
    assert mistake("%finetune check nothing") == "%finetune check: 'nothing' is no file, and no variable here."
    assert mistake("%finetune check {{nothing}}").endswith("{{nothing}}: nothing here is named 'nothing'.")
    assert run("number = 3").error is None
    assert "number is an int: examples are" in mistake("%finetune check number")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("start train --epochs 99", "--epochs is a whole number from 1 to 50"),
        ("start train --epochs few", "--epochs has to be a whole number, or auto, not 'few'."),
        ("start train --method ppo", "--method can't be 'ppo'. Did you mean dpo?"),
        ("start train --method dpo", "The examples are for SFT, and method is 'dpo'."),
        ("start train --beta 0.1", "beta belongs to DPO"),
        ("start train --validation 2", "--validation is a fraction between 0 and 1"),
        ("start train --watch --background", "--watch waits, and --background doesn't: take one of them."),
        ("start train --name train", "train is a FineTuningDataset here, and would be lost."),
        ("start train --model gpt-4.1", "gpt-4.1"),
        ("watch", "There is no job yet. %finetune start DATA starts one."),
        ("watch train", "train is a FineTuningDataset, and no fine-tuning job."),
        ("cancel", "It needs JOB"),
        ("delete ftjob-none --yes", "Could not find fine tune: ftjob-none. %finetune list lists those there are."),
        ("use ftjob-none --checkpoint last", "Could not find fine tune: ftjob-none."),
        ("use ftjob-none --checkpoint x", "--checkpoint has to be a step, best or last, not 'x'."),
        ("use ftjob-none --checkpoint ²", "--checkpoint has to be a step, best or last, not '²'."),
        ("compare", "It needs JOB …"),
        ("begin train", "There is no %finetune begin."),
    ],
)
def test_a_mistake_is_told_in_a_line_with_what_to_type(
    run: Run, train: Path, mistake: Mistake, line: str, said: str
) -> None:
    assert said in mistake(f"%finetune {line}")


def test_errors_advise_what_is_typed() -> None:
    error = UserError("The job x has no checkpoint of step 3.", hint="job.checkpoints has the steps. job.use('last').")
    assert as_typed(error, job="job") == (
        "The job x has no checkpoint of step 3. %finetune checkpoints job has the steps. "
        "%finetune use job --checkpoint last."
    )
    assert as_typed(UserError("n_epochs is a number."), data="train") == "--epochs is a number."


def test_an_agent_takes_the_variable_that_holds_a_trained_model() -> None:
    assert find_model({"model": "ft:tiny-1:agentkit::abc"}, "model") == "ft:tiny-1:agentkit::abc"
    assert find_model({"model": "some text"}, "model") == "model"
    job = SimpleNamespace(fine_tuned_model="ft:tiny-1:agentkit::abc", use=lambda: "ft:tiny-1:agentkit::abc")
    assert find_model({"job": job}, "job") == "ft:tiny-1:agentkit::abc"


def test_no_jobs_yet(run: Run, train: Path) -> None:
    shown = run("%finetune list").value
    assert shown.plain() == "No fine-tuning jobs yet.\nStart one: %finetune start DATA."


def test_tab_offers_parts_options_data_and_models(run: Run, train: Path, loaded: InteractiveShell) -> None:
    completer = MagicCompleter(loaded, {"finetune": FINETUNE.command})

    def offered(line: str) -> list[str]:
        found: Any = completer.complete(line, len(line))
        return [each.text for each in found["completions"]]

    assert offered("%finetune ") == [*PARTS, "delete"]
    assert offered("%finetune start tr") == ["train", "train.jsonl"]
    assert offered("job = %finetune start train --model ti") == ["tiny-1"]
    assert offered("%finetune start train --validation t") == ["train", "train.jsonl"]
    assert offered("%finetune start train --lo") == ["--lora-rank"]
    assert offered("%finetune use x --checkpoint ") == ["best", "last"]
    assert offered("%finetune watch ") == []
