"""A few examples as they read."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.finetuning.examples import answers_of, messages_of, spoken
from agentkit.runtime.graph.labels import visible

if TYPE_CHECKING:
    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["Preview", "preview_of"]

_LONGEST = 400


class Preview:
    """Examples that show themselves as text.

    Attributes:
        examples: For each its line, and who says what: pairs of a role and a text.
        total: Examples that there are in all.
    """

    def __init__(self, name: str, examples: list[tuple[int, list[tuple[str, str]]]], total: int) -> None:
        self.name = name
        self.examples = examples
        self.total = total

    def __repr__(self) -> str:
        lines = [f"{visible(self.name)}: {len(self.examples)} of {self.total:,} examples"]
        for number, said in self.examples:
            lines += ["", f"line {number}"]
            lines += [f"  {role:12} {_shown(text)}" for role, text in said]
        return "\n".join(lines)


def preview_of(dataset: FineTuningDataset, count: Any, seed: int | None) -> Preview:
    """Return some examples; see `FineTuningDataset.preview`.

    Raises:
        UserError: `count` or `seed` is no number.
    """
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise UserError(f"preview shows a number of examples, not {count!r:.60}.")
    number = min(count, len(dataset))
    indices = list(range(number))
    if seed is not None:
        from agentkit.finetuning.splitting import check_seed

        check_seed(seed)
        indices = sorted(random.Random(seed).sample(range(len(dataset)), number))
    values = list(dataset.some(indices).values())
    shown = [(dataset.line_number(index), _said(value)) for index, value in zip(indices, values, strict=True)]
    return Preview(dataset.name, shown, len(dataset))


def _said(line: dict[str, Any] | None) -> list[tuple[str, str]]:
    if line is None:
        return [("(unreadable)", "dataset.check() says why")]
    said = [(_role(each), spoken(each)) for each in messages_of(line)]
    if "input" in line or "preferred_output" in line:
        said += zip(("preferred", "rejected"), map(spoken, answers_of(line)), strict=True)
    return said


def _role(message: dict[str, Any]) -> str:
    told = " (not learnt)" if message.get("weight") == 0 else ""
    return f"{visible(message.get('role'))[:20]}{told}"


def _shown(text: str) -> str:
    seen = visible(text) if text.strip() else "(nothing)"
    return seen if len(seen) <= _LONGEST else f"{seen[:_LONGEST]}… ({len(text):,} characters)"
