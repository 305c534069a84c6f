"""The dataframe that comes out: the input's columns, those of the answers by the output type, those about the runs."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import typing
from collections.abc import Callable, Iterable, Sequence
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, RootModel
from pydantic_core import PydanticSerializationError, from_json, to_json
from typing_extensions import is_typeddict

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.models import AgentOutputSchema, AgentOutputSchemaBase

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.runtime.batch.outcome import Outcome

__all__ = ["Column", "answer_json", "as_frame", "columns_of", "result_frame"]

_STATUSES = ("ok", "failed", "waiting", "skipped", "cancelled")
_SIMPLE = {str: "string", bool: "boolean", int: "Int64", float: "Float64"}
_TIMES = (datetime.datetime, datetime.date)


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column that answers give."""

    name: str
    """Its name, where the input has none of that name."""
    dtype: str
    """pandas' name of its type; "category" and "time" for what `categories` and the values tell."""
    field: str | None = None
    """The field of the answer that it holds; None for the answer itself."""
    categories: tuple[Any, ...] = ()
    """All values that there may be, of a category."""


def as_frame(data: Any) -> pd.DataFrame:
    """Return rows of any kind as a dataframe: a dataframe as it is, a Series, dicts, objects with `to_pandas`, values.

    A Series without a name, and plain values, become the column `value`.

    Raises:
        UserError: It is none of these, or a dataframe whose columns have several levels.
    """
    import pandas as pd

    if not isinstance(data, (pd.DataFrame, pd.Series)) and hasattr(data, "to_pandas"):
        data = data.to_pandas()
    if isinstance(data, pd.Series):
        data = data.to_frame("value" if data.name is None else data.name)
    elif isinstance(data, Iterable) and not isinstance(data, (str, bytes, dict, pd.DataFrame)):
        rows = list(data)
        of_dicts = bool(rows) and all(isinstance(row, dict) for row in rows)
        values = None if of_dicts else pd.Series(rows, dtype=None if rows else "str")
        data = pd.DataFrame({"value": values}) if values is not None else _of_dicts(rows)
    if not isinstance(data, pd.DataFrame):
        hint = "Give a DataFrame, a Series, or a list of dicts."
        raise UserError(f"There are no rows in {type(data).__name__} {data!r:.60}.", hint=hint)
    if data.columns.nlevels > 1:
        hint = 'Flatten them: df.columns = ["_".join(map(str, names)) for names in df.columns].'
        raise UserError(f"The dataframe's columns have {data.columns.nlevels} levels.", hint=hint)
    return data


def _of_dicts(rows: list[dict[Any, Any]]) -> pd.DataFrame:
    """Return dicts as a dataframe in which whole numbers stay whole, also where some are missing: 1, not 1.0."""
    import pandas as pd

    frame = pd.DataFrame(rows)
    for name in frame.columns[frame.dtypes == "float64"]:
        values = [row.get(name) for row in rows]
        if all(value is None or isinstance(value, int) for value in values):
            frame[name] = pd.array(values, dtype="Int64")
    return frame


def columns_of(output_type: Any) -> list[Column]:
    """Return the columns for an agent's output type: one a field of a model, a dataclass or a TypedDict; else `answer`.

    Args:
        output_type: A type, None for text, or an `AgentOutputSchemaBase`.
    """
    if isinstance(output_type, AgentOutputSchema):
        output_type = output_type.output_type
    if isinstance(output_type, AgentOutputSchemaBase):
        return [Column("answer", "string" if output_type.is_plain_text() else "object")]
    if output_type is None:
        return [Column("answer", "string")]
    fields = _fields(output_type)
    if not fields:
        return [_column("answer", None, output_type)]
    return [_column(name, name, annotation) for name, annotation in fields.items()]


def _fields(kind: Any) -> dict[str, Any]:
    """Return the fields of an output type and their types; none for a type that has no fields."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if issubclass(kind, RootModel):
            return {}
        return {name: field.annotation for name, field in kind.model_fields.items()}
    origin = get_origin(kind) or kind
    if is_typeddict(origin) or dataclasses.is_dataclass(origin):
        names = [f.name for f in dataclasses.fields(origin)] if dataclasses.is_dataclass(origin) else None
        try:
            hints = typing.get_type_hints(origin, include_extras=False)
        except NameError:  # a type that is named in quotes, and not to be found
            hints = dict.fromkeys(origin.__annotations__, Any)
        return {name: hints.get(name, Any) for name in (names or hints)}
    return {}


def _column(name: str, field: str | None, annotation: Any) -> Column:
    kind = _bare(annotation)
    if get_origin(kind) is Literal:
        values = tuple(value.value if isinstance(value, enum.Enum) else value for value in get_args(kind))
        return Column(name, "category", field, tuple(value for value in values if value is not None))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        values = tuple(from_json(to_json(member.value)) for member in kind)
        if all(isinstance(value, (str, int, float)) for value in values):
            return Column(name, "category", field, tuple(dict.fromkeys(values)))
        return Column(name, "object", field)
    if kind in _TIMES:
        return Column(name, "time", field)
    return Column(name, _SIMPLE.get(kind, "object") if isinstance(kind, type) else "object", field)


def _bare(annotation: Any) -> Any:
    """Return a type without `Annotated`, `NotRequired` and `None`: a missing value fits every column."""
    origin = get_origin(annotation)
    if origin is Annotated or origin in (typing.NotRequired, typing.Required):
        return _bare(get_args(annotation)[0])
    if origin in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        if len(members) == 1:
            return _bare(members[0])
    return annotation


def answer_json(value: Any, clean: Callable[[str], str]) -> str:
    """Return a final output as JSON text, by the names of its fields; what has no JSON form as its repr.

    Args:
        value: The output.
        clean: Takes out what is not to be kept.
    """
    try:
        text = to_json(value, by_alias=False, inf_nan_mode="constants").decode()
    except PydanticSerializationError:
        try:
            text = _json.dumps(value).decode()
        except TypeError:
            text = _json.dumps(repr(value)).decode()
    cleaned = clean(text)
    try:
        _json.loads(cleaned)
    except ValueError:  # what was taken out was part of the JSON's own form
        return _json.dumps(clean(str(value))).decode()
    return cleaned


def result_frame(
    frame: pd.DataFrame, outcomes: Sequence[Outcome], columns: Sequence[Column]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the input with the columns of the answers and of the runs, and what those of the runs are called there.

    Whoever comes first keeps its name: the input's columns, then the answers', then those about the runs. A name that
    is taken gets `_2`, or the next number that is free.

    Args:
        frame: The input, one row for each outcome; it isn't changed.
        outcomes: What came of each row.
        columns: What the answers give.
    """
    answers = [None if outcome.answer is None else _json.loads(outcome.answer) for outcome in outcomes]
    made = {column.name: _array(column, [_cell(column, answer) for answer in answers]) for column in columns}
    other = [None if answer is None or _fits(columns, answer) else answer for answer in answers]
    if any(answer is not None for answer in other):  # of another agent, or of a tool
        made["other_answer"] = _array(Column("other_answer", "object"), other)
    result = frame.copy()
    for name, values in made.items():
        result[_free(name, result)] = values
    names = {}
    for name, values in _about(outcomes).items():
        names[name] = _free(name, result)
        result[names[name]] = values
    return result, names


def _free(name: str, frame: pd.DataFrame) -> str:
    """Return a name for a column that the dataframe doesn't have yet."""
    taken = {str(known) for known in frame.columns}
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _fits(columns: Sequence[Column], answer: Any) -> bool:
    """Return whether an answer is of the output type, which one of another agent need not be."""
    if columns[0].field is None:
        return True
    return isinstance(answer, dict) and any(column.field in answer for column in columns)


def _cell(column: Column, answer: Any) -> Any:
    if column.field is None:
        return answer
    return answer.get(column.field) if isinstance(answer, dict) else None


def _about(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the columns about the runs."""
    import pandas as pd

    status = pd.Categorical([outcome.status for outcome in outcomes], categories=list(_STATUSES))
    dtypes = {
        "error": "string",
        "trace_id": "string",
        "input_tokens": "Int64",
        "output_tokens": "Int64",
        "cost_usd": "Float64",
        "duration_s": "Float64",
    }
    about = {name: _array(Column(name, dtype), [getattr(o, name) for o in outcomes]) for name, dtype in dtypes.items()}
    return {"status": status, **about}


def _array(column: Column, values: list[Any]) -> Any:  # a pandas array: each dtype has its own class
    """Return values as the column's dtype; as objects where one of them can't be that."""
    import pandas as pd

    make: Any = pd.array  # the stubs want to know the dtype from its text
    try:
        if column.dtype == "category":
            if all(value is None or value in column.categories for value in values):
                return pd.Categorical(values, categories=list(column.categories))
        elif column.dtype == "time":
            return _times(values)
        elif column.dtype == "string":
            if all(value is None or isinstance(value, str) for value in values):
                return make([_encodable(value) for value in values], dtype="string")
        elif column.dtype != "object":
            return make(values, dtype=column.dtype)
    except (TypeError, ValueError, OverflowError):
        pass
    import numpy as np

    objects = np.empty(len(values), dtype="object")
    for position, value in enumerate(values):  # one by one: numpy would take lists apart
        objects[position] = pd.NA if value is None else value
    return objects


def _times(values: list[Any]) -> Any:
    import pandas as pd

    moments = [None if value is None else datetime.datetime.fromisoformat(value) for value in values]
    aware = {moment.tzinfo is not None for moment in moments if moment is not None}
    if aware == {True}:
        return pd.to_datetime(pd.Series(moments, dtype="object"), utc=True).astype("datetime64[us, UTC]").array
    if aware == {True, False}:
        raise ValueError("times with and without a zone")
    return pd.to_datetime(pd.Series(moments, dtype="object")).astype("datetime64[us]").array


def _encodable(text: str | None) -> str | None:
    """Return a text without half of a surrogate pair, which a column of strings can't hold."""
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode()
