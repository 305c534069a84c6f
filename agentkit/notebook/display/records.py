"""Settings, tools of the platform's, handoffs, usage and the like: what is set in them, as a table."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from agentkit._repr import brief, set_fields
from agentkit.notebook.display.highlight import highlight
from agentkit.notebook.display.listing import Listing
from agentkit.notebook.display.run_view import Bundle
from agentkit.notebook.display.style import STYLE
from agentkit.notebook.display.text import clean, escape, one_line

if TYPE_CHECKING:
    from agentkit.models import ModelResponse
    from agentkit.runtime import Handoff, RunState
    from agentkit.runtime.items import RunItemBase
    from agentkit.usage import RequestUsage, Usage

__all__ = ["VIEWS", "handoff_bundle", "item_bundle", "record_bundle", "response_bundle", "state_bundle", "usage_bundle"]

_LINE = 100
_VALUE = 200
_TEXT = 2_000


def record_bundle(thing: Any) -> Bundle:  # a dataclass's instance
    """Return an object as a table of the fields that are set; as text on one line where it fits."""
    fields = set_fields(thing) if dataclasses.is_dataclass(thing) else {}
    return _table(type(thing).__name__, {name: brief(value, _VALUE) for name, value in fields.items()}, repr(thing))


def _table(title: str, rows: Mapping[str, str], line: str = "") -> Bundle:
    """Return rows of a name and a value; in a terminal as `line`, where that is short."""
    line = clean(line)
    if not rows:
        return {
            "text/html": f'<div class="agk">{STYLE}<code>{escape(line)}</code></div>',
            "text/plain": line or clean(title),
        }
    listing = Listing(title, list(rows.items()), code=frozenset({1}))
    bundle = listing._repr_mimebundle_()
    if line and len(line) <= _LINE and "\n" not in line:
        bundle["text/plain"] = line
    return bundle


def usage_bundle(usage: Usage | RequestUsage) -> Bundle:
    """Return tokens and cost, added up and for each model call."""
    calls = getattr(usage, "request_usage_entries", None)
    if calls is None:
        listing = Listing(_used(usage), [], head=_CALL_HEAD)
        listing = dataclasses.replace(listing, rows=[_call("1", usage)])
    else:
        rows = [_call(str(number), call) for number, call in enumerate(calls, 1)]
        count = usage.requests if hasattr(usage, "requests") else len(rows)
        title = f"{count:,} model call{'' if count == 1 else 's'} · {_used(usage)}"
        listing = Listing(title, rows, head=_CALL_HEAD if rows else ())
    if not listing.rows:
        title = clean(listing.title)
        return {"text/html": f'<div class="agk">{STYLE}{escape(title)}</div>', "text/plain": title}
    return listing._repr_mimebundle_()


_CALL_HEAD = ("call", "agent", "model", "input", "of it cached", "output", "of it reasoning", "cost")


def _used(usage: Usage | RequestUsage) -> str:
    return f"{usage.input_tokens:,} + {usage.output_tokens:,} tokens · {_cost(usage.cost_usd)}"


def _cost(cost: float | None) -> str:
    if cost is None:
        return "price not known"
    return f"${cost:.4f}" if cost >= 0.00005 or not cost else "under $0.0001"


def _call(number: str, call: Usage | RequestUsage) -> tuple[str, ...]:
    return (
        number,
        getattr(call, "agent_name", None) or "",
        getattr(call, "model", None) or "",
        f"{call.input_tokens:,}",
        f"{call.input_tokens_details.cached_tokens:,}",
        f"{call.output_tokens:,}",
        f"{call.output_tokens_details.reasoning_tokens:,}",
        _cost(call.cost_usd),
    )


def handoff_bundle(way: Handoff[Any]) -> Bundle:
    """Return a handoff: to whom, by which tool, and the schema of what goes with it."""
    rows = {"to": way.agent_name, "tool": way.tool_name, "description": one_line(way.tool_description, _VALUE)}
    if way.is_enabled is not True:
        rows["offered"] = "never" if not way.is_enabled else f"where {brief(way.is_enabled)} says so"
    if way.input_filter is not None:
        rows["changes the history"] = brief(way.input_filter)
    bundle = Listing("Handoff", list(rows.items()))._repr_mimebundle_()
    if way.input_json_schema.get("properties"):
        schema = json.dumps(way.input_json_schema, indent=2, ensure_ascii=False)
        folded = '<details><summary class="agk-f">▸ schema</summary>'
        folded += f"<pre><code>{highlight(clean(schema), 'json')}</code></pre></details>"
        bundle["text/html"] = bundle["text/html"].removesuffix("</div>") + folded + "</div>"
    return bundle


def item_bundle(item: RunItemBase) -> Bundle:
    """Return an item of a run: whose it is and what it holds."""
    raw = item.raw
    rows = {"agent": item.agent.name}
    if source := getattr(item, "source_agent", None):
        rows |= {"from": source.name, "to": item.target_agent.name}  # type: ignore[attr-defined]  # a handoff's
    elif isinstance(raw.get("name"), str):
        rows["name"] = raw["name"]
    if isinstance(raw.get("server_label"), str):
        rows["server"] = raw["server_label"]
    if isinstance(listed := raw.get("tools"), list):
        rows["tools"] = ", ".join(str(tool.get("name")) for tool in listed if isinstance(tool, Mapping)) or "none"
    if raw.get("arguments"):
        rows["arguments"] = one_line(str(raw["arguments"]), _TEXT)
    if hasattr(item, "output"):
        rows["output"] = one_line(str(item.output), _TEXT)
    elif text := _said(raw):
        rows["text"] = text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
    outcome = getattr(item, "outcome", "ok")
    if outcome != "ok":
        rows["outcome"] = outcome
    return _table(type(item).__name__, rows, repr(item))


def _said(raw: Mapping[str, Any]) -> str:
    """Return the text of a message or of the thoughts that are shown."""
    parts = [*_list(raw.get("content")), *_list(raw.get("summary"))]
    texts = [part.get("text") or part.get("refusal") for part in parts if isinstance(part, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str))


def _list(value: Any) -> list[Any]:  # JSON
    return value if isinstance(value, list) else []


def response_bundle(response: ModelResponse) -> Bundle:
    """Return what a model answered: its items and what they took."""
    rows = []
    for item in response.raw_output:
        shown = item.get("arguments") or _said(item)
        rows.append((str(item.get("type", "?")), str(item.get("name") or ""), one_line(str(shown), _VALUE)))
    title = " · ".join(filter(None, ("ModelResponse", response.model, _used(response.usage), response.incomplete)))
    return Listing(title, rows, code=frozenset({1}))._repr_mimebundle_() if rows else _table(title, {}, title)


def state_bundle(state: RunState) -> Bundle:
    """Return a run that rests: whose turn it is, and which calls wait for a decision."""
    waiting = state.get_interruptions()
    calls = f"{len(waiting)} call{' waits' if len(waiting) == 1 else 's wait'} for a decision" if waiting else "rests"
    rows = [(item.agent.name, item.name or "", one_line(str(item.arguments or ""), _VALUE)) for item in waiting]
    title = f"RunState · {state.current_agent.name} · {calls}"
    if not rows:
        return _table(title, {}, title)
    return Listing(title, rows, head=("agent", "tool", "arguments"), code=frozenset({1, 2}))._repr_mimebundle_()


VIEWS: Mapping[tuple[str, str], Callable[[Any], Bundle]] = {
    ("agentkit.usage", "Usage"): usage_bundle,
    ("agentkit.usage", "RequestUsage"): usage_bundle,
    ("agentkit.runtime.handoffs", "Handoff"): handoff_bundle,
    ("agentkit.runtime.items", "RunItemBase"): item_bundle,
    ("agentkit.runtime.run_state", "RunState"): state_bundle,
    ("agentkit.models.interface", "ModelResponse"): response_bundle,
}
"""Classes with a view of their own, by module and name."""
