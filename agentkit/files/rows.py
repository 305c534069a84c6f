"""Dataframes as documents: one a row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.files.attributes import checked_attributes, short_name
from agentkit.files.documents import KNOWN_TYPES, Document

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Columns", "is_frame", "row_documents"]

_TEXT_NAMES: Final = ("text", "content", "body", "document")
_NUMBERED: Final = (
    "the store has another text of this name, which is but the number of a row: pass title= with a column that names "
    "the rows"
)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a dataframe are what."""

    text: str | None = None
    """The column with the texts; found by its name when None."""
    title: str | None = None
    """The column with what each document is called; the index when None."""

    @property
    def given(self) -> str:
        """The name of an argument that was given, or ""."""
        return "text" if self.text is not None else "title" if self.title is not None else ""


def is_frame(source: Any) -> bool:
    """Return whether something is a dataframe, of pandas or of what becomes one."""
    kind = type(source)
    if any(each.__module__.partition(".")[0] == "pandas" and each.__name__ == "DataFrame" for each in kind.__mro__):
        return True
    return hasattr(source, "to_pandas") and hasattr(source, "columns")


def row_documents(source: Any, columns: Columns, attributes: Any) -> Iterator[Document]:
    """Yield a document for each row.

    Args:
        source: The dataframe.
        columns: Which columns are what.
        attributes: Names of columns, a dictionary for all, a function of the row, or None.

    Raises:
        UserError: A column isn't there, or names are not unique.
    """
    frame: pd.DataFrame = source if hasattr(source, "iloc") else source.to_pandas()
    text = _text_column(frame, columns.text)
    labels = frame.index if columns.title is None else _column(frame, columns.title)
    names = [_filename(label) for label in labels]
    _check_unique(names, columns.title)
    weak = _NUMBERED if columns.title is None and _is_numbered(frame) else ""
    of_row = _attributes_of_row(frame, attributes)
    for place, (name, said) in enumerate(zip(names, frame[text], strict=True)):
        has_text = isinstance(said, str) and bool(said.strip())
        refused = "" if has_text else f"the row has no text in {text!r}"
        data = said.encode(errors="replace") if has_text else b""
        row = frame.iloc[place]
        made: Any = of_row
        if isinstance(of_row, list):
            made = checked_attributes({str(key): row[key] for key in of_row}, name)
        yield Document(
            short_name(f"row:{name}"), data, filename=name, about=row, attributes=made, refused=refused, weak=weak
        )


def _is_numbered(frame: pd.DataFrame) -> bool:
    """Return whether rows are called by numbers that nobody chose, and other dataframes have as well."""
    return frame.index.name is None and frame.index.dtype.kind in "iu"


def _attributes_of_row(
    frame: pd.DataFrame, attributes: Any
) -> list[Any] | Mapping[str, Any] | Callable[[Any], Any] | None:
    if isinstance(attributes, str):
        raise UserError(f"attributes={attributes!r} is one text.", hint=f"Name columns in a list: [{attributes!r}].")
    if isinstance(attributes, Sequence):
        for key in attributes:
            _column(frame, key)
        return list(attributes)
    return attributes  # type: ignore[no-any-return]  # checked by who calls


def _text_column(frame: pd.DataFrame, named: str | None) -> Any:
    if named is not None:
        _column(frame, named)
        return named
    found = next((name for name in _TEXT_NAMES if name in frame.columns), None)
    if found is None:
        there = ", ".join(map(repr, frame.columns))
        raise UserError(f"Which column has the texts? There are {there}.", hint='Say it: text="…".')
    return found


def _column(frame: pd.DataFrame, name: Any) -> Any:  # a Series
    there = ", ".join(map(repr, frame.columns))
    if not isinstance(name, Hashable):
        raise UserError(f"{brief(name)} is no column: only one can be named.", hint=f"It has {there}.")
    if name not in frame.columns:
        raise UserError(f"The dataframe has no column {name!r}.", hint=f"It has {there}.")
    return frame[name]


def _filename(label: Any) -> str:
    name = " ".join(str(label).replace("/", "_").replace("\\", "_").split()) or "row"
    return name if PurePath(name).suffix.lower() in KNOWN_TYPES else f"{name}.txt"


def _check_unique(names: list[str], title: str | None) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            where = "in the index" if title is None else f"in the column {title!r}"
            raise UserError(
                f"Two rows are both called {name!r} {where}.",
                hint='Documents are known by their names: choose a column without repetitions, title="…", '
                "or df.reset_index().",
            )
        seen.add(name)
