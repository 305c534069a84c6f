"""What all that reads the store back has in common: arguments that say what is wanted, and columns that get a dtype."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agentkit._json import loads
from agentkit.exceptions import UserError
from agentkit.tracing.processors import registered
from agentkit.tracing.store import TraceStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

__all__ = [
    "Columns",
    "checked_limit",
    "columns_of",
    "dataframe",
    "flush_store",
    "name_of_agent",
    "readable",
    "seconds",
    "since_ns",
    "trace_id_of",
]

_MAX_NS = 2**63 - 1  # what SQLite holds: the year 2262

_DURATION = re.compile(r"(?:\d+(?:\.\d*)?\s*[a-zA-Zµ]+[\s,]*)+(?:\d+:\d\d:\d\d(?:\.\d+)?)?|P[\dDTHMS.]+")
"""How long ago: numbers, each with its unit, as pandas reads them, or as ISO 8601 has them. One without a unit would be
nanoseconds, and "30" would delete everything where 30 days are meant."""
_DATE = re.compile(r"^\s*(?:19|20|21|22)\d\d\s*$|\b\d{4}[-/.]|[-/.\s]\d{4}\b|^\s*\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\s*$")
"""A time has a year in it, or is one of today's."""

Columns = dict[str, "Iterable[Any]"]


def flush_store() -> None:
    """Have the store write what waits."""
    for processor in registered.processors:
        if isinstance(processor, TraceStore):
            processor.force_flush()


def name_of_agent(agent: Any) -> str | None:
    """Return the name that is meant by an agent or its name; None for None.

    Raises:
        UserError: It is neither.
    """
    name = agent if agent is None or isinstance(agent, str) else getattr(agent, "name", agent)
    if name is not None and not isinstance(name, str):
        raise UserError(f"agent is the name of an agent or an agent, not {agent!r}.")
    return name


def checked_limit(limit: int | None) -> int | None:
    """Return `limit`, a number of rows or None.

    Raises:
        UserError: It is something else.
    """
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
        raise UserError(f"limit is a number of rows, 0 or more, not {limit!r}.")
    return limit


def trace_id_of(given: Any) -> str | None:
    """Return the id of the trace that is meant by an id or what has one; None for None.

    Raises:
        UserError: It is neither.
    """
    if given is None or isinstance(given, str):
        return given
    trace_id = getattr(given, "trace_id", None)
    if isinstance(trace_id, str):
        return trace_id
    raise UserError(
        f"A trace is told by its trace_id, the beginning of one, or a run's result, not by {given!r}.",
        hint="agentkit.traces() lists them.",
    )


def since_ns(since: datetime | timedelta | str | None, name: str = "since") -> int | None:
    """Return a time, or how long ago, in nanoseconds since 1970; None for None.

    Args:
        since: A time (without a zone: local time), a date, or how long ago.
        name: What the caller calls it.

    Raises:
        UserError: It is neither.
    """
    if since is None:
        return None
    import pandas as pd

    try:
        moment: Any = _moment(since)  # or what pandas has for no time
    except (ValueError, TypeError, OverflowError):
        moment = pd.NaT
    if pd.isna(moment):
        raise UserError(
            f"{name} is a time or how long ago, not {since!r:.60}.",
            hint='For example "2026-11-21", "2h", "30d" or a datetime.',
        )
    since_epoch: timedelta = moment.as_unit("us").to_pydatetime(warn=False) - datetime(1970, 1, 1, tzinfo=UTC)
    return max(min(since_epoch // timedelta(microseconds=1) * 1000, _MAX_NS), -_MAX_NS)


def _moment(since: Any) -> pd.Timestamp:  # whatever a caller passes
    """Return the time that is meant.

    Raises:
        ValueError, TypeError, OverflowError: None is.
    """
    import pandas as pd

    if isinstance(since, str):
        if _DURATION.fullmatch(since.strip()):
            # in capitals: pandas warns of the small ones
            since = pd.Timedelta(re.sub(r"(?<=[\d\s])[dw]\b", lambda unit: unit[0].upper(), since.strip()))
        elif not _DATE.search(since):
            raise ValueError("neither a time nor how long ago")
    if isinstance(since, timedelta):
        if since < timedelta(0):
            raise ValueError("how long ago is never negative")
        return pd.Timestamp.now(tz="UTC") - since
    if not isinstance(since, str | date) and type(since).__name__ != "datetime64":
        raise TypeError("no time")
    moment = pd.Timestamp(since)
    if pd.notna(moment) and moment.tzinfo is None:
        return pd.Timestamp(moment.to_pydatetime(warn=False).astimezone())  # local time, with the zone of that day
    return moment


def columns_of(names: Sequence[str], rows: list[tuple[Any, ...]]) -> Columns:
    """Return the values of each column of `rows`, by its name."""
    if not rows:
        return dict.fromkeys(names, ())
    return dict(zip(names, zip(*rows, strict=True), strict=True))


def seconds(column: Columns) -> list[float | None]:
    """Return how long each row took, from "started_ns" and "ended_ns"; None where it hasn't ended."""
    return [
        None if ended is None else (ended - started) / 1e9
        for started, ended in zip(column["started_ns"], column["ended_ns"], strict=True)
    ]


def readable(text: str | None) -> str | None:
    """Return stored JSON for a person: a string without its quotes, everything else as it is."""
    if text is None or text[:1] != '"':
        return text
    if "\\" not in text:
        return text[1:-1]  # nothing in it is escaped
    value: str = loads(text)
    return value


def dataframe(dtypes: dict[str, str], columns: Columns) -> pd.DataFrame:
    """Return columns as a dataframe; "time" is the dtype of nanoseconds since 1970."""
    from agentkit.tracing.arrays import frame_of_pieces

    return frame_of_pieces(dtypes, [columns])
