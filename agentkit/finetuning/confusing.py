"""What was answered in place of what."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.finetuning.judging import object_of

__all__ = ["confusion_of"]

_NONE: Final = "(no answer)"
_OTHERS: Final = "(others)"
_MOST: Final = 50
"""Different answers that have a column of their own."""


def confusion_of(rows: pd.DataFrame, field: str | None, fields: list[str]) -> pd.DataFrame:
    """Return how often each expected answer was answered how; see `Scores.confusion`.

    Args:
        rows: The cases, with `expected` and `answer`.
        field: A field of the JSON, or None.
        fields: The fields that there are.

    Raises:
        UserError: There is no such field.
    """
    if field is not None and field not in fields:
        there = f"There are {', '.join(fields)}." if fields else 'Fields are told with compare="json".'
        raise UserError(f"There is no field {field!r:.60}.", hint=there)
    expected = [_value(each, field) for each in rows["expected"]]
    answered = [_value(each, field) for each in rows["answer"]]
    known = set(pd.Series(answered, dtype="string").value_counts().index[:_MOST]) | set(expected)
    shown = [each if each in known else _OTHERS for each in answered]
    table = pd.crosstab(pd.Series(expected, name="expected"), pd.Series(shown, name="answered"))
    order = [each for each in table.index if each in table.columns]
    return table[[*order, *[each for each in table.columns if each not in order]]].astype("Int64")


def _value(text: Any, field: str | None) -> str:
    if pd.isna(text):
        return _NONE
    if field is None:
        return str(text).strip()
    value = object_of(text)
    if not isinstance(value, dict) or field not in value:
        return _NONE
    return value[field] if isinstance(value[field], str) else _json.dumps(value[field]).decode()
