"""What a run has used and may use: tokens and dollars, for each agent and model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from agentkit.exceptions import BudgetExceeded, UserError
from agentkit.pricing import price_of
from agentkit.usage import RequestUsage, Usage

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_budget", "costs_frame"]

_COUNTS = ("requests", "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "total_tokens")


def check_budget(usage: Usage, model: str | None, *, budget_usd: float | None, budget_tokens: int | None) -> None:
    """Let the next model call be made, unless the budget is spent.

    It is checked before a call, so that the last one may go beyond it.

    Args:
        usage: What has been used.
        model: Name of the model that would be called.
        budget_usd: Dollars that may be spent.
        budget_tokens: Tokens that may be used.

    Raises:
        BudgetExceeded: It is spent.
        UserError: There is a budget in dollars, and the price of a model isn't known.
    """
    hint = "What the run had done is in the exception's run_data; run_data.to_state() goes on from there."
    if budget_tokens is not None and usage.total_tokens >= budget_tokens:
        raise BudgetExceeded(
            f"The run was stopped: it has used {usage.total_tokens:,} of {budget_tokens:,} tokens (budget_tokens).",
            spent=usage.total_tokens,
            limit=budget_tokens,
            hint=hint,
        )
    if budget_usd is None:
        return
    spent = usage.cost_usd
    unknown = [model, *(entry.model for entry in usage.request_usage_entries if entry.cost_usd is None)]
    if without_price := [name for name in unknown if price_of(name) is None]:
        raise UserError(
            f"The run has a budget in dollars, but the price of model {without_price[0]!r} isn't known.",
            hint=f"Say it with agentkit.set_price({without_price[0]!r}, input=…, output=…), or use budget_tokens.",
        )
    if spent is None:
        raise UserError(
            f"The run has a budget in dollars, but the server of {unknown[-1]!r} doesn't say how many tokens it takes.",
            hint="Limit the run by max_turns.",
        )
    if spent >= budget_usd:
        raise BudgetExceeded(
            f"The run was stopped: it has spent ${spent:.4f} of ${budget_usd:.4f} (budget_usd).",
            spent=spent,
            limit=budget_usd,
            hint=hint,
        )


def costs_frame(entries: Sequence[RequestUsage], by: Literal["agent", "model"] | None = None) -> pd.DataFrame:
    """Return tokens and cost of model calls as a dataframe.

    Args:
        entries: The calls.
        by: "agent" or "model" for a row each; both together when None.

    Returns:
        Columns `agent` and `model` (those asked for), the counts (int64) and `cost_usd` (float64, NaN where a price
        isn't known), in the order in which they first appear.

    Raises:
        UserError: `by` is something else.
    """
    import pandas as pd

    if by not in (None, "agent", "model"):
        raise UserError(f"Costs can't be listed by {by!r}.", hint='Use by="agent", by="model", or neither.')
    keys = ["agent", "model"] if by is None else [by]
    rows = [
        (e.agent_name or "", e.model or "", 1, e.input_tokens, e.input_tokens_details.cached_tokens, e.output_tokens,
         e.output_tokens_details.reasoning_tokens, e.total_tokens, e.cost_usd)
        for e in entries
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["agent", "model", *_COUNTS, "cost_usd"])
    frame = frame.astype({**dict.fromkeys(_COUNTS, "int64"), "cost_usd": "float64", "agent": "str", "model": "str"})
    grouped = frame.groupby(keys, sort=False)
    result = grouped[list(_COUNTS)].sum()
    result["cost_usd"] = (
        grouped["cost_usd"].sum(min_count=0).where(~grouped["cost_usd"].apply(lambda c: c.isna().any()))
    )
    return result.reset_index()
