"""What a batch asks, settled before anything is asked: the question of each row, and what they are found again by."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.runtime.batch.columns import as_frame
from agentkit.runtime.batch.fingerprint import fingerprint
from agentkit.runtime.batch.prompts import Prompt, fill_rows
from agentkit.runtime.batch.store import RowKey

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.runtime.agent import Agent
    from agentkit.runtime.batch.options import BatchOptions
    from agentkit.runtime.run_config import RunConfig

__all__ = ["Plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The questions of a batch."""

    frame: pd.DataFrame
    """The rows."""
    template: str
    """What each asks, with places for columns."""
    prompts: list[Prompt]
    """What each asks, the places filled."""
    keys: list[RowKey]
    """What tells the rows apart."""

    @classmethod
    def of(cls, data: Any, template: str, options: BatchOptions) -> Plan:
        """Return the questions for rows.

        Args:
            data: A DataFrame, a Series, dicts, or plain values.
            template: A text with places such as `{{text}}`.
            options: What else places may name, and what becomes of rows in which a value is missing.

        Raises:
            UserError: The data is of no use, a name stands for nothing, or no row can be asked.
        """
        if not isinstance(template, str):
            raise UserError(f"A batch needs a text to ask, not {type(template).__name__} {template!r:.60}.")
        frame, template = as_frame(data), template.strip()
        prompts = fill_rows(template, frame, options.variables, options.missing)
        return cls(frame, template, prompts, _row_keys([prompt.text for prompt in prompts]))

    def batch_id(self, place: str | None, agent: Agent[Any], config: RunConfig) -> str:
        """Return what the batch is known by: the same for the same question to the same agent at the same place."""
        identity = "\x00".join((place or "", fingerprint(agent, config), self.template))
        return f"batch_{hashlib.sha256(identity.encode(errors='replace')).hexdigest()[:32]}"


def _row_keys(prompts: list[str]) -> list[RowKey]:
    """Return what tells rows apart: the text, and how many before it are the same."""
    seen: Counter[str] = Counter()
    keys = []
    for text in prompts:
        keys.append((hashlib.sha256(text.encode(errors="replace")).digest(), seen[text]))
        seen[text] += 1
    return keys
