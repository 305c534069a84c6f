"""Where the lines of a data set are: in a file, in memory, or some of another's."""

from __future__ import annotations

import itertools
import operator
import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from agentkit.exceptions import UserError
from agentkit.training_files.reading import MAX_LINE_BYTES, RawLine, opened, raw_lines

__all__ = ["ChosenLines", "FileLines", "Lines", "MadeLines"]


_LITTLE: Final = 4096
"""Bytes read at once where lines are read here and there."""


class Lines(Protocol):
    """Lines, each as its bytes without the line end."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> bytes: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def raw(self) -> Iterator[RawLine]:
        """Go through the lines as a check wants them."""
        ...

    def number(self, index: int) -> int:
        """Return which line of the file a line is, from 1."""
        ...


class MadeLines:
    """Lines that are in memory.

    Args:
        data: The lines.
    """

    def __init__(self, data: list[bytes]) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> bytes:
        return self._data[index]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._data)

    def raw(self) -> Iterator[RawLine]:
        """Go through the lines as a check wants them."""
        return _numbered(self)

    def number(self, index: int) -> int:
        """Return which line of a file it would be, from 1."""
        return index + 1


class FileLines:
    """Lines that stay in their file: 24 bytes of memory for each.

    Empty lines aren't counted. The file has to stay as it is.

    Args:
        path: The file.

    Raises:
        UserError: It can't be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()
        self._starts, self._sizes, self._numbers = array("Q"), array("Q"), array("Q")
        with opened(self.path) as file:
            stat = os.fstat(file.fileno())
            self._stamp = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
            for number, start, data, size in raw_lines(file):
                if data is None or (data and not data.isspace()):
                    self._starts.append(start)
                    self._sizes.append(size)
                    self._numbers.append(number)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> bytes:
        start, size = self._starts[index], self._sizes[index]
        with opened(self.path, buffer_bytes=_LITTLE) as file:
            self._check(file.fileno())
            file.seek(start)
            return file.read(size)

    def __iter__(self) -> Iterator[bytes]:
        return self.some(range(len(self)))

    def some(self, indices: Sequence[int]) -> Iterator[bytes]:
        """Go through some of the lines, with the file opened once."""
        in_order = all(map(operator.lt, indices, itertools.islice(indices, 1, None)))
        with opened(self.path, **({} if in_order else {"buffer_bytes": _LITTLE})) as file:
            self._check(file.fileno())
            for index in indices:
                file.seek(self._starts[index])
                yield file.read(self._sizes[index])

    def raw(self) -> Iterator[RawLine]:
        """Go through the file's lines, the empty ones among them."""
        with opened(self.path) as file:
            self._check(file.fileno())
            yield from raw_lines(file)

    def number(self, index: int) -> int:
        """Return which line of the file a line is, from 1."""
        return self._numbers[index]

    def _check(self, descriptor: int) -> None:
        stat = os.fstat(descriptor)
        if (stat.st_size, stat.st_mtime_ns, stat.st_ino) != self._stamp:
            raise UserError(
                f"{self.path} has changed since it was opened.",
                hint="Open it again: FineTuningDataset.from_jsonl(path).",
            )


class ChosenLines:
    """Some of another's lines, in an order of their own.

    Args:
        lines: The others.
        indices: Which of them.
    """

    def __init__(self, lines: Lines, indices: Sequence[int]) -> None:
        chosen = [lines._indices[index] for index in indices] if isinstance(lines, ChosenLines) else indices
        self._indices: array[int] = array("Q", chosen)
        self._lines: Lines = lines._lines if isinstance(lines, ChosenLines) else lines

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: int) -> bytes:
        return self._lines[self._indices[index]]

    def __iter__(self) -> Iterator[bytes]:
        if isinstance(self._lines, FileLines):
            return self._lines.some(self._indices)
        return (self._lines[index] for index in self._indices)

    def raw(self) -> Iterator[RawLine]:
        """Go through the lines as a check wants them."""
        return _numbered(self)

    def number(self, index: int) -> int:
        """Return which line of a file it would be, from 1."""
        return index + 1


def _numbered(lines: Lines) -> Iterator[RawLine]:
    start = 0
    for number, data in enumerate(lines, 1):
        size = len(data)
        yield RawLine(number, start, data if size <= MAX_LINE_BYTES else None, size)
        start += size + 1
