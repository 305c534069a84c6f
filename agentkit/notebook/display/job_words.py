"""What there is to say of a fine-tuning job: its status, how far it is, its settings, its curves and checkpoints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from agentkit.notebook.display.curves import Curve, Plot, number_text
from agentkit.notebook.display.text import one_line

if TYPE_CHECKING:
    from agentkit.finetuning.snapshot import JobSnapshot

__all__ = [
    "MEASURED",
    "NAME_CHARS",
    "Measured",
    "checkpoint_rows",
    "curve_of",
    "found_again",
    "left_text",
    "plots_of",
    "settings_text",
    "standing_text",
    "state_of",
    "title_of",
]

NAME_CHARS = 160
"""Characters of a model's name that are shown."""

_CHECKPOINTS = 6
_MARKED_POINTS = 60
_STATES = {
    "validating_files": ("agk-on", "checking the files"),
    "queued": ("agk-wait", "queued"),
    "running": ("agk-on", "running"),
    "paused": ("agk-wait", "paused"),
    "succeeded": ("agk-ok", "✓ succeeded"),
    "failed": ("agk-no", "✗ failed"),
    "cancelled": ("agk-d", "■ cancelled"),
}
_SETTINGS = ("n_epochs", "batch_size", "learning_rate_multiplier", "beta", "lora_rank", "max_length")

Unit = Literal["", "%"]


class Measured(NamedTuple):
    """Something that is drawn, and the platform's names of it: the better ones first."""

    title: str
    unit: Unit
    training: tuple[str, ...]
    validation: tuple[str, ...]


MEASURED: tuple[Measured, ...] = (
    Measured("loss", "", ("train_loss",), ("full_valid_loss", "valid_loss")),
    Measured(
        "token accuracy",
        "%",
        ("train_mean_token_accuracy",),
        ("full_valid_mean_token_accuracy", "valid_mean_token_accuracy"),
    ),
    Measured(
        "reward accuracy",
        "%",
        ("train_reward_accuracy",),
        ("full_valid_reward_accuracy", "valid_reward_accuracy"),
    ),
    Measured(
        "reward margin",
        "",
        ("train_reward_margin",),
        ("full_valid_reward_margin", "valid_reward_margin"),
    ),
)
"""All of it, in order."""


# -- curves -----------------------------------------------------------------------------------------------------------


def curve_of(job: JobSnapshot, names: Sequence[str]) -> tuple[list[float], list[float]] | None:
    """Return steps and values of the first of these metrics that a job has; None where it has none."""
    steps = job.metrics.get("step", ())
    for name in names:
        pairs = [
            (float(step), value)
            for step, value in zip(steps, job.metrics.get(name, ()), strict=False)
            if step is not None and value is not None
        ]
        if pairs:
            return [step for step, _ in pairs], [value for _, value in pairs]
    return None


def plots_of(job: JobSnapshot) -> list[Plot]:
    """Return the plots of a job: those for which there are numbers."""
    marks = [each.step for each in job.checkpoints]
    last = None if job.is_over else job.progress.total  # what will never be needs no room
    plots = []
    for measured in MEASURED:
        curves = []
        if (found := curve_of(job, measured.training)) is not None:
            curves.append(Curve("training", *found, colour=1))
        if (found := curve_of(job, measured.validation)) is not None:
            curves.append(Curve("validation", *found, colour=2, marked=len(found[0]) <= _MARKED_POINTS))
        if curves:
            plots.append(Plot(measured.title, curves, measured.unit, steps=last, marks=marks))
    if job.method == "dpo" and len(plots) > 3:  # that each token is likely says little of which answer is preferred
        plots = [plot for plot in plots if plot.title != "token accuracy"]
    return plots


def checkpoint_rows(job: JobSnapshot) -> tuple[list[str], list[list[str]]]:
    """Return the columns and rows of the checkpoints, newest first; the last column has the models' names."""
    rows: list[tuple[str, list[str], str]] = []
    for checkpoint in list(reversed(job.checkpoints))[:_CHECKPOINTS]:
        values = [number_text(_first_of(checkpoint.metrics, each.validation), each.unit) for each in MEASURED]
        rows.append((f"{checkpoint.step:,}", values, one_line(checkpoint.model, NAME_CHARS)))
    shown = [place for place in range(len(MEASURED)) if any(values[place] for _, values, _ in rows)]
    head = ["checkpoint", *(f"validation {MEASURED[place].title}" for place in shown), "model"]
    return head, [[step, *(values[place] for place in shown), model] for step, values, model in rows]


def _first_of(metrics: Mapping[str, float], names: Sequence[str]) -> float | None:
    return next((metrics[name] for name in names if metrics.get(name) is not None), None)


# -- words ------------------------------------------------------------------------------------------------------------


def state_of(job: JobSnapshot) -> tuple[str, str]:
    """Return a job's status as the class of its colour, and as a person says it."""
    return _STATES.get(job.status) or ("agk-d", one_line(job.status, 40) or "?")


def title_of(job: JobSnapshot) -> str:
    """Return what is trained, and under which name: "support · SFT of tiny-1"."""
    name = f"{one_line(job.suffix, 64)} · " if job.suffix else ""
    return f"{name}{one_line(job.method, 40).upper()} of {one_line(job.model, NAME_CHARS)}"


def left_text(seconds: float | None) -> str:
    """Return how much longer something takes: "12 s left", "4 min left"; "" where that isn't known."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min left"


def standing_text(job: JobSnapshot) -> str:
    """Return how far a job is: "step 120 of 250 · epoch 4.8 of 10 · 12 s left"; "" where it hasn't begun."""
    step, total = job.progress
    parts = []
    if total:
        parts.append(f"step {step:,} of {total:,}")
        epochs = job.hyperparameters.get("n_epochs")
        if isinstance(epochs, int | float) and not isinstance(epochs, bool) and epochs > 0 and step < total:
            parts.append(f"epoch {epochs * step / total:.1f} of {epochs:g}")
    elif step:
        parts.append(f"step {step:,}")
    if job.status == "running":
        parts.append(left_text(job.seconds_left))
    return " · ".join(filter(None, parts))


def settings_text(job: JobSnapshot) -> str:
    """Return what a job is trained with and how, in a line; "auto" is left out."""
    told = [] if job.examples is None else [f"{job.examples:,} example{'' if job.examples == 1 else 's'}"]
    values = job.hyperparameters
    ordered = (*_SETTINGS, *(name for name in values if name not in _SETTINGS))
    told += [_setting(name, values[name]) for name in ordered if values.get(name) not in (None, "auto")]
    if job.seed is not None:
        told.append(f"seed {job.seed}")
    return " · ".join(told)


def _setting(name: str, value: Any) -> str:  # whatever the platform tells
    shown = f"{value:g}" if isinstance(value, float) else one_line(str(value), 40)
    match name:
        case "n_epochs":
            return f"{shown} epoch{'' if shown == '1' else 's'}"
        case "batch_size":
            return f"batches of {shown}"
        case "learning_rate_multiplier":
            return f"learning rate × {shown}"
        case "lora_rank":
            return "all weights" if value == 0 else f"LoRA of rank {shown}"
        case "max_length":
            return f"at most {value:,} tokens" if isinstance(value, int) else f"at most {shown} tokens"
    return f"{one_line(name, 40)} {shown}"


def found_again(job: JobSnapshot) -> str:
    """Return how a job that isn't over is found again, in any notebook; "" for others."""
    return "" if job.is_over else f"%finetune watch {one_line(job.id, 80)}"
