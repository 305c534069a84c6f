"""The files of a store's vectors in bytes: appended to, checked when they are opened, never changed in place."""

from __future__ import annotations

import os
import zlib
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentkit import _json
from agentkit._home import make_private_folder
from agentkit.local.vector_stores.embedded.scanning import Codes

__all__ = ["ROW", "Coded", "Manifest", "append", "clear", "open_coded", "read_manifest", "rewrite", "write_manifest"]

_VERSION = 1
"""Of the files' form: those of another are made anew."""

ROW = np.dtype([("number", "<i8"), ("chunk", "<i8"), ("file", "<i8"), ("scale", "<f4")])
"""What is known of a row beside its codes: its number in the table of vectors, its chunk and file, its scale."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which files hold a store's vectors, and how much of them counts."""

    store: int
    """The store, as rows name it."""
    dimensions: int
    last_vector: int = 0
    """The highest number of a vector that was looked at."""
    rows: int = 0
    """Rows that count; what lies behind them is of a process that was killed."""
    generation: int = 0
    """Part of the files' names."""
    codes_crc: int = 0
    """CRC-32 of the codes of all rows."""
    rows_crc: int = 0
    """And of what is known of them beside."""
    version: int = _VERSION


@dataclass(frozen=True, slots=True)
class Coded:
    """A store's vectors in bytes, as they were when they were opened. Later changes don't reach it."""

    manifest: Manifest
    codes: Codes
    """Of shape (rows, dimensions), mapped from the file."""
    numbers: NDArray[np.int64]
    """Of shape (rows,): each row's number in the table of vectors. A chunk's windows share one."""
    chunks: NDArray[np.int64]
    """Of shape (rows,)."""
    files: NDArray[np.int64]
    """Of shape (rows,)."""
    scales: NDArray[np.float32]
    """Of shape (rows,)."""


def read_manifest(folder: Path, store: int, dimensions: int) -> Manifest | None:
    """Return the manifest; None where there is none for this store and length of vectors."""
    try:
        found = Manifest(**_json.loads((folder / "vectors.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    expected = (store, dimensions, _VERSION)
    return found if (found.store, found.dimensions, found.version) == expected else None


def _paths(folder: Path, generation: int) -> tuple[Path, Path]:
    return folder / f"vectors-{generation}.codes", folder / f"vectors-{generation}.rows"


def open_coded(folder: Path, manifest: Manifest, earlier: Coded | None) -> Coded | None:
    """Open what a manifest names; None where it isn't there or isn't what was written.

    Args:
        folder: Where it lies.
        manifest: What to open.
        earlier: What was open before: what is the same in both isn't checked again.
    """
    codes_path, rows_path = _paths(folder, manifest.generation)
    if not manifest.rows:
        nothing = np.empty(0, dtype=np.int64)
        codes = np.empty((0, manifest.dimensions), dtype=np.int8)
        return Coded(manifest, codes, nothing, nothing, nothing, np.empty(0, dtype=np.float32))
    try:
        shape = (manifest.rows, manifest.dimensions)
        codes = np.asarray(np.memmap(codes_path, dtype=np.int8, mode="r", shape=shape))
        rows = np.fromfile(rows_path, dtype=ROW, count=manifest.rows)
    except (OSError, ValueError):
        return None
    checked, codes_crc = 0, 0
    if earlier is not None and earlier.manifest.generation == manifest.generation:
        checked, codes_crc = earlier.manifest.rows, earlier.manifest.codes_crc
    if zlib.crc32(np.ascontiguousarray(codes[checked:]).data, codes_crc) != manifest.codes_crc:
        return None
    if len(rows) != manifest.rows or zlib.crc32(rows.tobytes()) != manifest.rows_crc:
        return None
    columns = [np.ascontiguousarray(rows[name]) for name in ("number", "chunk", "file", "scale")]
    return Coded(manifest, codes, columns[0], columns[1], columns[2], columns[3])


def append(folder: Path, manifest: Manifest, codes: Codes, rows: NDArray[Any]) -> Manifest:
    """Write rows behind those that count; they count once the manifest that is returned is written.

    Raises:
        OSError: They can't be written.
    """
    codes_path, rows_path = _paths(folder, manifest.generation)
    _write_at(codes_path, manifest.rows * manifest.dimensions, codes.tobytes())
    _write_at(rows_path, manifest.rows * ROW.itemsize, rows.tobytes())
    return replace(
        manifest,
        rows=manifest.rows + len(rows),
        codes_crc=zlib.crc32(codes.tobytes(), manifest.codes_crc),
        rows_crc=zlib.crc32(rows.tobytes(), manifest.rows_crc),
    )


def _write_at(path: Path, offset: int, data: bytes) -> None:
    make_private_folder(path.parent)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        file.seek(offset)
        file.write(data)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make what was appended count, at once or not at all.

    Raises:
        OSError: It can't be written.
    """
    make_private_folder(folder)
    draft = folder / f"vectors.{os.getpid()}.tmp"
    try:
        draft.write_bytes(_json.dumps(asdict(manifest)))
        draft.replace(folder / "vectors.json")
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def rewrite(folder: Path, coded: Coded, alive: NDArray[np.int64]) -> Manifest:
    """Write the rows that are alive to new files, and take away the old ones. Who has those open goes on with them.

    Raises:
        OSError: They can't be written.
    """
    old = coded.manifest
    manifest = Manifest(old.store, old.dimensions, old.last_vector, generation=old.generation + 1)
    for path in _paths(folder, manifest.generation):
        path.unlink(missing_ok=True)
    step = 65_536
    for begin in range(0, len(alive), step):
        part = alive[begin : begin + step]
        rows = np.empty(len(part), dtype=ROW)
        rows["number"], rows["chunk"], rows["file"] = coded.numbers[part], coded.chunks[part], coded.files[part]
        rows["scale"] = coded.scales[part]
        manifest = append(folder, manifest, coded.codes[part], rows)
    write_manifest(folder, manifest)
    for path in _paths(folder, old.generation):
        with suppress(OSError):  # where the system doesn't take away what somebody has open
            path.unlink(missing_ok=True)
    return manifest


def clear(folder: Path) -> None:
    """Take away all files of vectors."""
    (folder / "vectors.json").unlink(missing_ok=True)
    for path in folder.glob("vectors-*"):
        with suppress(OSError):
            path.unlink(missing_ok=True)
