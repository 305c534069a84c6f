"""The dataframes of what was recorded, as Parquet files."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._home import make_private_file
from agentkit.exceptions import UserError
from agentkit.records.export_choice import chosen_traces

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["export_parquet"]


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
        raise UserError("Parquet files need the package pyarrow.", hint='Install it: pip install "agentkit[parquet]".')
    target = _folder(folder)
    everything = of is None and not filters
    chosen = set(chosen_traces(of, filters))
    written = {}
    for name, read in _frames().items():
        frame = read()
        path = target / f"{name}.parquet"
        _write(frame if everything else _only(frame, chosen), path)
        written[name] = path
    return written


def _folder(given: str | os.PathLike[str]) -> Path:
    if not isinstance(given, (str, os.PathLike)) or not str(given):
        raise UserError(f"A folder is told by its path, not by {given!r:.80}.", hint='For example "runs".')
    folder = Path(given).expanduser()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder {str(folder)!r} can't be made ({error}).") from error
    return folder


def _frames() -> dict[str, Callable[[], pd.DataFrame]]:
    """Return what reads each dataframe."""
    from agentkit.records.frames import calls, spans, tools
    from agentkit.records.messages import messages
    from agentkit.records.traces import traces
    from agentkit.records.turns import turns
    from agentkit.tracing.feedback import feedback
    from agentkit.tracing.notes import notes

    return {
        "traces": traces,
        "spans": spans,
        "calls": calls,
        "tools": tools,
        "turns": turns,
        "messages": messages,
        "feedback": feedback,
        "notes": notes,
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
