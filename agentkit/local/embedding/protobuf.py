"""Just enough of ONNX's file format to write a graph: models are made without the `onnx` package."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["model", "node", "tensor", "value"]

_IR_VERSION = 8
_OPSET = 17
_TYPES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7}


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes(field: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _attribute(name: str, given: int | float | Sequence[int]) -> bytes:
    if isinstance(given, int):
        return _bytes(1, name) + _int(3, given) + _int(20, 2)
    if isinstance(given, float):
        return _bytes(1, name) + _varint(2 << 3 | 5) + struct.pack("<f", given) + _int(20, 1)
    return _bytes(1, name) + b"".join(_int(8, one) for one in given) + _int(20, 7)


def node(
    kind: str,
    inputs: Iterable[str],
    outputs: Iterable[str],
    *,
    domain: str = "",
    **attributes: int | float | Sequence[int],
) -> bytes:
    """Return one operation of a graph.

    Args:
        kind: Its name in ONNX.
        inputs: Names of values; "" leaves out an optional one.
        outputs: Names of values.
        domain: "" for ONNX's own, "com.microsoft" for the runtime's.
        attributes: The operation's.
    """
    made = [_bytes(1, name) for name in inputs] + [_bytes(2, name) for name in outputs]
    made += [_bytes(4, kind)] + [_bytes(5, _attribute(name, given)) for name, given in attributes.items()]
    return b"".join(made) + (_bytes(7, domain) if domain else b"")


def tensor(name: str, array: NDArray[Any]) -> bytes:
    """Return a constant of a graph, float32, uint8, int8, int32 or int64."""
    dims = b"".join(_int(1, size) for size in array.shape)
    data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return dims + _int(2, _TYPES[array.dtype.name]) + _bytes(8, name) + _bytes(9, data)


def value(name: str, dtype: str, shape: Sequence[int | str]) -> bytes:
    """Return an input or output of a graph; sizes that are not known have names."""
    dims = [_bytes(2, size) if isinstance(size, str) else _int(1, size) for size in shape]
    described = _int(1, _TYPES[dtype]) + _bytes(2, b"".join(_bytes(1, dim) for dim in dims))
    return _bytes(1, name) + _bytes(2, _bytes(1, described))


def model(
    nodes: Iterable[bytes], constants: Iterable[bytes], inputs: Iterable[bytes], outputs: Iterable[bytes]
) -> bytes:
    """Return a model file's contents."""
    parts = [_bytes(1, one) for one in nodes] + [_bytes(2, "agentkit")]
    parts += [_bytes(5, one) for one in constants]
    parts += [_bytes(11, one) for one in inputs] + [_bytes(12, one) for one in outputs]
    opsets = _bytes(8, _int(2, _OPSET)) + _bytes(8, _bytes(1, "com.microsoft") + _int(2, 1))
    return _int(1, _IR_VERSION) + _bytes(2, "agentkit") + opsets + _bytes(7, b"".join(parts))
