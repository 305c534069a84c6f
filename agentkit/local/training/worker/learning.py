"""The training of a job: from the model that it starts from to the one that can be asked."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit.local.training.bases import Base, resolve
from agentkit.local.training.records import Job
from agentkit.local.training.worker.checkpoints import linked_copy, newest, prune, saved
from agentkit.local.training.worker.environment import prepare_environment
from agentkit.local.training.worker.files import Role, file_path
from agentkit.local.training.worker.hyperparameters import length_of, method_of, settle
from agentkit.local.training.worker.ranks import is_first
from agentkit.local.training.worker.results import add_results
from agentkit.local.training.worker.samples import Samples, encode_file
from agentkit.local.training.worker.starting import check_folder
from agentkit.local.training.worker.tracking import tracked, wandb_of

if TYPE_CHECKING:
    from agentkit.local.training.worker.training import Plan
    from agentkit.local.training.worker.working import Work

__all__ = ["learn", "name_of", "seed_of"]


def name_of(base: Base, job: Job) -> str:
    """Return what a job's model is called: the same each time, so that its checkpoints can be named before it is."""
    return f"ft:{base.shown}:agentkit:{job.request.get('suffix') or ''}:{job.id[-8:]}"


def seed_of(job: Job) -> int:
    """Return the seed of a job: what was asked for, or one that is its own."""
    given = job.request.get("seed")
    return zlib.crc32(job.id.encode()) & 0x7FFFFFFF if given is None else int(given)


def learn(work: Work) -> None:
    """Train the model of a job, to the end.

    Raises:
        StopWork: Somebody wants it to stop.
        JobFailure: It can't be trained.
    """
    job = work.store.expect(work.job_id)
    base = resolve(str(job.request["model"]), work.home)
    prepare_environment(offline=base.kind == "tiny" or base.folder is not None)
    going_on = newest(work.root)
    if base.folder is not None and base.kind != "tiny":
        check_folder(base.folder)
    if is_first():
        _tell_start(work, job, base, going_on.step if going_on else 0)
    plan = _plan(work, job, base)
    name = name_of(base, job)
    from agentkit.local.training.worker.progress import Report
    from agentkit.local.training.worker.training import train

    wandb = wandb_of(job.request) if is_first() else None
    told = plan.settings.hyperparameters.as_json()
    config = {**told, "model": job.request["model"], "method": plan.method, "seed": plan.seed}
    with tracked(wandb, job_id=job.id, folder=work.folder, config=config) as logged:
        report = Report(work.store, job.id, name, work.root, work.wanted, logged)
        trainer = train(plan, report, resume=going_on.folder if going_on else None)
    if trainer.accelerator.is_main_process:
        _finish(work, plan.method, name, trained_tokens=int(trainer.state.num_input_tokens_seen))


def _tell_start(work: Work, job: Job, base: Base, step: int) -> None:
    work.store.forget_metrics_after(job.id, step)
    prune(work.store, job.id, work.root)
    if step:
        work.tell(f"Fine-tuning job goes on after step {step}")
    else:
        work.tell("Fine-tuning job started")
    work.store.update(job.id, step=step, error=None)


def _plan(work: Work, job: Job, base: Base) -> Plan:
    """Load and encode what is trained, and settle how."""
    from accelerate import PartialState

    from agentkit.local.training.worker.starting import find_folder, load_model, load_tokenizer, rank_of, size_of
    from agentkit.local.training.worker.training import Plan, make_deterministic, on_cpu

    processes = PartialState(cpu=on_cpu())
    if processes.num_processes > 1:
        work.tell(f"Training in {processes.num_processes} processes, as accelerate is configured")
    method, given = method_of(job.request)
    seed = seed_of(job)
    training = file_path(work.home, job.request["training_file"], "training")
    make_deterministic(seed)
    with processes.main_process_first():
        folder = find_folder(base, work.folder, training, seed)
        work.alive()
        tokenizer = load_tokenizer(folder)
        size = size_of(folder, tokenizer)
        length = length_of(given, size.context)
        samples, table = _samples(work, training, "training", tokenizer, method, length)
        validation = None
        if file_id := job.request.get("validation_file"):
            path = file_path(work.home, file_id, "validation")
            _, validation = _samples(work, path, "validation", tokenizer, method, length)
    settings = settle(
        method,
        given,
        examples=samples.count,
        parameters=size.parameters,
        context=size.context,
        fresh=base.kind == "tiny",
        adapter_rank=rank_of(folder),
        processes=processes.num_processes,
    )
    lora = settings.hyperparameters.lora_rank > 0
    if is_first():
        work.store.update(job.id, hyperparameters=settings.hyperparameters.as_json())
    start = load_model(folder, merged=not lora, low_precision=lora and not on_cpu())
    work.alive()
    return Plan(method, settings, start, tokenizer, table, validation, seed, work.root)


def _samples(work: Work, path: Path, role: Role, tokenizer: Any, method: str, length: int) -> tuple[Samples, Path]:
    table = work.folder / "data" / f"{role}.arrow"
    known = table.is_file()
    found = encode_file(path, table, tokenizer, method=method, max_length=length, role=role, alive=work.alive)
    if (found.cut or found.dropped) and not known:
        cut = f"{found.cut:,} examples of the {role} file are longer than {length:,} tokens, and lose their end"
        dropped = f"; {found.dropped:,} of them teach nothing then, and are left out" if found.dropped else ""
        work.tell(f"{cut}{dropped}.", level="warn")
    return found, table


def _finish(work: Work, method: str, name: str, *, trained_tokens: int) -> None:
    """Keep the trained model under its name, with the table of its metrics."""
    last = saved(work.root)[-1]
    model = work.folder / "model"
    shutil.rmtree(model, ignore_errors=True)
    linked_copy(last.folder, model)
    work.store.add_model(name, model, work.job_id)
    file_id = add_results(work.home, work.store, work.job_id, method)
    work.tell(f"New fine-tuned model created: {name}")
    work.tell("The job has successfully completed")
    work.succeeded(fine_tuned_model=name, result_files=[file_id], trained_tokens=trained_tokens)
