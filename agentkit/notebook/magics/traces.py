"""`%traces` and `%trace`: what has been run, as a dataframe or a browser, and what one run did, as a picture."""

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

_STATUSES = ("ok", "error", "running", "unfinished", "cancelled", "max_turns", "budget", "guardrail", "waiting")
_TRACES = Command(
    name="traces",
    summary="Show the runs that were made, the last first, as a dataframe. agentkit.traces() has all columns, uncut.",
    kinds=("line",),
    options=(
        Option("--browse", "Show them in a browser instead: filter, sort, open, follow, mark and comment."),
        Option("--limit", "How many at most; 20 unless told.", "COUNT", convert=int),
        Option("--agent", "Only runs that this agent took part in.", "NAME", values="agents"),
        Option("--model", "Only runs in which this model was called.", "NAME", values="models"),
        Option("--session", "Only runs of this session: its id, or a variable that holds it.", "ID", values="sessions"),
        Option("--group", "Only runs with this group_id.", "ID"),
        Option("--status", "Only runs that ended so.", "STATUS", values="choices", choices=_STATUSES),
        Option("--error", "Only runs that failed."),
        Option("--text", "Only runs in whose question, answer or error this occurs.", "TEXT"),
        Option("--rating", "Only runs whose answer was rated so.", "RATING", values="choices", choices=("up", "down")),
        Option("--since", 'Only runs since then: "2h", "2026-11-21".', "TIME"),
        Option("--until", "Only runs before then, likewise.", "TIME"),
    ),
    examples="""
%traces --agent weather --limit 5
%traces --text "Oslo" --rating down
df = %traces --error --since 2h
%traces --browse
""",
)
_KINDS = ("agent", "response", "generation", "function", "handoff", "guardrail", "mcp_tools", "custom")
_WORDS = {"model": ("response", "generation"), "tool": ("function",)}
"""Kinds by the words that a trace is shown with."""
_TRACE = Command(
    name="trace",
    summary="Show what a run did, step by step. agentkit.open_trace() gives the same, to go on with in code.",
    kinds=("line",),
    subject=Subject(
        "RUN", "A variable with a result, or a trace's id; the last run unless told.", "variables", required=False
    ),
    options=(
        Option("--frame", "As a dataframe of its steps instead; agentkit.spans() has all columns, uncut."),
        Option(
            "--kind",
            "As a dataframe of its steps of this kind.",
            "KIND",
            values="choices",
            choices=(*_KINDS, *_WORDS),
        ),
    ),
    examples="""
%trace
%trace result --kind function
steps = %trace --frame
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

    wanted = _wanted(shell, arguments)
    limit = arguments["limit"]
    try:
        if not arguments["browse"]:
            from agentkit.records.traces import traces

            return _readable(traces(limit=_LIMIT if limit is None else limit, **wanted), _TRACES_COLUMNS)
        if limit is not None:
            raise usage_error(_TRACES, "--browse shows all, page by page: it takes no --limit.")
        from agentkit.notebook.browser import browse

        return browse(**wanted)
    except UserError as error:
        raise usage_error(_TRACES, str(error)) from None


def _wanted(shell: InteractiveShell, arguments: Arguments) -> dict[str, Any]:
    """Return the filters that were given, by the names of `agentkit.traces`."""
    names = ("agent", "model", "session", "group", "status", "error", "text", "rating", "since", "until")
    wanted = {name: arguments[name] for name in names if arguments[name] is not None}
    agents = namespace.agents_in(shell.user_ns)
    if (agent := wanted.get("agent")) in agents:
        wanted["agent"] = agents[agent].name
    held = shell.user_ns.get(wanted.get("session", ""))
    if isinstance(session_id := getattr(held, "session_id", None), str):
        wanted["session"] = session_id
    return wanted


def _readable(frame: pandas.DataFrame, columns: tuple[str, ...]) -> pandas.DataFrame:
    """Return the telling columns of a frame, the texts in them cut to a line."""
    shown = frame[list(columns)].copy()
    for name in ("input", "output", "error"):
        shown[name] = shown[name].str.replace(r"\s+", " ", regex=True).str.slice(0, _CELL_CHARS)
    return shown


def _trace(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError

    name = arguments.subject
    if name is None:
        wanted: Any = latest.run if latest.run is not None else _newest()
    else:
        wanted = shell.user_ns.get(name, name)
        if not isinstance(wanted, str) and not hasattr(wanted, "trace_id"):
            raise usage_error(_TRACE, f"{name} is of type {type(wanted).__name__}, and no result of a run.")
    try:
        if arguments["frame"] or arguments["kind"]:
            from agentkit.records.frames import spans

            kind = arguments["kind"]
            if kind not in _WORDS:
                return _readable(spans(wanted, kind=kind), _TRACE_COLUMNS)
            steps = spans(wanted)
            return _readable(steps[steps["kind"].isin(_WORDS[kind])].reset_index(drop=True), _TRACE_COLUMNS)
        from agentkit.records.opened import open_trace

        return open_trace(wanted)
    except UserError as error:
        raise usage_error(_TRACE, str(error)) from None


def _newest() -> str:
    """Return the id of the last run that any program on this machine made, for a notebook that has made none."""
    from agentkit.records.traces import traces

    known = traces(limit=1)
    if known.empty:
        raise usage_error(_TRACE, "Nothing has been run yet.")
    return str(known["trace_id"].iloc[0])


TRACES = Magic(_TRACES, _traces)
TRACE = Magic(_TRACE, _trace)
