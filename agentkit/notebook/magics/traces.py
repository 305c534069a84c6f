"""`%traces` and `%trace`: what has been run, and what one run did, as dataframes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.latest import latest
from agentkit.notebook.magics.base import Magic
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    import pandas
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["TRACE", "TRACES"]

_TRACES = Command(
    name="traces",
    summary="Show the runs that were made, the last first, as a dataframe. agentkit.traces() has all columns, uncut.",
    kinds=("line",),
    options=(
        Option("--limit", "How many at most; 20 unless told.", "COUNT", convert=int),
        Option("--agent", "Only runs that this agent took part in.", "NAME", values="agents"),
        Option("--error", "Only runs that failed."),
        Option("--since", 'Only runs since then: "2h", "2026-11-21".', "TIME"),
    ),
    examples="""
%traces --agent weather --limit 5
df = %traces --error
""",
)
_TRACE = Command(
    name="trace",
    summary="Show what a run did, step by step, as a dataframe of its spans. agentkit.spans() has all columns, uncut.",
    kinds=("line",),
    subject=Subject(
        "RUN", "A variable with a result, or a trace's id; the last run unless told.", "variables", required=False
    ),
    options=(
        Option(
            "--kind",
            "Only steps of this kind.",
            "KIND",
            values="choices",
            choices=("agent", "response", "generation", "function", "handoff", "guardrail", "mcp_tools", "custom"),
        ),
    ),
    examples="""
%trace
%trace result --kind function
""",
)
_LIMIT = 20
_CELL_CHARS = 80
_TRACES_COLUMNS = (
    *("agent", "last_agent", "status", "started_at", "duration_s", "turns", "tool_calls", "total_tokens"),
    *("input", "output", "error", "trace_id"),
)
_TRACE_COLUMNS = (
    *("depth", "kind", "name", "status", "duration_s", "model", "input_tokens", "output_tokens"),
    *("input", "output", "error", "span_id"),
)


def _traces(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.tracing import traces

    name = arguments["agent"]
    agents = namespace.agents_in(shell.user_ns)
    limit = arguments["limit"]
    try:
        frame = traces(
            limit=_LIMIT if limit is None else limit,
            agent=agents[name].name if name in agents else name,
            status="error" if arguments["error"] else None,
            since=arguments["since"],
        )
    except UserError as error:
        raise usage_error(_TRACES, str(error)) from None
    return _readable(frame, _TRACES_COLUMNS)


def _readable(frame: pandas.DataFrame, columns: tuple[str, ...]) -> pandas.DataFrame:
    """Return the telling columns of a frame, the texts in them cut to a line."""
    shown = frame[list(columns)].copy()
    for name in ("input", "output", "error"):
        shown[name] = shown[name].str.replace(r"\s+", " ", regex=True).str.slice(0, _CELL_CHARS)
    return shown


def _trace(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.tracing import spans

    name = arguments.subject
    if name is None:
        wanted: Any = latest.run if latest.run is not None else _newest()
    else:
        wanted = shell.user_ns.get(name, name)
        if not isinstance(wanted, str) and not hasattr(wanted, "trace_id"):
            raise usage_error(_TRACE, f"{name} is of type {type(wanted).__name__}, and no result of a run.")
    try:
        return _readable(spans(wanted, kind=arguments["kind"]), _TRACE_COLUMNS)
    except UserError as error:
        raise usage_error(_TRACE, str(error)) from None


def _newest() -> str:
    """Return the id of the last run that any program on this machine made, for a notebook that has made none."""
    from agentkit.tracing import traces

    known = traces(limit=1)
    if known.empty:
        raise usage_error(_TRACE, "Nothing has been run yet.")
    return str(known["trace_id"].iloc[0])


TRACES = Magic(_TRACES, _traces)
TRACE = Magic(_TRACE, _trace)
