"""Which traces the reader wants to see, in which order."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast, get_args

from agentkit.records.wanted import trace_filter
from agentkit.tracing.filters import TraceFilter

__all__ = ["AGES", "PAGE_ROWS", "STATUSES", "SortKey", "Wanted", "wanted_of"]

PAGE_ROWS = 25
"""Traces on a page."""

SortKey = Literal["started", "status", "agent", "question", "duration", "tokens", "cost", "rating"]

STATUSES = ("ok", "error", "running", "unfinished", "cancelled", "max_turns", "budget", "guardrail", "waiting")
"""What traces end with."""

AGES = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}
"""The times that can be chosen: how long ago, in seconds."""

_MOST_CHARS = 500
_ORDER: Mapping[SortKey, str] = {
    "started": "t.started_ns",
    "status": "coalesce(t.status, 'running')",
    "agent": "t.agents COLLATE NOCASE",
    "question": "t.input COLLATE NOCASE",
    "duration": "t.ended_ns - t.started_ns",
    "tokens": "t.total_tokens",
    "cost": "t.cost_usd",
    "rating": "coalesce(f.rating, '') || coalesce(n.mark, '')",
}


_ALL = TraceFilter()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be listed: what the caller gave, and what the reader chose in the browser."""

    given: TraceFilter = _ALL
    """What the caller of `browse` gave, which the reader narrows."""
    agent: str | None = None
    """Only traces that this agent took part in; likewise the choices that follow. None is no choice."""
    model: str | None = None
    """A model that was called."""
    status: str | None = None
    """How they ended."""
    rating: str | None = None
    """What was thought of the answer: "up" or "down"."""
    error: bool = False
    """Whether only those that failed are wanted."""
    text: str = ""
    """What occurs in question, answer or error."""
    age: str = ""
    """How old they may be: a key of `AGES`."""
    sort: SortKey = "started"
    """The column that they are sorted by."""
    descending: bool = True
    """Whether the largest comes first."""
    page: int = 0
    """Which page, from 0."""

    def filters(self) -> list[TraceFilter]:
        """Return the conditions, all of which hold."""
        age = AGES.get(self.age)
        since = None if age is None else time.time_ns() - age * 1_000_000_000
        chosen = TraceFilter(
            agent=self.agent,
            model=self.model,
            status=self.status,
            error=True if self.error else None,
            text=self.text or None,
            rating=self.rating,
            since_ns=since,
        )
        return [self.given, chosen]

    def order(self) -> str:
        """Return how to sort, for SQL. What isn't known comes last, whichever way."""
        way = "DESC" if self.descending else "ASC"
        newest = f"t.started_ns {way}, t.seq {way}" if self.sort == "started" else "t.started_ns DESC, t.seq DESC"
        return newest if self.sort == "started" else f"{_ORDER[self.sort]} {way} NULLS LAST, {newest}"

    def changed_by(self, said: Mapping[str, Any]) -> Wanted:
        """Return what is wanted now, by what a front end says; what makes no sense counts as not said."""
        text, age, sort, page = said.get("text"), said.get("age"), said.get("sort"), said.get("page")
        rating = said.get("rating")
        return replace(
            self,
            agent=_name(said.get("agent")),
            model=_name(said.get("model")),
            status=_name(said.get("status")),
            rating=rating if rating in ("up", "down") else None,
            error=said.get("error") is True,
            text=text[:_MOST_CHARS] if isinstance(text, str) else "",
            age=age if age in AGES else "",
            sort=cast("SortKey", sort) if sort in get_args(SortKey) else "started",
            descending=said.get("descending") is not False,
            page=page if isinstance(page, int) and 0 <= page < 10_000_000 else 0,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the reader's choices as the front end has them."""
        names = ("agent", "model", "status", "rating", "error", "text", "age", "sort", "descending", "page")
        return {name: getattr(self, name) for name in names}


def wanted_of(
    *,
    agent: Any = None,  # a name, or an agent
    model: str | None = None,
    session: Any = None,  # a session_id, or a session
    group: str | None = None,
    status: str | None = None,
    error: bool | None = None,
    text: str | None = None,
    since: Any = None,  # a time, or how long ago
    until: Any = None,
    rating: str | None = None,
) -> Wanted:
    """Return what the arguments of `browse` ask for, with the same meaning as those of `agentkit.traces`.

    Raises:
        UserError: One of them makes no sense.
    """
    given = trace_filter(
        agent=agent,
        model=model,
        session=session,
        group=group,
        status=status,
        error=error,
        text=text,
        since=since,
        until=until,
        rating=rating,
    )
    chosen = {"agent": None, "model": None, "status": None, "text": None, "rating": None}
    return Wanted(
        given._replace(error=False if error is False else None, **chosen),
        agent=given.agent,
        model=given.model,
        status=given.status,
        rating=given.rating,
        error=error is True,
        text=given.text or "",
    )


def _name(value: Any) -> str | None:  # JSON
    return value[:_MOST_CHARS] if isinstance(value, str) and value else None
