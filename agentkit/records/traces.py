"""`agentkit.traces`: all that was run on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from agentkit._called_as import called_as
from agentkit.records.costs import call_costs, is_priced_anew, is_unpriced
from agentkit.records.export_jsonl import export_jsonl
from agentkit.records.export_otlp import export_otlp
from agentkit.records.export_parquet import export_parquet
from agentkit.records.import_jsonl import import_jsonl
from agentkit.records.opened import open_trace
from agentkit.records.shapes import TRACES
from agentkit.records.span import error_line
from agentkit.records.wanted import Since, trace_filter
from agentkit.tracing.columns import checked_limit, columns_of, dataframe, flush_store, readable, seconds
from agentkit.tracing.filters import MODEL_KINDS, TraceFilter
from agentkit.tracing.prune import prune
from agentkit.tracing.reader import TRACES_READ, read_columns, read_traces

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentkit.records.traces_frame import TracesFrame

__all__ = ["Traces", "trace_costs", "traces", "traces_of"]

_PRICED = (
    *("trace_id", "status", "model", "cost_usd", "requests", "input_tokens", "output_tokens", "cached_tokens"),
    *("cache_write_tokens", "total_tokens"),
)


class Traces:
    """All that was run on this machine: `agentkit.traces()` returns it as a dataframe, one row a trace.

    `agentkit.traces.browse()` opens a table of them to look into. `.open(…)` opens one, `.prune(…)` deletes what is
    old, `.export_jsonl(…)`, `.export_parquet(…)` and `.export_otlp(…)` take them elsewhere, and `.import_jsonl(…)`
    brings them back.
    """

    __name__ = "traces"

    @called_as("agentkit.traces")
    def __call__(
        self,
        trace_id: Any = None,  # an id, or anything that has one: a result, a trace, a span
        *,
        limit: int | None = None,
        agent: Any = None,  # a name, or an agent: a class of a layer above
        model: str | None = None,
        session: Any = None,  # an id, or a session: of a layer above
        group: str | None = None,
        status: str | None = None,
        error: bool | None = None,
        text: str | None = None,
        rating: str | None = None,
        since: Since = None,
        until: Since = None,
    ) -> TracesFrame:
        """Return one row a trace, the newest first: all that was run on this machine, by any kernel or script.

        Args:
            trace_id: Only this trace: its id, the beginning of one, or what has one: a result, a trace.
            limit: At most so many rows.
            agent: Only traces that this agent took part in: its name, or the agent.
            model: Only traces in which this model was called.
            session: Only traces of this session's runs: its id, or the session.
            group: Only traces with this group_id.
            status: Only traces that ended so, such as "error"; see below.
            error: True for those that ended with an error, False for the others.
            text: Only traces in whose input, output or error this occurs, in capitals or not.
            rating: Only traces whose answer was rated "up", or "down".
            since: Only traces started then or later: a time (without a zone: local time), a date such as "2026-11-21",
                or how long ago, such as "2h" or a timedelta.
            until: Only traces started before then, likewise.

        Returns:
            A dataframe with these columns, all nullable; the same when there are no rows.

            | column | dtype | |
            |---|---|---|
            | started_at | datetime64[us, UTC] | |
            | agent, last_agent | string | the agent that began, and the one that was last at work |
            | status | category | "running", "ok", "error", "cancelled", "unfinished", or another end; see below |
            | input, output | string | what was asked, and what came out; JSON unless it was text |
            | error | string | what went wrong |
            | duration_s | Float64 | seconds; missing while it is running |
            | turns, tool_calls, handoffs | Int64 | model calls, calls of function tools, handoffs |
            | requests, input_tokens, output_tokens, total_tokens | Int64 | sums over the model calls |
            | cached_tokens, cache_write_tokens, reasoning_tokens | Int64 | of the input, and of the output |
            | cost_usd | Float64 | sum over the model calls; missing where the price of one isn't known |
            | model | string | the models called, in order of their first call, separated by ", " |
            | rating, remark | category, string | what a reader thought of the answer; `feedback()` has more |
            | mark, comment | string | what a reader noted on the trace |
            | workflow | string | the trace's name |
            | session_id, group_id | string | the session; what traces of one conversation share |
            | metadata | string | JSON |
            | cut | Int64 | bytes of input, output, error and metadata that were too many to keep |
            | trace_id | string | joins with `spans()`, `calls()`, `tools()`, `turns()`, `messages()`, `feedback()` |

            A trace is "unfinished" that was cut off, as by a killed kernel. Runs also end with "max_turns", "budget" or
            "guardrail".

            Rows can be chosen and sorted as in any dataframe; `frame.open(0)` opens the trace of a row, and
            `frame.plot_cost()`, `.plot_tokens()` and `.plot_latency()` draw them all.

        Raises:
            UserError: An argument makes no sense, or the file can't be read.
        """
        flush_store()
        wanted = trace_filter(
            trace_id, agent=agent, model=model, session=session, group=group, status=status, error=error, text=text,
            rating=rating, since=since, until=until,
        )  # fmt: skip
        return _frame(read_traces(wanted, checked_limit(limit)))

    def __repr__(self) -> str:
        return "agentkit.traces: call it, agentkit.traces(), for a dataframe of all that was run."

    open = staticmethod(open_trace)
    prune = staticmethod(prune)
    export_jsonl = staticmethod(export_jsonl)
    import_jsonl = staticmethod(import_jsonl)
    export_otlp = staticmethod(export_otlp)
    export_parquet = staticmethod(export_parquet)

    @property
    def browse(self) -> Callable[..., Any]:
        """Opens a table of runs to filter and look into, in a notebook: see `agentkit.notebook.browser.browse`."""
        from importlib import import_module

        return cast("Callable[..., Any]", import_module("agentkit.notebook.browser").browse)  # of a layer above


traces = Traces()


def traces_of(trace_ids: Sequence[str]) -> TracesFrame:
    """Return what `traces` does of some traces, and read no others. Takes whole ids, the newest first."""
    return _frame([row for id_ in trace_ids for row in read_traces(TraceFilter(trace_id=id_), 1)])


def _frame(rows: list[tuple[Any, ...]]) -> TracesFrame:
    column = columns_of(TRACES_READ, rows)
    agents = [None if names is None else names.partition("\n")[0] for names in column["agents"]]
    models = [None if names is None else list(dict.fromkeys(names.split("\n"))) for names in column["models"]]
    frame = dataframe(
        TRACES,
        column
        | {
            "agent": agents,
            "status": [status or "running" for status in column["status"]],
            "started_at": column["started_ns"],
            "duration_s": seconds(column),
            "cost_usd": trace_costs(column, models),
            "model": [None if names is None else ", ".join(names) for names in models],
            "input": [readable(text) for text in column["input"]],
            "output": [readable(text) for text in column["output"]],
            "error": [error_line(text) for text in column["error"]],
            "remark": [text or None for text in column["remark"]],
            "mark": [text or None for text in column["mark"]],
            "comment": [text or None for text in column["comment"]],
        },
    )
    from agentkit.records.traces_frame import TracesFrame

    return TracesFrame(frame)


def trace_costs(column: Mapping[str, Iterable[Any]], models: Sequence[Sequence[str] | None]) -> list[float | None]:
    """Return what each trace cost. Calls whose price wasn't known, or has been set since, are priced now.

    Args:
        column: With "trace_id", "cost_usd" and "unpriced", as the store has them.
        models: The models of each.
    """
    rows = list(zip(column["trace_id"], column["cost_usd"], column["unpriced"], models, strict=True))
    anew = {id_: 0.0 for id_, _, unpriced, names in rows if unpriced or any(map(is_priced_anew, names or ()))}
    unknown = set()
    if anew:
        calls = columns_of(_PRICED, read_columns(_PRICED, anew, MODEL_KINDS))
        of_each = zip(calls["trace_id"], calls["status"], calls["requests"], call_costs(calls), strict=True)
        for trace_id, status, requests, cost in of_each:
            if cost is not None:
                anew[trace_id] += cost
            elif is_unpriced(cost, requests, status):
                unknown.add(trace_id)
    return [None if id_ in unknown else anew.get(id_, cost or 0.0) for id_, cost, _, _ in rows]
