"""Which traces and spans are wanted, as conditions of SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agentkit.exceptions import UserError
from agentkit.tracing.searching import SAYS

__all__ = ["MODEL_KINDS", "SpanFilter", "TraceFilter"]

MODEL_KINDS = ("response", "generation")
"""Kinds of the spans that are model calls."""

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
        """Return a condition on `traces AS t LEFT JOIN feedback AS f`, and its values, for a connection of `reading()`.

        Args:
            gone: The processes that have left traces unfinished.

        Raises:
            UserError: A value can't be looked for.
        """
        self.check()
        built = _Builder()
        built.equal("t.trace_id = ?", self.trace_id)
        for column, name in (("agents", self.agent), ("models", self.model)):
            built.equal(f"instr(char(10) || t.{column} || char(10), char(10) || ? || char(10)) > 0", name)
        built.equal("t.session_id = ?", self.session)
        built.equal("t.group_id = ?", self.group)
        built.equal("f.rating = ?", self.rating)
        built.equal("t.started_ns >= ?", self.since_ns)
        built.equal("t.started_ns < ?", self.until_ns)
        over = f"(t.process IS NULL OR t.process IN ({_marks(gone)}))"
        built.status("coalesce(t.status, 'running')", over, self.status, gone)
        if self.error is not None:
            built.add(f"t.error IS {'NOT ' if self.error else ''}NULL")
        built.text(("t.input", "t.output", "t.error"), self.text)
        return built.condition()

    def check(self) -> None:
        """Raise where a value can't be looked for.

        Raises:
            UserError: It is no text, or `error` is something else than True and False.
        """
        _check(self._asdict())


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
        """Return a condition on `spans AS s`, and its values, for a connection of `reading()`.

        Args:
            gone: The processes that have left traces unfinished.

        Raises:
            UserError: A value can't be looked for.
        """
        self.check()
        built = _Builder()
        if self.kinds is not None:
            built.add(f"s.kind IN ({', '.join('?' * len(self.kinds))})", *self.kinds)
        built.equal("s.agent = ?", self.agent)
        built.equal("s.name = ?", self.name)
        built.equal("s.model = ?", self.model)
        built.equal("s.started_ns >= ?", self.since_ns)
        built.equal("s.started_ns < ?", self.until_ns)
        going_on = f"ended_ns IS NULL AND process IS NOT NULL AND process NOT IN ({_marks(gone)})"
        over = f"NOT EXISTS (SELECT 1 FROM traces WHERE trace_id = s.trace_id AND {going_on})"
        built.status("s.status", over, self.status, gone)
        if self.error is not None:
            built.add("s.status = 'error'" if self.error else "s.status <> 'error'")
        built.equal("s.trace_id IN (SELECT trace_id FROM traces WHERE session_id = ?)", self.session)
        built.text(("s.input", "s.output", "s.error"), self.text)
        return built.condition()

    def check(self) -> None:
        """Raise where a value can't be looked for, as `TraceFilter.check` does."""
        given = self._asdict()
        for kind in given.pop("kinds") or ():
            _check({"kind": kind})
        _check(given)


def _check(given: Mapping[str, Any]) -> None:  # whatever a caller passes
    """Raise where a value can't be looked for: SQLite would say so in words that nobody understands."""
    for name, value in given.items():
        if value is None or name.endswith("_ns"):
            continue
        if name == "error":
            if not isinstance(value, bool):
                raise UserError(f"error is True, False or None, not {value!r:.60}.")
        elif not isinstance(value, str):
            hint = "It takes one. To choose several, choose among the rows of the dataframe, with .isin([…])."
            raise UserError(f"{name} is a text, not {value!r:.60}.", hint=hint if _is_several(value) else None)
        elif not value.isascii() and value != value.encode("utf-8", "ignore").decode():
            raise UserError(f"{name} is {value!r:.60}, in which a character is only half there.")


def _is_several(value: Any) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


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

    def status(self, column: str, over: str, wanted: str | None, gone: Sequence[str]) -> None:
        """Compare with the status that readers are shown.

        Args:
            column: What was stored.
            over: Whether it can't go on any more, with a mark for each of `gone`.
            wanted: The status.
            gone: The processes that have left traces unfinished.
        """
        if wanted is None:
            return
        if wanted == "running":
            self.add(f"{column} = 'running' AND NOT {over}", *gone)
        elif wanted == "unfinished":  # as it is stored of what was read from a file
            self.add(f"({column} = 'unfinished' OR ({column} = 'running' AND {over}))", *gone)
        else:
            self.add(f"{column} = ?", wanted)

    def text(self, columns: Sequence[str], wanted: str | None) -> None:
        if wanted is not None:
            self.add(f"{SAYS}(?, {', '.join(columns)})", wanted)

    def condition(self) -> Condition:
        return " AND ".join(self._conditions), self._values
