"""Messages: what was said in recorded runs, by whom."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._json import dumps, loads
from agentkit.records.frames import Since
from agentkit.records.shapes import MESSAGES
from agentkit.tracing.columns import (
    checked_limit,
    columns_of,
    dataframe,
    flush_store,
    name_of_agent,
    since_ns,
    trace_id_of,
)
from agentkit.tracing.filters import MODEL_KINDS, TraceFilter
from agentkit.tracing.reader import find_trace, read_columns, read_traces, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

__all__ = ["messages", "said_in"]

_READ = ("trace_id", "span_id", "parent_id", "agent", "input", "output")
_NAMES = ("trace_id", "span_id", "position", "agent", "role", "type", "name", "content", "call_id", "new", "item")
_TRACE_ID = 0  # the place in rows of traces

Item = dict[str, Any]
Row = tuple[Any, ...]


@called_as("agentkit.messages")
def messages(
    trace_id: Any = None,  # an id, or anything that has one: a result, a trace, a span
    *,
    limit: int | None = None,
    role: str | None = None,
    agent: Any = None,  # a name, or an agent: a class of a layer above
    session: Any = None,  # an id, or a session: of a layer above
    text: str | None = None,
    since: Since = None,
    until: Since = None,
) -> pd.DataFrame:
    """Return one row a message: what models were told, asked and said, and what tools gave back, each once.

    Args:
        trace_id: A trace's id, the beginning of one, or what has one; None for all traces.
        limit: The messages of at most so many traces.
        role: Only messages of this role; see below.
        agent: Only messages to or from this agent's model: its name, or the agent.
        session: Only messages of this session's runs: its id, or the session.
        text: Only messages in which this occurs, in capitals or not.
        since: Only traces that started then or later: a time (without a zone: local time), a date such as
            "2026-11-21", or how long ago, such as "2h" or a timedelta.
        until: Only traces that started before then, likewise.

    Returns:
        A dataframe with these columns, all nullable: the newest trace first, within each in the order of what was said.

        | column | dtype | |
        |---|---|---|
        | trace_id, span_id | string | join with `traces()` and, by the model call, `calls()` |
        | position | Int64 | within the trace, from 0 |
        | agent | string | whose model heard or said it |
        | role | category | "system", "developer", "user", "assistant" or "tool" |
        | type | category | of the item: "message", "reasoning", "function_call", "function_call_output", … |
        | name | string | of the tool |
        | content | string | the text; a tool's arguments or output; parts that are no text in brackets |
        | call_id | string | joins a tool's call and its output |
        | new | boolean | False for what a session had from earlier runs |
        | item | string | JSON, as it went over the wire |

    Raises:
        UserError: There is no such trace, an argument makes no sense, or the file can't be read.
    """
    flush_store()
    wanted = TraceFilter(
        session=getattr(session, "session_id", session), since_ns=since_ns(since), until_ns=since_ns(until, "until")
    )
    given = trace_id_of(trace_id)
    if given is not None:
        with reading() as connection:
            wanted = wanted._replace(trace_id=find_trace(connection, given))
    name = name_of_agent(agent)
    ids = [row[_TRACE_ID] for row in read_traces(wanted._replace(agent=name), checked_limit(limit))]
    by_trace: dict[str, list[Row]] = {}
    for call in read_columns(_READ, ids, MODEL_KINDS):
        by_trace.setdefault(call[_TRACE_ID], []).append(call)
    rows = [row for trace in ids for row in said_in(by_trace.get(trace, []))]
    keep = [
        row
        for row in rows
        if (name is None or row[3] == name)
        and (role is None or row[4] == role)
        and (text is None or text.lower() in (row[7] or "").lower())
    ]
    return dataframe(MESSAGES, columns_of(_NAMES, keep))


def said_in(calls: list[Row]) -> Iterator[Row]:
    """Yield the messages of one trace, each once.

    Args:
        calls: Of its model calls, in order: trace_id, span_id, parent_id, agent, and input and output as JSON.
    """
    # What a model said is in its call's output, and again in the input of the next: there it isn't new.
    said: Counter[bytes] = Counter()
    position = 0
    for number, (trace_id, span_id, _, agent, given, output) in enumerate(calls):
        heard = _items(given)
        first_new = _first_new(heard) if number == 0 else 0
        for place, item in enumerate(heard):
            key = _key(item)
            if said[key]:
                said[key] -= 1
                continue
            yield (trace_id, span_id, position, agent, *_told(item), place >= first_new or _role(item) == "system",
                   dumps(item).decode())  # fmt: skip
            position += 1
        for item in _items(output):
            said[_key(item)] += 1
            yield (trace_id, span_id, position, agent, *_told(item), True, dumps(item).decode())
            position += 1


def _items(text: str | None) -> list[Item]:
    if text is None:
        return []
    value = loads(text)
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _first_new(heard: list[Item]) -> int:
    """Return where the run's own input begins: with the last message of a user."""
    users = [place for place, item in enumerate(heard) if item.get("role") == "user"]
    return users[-1] if users else 0


def _key(item: Item) -> bytes:
    """Return what tells an item from others: not its state, nor an id that some APIs leave out the second time."""
    return dumps({key: value for key, value in sorted(item.items()) if key not in ("id", "status", "provider_data")})


def _told(item: Item) -> tuple[str | None, ...]:
    """Return an item's role, type, name, content and call_id."""
    kind = str(item.get("type") or "message")
    return _role(item), kind, _text(item.get("name")), _content(item, kind), _text(item.get("call_id"))


def _role(item: Item) -> str:
    if isinstance(role := item.get("role"), str):
        return role
    return "tool" if str(item.get("type", "")).endswith("_output") else "assistant"


def _text(value: Any) -> str | None:  # a JSON value
    return value if isinstance(value, str) else None


def _content(item: Item, kind: str) -> str | None:
    for name in ("content", "arguments", "output", "summary"):
        value = item.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, list) and value:
            return "\n".join(map(_part, value))
    return None if kind in ("message", "reasoning") else f"[{kind}]"


def _part(part: Any) -> str:  # a JSON value
    if not isinstance(part, dict):
        return str(part)
    for name in ("text", "refusal", "transcript"):
        if isinstance(part.get(name), str):
            return str(part[name])
    return f"[{part.get('filename') or part.get('type', 'part')}]"
