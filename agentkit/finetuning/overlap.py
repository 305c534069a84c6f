"""Whether a training is measured by what it has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.finetuning.examples import fingerprint, prompt_of
from agentkit.training_files.findings import Findings

if TYPE_CHECKING:
    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["look_for_overlap"]


def look_for_overlap(findings: Findings, training: FineTuningDataset, validation: Any) -> None:
    """Tell which examples of the training data, or whose prompts, are in the validation data.

    The platform asks that no example is in both; the same prompt tells what to answer, too.

    Args:
        findings: Where it is told.
        training: The training data.
        validation: The validation data.

    Raises:
        UserError: It is no data set.
    """
    from agentkit.finetuning.dataset import FineTuningDataset

    if not isinstance(validation, FineTuningDataset):
        raise UserError(
            f"validation is a FineTuningDataset, not {type(validation).__name__}.",
            hint="FineTuningDataset.from_jsonl(path) opens a file.",
        )
    lines: dict[bytes, int] = {}
    prompts: dict[bytes, int] = {}
    for index, value in enumerate(validation.values()):
        if value is not None:
            lines.setdefault(fingerprint(value), index)
            prompts.setdefault(fingerprint(prompt_of(value)), index)
    for index, value in enumerate(training.values()):
        if value is None:
            continue
        number = training.line_number(index)
        if (same := lines.get(fingerprint(value))) is not None:
            problem = f"is in the validation data, too: line {validation.line_number(same):,}"
            findings.add(
                number, "overlap", "", problem, "Take it out of one of them: dataset.split() keeps them apart."
            )
        elif (same := prompts.get(fingerprint(prompt_of(value)))) is not None:
            problem = f"has the prompt of line {validation.line_number(same):,} of the validation data"
            remedy = "Put both into one of them: dataset.split() does."
            findings.add(number, "overlap", "", problem, remedy, "warning")
