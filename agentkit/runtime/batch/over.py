"""`run_over` and `run_over_async`: one run for each row, from Python."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.runtime.background import run_blocking
from agentkit.runtime.batch.batch import Batch
from agentkit.runtime.batch.line import ProgressLine
from agentkit.runtime.batch.options import DEFAULT_CONCURRENCY, BatchOptions
from agentkit.runtime.batch.outcome import BatchProgress
from agentkit.runtime.batch.prompts import Missing
from agentkit.runtime.run_config import DEFAULT_MAX_TURNS, RunConfig

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.runtime.agent import Agent
    from agentkit.runtime.hooks import RunHooks

__all__ = ["run_over", "run_over_async", "stopped_text"]


@called_as("agentkit.run_over")
def run_over(
    agent: Agent[Any],
    data: Any,  # a dataframe, or what becomes one
    template: str,
    *,
    context: Any = None,
    run_config: RunConfig | None = None,
    max_turns: int | None = DEFAULT_MAX_TURNS,
    hooks: RunHooks[Any] | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    budget_usd: float | None = None,
    budget_tokens: int | None = None,
    missing: Missing = "empty",
    variables: Mapping[str, Any] | None = None,
    approve: bool | None = None,
    name: str | None = None,
    resume: bool = True,
    afresh: bool = False,
    on_progress: Callable[[BatchProgress], object] | None = None,
) -> pd.DataFrame:
    """Run an agent once for each row, a few rows at a time, and return the rows with the answers beside them.

    A row that fails is a row that says so; the others go on. Each row is kept in `AGENTKIT_HOME` once it has its
    answer: the same call, made again after whatever ended this one, asks only for the rest. Rows that failed are asked
    again. What counts as the same: the notebook's or script's file (or `name`), the agent as it is defined, the
    template, and for each row the text that it asks.

    Args:
        agent: Who is asked.
        data: The rows: a DataFrame, a Series, a list of dicts or of values, or what has a `to_pandas`. A Series without
            a name, and values, become the column `value`.
        template: What each row asks. `{{column}}` takes the row's value; `{{order.id}}` and `{{tags[0]}}` look into it.
        context: Object for the agent's tools, the same in all runs.
        run_config: Settings of each run; its budgets are for one row.
        max_turns: Model calls that a row's run may make.
        hooks: Called at the events of each run.
        concurrency: Rows that are asked at the same time.
        budget_usd: Dollars that the batch may cost, its earlier runs included. Once they are spent no row begins; those
            under way end.
        budget_tokens: Tokens, sent and received, that it may use, likewise.
        missing: What to do where a value is None or NaN: "empty" asks with nothing in its place, "skip" skips the row,
            "fail" fails it.
        variables: What places may name besides columns.
        approve: Whether calls that need approval are approved. With None such a row isn't finished: its status is
            "waiting".
        name: What finished rows are kept under, in place of the notebook's or script's file.
        resume: Whether finished rows are kept, and taken from an earlier run.
        afresh: Whether to forget what earlier runs have finished and spent, and ask for every row.
        on_progress: Called, in another thread, whenever a row begins or is over. In a terminal, a line shows the
            progress where None.

    Returns:
        A new dataframe: the rows in their order, with their index and columns, and these columns more. A name that is
        taken gets `_2`, or the next number that is free.

        | column | dtype | |
        |---|---|---|
        | one for each field of the output type, or `answer` | by its type | NA where there is no answer |
        | status | category | "ok", "failed", "waiting", "skipped" (budget, missing value) or "cancelled" |
        | error | string | why there is no answer |
        | trace_id | string | joins with `agentkit.traces()`; all have the batch's id as `group_id` |
        | input_tokens, output_tokens | Int64 | |
        | cost_usd | Float64 | at list price; NA where it isn't known |
        | duration_s | Float64 | seconds |

        Texts, whole numbers, numbers and yes or no become string, Int64, Float64 and boolean; `Literal` and enums
        category; dates and times datetime64; all else objects: lists and dicts. `attrs["batch_id"]` is the batch's id
        and `attrs["batch"]` counts.

    Raises:
        UserError: Something can't be used: a place that names no column, say. Nothing was asked.
        AgentsException: The platform refuses every request: nothing answers, the key is wrong, the model unknown.
        KeyboardInterrupt: It was stopped. The same call goes on.
    """
    options = BatchOptions(
        context=context, run_config=run_config, max_turns=max_turns, hooks=hooks, concurrency=concurrency,
        budget_usd=budget_usd, budget_tokens=budget_tokens, missing=missing, variables=variables or {},
        approve=approve, name=name, resume=resume, afresh=afresh,
    )  # fmt: skip
    line = ProgressLine(sys.stderr) if on_progress is None and _is_terminal() else None
    batch = Batch(agent, data, template, options, on_progress=on_progress if line is None else line.show)
    try:
        run_blocking(batch.run())
    except KeyboardInterrupt as interrupt:
        interrupt.args = (stopped_text(batch),)
        raise
    finally:
        if line is not None:
            line.clear()
    return batch.result()


@called_as("agentkit.run_over_async")
async def run_over_async(
    agent: Agent[Any],
    data: Any,  # a dataframe, or what becomes one
    template: str,
    *,
    context: Any = None,
    run_config: RunConfig | None = None,
    max_turns: int | None = DEFAULT_MAX_TURNS,
    hooks: RunHooks[Any] | None = None,
    concurrency: int = DEFAULT_CONCURRENCY,
    budget_usd: float | None = None,
    budget_tokens: int | None = None,
    missing: Missing = "empty",
    variables: Mapping[str, Any] | None = None,
    approve: bool | None = None,
    name: str | None = None,
    resume: bool = True,
    afresh: bool = False,
    on_progress: Callable[[BatchProgress], object] | None = None,
) -> pd.DataFrame:
    """Do as `run_over` does, in the caller's event loop, where `on_progress` is called too.

    Cancelling stops it; the same call goes on.
    """
    options = BatchOptions(
        context=context, run_config=run_config, max_turns=max_turns, hooks=hooks, concurrency=concurrency,
        budget_usd=budget_usd, budget_tokens=budget_tokens, missing=missing, variables=variables or {},
        approve=approve, name=name, resume=resume, afresh=afresh,
    )  # fmt: skip
    batch = Batch(agent, data, template, options, on_progress=on_progress)
    await batch.run()
    return batch.result()


def stopped_text(batch: Batch) -> str:
    """Return what to say of a batch that was stopped."""
    progress = batch.progress
    if not batch.is_kept:
        return f"{progress.ok:,} of {progress.rows:,} rows have their answer."
    return f"{progress.ok:,} of {progress.rows:,} rows have their answer, and are kept: run it again to go on."


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
