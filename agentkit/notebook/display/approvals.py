"""What waits for approval in a run that rests, and the lines with which it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentkit.notebook.display.highlight import highlight
from agentkit.notebook.display.text import clean, escape, shorten

if TYPE_CHECKING:
    from agentkit.notebook.latest import Asked
    from agentkit.runtime import RunResultBase, ToolApprovalItem

__all__ = ["going_on", "waiting_html", "waiting_text"]

_ARGUMENTS_LIMIT = 4_000


def going_on(result: RunResultBase, asked: Asked | None) -> str:
    """Return the lines of a cell that approves what waits and goes on with the run.

    Args:
        result: A run that rests.
        asked: How it was asked by a magic; None where it was run by Python.
    """
    if asked is None:
        source, last = "result", "result = await agentkit.Runner.run(state.current_agent, state)"
    else:
        source, last = asked.variable or "agentkit.last_run()", f"{asked.line} --state state"
    lines = [f"state = {source}.to_state()"]
    if len(result.interruptions) == 1:
        lines.append("state.approve(state.get_interruptions()[0])  # or state.reject(…)")
    else:
        lines += ["for call in state.get_interruptions():", "    state.approve(call)  # or state.reject(call)"]
    lines.append(last)
    return "\n".join(["import agentkit", *lines] if "agentkit." in f"{source}{last}" else lines)


def waiting_text(result: RunResultBase, asked: Asked | None) -> str:
    """Return what waits and how to go on, as plain text."""
    calls = "\n".join(f"  {_call(item)}" for item in result.interruptions)
    return clean(f"[Waiting for approval.]\n{calls}\n\nGo on with:\n\n{going_on(result, asked)}")


def waiting_html(result: RunResultBase, asked: Asked | None) -> str:
    """Return what waits and how to go on, as HTML."""
    calls = "".join(f"<pre><code>{escape(_call(item))}</code></pre>" for item in result.interruptions)
    lines = highlight(clean(going_on(result, asked)), "python")
    return (
        f'<div class="agk-f"><span class="agk-no">■</span> Waiting for approval:</div>{calls}'
        f'<div class="agk-f">Go on with:</div><pre><code>{lines}</code></pre>'
    )


def _call(item: ToolApprovalItem) -> str:
    from agentkit.notebook.display.run_view import arguments_line

    return f"{item.name}({shorten(arguments_line(item.arguments), _ARGUMENTS_LIMIT)})"
