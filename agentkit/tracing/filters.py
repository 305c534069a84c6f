"""Which traces and spans are wanted, as conditions of SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["MODEL_KINDS", "SpanFilter", "TraceFilter"]

MODEL_KINDS = ("response", "generation")
"""Kinds of the spans that are model calls."""

_LIKE_ESCAPES = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})

Condition = tuple[str, list[Any]]


class TraceFilter(NamedTuple):
    """Which traces to read; None is no condition."""

    agent: str | None = None
    """Only those that this agent took part in."""
    model: str | None = None
    """Only those in which this model was called."""
    session: str | None = None
    """Only those of this session."""
    group: str | None = None
    """Only those with this group_id."""
    status: str | None = None
    """Only those that ended so; "running" and "unfinished" are told apart by `gone`."""
    error: bool | None = None
    """Only those with an error, or only those without."""
    text: str | None = None
    """Only those in whose input, output or error this occurs, in capitals or not."""
    rating: str | None = None
    """Only those whose answer was rated so."""
    since_ns: int | None = None
    """Only those that started at this time or later, in nanoseconds since 1970."""
    until_ns: int | None = None
    """Only those that started before this time."""
    trace_id: str | None = None
    """Only this one."""

    def sql(self, gone: Sequence[str] = ()) -> Condition:
        """Return a condition on `traces AS t LEFT JOIN feedback AS f`, and its values.

        Args:
            gone: The processes that have left traces unfinished.
        """
        built = _Builder()
        built.equal("t.trace_id = ?", self.trace_id)
        for column, name in (("agents", self.agent), ("models", self.model)):
            built.equal(f"instr(char(10) || t.{column} || char(10), char(10) || ? || char(10)) > 0", name)
        built.equal("t.session_id = ?", self.session)
        built.equal("t.group_id = ?", self.group)
        built.equal("f.rating = ?", self.rating)
        built.equal("t.started_ns >= ?", self.since_ns)
        built.equal("t.started_ns < ?", self.until_ns)
        built.status("coalesce(t.status, 'running')", "coalesce(t.process, '')", self.status, gone)
        if self.error is not None:
            built.add(f"t.error IS {'NOT ' if self.error else ''}NULL")
        built.text(("t.input", "t.output", "t.error"), self.text)
        return built.condition()


class SpanFilter(NamedTuple):
    """Which spans to read; None is no condition."""

    kinds: tuple[str, ...] | None = None
    """Only those of these kinds."""
    agent: str | None = None
    """Only those of this agent's work."""
    name: str | None = None
    """Only those with this name."""
    model: str | None = None
    """Only calls of this model."""
    session: str | None = None
    """Only those of this session's traces."""
    status: str | None = None
    """Only those that ended so; "running" and "unfinished" are told apart by `gone`."""
    error: bool | None = None
    """Only those with an error, or only those without."""
    text: str | None = None
    """Only those in whose input, output or error this occurs, in capitals or not."""
    since_ns: int | None = None
    """Only those that started at this time or later, in nanoseconds since 1970."""
    until_ns: int | None = None
    """Only those that started before this time."""

    def sql(self, gone: Sequence[str] = ()) -> Condition:
        """Return a condition on `spans AS s`, and its values.

        Args:
            gone: The processes that have left traces unfinished.
        """
        built = _Builder()
        if self.kinds is not None:
            built.add(f"s.kind IN ({', '.join('?' * len(self.kinds))})", *self.kinds)
        built.equal("s.agent = ?", self.agent)
        built.equal("s.name = ?", self.name)
        built.equal("s.model = ?", self.model)
        built.equal("s.started_ns >= ?", self.since_ns)
        built.equal("s.started_ns < ?", self.until_ns)
        process = "(SELECT coalesce(process, '') FROM traces WHERE trace_id = s.trace_id)"
        built.status("s.status", process, self.status, gone)
        if self.error is not None:
            built.add("s.status = 'error'" if self.error else "s.status <> 'error'")
        built.equal("s.trace_id IN (SELECT trace_id FROM traces WHERE session_id = ?)", self.session)
        built.text(("s.input", "s.output", "s.error"), self.text)
        return built.condition()


class _Builder:
    """Puts a condition together."""

    def __init__(self) -> None:
        self._conditions = ["1"]
        self._values: list[Any] = []

    def add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self._values += values

    def equal(self, condition: str, value: Any) -> None:
        if value is not None:
            self.add(condition, value)

    def status(self, column: str, process: str, wanted: str | None, gone: Sequence[str]) -> None:
        if wanted is None:
            return
        marks = ", ".join("?" * len(gone))
        if wanted == "running":
            self.add(f"{column} = 'running' AND {process} NOT IN ({marks})", *gone)
        elif wanted == "unfinished":
            self.add(f"{column} = 'running' AND {process} IN ({marks})", *gone)
        else:
            self.add(f"{column} = ?", wanted)

    def text(self, columns: Sequence[str], wanted: str | None) -> None:
        if wanted is not None:
            pattern = f"%{wanted.translate(_LIKE_ESCAPES)}%"
            alike = " OR ".join(f"{name} LIKE ? ESCAPE '\\'" for name in columns)
            self.add(f"({alike})", *[pattern] * len(columns))

    def condition(self) -> Condition:
        return " AND ".join(self._conditions), self._values
