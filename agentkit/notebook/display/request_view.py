"""A request that was not sent: what it would cost first, then what the model would get, folded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentkit import pricing
from agentkit.notebook.display.highlight import highlight
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.spoken import address_text, is_message, message_text, role_of
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line, shorten

if TYPE_CHECKING:
    from agentkit.notebook.dry_run import DryRun

__all__ = ["elided", "request_bundle"]

_TEXT_LIMIT = 4_000
_BODY_LIMIT = 40_000
_LINE = 110
_ID = re.compile(r"^([a-z]{2,4})_[A-Za-z0-9]{12,}$")


def request_bundle(request: DryRun) -> Bundle:
    """Return a request as HTML and as plain text."""
    html = [f'<div class="agk">{STYLE}<div class="agk-h">Nothing was sent</div>']
    html += [f'<div class="agk-d">{escape(line)}</div>' for line in _headlines(request)]
    html.append(_folded("Instructions", _pre(request.instructions) if request.instructions else "", 0))
    rows = "".join(_message_html(message) for message in request.messages)
    html.append(_folded(_messages_title(request), rows, 1))
    tools = "".join(_tool_html(tool) for tool in request.tools)
    html.append(_folded(f"Tools ({len(request.tools)})", tools, len(request.tools)))
    if request.body is not None:
        whole = f"<pre><code>{highlight(_body_json(request), 'json')}</code></pre>"
        html.append(_folded("The whole request", whole, 1))
    return {"text/html": "".join([*html, "</div>"]), "text/plain": clean(_plain(request))}


def _headlines(request: DryRun) -> list[str]:
    """Return who would be asked and where, what it would take, and how."""
    settings = [f"{name}={value!r}" for name, value in request.settings.items()]
    limits = [f"at most {request.max_turns} model calls"] if request.max_turns else []
    limits += [f"budget {_dollars(request.budget_usd)}"] if request.budget_usd is not None else []
    lines = [
        " · ".join(filter(None, (request.agent, request.model, request.address))),
        f"{_tokens(request)} · {_cost(request)}",
        " · ".join([*limits, *settings]),
    ]
    return [line for line in lines if line]


def _tokens(request: DryRun) -> str:
    uncounted = request.estimate.uncounted
    besides = f", without {uncounted} file{'' if uncounted == 1 else 's'} that can't be counted" if uncounted else ""
    return f"about {request.input_tokens:,} input tokens{besides}"


def _cost(request: DryRun) -> str:
    cost, most = request.cost_usd, request.most_usd
    if cost is None:
        return f"cost unknown: {request.model} has no list price"
    if not cost:
        return "free"
    up_to = "the answer comes on top" if most is None else f"at most {_dollars(most)} with its longest answer"
    return f"{_dollars(cost)} at the list price of {pricing.prices_date()} for one model call; {up_to}"


def _dollars(cost: float) -> str:
    """Return a cost as it is told."""
    if cost == 0:
        return "$0"
    return f"${cost:.4f}" if cost >= 0.00005 else "under $0.0001"


def _messages_title(request: DryRun) -> str:
    said, before = (sum(map(is_message, items)) for items in (request.messages, request.messages[: request.earlier]))
    return f"Messages ({said}, {before} of them earlier)" if before else f"Messages ({said})"


def _folded(title: str, inside: str, count: int) -> str:
    if not inside:
        return ""
    unfolded = " open" if title.startswith("Messages") and count else ""
    return f'<details{unfolded}><summary class="agk-f">▸ {escape(title)}</summary>{inside}</details>'


def _pre(text: str) -> str:
    return f"<pre><code>{escape(shorten(clean(text), _TEXT_LIMIT))}</code></pre>"


def _message_html(message: Mapping[str, Any]) -> str:
    text = clean(message_text(message))  # made safe before it is cut: no part of a key may be left of one
    line = f'<span class="agk-n">{escape(role_of(message))}</span> {escape(one_line(text, _LINE))}'
    if len(text) <= _LINE and "\n" not in text:
        return f'<div class="agk-s"><div>{line}</div></div>'
    return f'<div class="agk-s"><details class="agk-r"><summary>{line}</summary>{_pre(text)}</details></div>'


def _tool_html(tool: Mapping[str, Any]) -> str:
    name = tool.get("name") or tool.get("type") or "tool"
    line = f'<span class="agk-n">{escape(name)}</span> '
    line += f'<span class="agk-d">{escape(one_line(clean(str(tool.get("description") or "")), _LINE))}</span>'
    schema = json.dumps(tool, indent=2, ensure_ascii=False, default=str)
    code = f"<pre><code>{highlight(shorten(clean(schema), _TEXT_LIMIT), 'json')}</code></pre>"
    return f'<div class="agk-s"><details class="agk-r"><summary>{line}</summary>{code}</details></div>'


def _body_json(request: DryRun) -> str:
    """Return the request as JSON, files by their kind and size, and without ids that differ from time to time."""
    text = json.dumps(elided(request.body), indent=2, ensure_ascii=False, default=str)
    return shorten(clean(text), _BODY_LIMIT)


def elided(value: Any) -> Any:
    """Return JSON data with files by their kind and size, and without ids that differ from time to time."""
    if isinstance(value, dict):
        return {key: elided(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [elided(entry) for entry in value]
    if isinstance(value, str):
        if value.startswith("data:") and len(value) > 200:
            return f"data:{address_text(value)} …"
        if match := _ID.match(value):
            return f"{match[1]}_…"
    return value


def _plain(request: DryRun) -> str:
    parts = ["Nothing was sent.", *_headlines(request)]
    if request.instructions:
        parts += ["", "Instructions", _indented(shorten(clean(request.instructions), _TEXT_LIMIT))]
    parts += ["", _messages_title(request)]
    for item in request.messages:
        parts.append(_indented(f"{role_of(item)}: {shorten(clean(message_text(item)), _TEXT_LIMIT)}"))
    if request.tools:
        parts += ["", f"Tools ({len(request.tools)})"]
    for tool in request.tools:
        parts.append(_indented(f"{tool.get('name') or tool.get('type')}: {tool.get('description') or ''}".rstrip(": ")))
        if "parameters" in tool:
            parts.append(_indented(f"  {json.dumps(tool['parameters'], ensure_ascii=False)}"))
    return "\n".join(parts)


def _indented(text: str) -> str:
    return "  " + text.replace("\n", "\n  ")
