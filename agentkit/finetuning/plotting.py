"""Pictures of trainings: the curves of one, and those of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.finetuning.snapshot import JobSnapshot
from agentkit.records.pictures.canvas import SMALL, Canvas, canvas, canvases

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LABELS", "draw_curves", "panels_of", "plot_job", "plot_snapshots", "smoothed"]

LABELS: Final = {
    "train_loss": "training",
    "valid_loss": "validation, a batch",
    "full_valid_loss": "validation",
    "train_mean_token_accuracy": "training",
    "valid_mean_token_accuracy": "validation, a batch",
    "full_valid_mean_token_accuracy": "validation",
    "train_reward_accuracy": "training",
    "full_valid_reward_accuracy": "validation",
    "train_reward_margin": "training",
    "full_valid_reward_margin": "validation",
}
"""What curves are called in a picture; others by their own names."""

_PANELS: Final = (
    ("loss", ("train_loss", "valid_loss", "full_valid_loss")),
    ("reward accuracy", ("train_reward_accuracy", "full_valid_reward_accuracy")),
    (
        "token accuracy",
        ("train_mean_token_accuracy", "valid_mean_token_accuracy", "full_valid_mean_token_accuracy"),
    ),
)
"""What is drawn together, the most telling first."""

_TRAIN, _VALID, _BATCH = "#0072b2", "#d55e00", "#e69f00"
_OF_JOBS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444")
_STYLES = ("-", "--", ":", "-.")


def panels_of(snapshot: JobSnapshot) -> list[tuple[str, list[str]]]:
    """Return what is worth drawing: at most two panels, each a name and the metrics in it.

    Preference optimization is seen by how often the liked answer is the likelier one, other training by its tokens.
    """
    found = [(name, [each for each in metrics if _is_drawn(snapshot, each)]) for name, metrics in _PANELS]
    return [each for each in found if each[1]][:2]


def _is_drawn(snapshot: JobSnapshot, name: str) -> bool:
    """Return whether there is such a curve, and none that says the same of all the validation data."""
    return name in snapshot.metrics and not (name.startswith("valid_") and f"full_{name}" in snapshot.metrics)


def plot_job(snapshot: JobSnapshot, *, smooth: int = 1, ax: Axes | None = None) -> tuple[Axes, ...]:
    """Draw the curves of a training: losses, and accuracies beside them.

    Args:
        snapshot: The training.
        smooth: Steps that are averaged for a point of the curves of training.
        ax: Where to draw the losses alone; a new figure when None.

    Returns:
        The axes of each panel.

    Raises:
        UserError: An argument makes no sense.
    """
    _check_smooth(smooth)
    panels = panels_of(snapshot)
    if not panels:
        on = canvas(ax)
        return (on.nothing(f"No step is done yet: the job is {snapshot.status.replace('_', ' ')}."),)
    places = [canvas(ax)] if ax is not None else canvases(len(panels))
    for on, (name, metrics) in zip(places, panels, strict=False):
        draw_curves(on, snapshot, metrics, smooth=smooth)
        _axes(on, name)
    return tuple(on.ax for on in places)


def draw_curves(on: Canvas, snapshot: JobSnapshot, metrics: Sequence[str], *, smooth: int = 1) -> None:
    """Draw some metrics of a training, with their legend; where it has kept checkpoints, there is a line."""
    handles = []
    for name in metrics:
        steps, values = _points(snapshot, name)
        if name.startswith("train_"):
            values = smoothed(values, smooth)
        (line,) = on.ax.plot(steps, values, label=LABELS.get(name, name), **_style(name, len(steps)))
        handles.append(line)
    for checkpoint in snapshot.checkpoints:
        on.ax.axvline(checkpoint.step, color=on.ink, alpha=0.18, linewidth=0.8, linestyle=":")
    on.legend(handles)


def plot_snapshots(
    snapshots: Sequence[tuple[str, JobSnapshot]], metric: str, *, smooth: int = 1, ax: Axes | None = None
) -> Axes:
    """Draw a metric of several trainings, each with its name.

    Args:
        snapshots: The trainings, each with what it is called.
        metric: Which metric: "train_loss", "full_valid_loss" and so on.
        smooth: Steps that are averaged for a point.
        ax: Where to draw; a new figure when None.

    Raises:
        UserError: None of them has it, or an argument makes no sense.
    """
    _check_smooth(smooth)
    having = [each for each in snapshots if metric in each[1].metrics]
    if not having:
        known = sorted({name for _, snapshot in snapshots for name in snapshot.metrics if name != "step"})
        there = f"There are {', '.join(known)}." if known else "None of them has done a step yet."
        raise UserError(f"None of these jobs has the metric {brief(metric)}.", hint=there)
    on = canvas(ax)
    handles = []
    for number, (label, snapshot) in enumerate(having):
        steps, values = _points(snapshot, metric)
        color, style = _OF_JOBS[number % len(_OF_JOBS)], _STYLES[number // len(_OF_JOBS) % len(_STYLES)]
        marker = "o" if len(steps) <= 20 else None
        curve = smoothed(values, smooth)
        (line,) = on.ax.plot(steps, curve, color=color, linestyle=style, marker=marker, markersize=4, linewidth=1.4)
        line.set_label(label)
        handles.append(line)
    on.legend(handles)
    _axes(on, metric.replace("_", " "))
    return on.ax


def smoothed(values: Sequence[float], count: int) -> list[float]:
    """Return the mean of each value and those before it, `count` in all."""
    return [
        sum(window) / len(window) for end in range(1, len(values) + 1) if (window := values[max(0, end - count) : end])
    ]


def _points(snapshot: JobSnapshot, name: str) -> tuple[list[float], list[float]]:
    pairs = zip(snapshot.metrics["step"], snapshot.metrics[name], strict=True)
    there = [(step, value) for step, value in pairs if step is not None and value is not None]
    return [step for step, _ in there], [value for _, value in there]


def _style(name: str, points: int) -> dict[str, Any]:
    if name.startswith("train_"):
        return {"color": _TRAIN, "linewidth": 1.4, "marker": "o" if points == 1 else None, "markersize": 4}
    if name.startswith("full_"):
        return {"color": _VALID, "linewidth": 1.6, "marker": "o", "markersize": 4, "zorder": 3}
    few = points <= 20
    return {"color": _BATCH, "linewidth": 1.0, "linestyle": "--", "marker": "s" if few else None, "markersize": 3}


def _axes(on: Canvas, name: str) -> None:
    on.ax.set_xlabel("step", fontsize=SMALL)
    on.ax.set_ylabel(name, fontsize=SMALL)
    on.ax.grid(axis="y", color=on.ink, alpha=0.12, linewidth=0.6)
    if "accuracy" in name:
        low, _ = on.ax.get_ylim()
        on.ax.set_ylim(min(max(0.0, low), 0.95), 1.02)
    elif "loss" in name:
        on.ax.set_ylim(bottom=0)


def _check_smooth(smooth: Any) -> None:
    if isinstance(smooth, bool) or not isinstance(smooth, int) or smooth < 1:
        raise UserError(f"smooth is a number of steps from 1 on, not {brief(smooth)}.")
