"""Numbers of a model as safetensors files hold them."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agentkit.local.embedding.embedder import EmbedderError

__all__ = ["read_weights"]

_LENGTH_BYTES = 8
_MOST_HEADER_BYTES = 100_000_000
_DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8", "I32": "<i4"}


def read_weights(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file by name, mapped, not read. Numbers of other kinds than the usual are left out.

    Raises:
        EmbedderError: It isn't there, or is no such file.
    """
    try:
        raw = np.memmap(path, dtype=np.uint8, mode="r")
        (length,) = struct.unpack("<Q", raw[:_LENGTH_BYTES].tobytes())
        if length > min(_MOST_HEADER_BYTES, len(raw)):
            raise ValueError(f"its header would have {length} bytes")
        header: dict[str, Any] = json.loads(raw[_LENGTH_BYTES : _LENGTH_BYTES + length].tobytes())
        header.pop("__metadata__", None)
        return {
            name: _array(raw[_LENGTH_BYTES + length :], entry)
            for name, entry in header.items()
            if entry["dtype"] in _DTYPES
        }
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise EmbedderError(
            f"{path} can't be read as safetensors: {error}. Put the model's file there again."
        ) from error


def _array(data: NDArray[np.uint8], entry: dict[str, Any]) -> NDArray[Any]:
    begin, end = entry["data_offsets"]
    return np.frombuffer(data[begin:end], dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
