"""The metrics of a job as the table that OpenAI's platform gives: its result file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from agentkit.local.files.store import FileStore
from agentkit.local.training.store import JobStore

__all__ = ["add_results", "table_of"]

_SUPERVISED = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
}
_PAIRS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "train_reward_accuracy": "train_reward_accuracy",
    "train_reward_margin": "train_reward_margin",
    "valid_loss": "valid_loss",
    "valid_mean_token_accuracy": "valid_mean_token_accuracy",
    "valid_reward_accuracy": "valid_reward_accuracy",
    "valid_reward_margin": "valid_reward_margin",
}


def table_of(metrics: list[dict[str, Any]], method: str) -> str:
    """Return the metrics of steps as CSV, with a line for each step.

    Args:
        metrics: The data of a job's events.
        method: "supervised" or "dpo".
    """
    columns = _PAIRS if method == "dpo" else _SUPERVISED
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for data in metrics:
        row = [data.get(key) for key in columns.values()]
        writer.writerow(["" if value is None else round(value, 5) for value in row])
    return text.getvalue()


def add_results(home: Path, store: JobStore, job_id: str, method: str) -> str:
    """Keep the result file of a job, and return its id."""
    metrics = [event.data for event in store.events(job_id) if event.type == "metrics"]
    files = FileStore(home)
    try:
        entry = files.add("step_metrics.csv", table_of(metrics, method).encode(), purpose="fine-tune-results")
    finally:
        files.close()
    return entry.id
