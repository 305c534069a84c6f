"""Fine-tuning: data sets that are checked, and what they hold."""

from __future__ import annotations

from agentkit.finetuning.checking import check_file
from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["FineTuningDataset", "check_file"]
