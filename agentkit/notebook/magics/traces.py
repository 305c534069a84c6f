"""`%traces` and `%trace`: what has been run, and what one run did, as dataframes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentkit.notebook import namespace
from agentkit.notebook.latest import latest
from agentkit.notebook.magics.base import Magic
from agentkit.notebook.options import Arguments, Command, Option, Subject, usage_error

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["TRACE", "TRACES"]

_TRACES = Command(
    name="traces",
    summary="Show the runs that were made, the last first, as a dataframe.",
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
    summary="Show what a run did, step by step, as a dataframe of its spans.",
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
            choices=("agent", "response", "generation", "function", "handoff", "guardrail", "custom"),
        ),
    ),
    examples="""
%trace
%trace result --kind function
""",
)
_LIMIT = 20


def _traces(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.tracing import traces

    name = arguments["agent"]
    agents = namespace.agents_in(shell.user_ns)
    limit = arguments["limit"]
    try:
        return traces(
            limit=_LIMIT if limit is None else limit,
            agent=agents[name].name if name in agents else name,
            status="error" if arguments["error"] else None,
            since=arguments["since"],
        )
    except UserError as error:
        raise usage_error(_TRACES, str(error)) from None


def _trace(shell: InteractiveShell, arguments: Arguments, cell: str | None) -> Any:
    from agentkit.exceptions import UserError
    from agentkit.tracing import spans

    name = arguments.subject
    if name is None:
        wanted: Any = latest.run if latest.run is not None else _newest()
    else:
        wanted = shell.user_ns.get(name, name)
    try:
        return spans(wanted, kind=arguments["kind"])
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
