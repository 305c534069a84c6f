"""One run of an agent for each row of a dataframe."""

from agentkit.runtime.batch.batch import Batch
from agentkit.runtime.batch.line import ProgressLine, progress_text
from agentkit.runtime.batch.options import DEFAULT_CONCURRENCY, BatchOptions
from agentkit.runtime.batch.outcome import BatchProgress, Outcome, RowStatus
from agentkit.runtime.batch.over import run_over, run_over_async, stopped_text
from agentkit.runtime.batch.prompts import Missing

__all__ = [
    "DEFAULT_CONCURRENCY",
    "Batch",
    "BatchOptions",
    "BatchProgress",
    "Missing",
    "Outcome",
    "ProgressLine",
    "RowStatus",
    "progress_text",
    "run_over",
    "run_over_async",
    "stopped_text",
]
