"""Calls that need approval: what somebody is asked about them, and how a run that rests at them goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentkit.notebook.display.highlight import highlight
from agentkit.notebook.display.text import clean, escape, one_line, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentkit.notebook.latest import Asked
    from agentkit.runtime import RunResultBase, ToolApprovalItem

__all__ = ["approval_html", "call_text", "calls_text", "going_on", "waiting_html", "waiting_text"]

_ARGUMENTS_LIMIT = 4_000
_ON_A_LINE = 90
_MOST_NAMED = 3


def going_on(result: RunResultBase, asked: Asked | None) -> str:
    """Return the lines of a cell that approves what waits and goes on with the run.

    Args:
        result: A run that rests.
        asked: How it was asked by a magic; None where it was run by Python.
    """
    if asked is not None:
        run = f"run={asked.variable}" if asked.variable else ""
        return f"import agentkit\nagentkit.approve({run})  # or agentkit.reject({run or chr(34) + 'why not' + chr(34)})"
    lines = ["state = result.to_state()"]
    if len(result.interruptions) == 1:
        lines.append("state.approve(state.get_interruptions()[0])  # or state.reject(…)")
    else:
        lines += ["for call in state.get_interruptions():", "    state.approve(call)  # or state.reject(call)"]
    return "\n".join(["import agentkit", *lines, "result = await agentkit.Runner.run(state.current_agent, state)"])


def waiting_text(result: RunResultBase, asked: Asked | None) -> str:
    """Return what waits and how to go on, as plain text."""
    calls = "\n".join(f"  {call_text(item)}" for item in result.interruptions)
    return clean(f"[Waiting for approval.]\n{calls}\n\nGo on with:\n\n{going_on(result, asked)}")


def waiting_html(result: RunResultBase, asked: Asked | None) -> str:
    """Return what waits and how to go on, as HTML."""
    calls = "".join(f"<pre><code>{escape(call_text(item))}</code></pre>" for item in result.interruptions)
    lines = highlight(clean(going_on(result, asked)), "python")
    return (
        f'<div class="agk-f"><span class="agk-no">■</span> Waiting for approval:</div>{calls}'
        f'<div class="agk-f">Go on with:</div><pre><code>{lines}</code></pre>'
    )


def approval_html(item: ToolApprovalItem) -> str:
    """Return what somebody is to decide on: who wants to call what, with all its arguments."""
    from agentkit.notebook.display.run_view import arguments_line, json_html

    who, tool = escape(item.agent.name), escape(item.name)
    line = clean(arguments_line(item.arguments))
    shown = ""
    if len(line) > _ON_A_LINE or "\n" in line:
        line, shown = "", f"<pre><code>{json_html(item.arguments, _ARGUMENTS_LIMIT)}</code></pre>"
    said = f' <span class="agk-g">{escape(line)}</span>' if line else ""
    return f'<div>{who} wants to call <span class="agk-n">{tool}</span>{said}</div>{shown}'


def calls_text(items: Sequence[ToolApprovalItem]) -> str:
    """Return calls on a line, the first ones of many."""
    shown = [one_line(call_text(item), _ON_A_LINE) for item in items[:_MOST_NAMED]]
    more = len(items) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def call_text(item: ToolApprovalItem) -> str:
    """Return a call as Python would have it: `delete(path="a")`."""
    from agentkit.notebook.display.run_view import arguments_line

    return clean(f"{item.name}({shorten(arguments_line(item.arguments), _ARGUMENTS_LIMIT)})")
