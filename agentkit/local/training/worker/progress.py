"""What a training tells of itself, step by step, and how it is stopped: a callback of the trainer."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from agentkit.local.training.store import JobStore
from agentkit.local.training.worker.checkpoints import mark, prune
from agentkit.local.training.worker.failures import StopWork

__all__ = ["Progress", "Report"]

_SAVED_EVERY_S = 900.0
"""Seconds after which a long epoch is saved on the way, to go on from."""

_TRAIN = {
    "loss": "train_loss",
    "mean_token_accuracy": "train_mean_token_accuracy",
    "rewards/accuracies": "train_reward_accuracy",
    "rewards/margins": "train_reward_margin",
    "learning_rate": "learning_rate",
    "grad_norm": "grad_norm",
}
_OURS = ("learning_rate", "grad_norm")
"""What OpenAI's platform doesn't tell."""
_VALID = {
    "eval_loss": "loss",
    "eval_mean_token_accuracy": "mean_token_accuracy",
    "eval_rewards/accuracies": "reward_accuracy",
    "eval_rewards/margins": "reward_margin",
}


@dataclass
class Report:
    """Where a training tells what."""

    store: JobStore
    job_id: str
    model: str
    """The name that the trained model is going to have."""
    root: Path
    """The folder of the trainer's checkpoints."""
    wanted: Callable[[], str]
    """Says "pause" or "cancel" when the training is to stop, else ""."""
    logged: Callable[[int, dict[str, Any]], None] = field(default=lambda step, data: None)
    """Called with each step's metrics: for Weights & Biases."""
    clock: Callable[[], float] = time.time


class Progress(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
    """Tells the store of each step, keeps checkpoints, and stops the trainer when that is wanted.

    Of several processes, the first alone tells; all of them stop at the same step.

    Args:
        report: Where to tell.
        epochs: Epochs that are trained.
        validates: Whether there is validation data.
        main: Whether this is the first process.
        agree: Returns the strongest of what the processes want.
    """

    def __init__(
        self, report: Report, *, epochs: int, validates: bool, main: bool, agree: Callable[[str], str]
    ) -> None:
        self._report = report
        self._epochs = epochs
        self._validates = validates
        self._main = main
        self._agree = agree
        self._step_data: dict[str, float | None] = {}
        self._warned = False
        self._began = (0, 0.0)
        self._saved_at = time.monotonic()
        self._of_epoch = False
        self._touched = 0.0
        self.stopped: StopWork | None = None

    # -- the trainer's events --------------------------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Note where the training begins."""
        self._began = (state.global_step, self._report.clock())
        self._saved_at = time.monotonic()
        if self._main:
            self._report.store.update(
                self._report.job_id, step=state.global_step, total_steps=state.max_steps, estimated_finish=None
            )

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> Any:
        """Decide what comes after a step: it is told, at an epoch's end validated and saved, or the last."""
        per_epoch = max(1, state.max_steps // self._epochs)
        self._of_epoch = state.global_step % per_epoch == 0
        control.should_log = True
        control.should_evaluate = self._of_epoch and self._validates
        control.should_save = self._of_epoch
        wanted = self._agree((self._report.wanted() or self._due()) if self._main else "")
        if wanted == "save":
            control.should_save = True
        elif wanted:
            self.stopped = StopWork(wanted)
            control.should_training_stop = True
            control.should_save = control.should_save or wanted == "pause"
        if control.should_save and self._main:  # of a killed worker; files in place may be linked from elsewhere
            shutil.rmtree(self._report.root / f"checkpoint-{state.global_step}", ignore_errors=True)
        return control

    def _due(self) -> str:
        return "save" if time.monotonic() - self._saved_at > _SAVED_EVERY_S else ""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **rest: Any) -> None:
        """Tell a step's metrics; at the end of an epoch they wait for those of the validation."""
        if not self._main or logs is None or "loss" not in logs:
            return
        self._step_data = {ours: _number(logs[theirs]) for theirs, ours in _TRAIN.items() if theirs in logs}
        if not control.should_evaluate:
            self._tell(state)

    def on_prediction_step(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Give a sign of life while a long validation runs."""
        now = time.monotonic()
        if self._main and now - self._touched > 5:
            self._touched = now
            self._report.store.update(self._report.job_id, heartbeat=self._report.clock())

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: dict[str, float] | None = None, **rest: Any
    ) -> None:
        """Tell the metrics of an epoch's last step with those of the validation."""
        if not self._main:
            return
        for theirs, ours in _VALID.items():
            if metrics is not None and theirs in metrics:
                for scope in ("valid", "full_valid"):  # the whole file is looked at
                    self._step_data[f"{scope}_{ours}"] = _number(metrics[theirs])
        self._tell(state)

    def on_save(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Keep a checkpoint: one of an epoch's end answers to a name."""
        self._saved_at = time.monotonic()
        if not self._main:
            return
        report, step = self._report, state.global_step
        folder = report.root / f"checkpoint-{step}"
        mark(folder, step=step, of_epoch=self._of_epoch)
        if self._of_epoch:
            name = f"{report.model}:ckpt-step-{step}"
            told = {key: value for key, value in self._step_data.items() if value is not None and key not in _OURS}
            report.store.add_checkpoint(report.job_id, step, name, folder, {"step": step, **told})
            report.store.tell(report.job_id, f"Checkpoint created at step {step} with Snapshot ID: {name}")
        prune(report.store, report.job_id, report.root)

    # -- telling ---------------------------------------------------------------------------------------------------

    def _tell(self, state: Any) -> None:
        report, step, total = self._report, state.global_step, state.max_steps
        data = {"step": step, "total_steps": total, **self._step_data}
        said = [f"training loss={_shown(self._step_data.get('train_loss'))}"]
        if "valid_loss" in self._step_data:
            said.append(f"validation loss={_shown(self._step_data['valid_loss'])}")
        began, at = self._began
        now = report.clock()
        finish = round(now + (now - at) / max(1, step - began) * (total - step))
        report.store.tell_step(
            report.job_id,
            f"Step {step}/{total}: {', '.join(said)}",
            data,
            step=step,
            total_steps=total,
            estimated_finish=finish,
            trained_tokens=int(state.num_input_tokens_seen),
        )
        report.logged(step, data)
        if self._step_data.get("train_loss") is None and not self._warned:
            self._warned = True
            message = (
                f"The loss of step {step} isn't a number: the steps are too large. Cancel the job, and give a smaller "
            )
            report.store.tell(report.job_id, f"{message}learning_rate_multiplier, such as 0.1.", level="warn")


def _shown(loss: float | None) -> str:
    return "not a number" if loss is None else f"{loss:.2f}"


def _number(value: Any) -> float | None:
    """Return a number that JSON has; None where a training that has gone astray gives none."""
    number = float(value)
    return number if math.isfinite(number) else None
