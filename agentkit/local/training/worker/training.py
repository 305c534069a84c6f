"""A training with TRL's trainers. torch is imported here."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from transformers import PrinterCallback, TrainingArguments, set_seed
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from agentkit.local.training.worker.hyperparameters import Settings
from agentkit.local.training.worker.progress import Progress, Report
from agentkit.local.training.worker.samples import load
from agentkit.local.training.worker.starting import Start

__all__ = ["Plan", "device_name", "make_deterministic", "make_trainer", "on_cpu", "train"]


_CHECKPOINTING = next(  # its name since transformers 5.20, and before
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in TrainingArguments.__dataclass_fields__
)


_SINGLE_THREADED = 5_000_000
"""Parameters below which a second thread costs more than it brings: on a busy machine, twenty times as much."""


@dataclass
class Plan:
    """All that a training needs."""

    method: str
    """"supervised" or "dpo"."""
    settings: Settings
    start: Start
    tokenizer: Any
    training: Path
    """The table of the training samples."""
    validation: Path | None
    seed: int
    root: Path
    """The folder of the trainer's checkpoints."""


class _PairTrainer(DPOTrainer):  # type: ignore[misc]  # TRL is not checked
    """TRL's trainer of pairs, for samples that are tokens already: its own would render them again."""

    def _prepare_dataset(self, dataset: Any, *args: Any, **options: Any) -> Any:
        return dataset


def device_name() -> str:
    """Return what it is trained on, for a person."""
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "mps" if torch.backends.mps.is_available() else "cpu"


def on_cpu() -> bool:
    """Return whether there is nothing faster than the processor."""
    if os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes", "on"):
        return True
    return not torch.cuda.is_available() and not torch.backends.mps.is_available()


def make_deterministic(seed: int) -> None:
    """Make two runs with the same seed give the same losses on the same machine."""
    set_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a tenth of a second at each step


def make_trainer(plan: Plan, *, validates: bool = True) -> Any:  # a Trainer
    """Return a trainer that is ready to go."""
    if plan.start.parameters < _SINGLE_THREADED:
        torch.set_num_threads(1)
    validation = load(plan.validation) if plan.validation is not None and validates else None
    common = {
        "model": plan.start.model,
        "train_dataset": load(plan.training),
        "eval_dataset": validation,
        "processing_class": plan.tokenizer,
        "peft_config": _adapter(plan),
    }
    arguments = _arguments(plan)
    if plan.method == "supervised":
        return SFTTrainer(args=SFTConfig(**arguments, max_length=None), **common)
    hyperparameters = plan.settings.hyperparameters
    # The start model stays the reference when a job is resumed: the trainer loads a checkpoint's weights later.
    lora = plan.start.adapter or hyperparameters.lora_rank > 0
    reference = None if lora else copy.deepcopy(plan.start.model)
    return _PairTrainer(
        args=DPOConfig(**arguments, beta=hyperparameters.beta, max_length=None, disable_dropout=True),
        ref_model=reference,
        **common,
    )


def _adapter(plan: Plan) -> Any:  # a LoraConfig, or None
    rank = plan.settings.hyperparameters.lora_rank
    if rank == 0 or plan.start.adapter:
        return None
    from peft import LoraConfig

    return LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")


def _arguments(plan: Plan) -> dict[str, Any]:
    settings = plan.settings
    on_cuda = torch.cuda.is_available() and not on_cpu()
    half = on_cuda and torch.cuda.is_bf16_supported()
    large = plan.start.parameters > 300_000_000
    return {
        "output_dir": str(plan.root),
        "num_train_epochs": settings.hyperparameters.n_epochs,
        "per_device_train_batch_size": settings.per_device,
        "per_device_eval_batch_size": settings.per_device,
        "gradient_accumulation_steps": settings.accumulated,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.05,
        "weight_decay": 0.01,
        "seed": plan.seed,
        "data_seed": plan.seed,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",  # Progress says when
        "eval_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
        "include_num_input_tokens_seen": "non_padding",
        "use_cpu": on_cpu(),
        "bf16": half,
        "fp16": False,
        _CHECKPOINTING: large,
        "dataloader_pin_memory": on_cuda,
        "dataloader_num_workers": 0,
    }


def train(plan: Plan, report: Report, *, resume: Path | None) -> Any:  # the trainer
    """Train to the end, or until it is to stop.

    Args:
        plan: What.
        report: Where to tell.
        resume: The checkpoint to go on from.

    Returns:
        The trainer, with the trained model.

    Raises:
        StopWork: Somebody wants it to stop; it is saved where it is to go on later.
    """
    make_deterministic(plan.seed)
    trainer = make_trainer(plan)
    main = bool(trainer.accelerator.is_main_process)
    progress = Progress(
        report,
        epochs=plan.settings.hyperparameters.n_epochs,
        validates=plan.validation is not None,
        main=main,
        agree=_agreement(int(trainer.accelerator.num_processes)),
    )
    trainer.remove_callback(PrinterCallback)  # each step is told to the store; the log is for what goes wrong
    trainer.add_callback(progress)
    trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    if progress.stopped is not None:
        raise progress.stopped
    return trainer


def _agreement(processes: int) -> Any:  # a function from what this process wants to what all do
    if processes == 1:
        return lambda wanted: wanted

    def agree(wanted: str) -> str:
        told = [wanted]
        broadcast_object_list(told, from_process=0)
        return told[0]

    return agree
