"""What is in the one data set and not in the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.finetuning.examples import answer_of, answers_of, fingerprint, prompt_of, spoken

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["difference"]

_DTYPES = {
    "change": "string", "line": "Int64", "other_line": "Int64", "prompt": "string", "answer": "string",
    "other_answer": "string",
}  # fmt: skip


def difference(one: FineTuningDataset, other: Any) -> pd.DataFrame:
    """Return the differences; see `FineTuningDataset.diff`."""
    import pandas as pd

    from agentkit.finetuning.dataset import FineTuningDataset

    if not isinstance(other, FineTuningDataset):
        raise UserError(f"diff compares with another FineTuningDataset, not {type(other).__name__}.")
    mine, theirs = _marks(one), _marks(other)
    gone, added = _only(mine, theirs), _only(theirs, mine)
    by_prompt: dict[bytes, list[int]] = {}
    for index in added:
        by_prompt.setdefault(theirs[index][1], []).append(index)
    rows: list[tuple[Any, ...]] = []
    for index in gone:
        same = by_prompt.get(mine[index][1])
        partner = same.pop(0) if same else None
        rows.append(_row("removed" if partner is None else "changed", one, index, other, partner))
    rows += [
        _row("added", one, None, other, index) for index in sorted(at for left in by_prompt.values() for at in left)
    ]
    return pd.DataFrame(rows, columns=list(_DTYPES)).astype(_DTYPES)


def _marks(dataset: FineTuningDataset) -> list[tuple[bytes, bytes]]:
    """Return what is the same for the same examples, and for the same prompts."""
    marks = []
    for data, value in zip(dataset.lines, dataset.values(), strict=True):
        given = data.hex() if value is None else value
        marks.append((fingerprint(given), fingerprint([] if value is None else prompt_of(value))))
    return marks


def _only(mine: list[tuple[bytes, bytes]], theirs: list[tuple[bytes, bytes]]) -> list[int]:
    """Return the examples that the others don't have, or not as often."""
    left: dict[bytes, int] = {}
    for mark, _ in theirs:
        left[mark] = left.get(mark, 0) + 1
    found = []
    for index, (mark, _) in enumerate(mine):
        if left.get(mark, 0):
            left[mark] -= 1
        else:
            found.append(index)
    return found


def _row(
    change: str, one: FineTuningDataset, index: int | None, other: FineTuningDataset, partner: int | None
) -> tuple[Any, ...]:
    before, after = _value(one, index), _value(other, partner)
    prompt = prompt_of(before if before is not None else after or {})
    return (
        change,
        None if index is None else one.line_number(index),
        None if partner is None else other.line_number(partner),
        _text(spoken(prompt[-1]) if prompt else ""),
        None if before is None else _text(_answer(before)),
        None if after is None else _text(_answer(after)),
    )


def _value(dataset: FineTuningDataset, index: int | None) -> dict[str, Any] | None:
    if index is None:
        return None
    return next(iter(dataset.some([index]).values())) or {}


def _answer(line: dict[str, Any]) -> str:
    answers = answers_of(line)
    return answer_of(line) if len(answers) < 2 else " / not: ".join(spoken(each) for each in answers)


def _text(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
