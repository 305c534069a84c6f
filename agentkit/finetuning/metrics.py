"""Metrics of a training, by its steps: from its events, or from the table that is left when it is over."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from agentkit.exceptions import UserError
from agentkit.finetuning.asking import JobCheckpoint, JobEvent, is_metric
from agentkit.finetuning.failures import job_errors

if TYPE_CHECKING:
    import pandas as pd
    from openai import AsyncOpenAI

__all__ = [
    "COLUMNS",
    "TOTAL_STEPS",
    "Rows",
    "best_of",
    "checkpoint_frame",
    "columns_of",
    "event_frame",
    "metric_frame",
    "parse_results",
    "read_results",
    "rows_of",
]

Rows = Mapping[int, Mapping[str, float]]
"""Metrics by their steps."""

COLUMNS: Final = (
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)
"""Metrics that each table has, whether or not there are any; others come after them."""
TOTAL_STEPS: Final = "total_steps"
_RENAMED: Final = {"train_accuracy": "train_mean_token_accuracy", "valid_accuracy": "valid_mean_token_accuracy"}
"""Names in result files that mean what events call otherwise."""
_MOST_RESULT_BYTES: Final = 64 * 2**20


def rows_of(events: Iterable[JobEvent], before: Rows) -> dict[int, dict[str, float]]:
    """Return metrics by steps, in the order of steps.

    Args:
        events: New events, oldest first. What they say of a step goes before what was said of it.
        before: What is known already.
    """
    rows = {step: dict(row) for step, row in before.items()}
    for event in events:
        step = event.data.get("step")
        if is_metric(step):
            rows.setdefault(int(step), {}).update(_numbers(event.data))
    return dict(sorted(rows.items()))


def _numbers(data: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Return the numbers among metrics; those of metrics within metrics by names with a dot."""
    found: dict[str, float] = {}
    for name, value in data.items():
        if isinstance(value, Mapping) and not prefix:
            found |= _numbers(value, f"{name}.")
        elif is_metric(value) and name != "step":
            found[prefix + name] = float(value)
    return found


async def read_results(client: AsyncOpenAI, file_id: str) -> dict[int, dict[str, float]]:
    """Return the metrics in a result file, by steps.

    Raises:
        UserError: There is no such file, or it is no such table.
    """
    with job_errors(client, f"Reading the result file {file_id!r}"):
        answer = await client.files.content(file_id)
        data = await answer.aread()
    if len(data) > _MOST_RESULT_BYTES:
        raise UserError(f"The result file {file_id} has {len(data):,} bytes, too many for a table of metrics.")
    return parse_results(data, file_id)


def parse_results(data: bytes, name: str) -> dict[int, dict[str, float]]:
    """Return the metrics in a result file, by steps: a table with commas, which some servers write in base64.

    Args:
        data: The file.
        name: What it is called in errors.

    Raises:
        UserError: It is no such table.
    """
    text = data.decode("utf-8-sig", "replace")
    if not text.startswith("step,"):
        try:
            text = base64.b64decode(text, validate=False).decode("utf-8-sig")
        except (binascii.Error, ValueError):
            text = ""
    if not text.startswith("step,"):
        start = data[:40].decode("utf-8", "replace")
        raise UserError(f"The result file {name} is no table of metrics: it begins with {start!r}.")
    rows: dict[int, dict[str, float]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        step = _number(row.pop("step", None))
        if step is not None:
            found = {_RENAMED.get(key, key): _number(value) for key, value in row.items() if isinstance(key, str)}
            rows[int(step)] = {key: value for key, value in found.items() if value is not None}
    return rows


def _number(text: Any) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if is_metric(value) else None


def columns_of(rows: Iterable[Mapping[str, float]]) -> list[str]:
    """Return which metrics there are columns for: the usual ones, and then those that came beside them."""
    others = dict.fromkeys(name for row in rows for name in row if name not in COLUMNS)
    return [*COLUMNS, *(name for name in others if name != TOTAL_STEPS)]


def metric_frame(rows: Rows) -> pd.DataFrame:
    """Return a row for each step: `step` (Int64), and the metrics (Float64, NA where a step has none)."""
    from agentkit.files.frames import frame_of

    return frame_of({"step": ("Int64", list(rows)), **_metric_columns(list(rows.values()))}, ())


def _metric_columns(rows: Sequence[Mapping[str, float]]) -> dict[str, tuple[str, list[float | None]]]:
    return {name: ("Float64", [row.get(name) for row in rows]) for name in columns_of(rows)}


def event_frame(events: Iterable[JobEvent]) -> pd.DataFrame:
    """Return a row for each event: `time` (UTC), `level` (category), `message` (string) and `step` (Int64)."""
    from agentkit.files.frames import frame_of

    told = list(events)
    frame = frame_of(
        {
            "time": ("time", [each.created_at for each in told]),
            "level": ("category", [each.level for each in told]),
            "message": ("string", [each.message for each in told]),
            "step": ("Int64", [int(step) if is_metric(step := each.data.get("step")) else None for each in told]),
        },
        (),
    )
    frame["level"] = frame["level"].cat.set_categories(["info", "warn", "error"])
    return frame


def checkpoint_frame(checkpoints: Iterable[JobCheckpoint]) -> pd.DataFrame:
    """Return a row for each checkpoint: `step` (Int64), `model` (string), its metrics (Float64) and `time` (UTC)."""
    from agentkit.files.frames import frame_of

    told = list(checkpoints)
    rows = [{name: value for name, value in each.metrics.items() if name != "step"} for each in told]
    return frame_of(
        {
            "step": ("Int64", [each.step for each in told]),
            "model": ("string", [each.model for each in told]),
            **_metric_columns(rows),
            "time": ("time", [each.created_at for each in told]),
        },
        (),
    )


def best_of(checkpoints: Iterable[JobCheckpoint]) -> JobCheckpoint | None:
    """Return the checkpoint with the lowest loss on the validation data; without validation data the last one."""
    told = sorted(checkpoints, key=lambda each: each.step)
    rated = [each for each in told if each.valid_loss is not None]
    return min(rated, key=lambda each: each.valid_loss or 0.0) if rated else next(iter(told[::-1]), None)
