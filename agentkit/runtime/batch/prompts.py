"""The question for each row: a template whose `{{column}}` places are filled."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agentkit._places import Place, PlaceError, as_text, split, value_at
from agentkit.exceptions import UserError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Missing", "Prompt", "fill_rows", "is_missing"]

Missing = Literal["empty", "skip", "fail"]
"""What becomes of a row in which a value is missing: it is asked with nothing in that place, skipped, or failed."""

_SHOWN_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a row asks, or why it can't."""

    text: str = ""
    """The template, filled."""
    problem: str = ""
    """Why the row isn't asked; "" where it is."""
    skipped: bool = False
    """Whether a row that isn't asked was skipped; else it failed."""


def fill_rows(
    template: str, frame: pd.DataFrame, variables: Mapping[str, Any], missing: Missing = "empty"
) -> list[Prompt]:
    """Return what each row of `frame` asks.

    A place takes the row's value in the column of that name, or else in the index level of that name; or else the
    value of the variable, the same for all rows.

    Args:
        template: The text, with places such as `{{text}}` and `{{order.id}}`.
        frame: The rows.
        variables: What else a place may name.
        missing: What to do about None, NaN and the like.

    Raises:
        UserError: A name stands for nothing, the template names no column, or no row can be asked.
    """
    columns = _columns(frame)
    pieces = split(template.strip(), columns)
    places = [piece for piece in pieces if isinstance(piece, Place)]
    for place in places:
        _check(place, frame, columns, variables)
    if not any(place.name in columns for place in places):
        hint = f"Write one of its columns between double braces: {_listed(columns)}."
        raise UserError("The text names no column, so that every row would ask the same.", hint=hint)
    values = {name: _values(frame, columns[name]) for name in {place.name for place in places} & columns.keys()}
    fixed = {piece: _text_of(piece, variables[piece.name]) for piece in places if piece.name not in columns}
    prompts = [_fill(pieces, values, fixed, row, missing) for row in range(len(frame))]
    if prompts and all(prompt.problem for prompt in prompts) and not any(prompt.skipped for prompt in prompts):
        raise UserError(f"No row can be asked. {prompts[0].problem}")
    return prompts


def is_missing(value: Any) -> bool:
    """Return whether a cell of a dataframe has no value: None, NaN, NaT or NA."""
    import pandas as pd

    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _columns(frame: pd.DataFrame) -> dict[str, list[int] | str]:
    """Return the names that stand for columns, with their positions; and for levels of the index, with their own."""
    found: dict[str, list[int] | str] = {name: name for name in frame.index.names if isinstance(name, str)}
    at: dict[str, list[int]] = {}
    for position, name in enumerate(frame.columns):
        at.setdefault(str(name), []).append(position)
    return {**found, **at}


def _check(
    place: Place, frame: pd.DataFrame, columns: Mapping[str, list[int] | str], variables: Mapping[str, Any]
) -> None:
    where = columns.get(place.name)
    if isinstance(where, list) and len(where) > 1:
        raise UserError(f"{place.text}: {len(where)} columns are named {place.name!r}.", hint="Rename all but one.")
    if where is not None or place.name in variables:
        return
    near = difflib.get_close_matches(place.name, columns, n=1) or [
        name for name in columns if name.lower() == place.name.lower()
    ]
    meant = f"Did you mean {near[0]}? " if near else ""
    raise UserError(
        f"{place.text}: there is no column {place.name!r}.", hint=f"{meant}The columns are {_listed(columns)}."
    )


def _listed(columns: Mapping[str, Any]) -> str:
    names = list(columns)
    shown = ", ".join(names[:_SHOWN_COLUMNS]) or "none"
    return f"{shown} and {len(names) - _SHOWN_COLUMNS} more" if len(names) > _SHOWN_COLUMNS else shown


def _values(frame: pd.DataFrame, where: list[int] | str) -> list[Any]:
    values: list[Any]
    if isinstance(where, str):
        values = frame.index.get_level_values(where).tolist()
    else:
        values = frame.iloc[:, where[0]].tolist()
    return values


def _text_of(place: Place, value: Any) -> str:
    try:
        return as_text(value_at(place, value))
    except PlaceError as error:
        raise UserError(str(error)) from None


def _fill(
    pieces: Sequence[str | Place],
    values: Mapping[str, list[Any]],
    fixed: Mapping[Place, str],
    row: int,
    missing: Missing,
) -> Prompt:
    texts: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            texts.append(piece)
            continue
        if piece in fixed:
            texts.append(fixed[piece])
            continue
        value = values[piece.name][row]
        try:
            value = None if is_missing(value) else value_at(piece, value)
        except PlaceError as error:
            return Prompt(problem=str(error))
        if not is_missing(value):
            texts.append(as_text(value))
        elif missing != "empty":
            return Prompt(problem=f"{piece.text} is missing.", skipped=missing == "skip")
    text = "".join(texts)
    return Prompt(text) if text.strip() else Prompt(problem="There is nothing to ask: the text is empty.")
