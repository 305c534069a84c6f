"""Starting a training: the examples are checked and sent, and a job is made of them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from agentkit._called_as import called_as
from agentkit.exceptions import AgentsException, ModelServerError
from agentkit.files.checks import check_listener, check_switch
from agentkit.files.relay import run_told
from agentkit.finetuning import asking
from agentkit.finetuning.following import Known
from agentkit.finetuning.job import FineTuningJob
from agentkit.finetuning.jobs import backend_of
from agentkit.finetuning.material import Material, check, material_of, tell
from agentkit.finetuning.progress import FineTuningProgress, Listener, Stage, listener_for
from agentkit.finetuning.requested import Wanted, wanted_job
from agentkit.finetuning.sending import Sending, content_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from agentkit.backend import Backend
    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["afinetune", "finetune"]

_MEANT: Final = {
    "epochs": "hyperparameters", "n_epochs": "hyperparameters", "batch_size": "hyperparameters",
    "learning_rate": "hyperparameters", "beta": "hyperparameters", "name": "suffix", "valid": "validation",
    "test": "validation", "base": "model",
}  # fmt: skip
"""What others call arguments."""


@called_as("agentkit.finetune", meant=_MEANT)
def finetune(
    dataset: FineTuningDataset | str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | FineTuningJob | None = None,
    method: Literal["sft", "dpo"] | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    suffix: str | None = None,
    seed: int | None = None,
    validation: FineTuningDataset | str | os.PathLike[str] | float | None = None,
    wandb: str | Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    wait: bool = False,
    on_progress: Listener | None = None,
    client: AsyncOpenAI | None = None,
) -> FineTuningJob:
    """Train a model on examples, on whatever platform is connected, and return the job.

    The examples are checked first: what the platform wouldn't take is an error, and nothing is sent then; what isn't
    good is one warning. They are sent as a file named after the data set, unless the platform has the same bytes.

    Args:
        dataset: The examples, or their file.
        model: The model to start from. On the embedded platform the folder of a model, its name on Hugging Face, a
            model that was trained before, or a job whose model it is; None for "tiny-1", which is made on the spot and
            knows nothing: for trying things out, and for small tasks with short answers.
        method: "sft" for supervised fine-tuning on answers, "dpo" for preference optimization on pairs; None for what
            the examples are for.
        hyperparameters: `n_epochs`, `batch_size`, `learning_rate_multiplier`, and `beta` for DPO; on the embedded
            platform `lora_rank` (0 for all weights) and `max_length` in tokens, too. Those that are missing or "auto"
            are chosen by the platform.
        suffix: What is put into the new model's name, at most 64 characters.
        seed: The same examples, hyperparameters and seed give the same training. None leaves it to the platform.
        validation: Examples to measure on while it trains, or their file; or a fraction such as 0.1, which is taken
            away from the examples, by the seed.
        wandb: The project on Weights & Biases to which metrics are sent, or a dictionary of `project`, `name`,
            `entity` and `tags`.
        metadata: At most 16 texts by keys, for what you like.
        wait: Whether to wait until it is over.
        on_progress: Told of each step of checking, uploading and, with `wait`, training.
        client: Whom to ask; the connected platform when None.

    Raises:
        UserError: The examples are wrong, an argument makes no sense, or the platform refuses.
        FineTuningError: It was waited for, and failed.
    """
    check_switch("wait", wait)
    check_listener(on_progress, "FineTuningProgress")
    backend = backend_of(client)
    material = material_of(dataset, validation, seed)
    wanted = wanted_job(
        backend, material.train.kind, model=model, method=method, hyperparameters=hyperparameters, suffix=suffix,
        seed=seed, wandb=wandb, metadata=metadata,
    )  # fmt: skip
    listener = on_progress or listener_for(material.name)
    with _stages(material.name, listener) as told:
        told("checking")
        tell(check(material, wanted.model), frames=3)
        make = functools.partial(_start, backend, material, wanted, wait)
        return run_told(make, listener)  # type: ignore[no-any-return]


@called_as("agentkit.afinetune", meant=_MEANT)
async def afinetune(
    dataset: FineTuningDataset | str | os.PathLike[str],
    *,
    model: str | os.PathLike[str] | FineTuningJob | None = None,
    method: Literal["sft", "dpo"] | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    suffix: str | None = None,
    seed: int | None = None,
    validation: FineTuningDataset | str | os.PathLike[str] | float | None = None,
    wandb: str | Mapping[str, Any] | None = None,
    metadata: Mapping[str, str] | None = None,
    wait: bool = False,
    on_progress: Listener | None = None,
    client: AsyncOpenAI | None = None,
) -> FineTuningJob:
    """Train a model on examples, for async code. Arguments and errors as for `finetune`."""
    check_switch("wait", wait)
    check_listener(on_progress, "FineTuningProgress")
    backend = backend_of(client)
    material = await asyncio.to_thread(material_of, dataset, validation, seed)
    wanted = wanted_job(
        backend, material.train.kind, model=model, method=method, hyperparameters=hyperparameters, suffix=suffix,
        seed=seed, wandb=wandb, metadata=metadata,
    )  # fmt: skip
    with _stages(material.name, on_progress) as told:
        told("checking")
        tell(await asyncio.to_thread(check, material, wanted.model), frames=2)
        return await _start(backend, material, wanted, wait, on_progress or _nobody)


def _nobody(_: FineTuningProgress) -> None:
    """Tell nobody."""


@contextlib.contextmanager
def _stages(name: str, listener: Listener | None) -> Iterator[Callable[[Stage], None]]:
    """Give what tells of a stage; tell whether it came to its end."""

    def told(stage: Stage) -> None:
        if listener is not None:
            listener(FineTuningProgress(name, stage))

    try:
        yield told
    except BaseException:
        told("stopped")
        raise
    told("done")


async def _start(backend: Backend, material: Material, wanted: Wanted, wait: bool, told: Listener) -> FineTuningJob:
    """Send the examples, make a job of them and return it; wait for it, where that is wanted."""
    client, name = backend.client, material.name
    await asking.listed(client, 1)  # a platform that has no fine-tuning says so before anything is sent
    sending = Sending(
        client, lambda done, total: told(FineTuningProgress(name, "uploading", bytes_sent=done, bytes_total=total))
    )
    try:
        files = await _sent(sending, material)
        told(FineTuningProgress(name, "creating"))
        job = await _created(backend, wanted, files, material)
    except ModelServerError:
        raise  # nobody knows whether a job was made, which would need its files
    except BaseException:
        await sending.take_back()
        raise
    if wait:
        await job.wait_async(on_progress=lambda seen: told(FineTuningProgress(name, "training", job=seen)))
    return job


async def _sent(sending: Sending, material: Material) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="agentkit-") as folder:
        datasets = [each for each in (material.train, material.validation) if each is not None]
        contents = [await asyncio.to_thread(content_of, each, Path(folder)) for each in datasets]
        return await sending.send(contents)


async def _created(backend: Backend, wanted: Wanted, files: list[str], material: Material) -> FineTuningJob:
    """Make the job. One that is made although nobody waits for it any more is cancelled."""
    notes = {"examples": len(material.train)}
    if material.validation is not None:
        notes["validation_examples"] = len(material.validation)
    body = wanted.body(files[0], files[1] if len(files) > 1 else None, notes)
    creating = asyncio.ensure_future(_made(backend, body))
    try:
        return await asyncio.shield(creating)
    except asyncio.CancelledError:
        with contextlib.suppress(AgentsException):
            await (await creating).acancel()
        raise


async def _made(backend: Backend, body: Mapping[str, Any]) -> FineTuningJob:
    """Make a job and look at it: where that fails, it is there all the same, and isn't lost."""
    info = await asking.created(backend.client, body)
    try:
        return await FineTuningJob.opened(backend, info)
    except AgentsException:
        return FineTuningJob(backend, Known(info))
