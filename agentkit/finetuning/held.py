"""Examples in their order: counted, gone through, chosen from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, cast, overload

from agentkit.exceptions import UserError
from agentkit.finetuning.holding import ChosenLines, Lines
from agentkit.training_files.checking import Kind, kind_of
from agentkit.training_files.parsing import NOTHING, parsed, reasons

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeldExamples", "Line", "kind_of_lines"]

Line = dict[str, Any]
"""An example: JSON as it is on its line."""


class HeldExamples:
    """What a data set is as a sequence.

    Attributes:
        kind: "sft" for supervised fine-tuning, or "dpo" for direct preference optimization.
        name: What it is called in reports: the file's name, for instance.
        sources: Where each example comes from, a dataframe with a row for each; None where that isn't known.
    """

    def __init__(self, kind: Kind, lines: Lines, *, name: str, sources: pd.DataFrame | None = None) -> None:
        self.kind = kind
        self.name = name
        self.sources = sources
        self._lines = lines

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return (self._value(index, data) for index, data in enumerate(self._lines))

    @overload
    def __getitem__(self, index: int) -> Line: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> Line | Self:
        if isinstance(index, slice):
            return self.some(range(len(self))[index])
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise UserError(f"Examples are numbered from 0, and {index!r:.60} is no number.")
        place = index.__index__()
        if not -len(self) <= place < len(self):
            raise IndexError(f"There is no example {place}: there are {len(self):,}, from 0.")
        return self._value(place % len(self), self._lines[place % len(self)])

    @property
    def lines(self) -> Iterator[bytes]:
        """The examples as they are written, without line ends."""
        return iter(self._lines)

    def values(self) -> Iterator[Line | None]:
        """Go through the examples; None stands for a line that can't be read."""
        return (value if isinstance(value := _value(data), dict) else None for data in self._lines)

    def some(self, indices: Sequence[int], *, name: str | None = None) -> Self:
        """Return a data set of some of the examples.

        Args:
            indices: Which, from 0, in their order.
            name: What it is called in reports.
        """
        rows = None if self.sources is None else self.sources.iloc[list(indices)].reset_index(drop=True)
        if rows is not None and "line" in rows.columns:
            rows["line"] = range(1, len(rows) + 1)
        return type(self)(self.kind, ChosenLines(self._lines, indices), name=name or self.name, sources=rows)

    def _value(self, index: int, data: bytes) -> Line:
        value = _value(data)
        if not isinstance(value, dict):
            number = self._lines.number(index)
            raise UserError(
                f"Line {number:,} of {self.name} can't be read.", hint="dataset.check() says what is wrong with it."
            )
        return cast("Line", value)

    def _at(self, number: int) -> Line | None:
        """Return the example on a line of the file."""
        index = self._index(number)
        value = _value(self._lines[index]) if index is not None else None
        return value if isinstance(value, dict) else None

    def _index(self, number: int) -> int | None:
        import bisect

        index = bisect.bisect_left(range(len(self)), number, key=self._lines.number)
        return index if index < len(self) and self._lines.number(index) == number else None

    def line_number(self, index: int) -> int:
        """Return which line of its file an example is, from 1."""
        return self._lines.number(index)


def _value(data: bytes) -> Any:
    value = parsed(data)
    return reasons(data)[1] if value is NOTHING else value


def kind_of_lines(lines: Lines) -> Kind:
    """Return what the first line that says so is for."""
    for index, data in enumerate(lines):
        if index == 100:
            break
        value = _value(data)
        if isinstance(value, dict) and (kind := kind_of(value)) is not None:
            return kind
    return "sft"
