"""The dataframes of what was recorded, as Parquet files."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from agentkit._called_as import called_as
from agentkit._home import make_private_file
from agentkit._install import install_command
from agentkit.exceptions import UserError
from agentkit.records.export_choice import chosen_traces
from agentkit.tracing.reader import traces_newest_first

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["export_parquet"]

_FEW = 2_000
"""Traces up to which each is read by itself: of more, reading all and choosing takes less."""


@called_as("agentkit.traces.export_parquet")
def export_parquet(
    folder: str | os.PathLike[str],
    of: Any = None,  # a dataframe, ids, or what has one: results are of a layer above
    **filters: Any,
) -> dict[str, Path]:
    """Write the dataframes of traces to a folder, a Parquet file each: traces, spans, calls, tools, turns, and so on.

    ```python
    files = agentkit.traces.export_parquet("runs", since="7d")
    calls = pandas.read_parquet(files["calls"])
    ```

    Names and dtypes of the columns are those of `agentkit.traces()`, `.spans()`, `.calls()`, `.tools()`, `.turns()`,
    `.messages()`, `.feedback()` and `.notes()`; pandas reads the same frames back. It takes
    `pip install "agentkit[parquet]"`. Files that are there are replaced; only their user can read them.

    Args:
        folder: The folder; made if it isn't there.
        of: Which traces: a dataframe of them, an id, the beginning of one, or what has one (a run's result), or several
            of these. All when None.
        **filters: Which traces, by what `agentkit.traces` takes: agent, model, session, status, error, since, …

    Returns:
        The file of each dataframe, by its name.

    Raises:
        UserError: There is no such trace, the arguments make no sense, pyarrow is missing, or a file can't be written.
    """
    if find_spec("pyarrow") is None:
        raise UserError("Parquet files need the package pyarrow.", hint=f"Install it: {install_command('parquet')}.")
    target = _folder(folder)
    chosen = None if of is None and not filters else set(chosen_traces(of, filters))
    written = {}
    for name, one in _frames().items():
        path = target / f"{name}.parquet"
        _write(_read(one, chosen), path)
        written[name] = path
    return written


class _Frame(NamedTuple):
    """What reads a dataframe."""

    every: Callable[[], pd.DataFrame]
    """Of all traces."""
    some: Callable[[Sequence[str]], pd.DataFrame] | None = None
    """Of some traces; None where all there is is little."""


def _read(one: _Frame, chosen: set[str] | None) -> pd.DataFrame:
    """Return a dataframe of the chosen traces; of all where None."""
    if chosen is None:
        return one.every()
    if one.some is None or len(chosen) > _FEW:
        return _only(one.every(), chosen)
    return one.some([trace_id for trace_id in traces_newest_first() if trace_id in chosen])


def _folder(given: str | os.PathLike[str]) -> Path:
    if not isinstance(given, (str, os.PathLike)) or not str(given):
        raise UserError(f"A folder is told by its path, not by {given!r:.80}.", hint='For example "runs".')
    folder = Path(given).expanduser()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {str(folder)!r} can't be made ({error}).") from error
    return folder


def _frames() -> dict[str, _Frame]:
    """Return what reads each dataframe."""
    from agentkit.records.frames import calls, calls_of, spans, spans_of, tools, tools_of
    from agentkit.records.messages import messages, messages_of
    from agentkit.records.traces import traces, traces_of
    from agentkit.records.turns import turns, turns_of
    from agentkit.tracing.feedback import feedback
    from agentkit.tracing.notes import notes

    return {
        "traces": _Frame(traces, traces_of),
        "spans": _Frame(spans, spans_of),
        "calls": _Frame(calls, calls_of),
        "tools": _Frame(tools, tools_of),
        "turns": _Frame(turns, turns_of),
        "messages": _Frame(messages, messages_of),
        "feedback": _Frame(feedback),
        "notes": _Frame(notes),
    }


def _only(frame: pd.DataFrame, chosen: set[str]) -> pd.DataFrame:
    """Return the rows of some traces."""
    kept = frame[frame["trace_id"].isin(chosen)].reset_index(drop=True)
    for name in kept.columns[kept.dtypes == "category"]:
        kept[name] = kept[name].cat.remove_unused_categories()
    return kept


def _write(frame: pd.DataFrame, path: Path) -> None:
    from importlib import import_module

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make_private_file(temporary)
        try:
            import_module("pyarrow.parquet").write_table(_table(frame), temporary)
            os.replace(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
    except OSError as error:
        raise UserError(f"{path} can't be written ({error}).", hint="Make room, or choose another folder.") from error


def _table(frame: pd.DataFrame) -> Any:  # of pyarrow, which is loaded only here
    """Return a dataframe as pyarrow has it; categories are texts also where there are none."""
    from importlib import import_module

    arrow: Any = import_module("pyarrow")
    schema = arrow.Schema.from_pandas(frame, preserve_index=False)
    for place, name in enumerate(frame.columns):
        if frame[name].dtype == "category":
            schema = schema.set(place, arrow.field(name, arrow.dictionary(arrow.int32(), arrow.string())))
    return arrow.Table.from_pandas(frame, schema=schema, preserve_index=False)
