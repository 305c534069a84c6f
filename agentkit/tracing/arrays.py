"""Columns of dataframes, put together from pieces: millions of values that never are Python objects all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["Numbered", "frame_of_pieces"]

Values: TypeAlias = "Sequence[Any] | npt.NDArray[Any]"
Order: TypeAlias = "npt.NDArray[np.int64] | None"

_FLOAT_HOLDS = 2**53
"""A float holds every whole number up to here exactly."""


def frame_of_pieces(
    dtypes: Mapping[str, str],
    pieces: Iterable[Mapping[str, Iterable[Any]]],
    order: Callable[[], npt.NDArray[np.int64]] | None = None,
) -> pd.DataFrame:
    """Return a dataframe of what comes in pieces.

    Args:
        dtypes: The dtype of each column: "string", "category", "Int64", "Float64", "boolean", or "time" for
            nanoseconds since 1970.
        pieces: The values of some rows each, by column; None for what is missing.
        order: Returns the place of the row that comes first, of the one after it, and so on. Called when the last
            piece is in; the rows stay as they come when None.
    """
    columns = {name: _column(dtype) for name, dtype in dtypes.items()}
    for piece in pieces:
        for name, column in columns.items():
            values: Any = piece[name]
            column.add(values if isinstance(values, (tuple, list, np.ndarray)) else list(values))
    places = None if order is None else order()
    return pd.DataFrame({name: column.joined(places) for name, column in columns.items()}, copy=False)


class Numbered(dict[Any, int]):
    """Gives each thing that is looked up a number, from 0 on, in order of their first appearance."""

    def __missing__(self, key: Any) -> int:
        self[key] = number = len(self)
        return number


class _Column(Protocol):
    def add(self, values: Values) -> None:
        """Add some values."""

    def joined(self, order: Order) -> Any:
        """Return all of them, as pandas has them."""


def _column(dtype: str) -> _Column:
    if dtype == "time":
        return _Times()
    if dtype == "category":
        return _Categories()
    if dtype == "string":
        return _Texts()
    return _Numbers(dtype)


class _Times:
    """Nanoseconds since 1970."""

    def __init__(self) -> None:
        self._pieces: list[npt.NDArray[np.int64]] = []

    def add(self, values: Values) -> None:
        self._pieces.append(np.fromiter(values, np.int64, len(values)) // 1000)

    def joined(self, order: Order) -> Any:
        micros = _ordered(_concatenated(self._pieces, np.int64), order)
        return pd.DatetimeIndex(micros.view("datetime64[us]")).tz_localize("UTC")


class _Numbers:
    """Numbers or truth values, with some missing."""

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype
        self._kind: Any = {"Int64": np.int64, "Float64": np.float64, "boolean": np.bool_}[dtype]
        self._values: list[npt.NDArray[Any]] = []
        self._missing: list[npt.NDArray[np.bool_]] = []

    def add(self, values: Values) -> None:
        found, missing = self._split(values)
        self._values.append(found)
        self._missing.append(missing)

    def _split(self, values: Values) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        count = len(values)
        if isinstance(values, np.ndarray):
            return values, np.isnan(values)
        absent = values.count(None)
        if absent == count:
            return np.zeros(count, self._kind), np.ones(count, np.bool_)
        if not absent:
            return np.fromiter(values, self._kind, count), np.zeros(count, np.bool_)
        floats = np.array(values, np.float64)  # a missing one becomes NaN
        missing = np.isnan(floats)
        floats[missing] = 0
        if self._kind is np.int64 and np.abs(floats).max() >= _FLOAT_HOLDS:
            return np.fromiter((value or 0 for value in values), np.int64, count), missing
        return floats.astype(self._kind, copy=False), missing

    def joined(self, order: Order) -> Any:
        values = _ordered(_concatenated(self._values, self._kind), order)
        missing = _ordered(_concatenated(self._missing, np.bool_), order)
        if self._dtype == "Int64":
            return pd.arrays.IntegerArray(values, missing)
        if self._dtype == "Float64":
            return pd.arrays.FloatingArray(values, missing)
        return pd.arrays.BooleanArray(values, missing)


class _Categories:
    """Texts of which there are few different ones."""

    def __init__(self) -> None:
        self._numbers = Numbered()
        self._pieces: list[npt.NDArray[np.int32]] = []

    def add(self, values: Values) -> None:
        self._pieces.append(np.fromiter(map(self._numbers.__getitem__, values), np.int32, len(values)))

    def joined(self, order: Order) -> Any:
        texts = sorted(text for text in self._numbers if text is not None)
        place = {text: number for number, text in enumerate(texts)}
        codes = np.array([place.get(text, -1) for text in self._numbers], np.int32)
        numbers = _ordered(_concatenated(self._pieces, np.int32), order)
        return pd.Categorical.from_codes(codes[numbers], categories=_index(texts))


def _index(texts: list[str]) -> Any:
    """Return texts as pandas has those of categories by itself, and when it reads them from a file."""
    try:
        return pd.Index(texts)
    except UnicodeEncodeError:  # half an emoji
        return pd.Index(np.array(texts, object), dtype=object)


class _Texts:
    """Texts: in Arrow's form at once where pandas keeps them so, else as objects of which equal ones are shared."""

    def __init__(self) -> None:
        self._pieces: list[Any] = []
        self._arrow = _arrow()
        self._odd = False  # a text that Arrow doesn't take: with half an emoji in it

    def add(self, values: Values) -> None:
        if self._arrow is not None:
            kind = self._arrow.large_string()
            if not isinstance(values, np.ndarray) and values.count(None) == len(values):
                self._pieces.append(self._arrow.nulls(len(values), kind))
                return
            try:
                self._pieces.append(self._arrow.array(values, kind))
                return
            except (ValueError, TypeError):
                self._odd = True
        self._pieces.append(np.array(values, object))

    def joined(self, order: Order) -> Any:
        if self._arrow is not None and not self._odd:
            return self._joined_arrow(order)
        objects = [
            piece if isinstance(piece, np.ndarray) else np.array(piece.to_pylist(), object) for piece in self._pieces
        ]
        values = _ordered(_concatenated(objects, np.object_), order)
        make: Any = pd.array  # the stubs want to know the dtype from its text
        try:
            return make(values, dtype="string")
        except UnicodeEncodeError:
            return make(values, dtype=pd.StringDtype("python"))

    def _joined_arrow(self, order: Order) -> Any:
        arrow: Any = self._arrow
        whole = arrow.chunked_array(self._pieces, arrow.large_string()).combine_chunks()
        if order is not None:
            whole = whole.take(arrow.array(order))
        dtype: Any = pd.StringDtype("pyarrow")
        return dtype.__from_arrow__(whole)


def _arrow() -> Any:  # the module pyarrow
    """Return pyarrow where pandas keeps texts by it."""
    if pd.StringDtype().storage != "pyarrow":
        return None
    from importlib import import_module

    return import_module("pyarrow")  # it has no types


def _concatenated(pieces: list[npt.NDArray[Any]], kind: Any) -> npt.NDArray[Any]:
    return np.concatenate(pieces) if pieces else np.empty(0, kind)


def _ordered(values: npt.NDArray[Any], order: Order) -> npt.NDArray[Any]:
    return values if order is None else values[order]
