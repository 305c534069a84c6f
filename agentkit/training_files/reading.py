"""Reading a file of lines, whatever its size, and whatever is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from agentkit.exceptions import UserError

__all__ = ["MAX_LINE_BYTES", "RawLine", "opened", "raw_lines", "what_it_is"]

MAX_LINE_BYTES: Final = 52_000_000
"""Bytes of a line that is read as a whole: with the texts in it, it takes up to eight times that of memory."""

_BUFFER: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"

_BEGINNINGS: Final = (
    (b"\x1f\x8b", "compressed (gzip)", "Unpack it first: gunzip."),
    (
        b"PK\x03\x04",
        "a ZIP archive or a spreadsheet",
        "Unpack it, or take FineTuningDataset.from_dataframe for a table.",
    ),
    (b"PAR1", "a Parquet table", "Read it with pandas and take FineTuningDataset.from_dataframe."),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd)", "Unpack it first: unzstd."),
    (b"BZh", "compressed (bzip2)", "Unpack it first: bunzip2."),
    (b"\xff\xfe", "UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "UTF-16", "Save it as UTF-8."),
    (b"{\0", "UTF-16", "Save it as UTF-8."),
    (b"\0{", "UTF-16", "Save it as UTF-8."),
)


class RawLine(NamedTuple):
    """A line of a file."""

    number: int
    """From 1."""
    start: int
    """Where it begins in the file, in bytes."""
    data: bytes | None
    """Its bytes without the line end; None where they are more than is read."""
    size_bytes: int
    """How many they are."""


def what_it_is(head: bytes) -> tuple[str, str] | None:
    """Return what a file is that isn't text in UTF-8, and what to do; None for one that may be.

    Args:
        head: The first bytes of it.
    """
    return next(((name, remedy) for beginning, name, remedy in _BEGINNINGS if head.startswith(beginning)), None)


def opened(path: str | os.PathLike[str], *, buffer_bytes: int = _BUFFER) -> BinaryIO:
    """Open a file of lines.

    Args:
        path: The file.
        buffer_bytes: Bytes read at once, at least.

    Raises:
        UserError: There is none, or it can't be read.
    """
    target = Path(path).expanduser()
    try:
        return target.open("rb", buffering=buffer_bytes)
    except IsADirectoryError:
        raise UserError(f"{target} is a folder.", hint="Give a file: train.jsonl.") from None
    except FileNotFoundError:
        raise UserError(f"There is no file {target}.", hint=f"Files are looked for in {Path.cwd()}.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{target} can't be read ({error}).") from error


def raw_lines(file: BinaryIO, *, max_line_bytes: int = MAX_LINE_BYTES) -> Iterator[RawLine]:
    """Yield the lines of a file, empty ones among them; a mark of the byte order before the first is no part of it.

    Args:
        file: The file, at its beginning.
        max_line_bytes: Longer lines are passed over: their `data` is None.
    """
    head = file.peek(3)[:3] if hasattr(file, "peek") else b""
    start = file.seek(len(_BOM) if head == _BOM else 0)
    number = 0
    readline = file.readline
    while data := readline(max_line_bytes + 1):
        number += 1
        size = len(data)
        if data[-1] == 10:
            line = RawLine(number, start, data[:-1], size - 1)
        elif size <= max_line_bytes:  # the last
            line = RawLine(number, start, data, size)
        else:
            size, ended = _passed_over(file, size)
            line = RawLine(number, start, None, size - ended)
        del data  # long ones aren't in memory twice
        yield line
        del line
        start += size


def _passed_over(file: BinaryIO, size: int) -> tuple[int, int]:
    """Return the bytes of a long line of which some are read, and 1 where a line end is among them."""
    while piece := file.readline(_BUFFER):
        size += len(piece)
        if piece[-1] == 10:
            return size, 1
    return size, 0
