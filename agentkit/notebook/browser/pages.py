"""Pages of the list of traces, read from the store: never more of it than is shown."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from agentkit import _json
from agentkit.notebook.browser.wanted import PAGE_ROWS, Wanted
from agentkit.notebook.display.spoken import message_text
from agentkit.notebook.display.text import one_line
from agentkit.notebook.display.waterfall import cost_text, state_word, took
from agentkit.records.span import parsed
from agentkit.records.traces import trace_costs
from agentkit.tracing.reader import gone_processes, reading

__all__ = ["Listed", "Page", "is_interrupted", "read_choices", "read_page"]

_QUESTION_CHARS = 20_000
"""Characters of an input that are read: a question may have a file in it."""
_SHOWN_CHARS = 160
_NAMES_FROM = 2_000
"""Newest traces among whose agents and models there is to choose."""
_MOST_NAMES = 200
_FROM = (
    "FROM traces AS t LEFT JOIN feedback AS f USING (trace_id)"
    " LEFT JOIN notes AS n ON n.trace_id = t.trace_id AND n.span_id = ''"
)
_TEXT_BEGINS = re.compile(r'"(?:content|text)":\s*"((?:[^"\\]|\\.)*)')
_ESCAPED = re.compile(r'^"|\\[nrt]|\\u[0-9a-f]{4}')
_PRICED = (("trace_id", 0), ("cost_usd", 8), ("unpriced", -2))
"""What tells the cost of a row, and where it is in it."""
_STEPS = 20_000
"""Steps of SQLite after which a search is asked whether it is still wanted."""


class Listed(NamedTuple):
    """A trace in the list. All texts are fit to be shown."""

    trace_id: str
    """Its id."""
    status: str
    """How it went, as the store has it."""
    state: str
    """Likewise in words; "" where it went well."""
    agents: str
    """Who took part."""
    started_ns: int
    """When it began, in nanoseconds since 1970."""
    duration: str
    """How long it took; "" where it hasn't ended."""
    tokens: str
    """Tokens in and out together."""
    cost: str
    """What it cost; "" where the price of a call isn't known."""
    question: str
    """The first words of what was asked."""
    error: str
    """What went wrong."""
    rating: str
    """"up", "down" or ""."""
    mark: str
    """A reader's mark."""
    comment: str
    """A reader's comment."""

    @property
    def started(self) -> str:
        """When it began, in UTC, to the second."""
        return f"{datetime.fromtimestamp(self.started_ns // 1_000_000_000, tz=UTC):%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list."""

    rows: list[Listed]
    """What is on it."""
    number: int
    """Which it is, from 0."""
    total: int
    """Traces on all pages."""

    @property
    def count(self) -> int:
        """Pages in all, 1 at least."""
        return max(1, -(-self.total // PAGE_ROWS))


def read_page(wanted: Wanted, *, still_wanted: Callable[[], bool] = lambda: True) -> Page:
    """Return a page of the list; the last one where there are fewer.

    Args:
        wanted: Which traces, in which order, and the page.
        still_wanted: Asked from time to time; a long search ends early where it isn't.

    Raises:
        UserError: The store can't be read, or the search was ended.
    """
    with reading() as connection:
        if connection is None:
            return Page([], 0, 0)
        connection.set_progress_handler(lambda: not still_wanted(), _STEPS)
        gone = gone_processes(connection)
        conditions, values = [], []
        for each in wanted.filters():
            condition, bound = each.sql(gone)
            conditions.append(condition)
            values += bound
        where = " AND ".join(conditions)
        (total,) = connection.execute(f"SELECT count(*) {_FROM} WHERE {where}", values).fetchone()
        number = min(wanted.page, max(0, -(-total // PAGE_ROWS) - 1))
        rows = connection.execute(
            "SELECT t.trace_id, coalesce(t.status, 'running'), t.process, t.agents, t.workflow, t.started_ns,"
            f" t.ended_ns, t.total_tokens, t.cost_usd, substr(t.input, 1, {_QUESTION_CHARS}), substr(t.error, 1, 2000),"
            f" f.rating, n.mark, n.comment, t.unpriced, t.models {_FROM} WHERE {where}"
            f" ORDER BY {wanted.order()} LIMIT ? OFFSET ?",
            [*values, PAGE_ROWS, number * PAGE_ROWS],
        ).fetchall()
    costs = _costs(rows)
    return Page([_listed(row, cost, gone) for row, cost in zip(rows, costs, strict=True)], number, total)


def _costs(rows: list[tuple[Any, ...]]) -> list[float | None]:
    """Return what the traces of a page cost, as `agentkit.traces()` says."""
    columns = {name: [row[place] for row in rows] for name, place in _PRICED}
    return trace_costs(columns, [(row[-1] or "").split("\n") for row in rows])


def _listed(row: tuple[Any, ...], cost: float | None, gone: list[str]) -> Listed:
    trace_id, status, process, agents, workflow, started, ended, tokens, _, asked, error, rating, mark, note, *_ = row
    if status == "running" and (process is None or process in gone):
        status = "unfinished"
    names = list(dict.fromkeys((agents or workflow or "").split("\n")))
    return Listed(
        one_line(trace_id, 80),
        one_line(status, 40),
        one_line(state_word(status), 40),
        one_line(" → ".join(names[:4]) + (" …" if len(names) > 4 else ""), 80),
        started,
        took(None if ended is None else (ended - started) / 1e9),
        "" if not tokens else f"{tokens:,}" if tokens < 1_000_000 else f"{tokens / 1_000_000:.2f} M",
        cost_text(cost),
        _question(asked),
        _error(error),
        rating or "",
        one_line(mark or "", 20),
        one_line(note or "", _SHOWN_CHARS),
    )


def _question(text: str | None) -> str:
    """Return the first words of what a person asked last, from the stored input or its beginning."""
    if not text:
        return ""
    asked = parsed(text)
    if isinstance(asked, list):
        said = [item for item in asked if isinstance(item, dict) and item.get("role") == "user"]
        return one_line(message_text(said[-1]), _SHOWN_CHARS) if said else ""
    if isinstance(asked, str) and asked is text:  # cut, so no JSON any more
        user = max(text.rfind('"role":"user"'), text.rfind('"role": "user"'), 0)
        said_so_far = _TEXT_BEGINS.search(text, user) if text.startswith("[") else None
        asked = _ESCAPED.sub(" ", said_so_far[1] if said_so_far else text)
    shown = asked if isinstance(asked, str) else _json.dumps(asked).decode()
    return one_line(shown[:4_000], _SHOWN_CHARS)


def _error(text: str | None) -> str:
    if not text:
        return ""
    error = parsed(text)
    return one_line(str(error.get("message") or "") if isinstance(error, dict) else str(error), _SHOWN_CHARS)


def read_choices() -> dict[str, list[str]]:
    """Return the agents and models of the newest traces, by which to filter; those used last first.

    Raises:
        UserError: The store can't be read.
    """
    with reading() as connection:
        if connection is None:
            return {"agents": [], "models": []}
        rows = connection.execute(
            "SELECT agents, models FROM traces ORDER BY started_ns DESC LIMIT ?", (_NAMES_FROM,)
        ).fetchall()
    return {name: _names(row[place] for row in rows) for place, name in enumerate(("agents", "models"))}


def _names(lines: Any) -> list[str]:  # an iterable of texts
    found = dict.fromkeys(name for each in lines if each for name in each.split("\n"))
    return [name for name in found if name][:_MOST_NAMES]


def is_interrupted(error: BaseException) -> bool:
    """Return whether a search was ended because nobody wants it any more."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
