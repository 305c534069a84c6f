"""Lines made of Python values and of the rows of dataframes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.training_files.checking import Kind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["lines_of_examples", "lines_of_frame", "written"]

JSON = Any  # what a user may have put there
Line = dict[str, JSON]

_MEAN: Final = {
    "messages": ("messages", "conversation"),
    "prompt": ("prompt", "question", "instruction", "input", "user"),
    "answer": ("answer", "completion", "output", "response", "assistant"),
    "preferred": ("preferred", "chosen", "liked", "preferred_output"),
    "rejected": ("rejected", "non_preferred", "disliked", "non_preferred_output"),
    "system": ("system", "instructions"),
}
"""Names of columns that say what they are."""
_ROLES: Final = ("system", "developer", "user", "assistant")
_TEXTS = "texts: a question and its answer, or for DPO a question, a liked and a disliked answer"


def lines_of_examples(examples: Iterable[JSON], system: str | None) -> list[bytes]:
    """Return the lines of Python values; see `FineTuningDataset.from_examples`.

    Raises:
        UserError: One can't be read as an example, or can't be written.
    """
    if isinstance(examples, str | bytes | Mapping) or not isinstance(examples, Iterable):
        raise UserError(f"Examples are a list, not {type(examples).__name__} {examples!r:.60}.")
    return [written(_with_system(_line(each, at), system), f"Example {at}") for at, each in enumerate(examples)]


def _line(example: JSON, at: int) -> Line:
    if isinstance(example, Mapping):
        return dict(example)
    if isinstance(example, list | tuple):
        if example and all(isinstance(each, Mapping) for each in example):
            return {"messages": [dict(each) for each in example]}
        if len(example) in (2, 3) and all(isinstance(each, str) for each in example):
            question, *answers = example
            return _turn([{"role": "user", "content": question}], answers)
    raise UserError(f"Example {at} is {example!r:.80}.", hint=f"Give a dictionary, a list of messages, or {_TEXTS}.")


def _turn(told: list[Line], answers: list[JSON]) -> Line:
    said: list[Line] = [{"role": "assistant", "content": answer} for answer in answers]
    if len(said) == 1:
        return {"messages": [*told, *said]}
    return {"input": {"messages": told}, "preferred_output": said[:1], "non_preferred_output": said[1:]}


def _with_system(line: Line, system: str | None) -> Line:
    if system is None:
        return line
    holder = line["input"] if isinstance(line.get("input"), Mapping) else line
    messages = holder.get("messages")
    if not isinstance(messages, list) or any(
        isinstance(each, Mapping) and each.get("role") in ("system", "developer") for each in messages
    ):
        return line
    changed = {**holder, "messages": [{"role": "system", "content": system}, *messages]}
    return changed if holder is line else {**line, "input": changed}


def written(line: Line, what: str) -> bytes:
    """Return an example as its line.

    Args:
        line: The example.
        what: What it is called in the error.

    Raises:
        UserError: It can't be written.
    """
    try:
        return _json.dumps(line)
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{what} can't be written as JSON: {error}.", hint="Make texts of its values.") from error


# -- dataframes -----------------------------------------------------------------------------------------------------


def lines_of_frame(
    frame: pd.DataFrame,
    kind: Kind | None,
    named: Mapping[str, str | None],
    roles: Mapping[str, str] | None,
    instructions: str | None,
) -> tuple[Kind, list[bytes]]:
    """Return what the rows are for, and their lines; see `FineTuningDataset.from_dataframe`.

    Raises:
        UserError: There is no such column, a cell is empty that mustn't be, or it can't be told what is meant.
    """
    if not hasattr(frame, "columns") or not hasattr(frame, "itertuples"):
        raise UserError(f"from_dataframe takes a dataframe, not {type(frame).__name__}.", hint="pandas.DataFrame(…)")
    if roles is not None:
        lines = _by_roles(frame, roles)
        found: Kind = "sft"
    else:
        columns = _columns(frame, named, kind)
        found = "dpo" if "rejected" in columns else "sft"
        lines = _rows_of_messages(frame, columns["messages"]) if "messages" in columns else _rows(frame, columns)
    if kind not in (None, found) and not (roles is None and "messages" in columns):
        raise UserError(f"These columns make examples for {found.upper()}, not for {str(kind).upper()}.", hint=_NEEDS)
    return kind or found, [written(_with_system(line, instructions), f"Row {at}") for at, line in enumerate(lines)]


_NEEDS = (
    'FineTuningDataset.from_dataframe names them: for SFT prompt="…" and answer="…", for DPO prompt="…", preferred="…" '
    'and rejected="…".'
)


def _columns(frame: pd.DataFrame, named: Mapping[str, str | None], kind: Kind | None) -> dict[str, str]:
    """Return the column of each part: those that are named; where none is, those that say what they are."""
    given = {part: column for part, column in named.items() if column is not None}
    for column in given.values():
        _check_column(frame, column)
    if not given.keys() - {"system"}:
        lower = {str(column).lower(): column for column in frame.columns}
        for part, names in _MEAN.items():
            fitting = [lower[name] for name in names if name in lower]
            if part not in given and len(fitting) > 1:
                which = " or ".join(map(repr, fitting))
                raise UserError(f"Which column is {part}: {which}?", hint=f'Name it: {part}="{fitting[0]}". {_NEEDS}')
            if part not in given and fitting:
                given[part] = fitting[0]
        if "messages" in given:
            given = {"messages": given["messages"]}
        elif kind == "sft" or "rejected" not in given or "preferred" not in given:
            given = {part: column for part, column in given.items() if part not in ("preferred", "rejected")}
        else:
            given.pop("answer", None)
    needed = {"messages"} if "messages" in given else {"prompt", "preferred", "rejected"}
    needed = {"prompt", "answer"} if not needed & given.keys() - {"prompt"} else needed
    if missing := sorted(needed - given.keys()):
        there = ", ".join(map(repr, list(frame.columns)[:12]))
        raise UserError(f"Which column is {' and which '.join(missing)}? There are {there}.", hint=_NEEDS)
    if "answer" in given and "rejected" in given:
        raise UserError("answer is for SFT; preferred and rejected are for DPO.", hint=_NEEDS)
    return given


def _check_column(frame: pd.DataFrame, column: Any) -> None:
    if column not in frame.columns:
        import difflib

        near = difflib.get_close_matches(str(column), list(map(str, frame.columns)), n=1)
        meant = f" Did you mean {near[0]!r}?" if near else ""
        there = ", ".join(map(repr, list(frame.columns)[:12]))
        raise UserError(f"There is no column {column!r}.{meant}", hint=f"There are {there or 'none'}.")


def _by_roles(frame: pd.DataFrame, roles: Mapping[str, str]) -> Iterator[Line]:
    for column, role in roles.items():
        _check_column(frame, column)
        if role not in _ROLES:
            raise UserError(f"The role of {column!r} is {role!r}.", hint=f"It is one of {', '.join(_ROLES)}.")
    if "assistant" not in roles.values():
        raise UserError("No column has the role assistant: there would be nothing to learn.")
    for at, row in enumerate(frame[list(roles)].itertuples(index=False, name=None)):
        cells = zip(row, roles.items(), strict=True)
        said: list[Line] = [
            {"role": role, "content": text}
            for cell, (column, role) in cells
            if (text := _text(cell, column, at, optional=role in ("system", "developer"))) is not None
        ]
        yield {"messages": said}


def _rows(frame: pd.DataFrame, columns: Mapping[str, str]) -> Iterator[Line]:
    parts = list(columns)
    for at, row in enumerate(frame[[columns[part] for part in parts]].itertuples(index=False, name=None)):
        cells = dict(zip(parts, row, strict=True))
        texts = {part: _text(cell, columns[part], at, optional=part == "system") for part, cell in cells.items()}
        told: list[Line] = [{"role": "user", "content": texts["prompt"]}]
        if texts.get("system") is not None:
            told.insert(0, {"role": "system", "content": texts["system"]})
        yield _turn(told, [texts[part] for part in ("answer", "preferred", "rejected") if part in texts])


def _rows_of_messages(frame: pd.DataFrame, column: str) -> Iterator[Line]:
    for at, cell in enumerate(frame[column]):
        value = cell.tolist() if hasattr(cell, "tolist") else cell
        if isinstance(value, str):
            try:
                value = _json.loads(value)
            except ValueError:
                raise UserError(f"Row {at} of {column!r} is no JSON: {value!r:.60}.") from None
        if isinstance(value, dict):  # a line as a whole
            yield value
        elif isinstance(value, list | tuple):
            yield {"messages": [_without_gaps(each) for each in value]}
        else:
            raise UserError(
                f"Row {at} of {column!r} is {value!r:.60}.", hint="A cell holds a list of messages, or its JSON."
            )


def _without_gaps(message: JSON) -> JSON:
    """Return a message without the fields that a table of Arrow's fills with None."""
    if not isinstance(message, Mapping):
        return message
    keep = ("content",) if message.get("role") == "assistant" and message.get("tool_calls") else ()
    plain = {key: value.tolist() if hasattr(value, "tolist") else value for key, value in message.items()}
    return {key: value for key, value in plain.items() if value is not None or key in keep}


def _text(cell: Any, column: str, at: int, *, optional: bool) -> str | None:
    """Return a cell as a text: what isn't one becomes JSON; None for an empty one where that is allowed.

    Raises:
        UserError: It is empty, and isn't to be.
    """
    if isinstance(cell, str):
        return cell
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return _nothing(column, at, optional)
    plain = cell.tolist() if hasattr(cell, "tolist") else cell
    if isinstance(plain, float) and plain != plain:
        return _nothing(column, at, optional)
    try:
        return _json.dumps(plain).decode()
    except TypeError:
        return str(plain)


def _nothing(column: str, at: int, optional: bool) -> str | None:
    if not optional:
        raise UserError(
            f"Row {at} of {column!r} is empty.", hint=f"Leave such rows out: frame.dropna(subset=[{column!r}])."
        )
    return None
