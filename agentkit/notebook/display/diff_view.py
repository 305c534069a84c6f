"""Two traces beside each other, a model call made again, and the request of one, as they are shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agentkit.notebook.display.highlight import highlight
from agentkit.notebook.display.request_view import elided
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line, shorten
from agentkit.records.amounts import dollars, seconds
from agentkit.records.diff import step_line
from agentkit.records.replay import answer_lines

if TYPE_CHECKING:
    from agentkit.records.diff import TraceDiff
    from agentkit.records.replay import Replay
    from agentkit.records.request import RecordedRequest

__all__ = ["diff_bundle", "replay_bundle", "sent_bundle"]

_MOST_STEPS, _MOST_LINES, _LINE = 200, 200, 400
_BODY_LIMIT = 40_000


def diff_bundle(diff: TraceDiff) -> Bundle:
    """Return two traces beside each other as HTML and as plain text."""
    shown = diff.told[:_MOST_STEPS]
    rows = "".join(_line_html(step_line(step)) for step in shown)
    if (rest := len(diff.told) - len(shown)) > 0:
        rows += f'<div class="agk-d">… {rest:,} more steps</div>'
    head = "Nothing differs" if diff.is_same else "What differs"
    sums = "".join(f'<div class="agk-d">{escape(line)}</div>' for line in diff.sums())
    html = f'<div class="agk">{STYLE}<div class="agk-h">{head}</div>{sums}'
    if diff.is_same:
        html += f'<div class="agk-d">{len(diff.steps)} steps and the answer are the same.</div>'
    html += f'<div class="agk-s">{rows}</div>' if rows else ""
    html += _answers(diff.answer.splitlines()) + "</div>"
    return {"text/html": html, "text/plain": clean("\n".join(_first(list(diff.lines()))))}


def replay_bundle(replay: Replay) -> Bundle:
    """Return a call made again, beside what came of it before, as HTML and as plain text."""
    text = str(replay).splitlines()
    said = "\n".join(answer_lines(replay.output))
    used = [f"{replay.usage.input_tokens:,} tokens in, {replay.usage.output_tokens:,} out"]
    used += [] if replay.cost_usd is None else [dollars(replay.cost_usd)]
    told = " · ".join([replay.model, *used, seconds(replay.duration_s)])
    html = f'<div class="agk">{STYLE}<pre><code>{escape(shorten(said, _BODY_LIMIT))}</code></pre>'
    html += "".join(f'<div class="agk-d">Not sent: {escape(why)}</div>' for why in replay.left_out)
    changed = replay.diff().splitlines()
    html += _answers(changed) if changed else '<div class="agk-d">The answer is the same as before.</div>'
    html += f'<div class="agk-f">{escape(told)}</div></div>'
    return {"text/html": html, "text/plain": clean("\n".join(_first(text)))}


def sent_bundle(request: RecordedRequest) -> Bundle:
    """Return a recorded request as HTML and as plain text: its JSON, files by their size, and no ids."""
    if request.body is not None:
        head = f"{request.get('method')} {request.get('url')}"
    else:
        head = f"What {request.get('made_by') or 'the model'} was called with"
    shown = elided(request.body if request.body is not None else request.get("arguments"))
    text = shorten(json.dumps(shown, indent=2, ensure_ascii=False, default=str), _BODY_LIMIT)
    html = f'<div class="agk">{STYLE}<div class="agk-h">{escape(head)}</div>'
    extra = [*request.get("headers", []), *request.get("query", [])]
    lines = [f"With {', '.join(extra)}, whose values aren't kept."] if extra else []
    lines += [request.incomplete] if request.incomplete else []
    html += "".join(f'<div class="agk-d">{escape(line)}</div>' for line in lines)
    html += f"<pre><code>{highlight(text, 'json')}</code></pre></div>"
    return {"text/html": html, "text/plain": clean("\n".join([head, *lines, text]))}


def _line_html(line: str) -> str:
    """Return a step: the sign that tells how it changed, in colour too, and what differs, folded where it is long."""
    kind = {"+": "agk-ok", "-": "agk-no"}.get(line[:1], "agk-d")
    name, colon, told = line[1:].strip("\n").partition(": ")
    depth = (len(name) - len(name.lstrip())) // 2
    sign = f'<span class="agk-m {kind}">{escape(line[:1])}</span>'
    text = f'<span class="agk-n">{escape(one_line(name, 80))}</span>'
    if colon:
        text += f' <span class="agk-d">{escape(one_line(told, _LINE))}</span>'
    return f'<div style="padding-left:{min(depth, 12) * 1.1:.1f}em">{sign}{text}</div>'


def _answers(lines: list[str]) -> str:
    """Return how answers differ, a line beneath the other; "" where they don't."""
    if not lines:
        return ""
    kinds = {"+": "i", "-": "d"}
    shown = [
        f'<span class="{kinds[line[0]]}">{escape(line)}</span>' if line[:1] in kinds else escape(line)
        for line in _first(lines)
    ]
    return f'<div class="agk-f">The answers: before −, after +</div><pre><code>{"<br>".join(shown)}</code></pre>'


def _first(lines: list[str]) -> list[str]:
    """Return the first lines, each cut where it is too long to be read."""
    shown: list[Any] = [shorten(line, _LINE) if len(line) > _LINE else line for line in lines[:_MOST_LINES]]
    return [*shown, f"… {len(lines) - len(shown):,} more lines"] if len(lines) > len(shown) else shown
