"""Turns: what an agent did with each answer of its model."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit.records.costs import call_costs
from agentkit.records.frames import newest_first
from agentkit.records.shapes import TURNS
from agentkit.records.span import error_line
from agentkit.records.wanted import Since, span_filter
from agentkit.tracing.columns import checked_limit, columns_of, dataframe, flush_store, trace_id_of
from agentkit.tracing.filters import MODEL_KINDS, SpanFilter
from agentkit.tracing.reader import SPANS_READ, read_columns, read_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["turns", "turns_of"]

_AROUND = ("trace_id", "parent_id", "kind", "span_id", "name", "started_ns", "ended_ns")
_KIND, _SPAN_ID, _NAME, _STARTED, _ENDED = range(2, 7)
_OF_TURNS = (*MODEL_KINDS, "function", "handoff")
Row = tuple[Any, ...]


@called_as("agentkit.turns")
def turns(
    trace_id: Any = None,  # an id, or anything that has one: a result, a trace, a span
    *,
    limit: int | None = None,
    agent: Any = None,  # a name, or an agent: a class of a layer above
    model: str | None = None,
    session: Any = None,  # an id, or a session: of a layer above
    status: str | None = None,
    error: bool | None = None,
    text: str | None = None,
    since: Since = None,
    until: Since = None,
) -> pd.DataFrame:
    """Return one row a turn: a model call of an agent, and the tools and the handoff that it asked for.

    Args:
        trace_id: A trace's id, the beginning of one, or what has one; None for all traces.
        limit: At most so many rows.
        agent: Only this agent's turns: its name, or the agent.
        model: Only turns that this model answered.
        session: Only turns of this session's runs: its id, or the session.
        status: Only turns whose model call ended so: "running", "ok", "error", "cancelled", "unfinished".
        error: True for turns whose model call failed, False for the others.
        text: Only turns in whose model call's input, output or error this occurs, in capitals or not.
        since: Only turns that started then or later: a time (without a zone: local time), a date such as "2026-11-21",
            or how long ago, such as "2h" or a timedelta.
        until: Only turns that started before then, likewise.

    Returns:
        A dataframe with these columns, all nullable: of one trace in order, or of all, the newest first.

        | column | dtype | |
        |---|---|---|
        | trace_id | string | joins with `traces()` |
        | span_id | string | the model call's: joins with `calls()`, `messages()` and the `turn_id` of `tools()` |
        | parent_id | string | the agent span's |
        | agent | string | whose turn it was |
        | turn | Int64 | its number since the agent began its work, from 1 |
        | model | string | who answered |
        | status | category | of the model call |
        | started_at | datetime64[us, UTC] | |
        | duration_s | Float64 | seconds, from the call to the end of the last tool |
        | model_s, tools_s | Float64 | seconds of it that the model took, and after that the tools, in parallel or not |
        | tool_calls | Int64 | |
        | handoff_to | string | the agent that goes on |
        | input_tokens, output_tokens, total_tokens | Int64 | |
        | cached_tokens, cache_write_tokens, reasoning_tokens | Int64 | of the input, and of the output |
        | cost_usd | Float64 | missing where the price isn't known |
        | error | string | what went wrong with the model call |

    Raises:
        UserError: There is no such trace, an argument makes no sense, or the file can't be read.
    """
    flush_store()
    wanted = span_filter(
        kinds=MODEL_KINDS, agent=agent, model=model, session=session, status=status, error=error, text=text,
        since=since, until=until,
    )  # fmt: skip
    return _frame(read_spans(trace_id_of(trace_id), limit=checked_limit(limit), wanted=wanted))


def turns_of(trace_ids: Sequence[str]) -> pd.DataFrame:
    """Return what `turns` does of some traces, and read no others. Takes whole ids, the newest trace first."""
    wanted = SpanFilter(kinds=MODEL_KINDS)
    return newest_first(_frame([call for id_ in trace_ids for call in read_spans(id_, wanted=wanted)]))


def _frame(calls: list[Row]) -> pd.DataFrame:
    column = columns_of(SPANS_READ, calls)
    told = [_turn(call, work) for call, work in zip(calls, _around(calls), strict=True)]
    names = ("turn", "duration_s", "model_s", "tools_s", "tool_calls", "handoff_to")
    return dataframe(
        TURNS,
        column
        | columns_of(names, told)
        | {
            "started_at": column["started_ns"],
            "cost_usd": call_costs(column),
            "error": [error_line(text) for text in column["error"]],
        },
    )


def _around(calls: list[Row]) -> list[_Work]:
    """Return for each call what its agent did altogether."""
    trace_place, parent_place = SPANS_READ.index("trace_id"), SPANS_READ.index("parent_id")
    by_parent: dict[tuple[str, str | None], list[Row]] = {}
    for row in read_columns(_AROUND, dict.fromkeys(call[trace_place] for call in calls), _OF_TURNS):
        by_parent.setdefault((row[0], row[1]), []).append(row)
    works = {parent: _Work(rows) for parent, rows in by_parent.items()}
    return [works.get((call[trace_place], call[parent_place])) or _Work([]) for call in calls]


class _Work:
    """What an agent did, once for all of its turns.

    Args:
        rows: Of `_AROUND`: spans with the same parent, in order of start.
    """

    def __init__(self, rows: list[Row]) -> None:
        models = [row for row in rows if row[_KIND] in MODEL_KINDS]
        self.numbers = {row[_SPAN_ID]: number for number, row in enumerate(models, 1)}
        self._starts = [row[_STARTED] for row in models]
        self._others = [row for row in rows if row[_KIND] not in MODEL_KINDS]
        self._others_starts = [row[_STARTED] for row in self._others]

    def asked_for(self, number: int | None, started_ns: int) -> list[Row]:
        """Return what began with a turn or after it, and before the next."""
        first = bisect_left(self._others_starts, started_ns)
        if number is None or number == len(self._starts):
            return self._others[first:]
        return self._others[first : bisect_left(self._others_starts, self._starts[number])]


def _turn(call: Row, work: _Work) -> Row:
    span_id, started, ended = (call[SPANS_READ.index(name)] for name in ("span_id", "started_ns", "ended_ns"))
    number = work.numbers.get(span_id)
    own = work.asked_for(number, started)
    used = [row for row in own if row[_KIND] == "function"]
    ends = [row[_ENDED] for row in used if row[_ENDED] is not None]
    over = None if ended is None else max([ended, *ends])
    handed = next((row[_NAME] for row in own if row[_KIND] == "handoff"), None)
    return (
        number,
        None if over is None else (over - started) / 1e9,
        None if ended is None else (ended - started) / 1e9,
        None if over is None else (over - ended) / 1e9,
        len(used),
        handed,
    )
