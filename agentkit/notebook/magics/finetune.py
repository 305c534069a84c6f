"""`%finetune`: data sets are checked, trainings are started, watched and used."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.modes import render_mode, somebody_is_there
from agentkit.notebook.finetuning.commands import COMMAND
from agentkit.notebook.finetuning.named import (
    as_typed,
    dataset_named,
    examples_named,
    find_job,
    jobs_in,
    model_named,
)
from agentkit.notebook.magics.base import Magic, variable_name
from agentkit.notebook.options import Arguments, Command, kind_of, typed_sign, usage_error
from agentkit.notebook.stores import attributes_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from agentkit.finetuning.job import FineTuningJob

__all__ = ["FINETUNE"]

_HYPERPARAMETERS = {
    "epochs": "n_epochs", "batch_size": "batch_size", "lr_multiplier": "learning_rate_multiplier", "beta": "beta",
    "lora_rank": "lora_rank", "max_length": "max_length",
}  # fmt: skip


def _run(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import AgentsException
    from agentkit.finetuning.failures import FineTuningError

    part = arguments.subcommand or "list"
    command = COMMAND.subcommand(part) or COMMAND
    try:
        return _PARTS[part](command, shell, arguments)
    except FineTuningError:
        raise  # shown above, and told in a line by itself
    except AgentsException as error:
        told = as_typed(error, job=arguments.subject, data=arguments.subject)
        raise usage_error(command, told) from None


# -- before a training ------------------------------------------------------------------------------------------------


def _check(command: Command, shell: InteractiveShell, arguments: Arguments) -> Any:
    data = dataset_named(command, shell.user_ns, str(arguments.subject))
    validation = arguments["validation"]
    if validation is not None:
        validation = dataset_named(command, shell.user_ns, validation)
    model = model_named(shell.user_ns, arguments["model"])
    named = model if isinstance(model, str) else getattr(model, "fine_tuned_model", None)
    report = data.check(validation=validation, model=named, quality=not arguments["rules_only"])
    return _named(command, shell, arguments, report)


def _estimate(command: Command, shell: InteractiveShell, arguments: Arguments) -> Any:
    data = dataset_named(command, shell.user_ns, str(arguments.subject))
    given = {} if arguments["epochs"] in (None, "auto") else {"epochs": arguments["epochs"]}
    return _named(command, shell, arguments, data.estimate(model_named(shell.user_ns, arguments["model"]), **given))


def _named(command: Command, shell: InteractiveShell, arguments: Arguments, value: Any) -> Any:
    """Put a value into the variable that was named, if one was, and return it."""
    if arguments["name"]:
        shell.user_ns[variable_name(command, arguments["name"])] = value
    return value


# -- a training -------------------------------------------------------------------------------------------------------


def _start(command: Command, shell: InteractiveShell, arguments: Arguments) -> FineTuningJob:
    from agentkit.finetuning.starting import finetune

    if arguments["watch"] and arguments["background"]:
        raise usage_error(command, "--watch waits, and --background doesn't: take one of them.")
    if arguments["name"]:
        _refuse_taken(command, shell, variable_name(command, arguments["name"]))
    hyperparameters = {name: arguments[key] for key, name in _HYPERPARAMETERS.items() if arguments[key] is not None}
    metadata = attributes_of(command, arguments["set"] or [])
    with _warnings_in_lines(command, str(arguments.subject)):
        job = finetune(
            examples_named(command, shell.user_ns, str(arguments.subject)),
            model=model_named(shell.user_ns, arguments["model"]),
            method=arguments["method"],
            hyperparameters=hyperparameters or None,
            suffix=arguments["suffix"],
            seed=arguments["seed"],
            validation=_validation(command, shell, arguments["validation"]),
            wandb=arguments["wandb"],
            metadata=None if metadata is None else {key: str(value) for key, value in metadata.items()},
        )
    _named(command, shell, arguments, job)
    return _shown(shell, job, wait=not arguments["background"])


@contextlib.contextmanager
def _warnings_in_lines(command: Command, data: str) -> Iterator[None]:
    """Tell warnings of the examples in a line each: where in the package they come from helps nobody."""
    from agentkit.notebook.display.text import clean

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        try:
            yield
        finally:
            for warning in told:
                text = as_typed(UserWarning(str(warning.message)), data=data)
                print(f"{typed_sign(command)}: {clean(text)}", file=sys.stderr)


def _validation(command: Command, shell: InteractiveShell, word: str | None) -> Any:
    if word is None:
        return None
    try:
        return float(word)
    except ValueError:
        return examples_named(command, shell.user_ns, word)


def _refuse_taken(command: Command, shell: InteractiveShell, variable: str) -> None:
    """Refuse to put a job in the place of a variable that holds what it was to be trained with."""
    from agentkit.finetuning.dataset import FineTuningDataset

    if isinstance(held := shell.user_ns.get(variable), FineTuningDataset):
        raise usage_error(command, f"{variable} is {kind_of(held)} here, and would be lost. Name another variable.")


def _shown(shell: InteractiveShell, job: FineTuningJob, *, wait: bool) -> FineTuningJob:
    """Show a job in the cell, and wait for it where that is wanted."""
    from agentkit.notebook.finetuning.view import show_job
    from agentkit.notebook.finetuning.waiting import wait_for_job

    mode = render_mode(shell)
    if not wait:
        show_job(shell, job, mode=mode)
        return job
    update: Any = shell.displayhook.update_user_ns
    update(job)  # an interrupt or a failure leaves it in `_`
    wait_for_job(shell, job, mode=mode)
    return job


def _watch(command: Command, shell: InteractiveShell, arguments: Arguments) -> FineTuningJob:
    job = find_job(command, shell.user_ns, arguments.subject)
    _named(command, shell, arguments, job)
    return _shown(shell, job, wait=not arguments["background"])


def _list(command: Command, shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.finetuning.jobs import finetuning_jobs
    from agentkit.notebook.display.job_lists import jobs_listing

    return jobs_listing(finetuning_jobs(), {job.id: name for name, job in jobs_in(shell.user_ns).items()})


def _act(command: Command, shell: InteractiveShell, arguments: Arguments) -> None:
    job = find_job(command, shell.user_ns, arguments.subject)
    action = arguments.subcommand
    {"cancel": job.cancel, "pause": job.pause, "resume": job.resume}[str(action)]()
    done = {"cancel": "cancelled", "pause": "paused", "resume": ""}[str(action)]
    if job.status == done:
        print(f"{job.id} is {done}.")
    elif action == "resume":
        print(f"{job.id} goes on: %finetune watch {arguments.subject} shows it.")
    else:
        print(f"{job.id} will be {done} after the step that it is at.")


def _checkpoints(command: Command, shell: InteractiveShell, arguments: Arguments) -> Any:
    job = find_job(command, shell.user_ns, arguments.subject)
    frame = job.checkpoints
    return frame.drop(columns="time").dropna(axis="columns", how="all")


def _use(command: Command, shell: InteractiveShell, arguments: Arguments) -> str:
    variable = variable_name(command, arguments["name"] or "model")
    held = shell.user_ns.get(variable, "")
    if not isinstance(held, str) and not arguments["name"]:
        raise usage_error(
            command, f"{variable} is {kind_of(held)} here, and would be lost: name a variable, --name tuned."
        )
    checkpoint = _checkpoint(command, arguments["checkpoint"])
    name = find_job(command, shell.user_ns, arguments.subject).use(checkpoint)
    shell.user_ns[variable] = name
    print(f"It is in the variable {variable}.")
    return name


def _checkpoint(command: Command, word: str | None) -> Any:
    if word is None or word in ("best", "last"):
        return word
    if not (word.isascii() and word.isdigit()):
        raise usage_error(command, f"--checkpoint has to be a step, best or last, not {word!r}.")
    return int(word)


def _compare(command: Command, shell: InteractiveShell, arguments: Arguments) -> Any:
    from agentkit.finetuning.comparing_jobs import compare_jobs, labels_of
    from agentkit.notebook.display.job_lists import compared_bundle
    from agentkit.notebook.display.publish import publish
    from agentkit.notebook.over.shown_once import show_once

    jobs = [find_job(command, shell.user_ns, word) for word in arguments.words]
    frame = compare_jobs(*jobs)
    seen = [job.snapshot(events=0) for job in jobs]
    bundle = compared_bundle(list(zip(labels_of(seen), seen, strict=True)))
    if render_mode(shell) == "console":
        print(bundle["text/plain"])
    else:
        publish(bundle)
        show_once(shell, frame)
    return frame


def _delete(command: Command, shell: InteractiveShell, arguments: Arguments) -> None:
    from agentkit.notebook.display.text import clean

    job = find_job(command, shell.user_ns, arguments.subject)
    if not job.is_over:
        raise usage_error(command, f"{job.id} is {job.status}: %finetune cancel {arguments.subject} ends it first.")
    named = clean(job.fine_tuned_model or job.id)
    if not arguments["yes"]:
        if not somebody_is_there(shell):
            raise usage_error(command, f"Nobody is there to be asked whether {named} may be deleted: add --yes.")
        said = input(f"Delete {named} with its checkpoints, for good? [y]es, [n]o: ")
        if said.strip().lower() not in ("y", "yes"):
            print(f"{named} was not deleted.")
            return
    job.delete(confirm=True)
    print(f"Deleted {named}.")


_PARTS: dict[str, Any] = {
    "check": _check,
    "estimate": _estimate,
    "start": _start,
    "list": _list,
    "watch": _watch,
    "cancel": _act,
    "pause": _act,
    "resume": _act,
    "checkpoints": _checkpoints,
    "use": _use,
    "compare": _compare,
    "delete": _delete,
}

FINETUNE = Magic(COMMAND, _run)
