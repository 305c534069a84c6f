"""Pairs for DPO of answers that were wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from agentkit import _json
from agentkit.exceptions import UserError

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["pairs_of"]


def pairs_of(rows: pd.DataFrame, prompts: Sequence[list[dict[str, Any]]], name: str) -> FineTuningDataset:
    """Return pairs of the expected and the given answer, where these differ; see `Scores.to_pairs`.

    Args:
        rows: The cases.
        prompts: What was said before each answer.
        name: What was scored.

    Raises:
        UserError: No answer is wrong.
    """
    import pandas as pd

    from agentkit.finetuning.dataset import FineTuningDataset
    from agentkit.finetuning.holding import MadeLines

    lines, sources = [], []
    for case, row in enumerate(rows.to_dict("records")):
        if row["right"] or pd.isna(row["answer"]) or not str(row["answer"]).strip():
            continue
        lines.append(_json.dumps(_pair(prompts[case], row["expected"], row["answer"])))
        sources.append({"line": len(lines), "case": case, "trace_id": row["trace_id"]})
    if not lines:
        raise UserError("No answer is wrong, so there is nothing to prefer.", hint="Score with further cases.")
    frame = pd.DataFrame(sources).astype({"line": "Int64", "case": "Int64", "trace_id": "string"})
    return FineTuningDataset("dpo", MadeLines(lines), name=f"{name}, corrected", sources=frame)


def _pair(prompt: list[dict[str, Any]], liked: str, disliked: str) -> dict[str, Any]:
    return {
        "input": {"messages": prompt},
        "preferred_output": [{"role": "assistant", "content": liked}],
        "non_preferred_output": [{"role": "assistant", "content": disliked}],
    }
