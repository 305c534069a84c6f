"""Jobs, examples and models as `%finetune` names them: by variable, by id, by file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.notebook.namespace import instances
from agentkit.notebook.options import Command, closest, kind_of, usage_error

if TYPE_CHECKING:
    from agentkit.finetuning.dataset import FineTuningDataset
    from agentkit.finetuning.job import FineTuningJob

__all__ = [
    "as_typed",
    "dataset_named",
    "datasets_in",
    "examples_named",
    "find_job",
    "job_names",
    "jobs_in",
    "model_named",
    "start_models",
]

_PLACE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_EMBEDDED = "embedded"
_OWN_JOBS = 20
_FLAGS = {
    "n_epochs": "--epochs", "batch_size": "--batch-size", "learning_rate_multiplier": "--lr-multiplier",
    "lora_rank": "--lora-rank", "max_length": "--max-length", "beta": "--beta", "suffix": "--suffix", "seed": "--seed",
    "validation": "--validation", "method": "--method", "metadata": "--set", "wandb": "--wandb",
}  # fmt: skip
_TYPED = (
    (r"agentkit\.finetuning_jobs\(\) lists", "%finetune list lists"),
    (r"job\.wait\(\) waits", "%finetune watch {job} waits"),
    (r"job\.(resume|cancel|pause)\(\)", r"%finetune \1 {job}"),
    (r"job\.use\(['\"](last|best)['\"]\)", r"%finetune use {job} --checkpoint \1"),
    (r"job\.checkpoints has", "%finetune checkpoints {job} has"),
    (r"job\.delete\(confirm=True\)", "%finetune delete {job} --yes"),
    (r"dataset\.check\(\)", "%finetune check {data}"),
    (r"finetune needs the model", "%finetune needs --model, the model"),
    (r"(?<![\w-])method=[\"']?(sft|dpo)[\"']?", r"--method \1"),
    (r"validation=(0\.\d+)", r"--validation \1"),
)
"""What an error advises in Python, and what is typed instead."""


def jobs_in(names: Mapping[str, Any]) -> dict[str, FineTuningJob]:
    """Return the jobs among the notebook's variables. Imports nothing."""
    return instances(names, "agentkit.finetuning.job", "FineTuningJob")


def datasets_in(names: Mapping[str, Any]) -> dict[str, FineTuningDataset]:
    """Return the data sets among the notebook's variables. Imports nothing."""
    return instances(names, "agentkit.finetuning.dataset", "FineTuningDataset")


# -- jobs -------------------------------------------------------------------------------------------------------------


def find_job(command: Command, names: Mapping[str, Any], name: str | None) -> FineTuningJob:
    """Return the job that a variable holds, or that has an id; the newest of the platform where none is named.

    Raises:
        UsageError: The variable holds something else, or there is no job.
        UserError: The platform has none of that id.
    """
    from agentkit.finetuning.job import FineTuningJob
    from agentkit.finetuning.jobs import finetuning_job

    if name is None:
        newest = _newest(1)
        if not newest:
            raise usage_error(command, "There is no job yet. %finetune start DATA starts one.")
        return finetuning_job(newest[0])
    value = names.get(name)
    if isinstance(value, FineTuningJob):
        return value.refresh() if not value.is_over else value
    if isinstance(value, str) and value.startswith("ftjob"):
        return finetuning_job(value)
    if value is not None and name.isidentifier():
        raise usage_error(command, f"{name} is {kind_of(value)}, and no fine-tuning job.")
    if not name.startswith("ftjob"):
        near = closest(name, [*jobs_in(names), *job_names(names)])
        raise usage_error(command, f"No job is in a variable {name!r}, and it is no id of one.{near} %finetune list.")
    return finetuning_job(name)


def _newest(limit: int) -> list[str]:
    """Return the ids of the newest jobs of the platform."""
    from agentkit.finetuning import asking
    from agentkit.finetuning.jobs import backend_of
    from agentkit.runtime.background import run_blocking

    async def look() -> list[str]:
        return [each.id for each in await asking.listed(backend_of(None).client, limit)]

    return run_blocking(look())


def job_names(names: Mapping[str, Any]) -> list[str]:
    """Return for Tab the variables that hold jobs, then the ids of others. A server isn't asked for these."""
    held = jobs_in(names)
    ids = {job.id for job in held.values()}
    return [*sorted(held), *(each for each in _own(_newest) if each not in ids)]


def _own(look: Any) -> list[str]:  # a function of a number
    """Return what the embedded platform says, where that is connected."""
    from agentkit import backend
    from agentkit.exceptions import AgentsException

    try:
        if backend.current_backend().name != _EMBEDDED:
            return []
        found: list[str] = look(_OWN_JOBS)
    except AgentsException:  # nothing is connected
        return []
    return found


# -- examples ---------------------------------------------------------------------------------------------------------


def examples_named(command: Command, names: Mapping[str, Any], word: str) -> Any:
    """Return what a word stands for: a data set, a dataframe's data set, or a path.

    `{{name}}` is the variable of that name, whatever files there are; a word alone is one where no file is called so.

    Raises:
        UsageError: The variable isn't there, or holds something else.
    """
    place = _PLACE.fullmatch(word)
    if place is not None and place[1] not in names:
        raise usage_error(command, f"{word}: nothing here is named {place[1]!r}.")
    name = place[1] if place is not None else word
    if place is None and (not name.isidentifier() or name not in names or Path(name).exists()):
        path = Path(word).expanduser()
        if not path.exists():
            near = closest(word, datasets_in(names))
            raise usage_error(command, f"{word!r} is no file, and no variable here.{near}")
        return path
    return _as_examples(command, name, names[name])


def _as_examples(command: Command, name: str, value: Any) -> Any:
    from agentkit.finetuning.dataset import FineTuningDataset

    if isinstance(value, FineTuningDataset | str | PathLike):
        return value
    if instances({name: value}, "pandas", "DataFrame"):
        return FineTuningDataset.from_dataframe(value, name=name)
    if isinstance(value, list | tuple):
        return FineTuningDataset.from_examples(value, name=name)
    raise usage_error(
        command, f"{name} is {kind_of(value)}: examples are a FineTuningDataset, a dataframe, a list or a file."
    )


def dataset_named(command: Command, names: Mapping[str, Any], word: str) -> FineTuningDataset:
    """Return the data set that a word stands for. Errors as for `examples_named`, and those of opening a file."""
    from agentkit.finetuning.material import opened_dataset

    return opened_dataset(examples_named(command, names, word))


# -- models -----------------------------------------------------------------------------------------------------------


def model_named(names: Mapping[str, Any], word: str | None) -> Any:
    """Return the model to start from: what a variable holds that can be one, else the word."""
    if word is None or word not in names or not word.isidentifier():
        return word
    value = names[word]
    return value if isinstance(value, str | PathLike) or word in jobs_in(names) else word


def start_models(names: Mapping[str, Any]) -> list[str]:
    """Return for Tab the models that can be trained, as far as is known without asking a server."""
    from agentkit import backend
    from agentkit.exceptions import AgentsException

    jobs = sorted(name for name, job in jobs_in(names).items() if job.fine_tuned_model)
    try:
        platform = backend.current_backend().name
    except AgentsException:
        return jobs
    if platform == "openai":
        from agentkit.finetuning.hosted import trainable_models

        return [*trainable_models(), *jobs]
    return ["tiny-1", *jobs, *_own(_trained)] if platform == _EMBEDDED else jobs


def _trained(limit: int) -> list[str]:
    """Return the models that came of the newest jobs."""
    from agentkit.finetuning import asking
    from agentkit.finetuning.jobs import backend_of
    from agentkit.runtime.background import run_blocking

    async def look() -> list[str]:
        told = await asking.listed(backend_of(None).client, limit)
        return [each.fine_tuned_model for each in told if each.fine_tuned_model]

    return run_blocking(look())


# -- errors -----------------------------------------------------------------------------------------------------------


def as_typed(error: Exception, *, job: str | None = None, data: str | None = None) -> str:
    """Return what an error says, with the magic's words where it advises Python's.

    Args:
        error: What was raised.
        job: The job as it was typed.
        data: The examples as they were typed.
    """
    message, hint = str(getattr(error, "message", error)), getattr(error, "hint", None) or ""
    first, space, rest = message.partition(" ")
    if first in _FLAGS:
        message = f"{_FLAGS[first]}{space}{rest}"
    text = f"{message} {hint}".strip()
    for advised, typed in _TYPED:
        text = re.sub(advised, typed.replace("{job}", job or "JOB").replace("{data}", data or "DATA"), text)
    return text
