"""A run as it is kept in the notebook: the answer first, the way to it folded, what it used last.

The same for a run shown live and for one that was not, to the letter: no times, no ids. So a notebook that was saved
from JupyterLab is still the same when it is run again without a reader.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from agentkit import _json
from agentkit.notebook.answers import json_text
from agentkit.notebook.display.approvals import waiting_html, waiting_text
from agentkit.notebook.display.citations import cited_html, cited_text, sources_line
from agentkit.notebook.display.highlight import highlight
from agentkit.notebook.display.markdown import render_markdown
from agentkit.notebook.display.passages import PASSAGES_STYLE, search_html
from agentkit.notebook.display.style import BENEATH_STYLE, KEPT_STYLE, STYLE
from agentkit.notebook.display.text import clean, escape, one_line, shorten, showable_length
from agentkit.notebook.display.transcript import Step, Transcript, model_name
from agentkit.notebook.display.value_text import value_text
from agentkit.notebook.display.values import value_html
from agentkit.notebook.settings import settings

if TYPE_CHECKING:
    from agentkit.notebook.display.file_search import FileSearch
    from agentkit.notebook.latest import Asked
    from agentkit.runtime import RunResultBase

__all__ = [
    "ENDINGS",
    "Bundle",
    "arguments_line",
    "has_searches",
    "json_html",
    "run_bundle",
    "step_html",
    "usage_line",
    "value_html",
]

Bundle = dict[str, str]
"""An output's text by MIME type."""

_DETAIL_LIMIT = 4_000
_ALL_DETAILS_LIMIT = 60_000
_NAME_LIMIT = 200
"""Characters of a tool's or an agent's name. Models make up names, and then any."""
_OPEN_STEPS = 8
_LIVE_INNER_STEPS = 5
_LIVE_TEXT_CHARS = 100
_MARKS = {
    "running": '<span class="agk-m">…</span>',
    "ok": '<span class="agk-m agk-ok">✓</span>',
    "failed": '<span class="agk-m agk-no">✗</span>',
    "stopped": '<span class="agk-m">■</span>',
    "rejected": '<span class="agk-m">⊘</span>',
    "waiting": '<span class="agk-m agk-no">?</span>',
}
ENDINGS = {
    "running": "Stopped waiting. What was under way may still go on.",
    "cancelled": "Stopped. This is what was answered so far.",
    "max_turns": "Stopped: the run took all the turns that it may.",
    "budget": "Stopped: the run has spent all that it may.",
    "guardrail": "Stopped by a guardrail.",
    "error": "The run failed before it had its answer.",
}
"""What is said of a run that has no answer, by its status."""

_UNDER_WAY = "Running: {}. `async for event in result.stream_events()` shows the rest as it comes."
"""What is said of a run under way that no cell waits for: a streamed one, of Python."""


def run_bundle(
    result: RunResultBase, note: str | None = None, *, asked: Asked | None = None, beneath: bool = False
) -> Bundle:
    """Return a run that is over as HTML and as plain text: the answer itself.

    Args:
        result: The run.
        note: What to say of a run that was stopped or failed; the status decides when None.
        asked: How it was asked by a magic, and what was seen of it while it went on: of a run that hasn't ended, more
            than its result has.
        beneath: Whether the run is shown live above, so that this is seen only where that is gone.
    """
    seen = None if asked is None else asked.seen
    transcript = seen if seen is not None and result.status == "running" else Transcript.of(result, seen)
    note = note or ENDINGS.get(result.status, "")
    if result.status == "running" and asked is None:
        read = "this is what has come so far" if transcript.answer or transcript.steps else "nothing has been read yet"
        note = _UNDER_WAY.format(read)
    if result.status == "cancelled" and not transcript.answer:
        note = "Stopped. Nothing had been answered yet."
    output = result.final_output
    structured = output is not None and not isinstance(output, str)
    as_json = json_text(result) if asked is not None and asked.question.as_json else None
    cited = transcript.answer, transcript.citations, transcript.passages
    sources = ""
    if as_json is not None:
        answer = f"<pre><code>{json_html(as_json, len(as_json))}</code></pre>"
    elif structured:
        answer = value_html(output)
    else:
        answer, sources = cited_html(*cited), sources_line(*cited)
    rests = result.status == "waiting" and asked is not None  # with buttons beneath, in a notebook that runs
    classes = " ".join(["agk", *["agk-kept"] * rests, *["agk-beneath"] * beneath])
    style = BENEATH_STYLE if beneath else KEPT_STYLE if rests else ""
    style += PASSAGES_STYLE if sources or has_searches(transcript.steps) else ""
    parts = [f'<div class="{classes}">{STYLE}{style}']
    if answer:
        parts.append(f'<div class="agk-a">{answer}</div>{sources}')
    parts.append(_steps_html(transcript.steps))
    if note:
        parts.append(f'<div class="agk-f"><span class="agk-no">■</span> {escape(note)}</div>')
    if result.status == "waiting":
        parts.append(waiting_html(result, asked))
    parts.append(f'<div class="agk-f">{escape(usage_line(result, asked))}</div></div>')
    plain = [as_json or (value_text(output) if structured else cited_text(*cited)), note and f"[{note}]"]
    if result.status == "waiting":
        plain.append(waiting_text(result, asked))
    return {"text/html": "".join(parts), "text/plain": clean("\n\n".join(filter(None, plain)))}


def usage_line(result: RunResultBase, asked: Asked | None = None) -> str:
    """Return who answered, what it took, and that it went on from something."""
    agent, usage, responses = result.last_agent, result.usage, result.raw_responses
    calls, last = len(responses), responses[-1] if responses else None
    model = (last.model if last else None) or model_name(agent)  # who answered, which need not be who was asked
    parts = [agent.name, model, f"{calls} model call{'' if calls == 1 else 's'}" if calls else ""]
    if usage.total_tokens:
        parts.append(f"{usage.input_tokens:,} + {usage.output_tokens:,} tokens")
    if last is not None and last.incomplete:
        parts.append("cut off at the token limit" if last.incomplete == "max_output_tokens" else last.incomplete)
    if usage.cost_usd and settings().show_cost:
        parts.append(f"${usage.cost_usd:.4f}" if usage.cost_usd >= 0.00005 else "under $0.0001")
    if retries := len(result.retries):
        parts.append(f"{retries} retr{'y' if retries == 1 else 'ies'}")
    if asked is not None and asked.earlier:
        parts.append(f"{asked.earlier:,} earlier message{'' if asked.earlier == 1 else 's'}")
    return " · ".join(filter(None, parts))


def has_searches(steps: Sequence[Step]) -> bool:
    """Tell whether searches in files are among steps, or steps within these: such outputs carry their rules."""
    return any(step.search or (step.inner is not None and has_searches(step.inner.steps)) for step in steps)


def _steps_html(steps: list[Step]) -> str:
    if not steps:
        return ""
    limit = max(300, min(_DETAIL_LIMIT, _ALL_DETAILS_LIMIT // len(steps)))
    rows = "".join(step_html(step, limit) for step in steps)
    if len(steps) <= _OPEN_STEPS:
        return f'<div class="agk-s">{rows}</div>'
    return f'<details><summary class="agk-d">▸ {_count(steps)}</summary><div class="agk-s">{rows}</div></details>'


def _count(steps: list[Step]) -> str:
    calls = sum(step.kind == "call" for step in steps)
    handoffs = sum(step.kind == "handoff" for step in steps)
    failed = sum(step.state == "failed" for step in steps)
    parts = [f"{calls} tool call{'' if calls == 1 else 's'}" if calls else ""]
    parts += [
        f"{handoffs} handoff{'' if handoffs == 1 else 's'}" if handoffs else "",
        f"{failed} failed" if failed else "",
    ]
    return ", ".join(filter(None, parts)) or f"{len(steps)} steps"


def step_html(step: Step, limit: int = _DETAIL_LIMIT, *, live: bool = False) -> str:
    """Return a step as one line of HTML, with what doesn't fit folded behind.

    Args:
        step: The step.
        limit: Most characters of each text.
        live: Whether the run goes on: then of the run of an agent used as a tool only the last is there, unfolded.
    """
    match step.kind:
        case "handoff":
            return f"<div>{_handoff_line(step)}</div>"
        case "text" | "thought":
            line = _text_line(step)
            if len(step.title) <= 100 and "\n" not in step.title:
                return f"<div>{line}</div>"
            whole = render_markdown(shorten(step.title, limit), math="mathml" if live else "tex")
            return f'<details class="agk-r"><summary>{line}</summary>{whole}</details>'
    return _call_html(step, limit, live)


def _handoff_line(step: Step) -> str:
    how = "hands over to" if step.state == "ok" else "wants to hand over:"
    return (
        f'<span class="agk-m agk-ok">→</span> '
        f'<span class="agk-n">{escape(one_line(step.title, _NAME_LIMIT))}</span> {how} '
        f'<span class="agk-n">{escape(one_line(step.output, _NAME_LIMIT))}</span>'
    )


def _text_line(step: Step) -> str:
    mark = "“" if step.kind == "text" else "~"
    return f'<span class="agk-m">{mark}</span><span class="agk-d">{escape(one_line(step.title, 100))}</span>'


def _call_html(step: Step, limit: int, live: bool) -> str:
    if step.search is not None:
        return _search_html(step, step.search, limit)
    line, inner = _call_line(step), ""
    if step.inner is not None:
        inner = _inner_tail(step.inner) if live else _inner_html(step, step.inner, limit)
    arguments, output = arguments_line(step.arguments), " ".join(step.output.split())
    fits = len(arguments) <= 70 and len(output) <= 90
    if fits and not inner:  # all is on the line: nothing to unfold
        return f"<div>{line}</div>"
    details = f"<pre><code>{json_html(step.arguments, limit)}</code></pre>" if arguments and not fits else ""
    details += inner
    if output and not fits:
        details += f"<pre><code>{json_html(step.output, limit)}</code></pre>"
    unfolded = " open" if inner and live and step.state == "running" else ""
    return f'<details class="agk-r"{unfolded}><summary>{line}</summary>{details}</details>'


def _search_html(step: Step, search: FileSearch, limit: int) -> str:
    line = _call_line(step)
    if not search.passages and len(search.queries) <= 1:
        return f"<div>{line}</div>"
    return f'<details class="agk-r"><summary>{line}</summary>{search_html(search, 2 * limit)}</details>'


def _call_line(step: Step) -> str:
    arguments = arguments_line(step.arguments)
    if step.search is not None:
        arguments = " ".join(f'"{query}"' for query in step.search.queries)
    line = f'{_MARKS[step.state]} <span class="agk-n">{escape(one_line(step.title, _NAME_LIMIT))}</span>'
    if arguments:
        line += f' <span class="agk-g">{escape(one_line(arguments, 70))}</span>'
    if step.output:
        line += f' <span class="agk-d">→ {escape(one_line(step.output, 90))}</span>'
    return line


def _inner_html(step: Step, inner: Transcript, limit: int) -> str:
    """Return the run of an agent used as a tool: its steps, and its answer where that isn't the tool's output."""
    rows = "".join(step_html(each, limit) for each in inner.steps)
    answer = inner.answer.strip()
    if answer and answer != step.output.strip():
        short = len(clean(answer)) <= limit
        shown = (
            cited_html(answer, inner.citations, inner.passages) if short else render_markdown(shorten(answer, limit))
        )
        rows += f"<div>{shown}</div>"
    return f'<div class="agk-s">{rows}</div>' if rows else ""


def _inner_tail(inner: Transcript) -> str:
    """Return the last that an inner run did: little, since it is sent again with each change."""
    rows, left_out = "", len(inner.steps) - _LIVE_INNER_STEPS
    if left_out > 0:
        rows += f'<div><span class="agk-d">▸ {left_out} before</span></div>'
    for step in inner.steps[-_LIVE_INNER_STEPS:]:
        line = {"call": _call_line, "handoff": _handoff_line}.get(step.kind, _text_line)(step)
        rows += f"<div>{line}</div>"
        if step.inner is not None and step.state == "running":
            rows += _inner_tail(step.inner)
    answer = inner.answer
    # made safe before it is cut: no part of a key may be left of one
    if text := " ".join(clean(answer[: showable_length(answer)]).split())[-_LIVE_TEXT_CHARS:]:
        rows += f'<div><span class="agk-m">“</span><span class="agk-d">{escape(text)}</span></div>'
    return f'<div class="agk-s">{rows}</div>' if rows else ""


def arguments_line(arguments: str) -> str:
    """Return a call's arguments as Python would have them, `city="Tokyo", days=3`; as they are if they are no JSON."""
    try:
        values = _json.loads(arguments or "{}")
    except ValueError:
        return arguments
    if not isinstance(values, dict):
        return arguments
    return ", ".join(f"{name}={_json.dumps(value).decode()}" for name, value in values.items() if value is not None)


def json_html(text: str, limit: int) -> str:
    """Return text in colour: JSON indented, all else as it is."""
    import json

    text = clean(text)
    if text.lstrip()[:1] in ("{", "[") and len(text) <= limit:
        try:
            indented = clean(json.dumps(json.loads(text), indent=2, ensure_ascii=False))  # escapes are characters now
        except (ValueError, RecursionError):
            indented = ""
        if 0 < len(indented) <= 8 * limit:  # nested deeply, a little text is a lot of space
            return highlight(indented, "json")
    return highlight(shorten(text, limit), "")
