"""Messages: what was said in recorded runs, by whom."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

from agentkit._called_as import called_as
from agentkit._json import dumps, loads
from agentkit.exceptions import UserError
from agentkit.records.shapes import MESSAGES
from agentkit.records.wanted import Since, checked_role, trace_filter
from agentkit.tracing.columns import checked_limit, columns_of, dataframe, flush_store
from agentkit.tracing.filters import MODEL_KINDS, TraceFilter
from agentkit.tracing.reader import gone_processes, read_columns, reading
from agentkit.tracing.searching import says

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    import pandas as pd

__all__ = ["messages", "messages_of", "said_in"]

_READ = ("trace_id", "span_id", "parent_id", "agent", "input", "output", "model")
_NAMES = ("trace_id", "span_id", "position", "agent", "role", "type", "name", "content", "call_id", "new", "item")
_TRACE_ID, _SPAN_ID = 0, 1
_AGENT, _ROLE, _CONTENT = (_NAMES.index(name) for name in ("agent", "role", "content"))
_BATCH = 200
"""Traces that are looked into at a time."""

Item = dict[str, Any]
Row = tuple[Any, ...]


@called_as("agentkit.messages")
def messages(
    trace_id: Any = None,  # an id, or anything that has one: a result, a trace, a span
    *,
    limit: int | None = None,
    role: str | None = None,
    agent: Any = None,  # a name, or an agent: a class of a layer above
    model: str | None = None,
    session: Any = None,  # an id, or a session: of a layer above
    status: str | None = None,
    error: bool | None = None,
    text: str | None = None,
    since: Since = None,
    until: Since = None,
) -> pd.DataFrame:
    """Return one row a message: what models were told, asked and said, and what tools gave back, each once.

    Args:
        trace_id: A trace's id, the beginning of one, or what has one; None for all traces.
        limit: At most so many messages: the newest of those that the filters leave. They stay in the order below.
        role: Only messages of this role; see below.
        agent: Only messages to or from this agent's model: its name, or the agent.
        model: Only messages to or from this model.
        session: Only messages of this session's runs: its id, or the session.
        status: Only messages of traces that ended so, such as "error"; see `traces`.
        error: True for messages of traces that ended with an error, False for those of the others.
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
        | call_id | string | joins a tool's call and its output, and both with `tools()` |
        | new | boolean | False for what a session had from earlier runs |
        | item | string | JSON, as it went over the wire |

    Raises:
        UserError: There is no such trace, an argument makes no sense, or the file can't be read.
    """
    wanted = trace_filter(
        trace_id, agent=agent, model=model, session=session, status=status, error=error, since=since, until=until
    )
    role, limit = checked_role(role), checked_limit(limit)
    if text is not None and not isinstance(text, str):
        raise UserError(f"text is a text, not {type(text).__name__} {text!r:.80}.")

    def is_wanted(row: Row) -> bool:
        return (
            (wanted.agent is None or row[_AGENT] == wanted.agent)
            and (role is None or row[_ROLE] == role)
            and (text is None or says(row[_CONTENT] or "", text))
        )

    flush_store()
    with closing(_newest_first(wanted)) as trace_ids:
        return _frame(_chosen(trace_ids, is_wanted, wanted.model, limit))


def messages_of(trace_ids: Iterable[str]) -> pd.DataFrame:
    """Return the messages of some traces, and read no others. Takes whole ids, the newest trace first."""
    return _frame(_chosen(trace_ids, lambda row: True, None, None))


def _frame(rows: list[Row]) -> pd.DataFrame:
    return dataframe(MESSAGES, columns_of(_NAMES, rows))


def _newest_first(wanted: TraceFilter) -> Generator[str]:
    """Yield the ids of the traces that are meant, the newest first, as they are asked for."""
    with reading() as connection:
        if connection is None:
            return
        condition, values = wanted.sql(gone_processes(connection))
        yield from (
            trace_id
            for (trace_id,) in connection.execute(
                f"SELECT t.trace_id FROM traces AS t LEFT JOIN feedback AS f USING (trace_id) WHERE {condition}"
                " ORDER BY t.started_ns DESC, t.seq DESC",
                values,
            )
        )


def _chosen(
    trace_ids: Iterable[str], is_wanted: Callable[[Row], bool], model: str | None, limit: int | None
) -> list[Row]:
    """Return the messages that are wanted, the newest `limit` of them, and look into no more traces than that takes."""
    chosen: list[Row] = []
    ids = iter(trace_ids)
    while batch := list(islice(ids, _BATCH)):
        by_trace: dict[str, list[Row]] = {}
        for call in read_columns(_READ, batch, MODEL_KINDS):
            by_trace.setdefault(call[_TRACE_ID], []).append(call)
        for trace_id in batch:
            calls = by_trace.get(trace_id, [])
            of_model = {call[_SPAN_ID] for call in calls if model is None or call[-1] == model}
            found = [row for row in said_in(calls) if row[_SPAN_ID] in of_model and is_wanted(row)]
            if limit is not None and len(chosen) + len(found) >= limit:
                return chosen + found[len(found) - (limit - len(chosen)) :]
            chosen += found
    return chosen


def said_in(calls: list[Row]) -> Iterator[Row]:
    """Yield the messages of one trace, each once.

    Args:
        calls: Of its model calls, in order: trace_id, span_id, parent_id, agent, input and output as JSON, and others.
    """
    # What a model said is in its call's output, and again in the input of the next: there it isn't new.
    said: Counter[bytes] = Counter()
    position = 0
    for number, (trace_id, span_id, _, agent, given, output, *_) in enumerate(calls):
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
