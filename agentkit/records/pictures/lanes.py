"""Which bar of a timeline goes into which lane: an agent's lanes together, what runs in parallel beneath each other."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from agentkit.records.pictures.rows import SpanRow

__all__ = ["MOST_LANES", "Group", "Lane", "lanes_of"]

MOST_LANES = 36
"""Lanes that a timeline has at most: what is beyond is drawn together."""


class _Limits(NamedTuple):
    """How much is drawn by itself; what is beyond is drawn together."""

    parallel: int
    """Lines for spans of one name in parallel."""
    calls: int
    """Models of an agent."""
    tools: int
    """Its tools."""
    others: int
    """Its other names."""
    agents: int
    """Agents."""


_LIMITS = (
    _Limits(8, 4, 14, 6, 14),
    _Limits(4, 3, 10, 4, 10),
    _Limits(2, 2, 5, 2, 9),
    _Limits(1, 1, 3, 1, 9),
    _Limits(1, 1, 1, 1, 8),
)
"""The gentlest first."""


_Name = TypeVar("_Name", str, str | None)


@dataclass(slots=True)
class Lane:
    """Spans of one name and one agent."""

    label: str
    """What it is called."""
    rows: list[list[SpanRow]] = field(default_factory=list)
    """The spans, in as many lines as run in parallel; each line in order of start."""
    crowded: bool = False
    """Whether spans cover each other, as there are more in parallel than lines."""

    @property
    def count(self) -> int:
        """How many spans it has."""
        return sum(map(len, self.rows))

    @property
    def busy_s(self) -> float:
        """Seconds that they took, taken together."""
        return sum(row.duration_s or 0.0 for line in self.rows for row in line)


@dataclass(slots=True)
class Group:
    """The lanes of one agent."""

    title: str
    """Its name, or what it is."""
    agents: set[str]
    """The agents in it: several where they are drawn together, "" for what no agent did."""
    at_work: Lane | None = None
    """When it was at work."""
    lanes: list[Lane] = field(default_factory=list)
    """What it did."""

    @property
    def all_lanes(self) -> list[Lane]:
        """Its lanes, from the top."""
        return [*([self.at_work] if self.at_work else []), *self.lanes]


def lanes_of(rows: Sequence[SpanRow], *, most: int = MOST_LANES) -> list[Group]:
    """Return the lanes for spans, in at most `most` lines where that can be.

    Args:
        rows: The spans, in order of start. Handoffs have no lane.
        most: Lines to draw.
    """
    rows = [row for row in rows if row.kind != "handoff"]
    groups: list[Group] = []
    for limits in _LIMITS:
        groups = _groups(rows, limits)
        if sum(len(lane.rows) for group in groups for lane in group.all_lanes) <= most:
            break
    return groups


def _groups(rows: Sequence[SpanRow], limits: _Limits) -> list[Group]:
    by_agent: dict[str | None, list[SpanRow]] = {}
    for row in rows:
        by_agent.setdefault(row.agent, []).append(row)
    kept, rest = _busiest(by_agent, limits.agents)
    groups = [_group(agent or "(no agent)", {agent or ""}, by_agent[agent], limits) for agent in kept]
    if rest:
        groups.append(_group(f"{len(rest)} more agents", set(map(str, rest)), _together(by_agent, rest), limits))
    return groups


def _group(title: str, agents: set[str], rows: Sequence[SpanRow], limits: _Limits) -> Group:
    at_work: list[SpanRow] = []
    by_class: dict[str, dict[str, list[SpanRow]]] = {"call": {}, "tool": {}, "other": {}}
    for row in rows:
        if row.kind == "agent":
            at_work.append(row)
        else:
            kind, name = _name(row)
            by_class[kind].setdefault(name, []).append(row)
    group = Group(title, agents, _lane(title, at_work, limits.parallel) if at_work else None)
    most = {"call": limits.calls, "tool": limits.tools, "other": limits.others}
    for kind, by_name in by_class.items():
        kept, rest = _busiest(by_name, most[kind])
        group.lanes += [_lane(name, by_name[name], limits.parallel) for name in kept]
        if rest:
            noun = {"call": "models", "tool": "tools", "other": "others"}[kind]
            label = f"{len(rest)} {'more ' if kept else ''}{noun}"
            group.lanes.append(_lane(label, _together(by_name, rest), limits.parallel))
    return group


def _busiest(by_name: dict[_Name, list[SpanRow]], most: int) -> tuple[list[_Name], list[_Name]]:
    """Return the names to be drawn by themselves, and those to be drawn together, each in their order."""
    if len(by_name) <= most:
        return list(by_name), []
    busiest = set(sorted(by_name, key=lambda name: -len(by_name[name]))[: most - 1])
    return [name for name in by_name if name in busiest], [name for name in by_name if name not in busiest]


def _together(by_name: dict[_Name, list[SpanRow]], names: Sequence[_Name]) -> list[SpanRow]:
    return sorted((row for name in names for row in by_name[name]), key=lambda row: row.started_ns)


def _name(row: SpanRow) -> tuple[str, str]:
    """Return a class and a label: spans of the same go into one lane."""
    if row.is_call:
        return "call", row.model or "model call"
    if row.kind == "function":
        return "tool", row.name or "tool"
    return "other", row.name or row.kind


def _lane(label: str, rows: Sequence[SpanRow], parallel: int) -> Lane:
    """Return a lane in which each span goes into the first line that is free, as far as there are any."""
    lane = Lane(label)
    busy: list[tuple[int, int]] = []
    """When each line in use is free again."""
    free: list[int] = []
    for row in rows:
        while busy and busy[0][0] <= row.started_ns:
            heapq.heappush(free, heapq.heappop(busy)[1])
        ends = _FOR_EVER if row.duration_s is None else row.started_ns + int(row.duration_s * 1e9)
        if free:
            line = heapq.heappop(free)
        elif len(lane.rows) < parallel:
            line = len(lane.rows)
            lane.rows.append([])
        else:
            lane.crowded = True
            earlier, line = heapq.heappop(busy)
            ends = max(ends, earlier)
        heapq.heappush(busy, (ends, line))
        lane.rows[line].append(row)
    return lane


_FOR_EVER = 2**63
