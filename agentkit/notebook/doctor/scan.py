"""`doctor --scan`: keys in notebooks that were saved: in their cells, outputs, attachments and metadata."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentkit.notebook.doctor.key_shapes import Key, find_keys

__all__ = ["Place", "Scan", "notebooks_in", "scan", "scan_notebook"]

_LARGEST_BYTES = 200 * 2**20
"""Larger notebooks are not read."""
_MOST_FILES = 2_000
_SKIPPED_FOLDERS = (".ipynb_checkpoints", ".git", ".venv", "venv", "node_modules", "site-packages", "__pycache__")
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")


@dataclass(frozen=True, slots=True)
class Place:
    """A key in a notebook."""

    cell: int | None
    """The number of the cell, from 1 in the notebook's order; None for the notebook's own metadata."""
    execution: int | None
    """What stands in the brackets beside it, `In [7]`; None where it was not run."""
    part: str
    """Where in the cell: "source, line 3", "output 1", "attachment plot.svg", "metadata"."""
    key: Key
    """What was found."""

    @property
    def where(self) -> str:
        """The place in words."""
        if self.cell is None:
            return f"notebook's {self.part}"
        return f"cell {self.cell}{'' if self.execution is None else f' In [{self.execution}]'}, {self.part}"


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found in one file."""

    path: Path
    """The file."""
    places: list[Place] = field(default_factory=list)
    """The keys in it."""
    cells: int = 0
    """How many cells it has."""
    problem: str | None = None
    """Why it could not be read, where it couldn't."""


def notebooks_in(paths: Sequence[str | Path]) -> Iterator[Path]:
    """Yield the files that paths name: files as they are, and all notebooks below folders.

    Args:
        paths: Files and folders.
    """
    for given in paths:
        path = Path(given).expanduser()
        if not path.is_dir():
            yield path
            continue
        found = (
            file
            for file in path.rglob("*.ipynb")
            if not any(part in _SKIPPED_FOLDERS for part in file.relative_to(path).parts[:-1])
        )
        yield from sorted(found)[:_MOST_FILES]


def scan(paths: Sequence[str | Path]) -> list[Scan]:
    """Return what is found in each of the notebooks that `paths` name; files that can't be read say so."""
    return [scan_notebook(path) for path in notebooks_in(paths)]


def scan_notebook(path: Path) -> Scan:
    """Return the keys in one notebook."""
    try:
        size = path.stat().st_size
        if size > _LARGEST_BYTES:
            return Scan(
                path, problem=f"is {size / 2**20:,.0f} MB large, and is not read beyond {_LARGEST_BYTES // 2**20} MB"
            )
        read = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Scan(path, problem="is not there")
    except OSError as error:
        return Scan(path, problem=f"can't be read: {error.strerror or error}")
    except (ValueError, RecursionError):
        return Scan(path, problem="is no notebook, or a damaged one: not JSON")
    cells = _cells(read)
    if cells is None:
        return Scan(path, problem="is JSON, but no notebook: it has no cells")
    try:
        places = [place for number, cell in enumerate(cells, 1) for place in _in_cell(number, cell)]
        places += [Place(None, None, "metadata", key) for key in _found(_texts(read.get("metadata")))]
    except RecursionError:
        return Scan(path, problem="is nested too deeply to be a notebook")
    return Scan(path, places, len(cells))


def _cells(read: Any) -> list[Any] | None:
    """Return a notebook's cells, also of the older format whose cells are on worksheets; None where it is none."""
    if not isinstance(read, dict):
        return None
    if isinstance(read.get("cells"), list):
        return list(read["cells"])
    sheets = read.get("worksheets")
    if isinstance(sheets, list):
        return [cell for sheet in sheets if isinstance(sheet, dict) for cell in sheet.get("cells") or ()]
    return None


def _in_cell(number: int, cell: Any) -> Iterator[Place]:
    if not isinstance(cell, dict):
        return
    execution = cell.get("execution_count", cell.get("prompt_number"))
    execution = execution if isinstance(execution, int) else None
    source = _joined(cell.get("source", cell.get("input", "")))
    for key in find_keys(source):
        line = source.count("\n", 0, key.start) + 1
        yield Place(number, execution, f"source, line {line}", key)
    outputs = cell.get("outputs")
    for index, output in enumerate(outputs if isinstance(outputs, list) else (), 1):
        yield from (Place(number, execution, f"output {index}", key) for key in _found(_texts(output)))
    attachments = cell.get("attachments")
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        yield from (Place(number, execution, f"attachment {name}", key) for key in _found(_texts(bundle)))
    yield from (Place(number, execution, "metadata", key) for key in _found(_texts(cell.get("metadata"))))


def _found(texts: Iterable[str]) -> list[Key]:
    """Return the keys in several texts, each once: an output has the same in HTML and as text."""
    keys: dict[tuple[str, str], Key] = {}
    for text in texts:
        for key in find_keys(text):
            keys.setdefault((key.masked, key.kind), key)
    return list(keys.values())


def _texts(value: Any, name: str = "") -> Iterator[str]:
    """Yield all texts in a JSON value; pictures are no texts, other data in base64 is taken apart."""
    match value:
        case str():
            if name in _PICTURES:
                return
            yield value
            if "/" in name and (text := _decoded(value)) is not None:
                yield text
        case list():
            if all(isinstance(part, str) for part in value):  # the lines of one text
                yield from _texts("".join(value), name)
            else:
                for part in value:
                    yield from _texts(part)
        case dict():
            for key, part in value.items():
                if isinstance(part, str) and "/" not in str(key):  # a name beside its value tells what it is
                    yield f'{key}: "{part}"'
                else:
                    yield from _texts(part, str(key))


def _decoded(value: str) -> str | None:
    """Return the text that a base64 text holds; None where it holds none."""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _joined(source: Any) -> str:
    """Return a source, which may be one text or a list of its lines."""
    if isinstance(source, list):
        return "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""
