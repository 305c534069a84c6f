"""Where boxes and the ways between them go: ranks by distance from the start, few crossings, no overlaps.

The layout knows two directions: "along", from rank to rank, and "across", within a rank. Which of them is horizontal is
for the caller to say. Everything here depends on the order of what is given, and on nothing else.

Source: the framework of Sugiyama, Tagawa and Toda (1981), with ranks by breadth-first search, so that no way forward
skips a rank, however many circles there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agentkit.runtime.graph.ordering import order_ranks
from agentkit.runtime.graph.spacing import place_apart

__all__ = ["Box", "Curve", "Layout", "Link", "lay_out"]

_GAP_ACROSS = 18.0
"""Room between the boxes of a rank."""
_THIN = 8.0
"""Room across that a way takes which passes a rank."""
_FIRST_LANE, _LANE, _MOST_LANES = 24.0, 10.0, 12
"""How far ways within a rank swing out: the first, each further one, and how many differ."""
_ROUND = 0.5523
"""How far the middle points of a cubic curve have to go for a quarter of a circle."""
_ROUNDS = 10
"""How often boxes move towards those that they are linked to."""

Curve = list[tuple[float, float]]
"""Points of a path: the first, and then three for each cubic curve."""


@dataclass(slots=True)
class Box:
    """Something that takes room."""

    along: float
    """How much, from rank to rank."""
    across: float
    """How much, within its rank."""
    anchor: float
    """Where in that ways meet it, from its beginning."""
    spread: float = 0.0
    """How far from there, at most."""
    before: float = 0.0
    """Room that it needs ahead of it in its rank."""


@dataclass(slots=True)
class Link:
    """A way between two boxes."""

    source: int
    """Number of the box that it leads from."""
    target: int
    """Number of the box that it leads to; never the same."""
    port: float | None = None
    """Where it leaves, from the box's beginning; wherever there is room when None."""


@dataclass(slots=True)
class Layout:
    """Where everything goes: coordinates along and across, from 0."""

    along: float = 0.0
    """Room taken from rank to rank."""
    across: float = 0.0
    """Room taken within ranks."""
    places: list[tuple[float, float]] = field(default_factory=list)
    """Where each box begins."""
    sizes: list[float] = field(default_factory=list)
    """Room that each box takes along: all of a rank the same, where they are stretched."""
    curves: list[Curve] = field(default_factory=list)
    """The way of each link, from its source to its target."""


def lay_out(
    boxes: Sequence[Box], links: Sequence[Link], starts: Sequence[int], *, gap: float = 76.0, stretch: bool = True
) -> Layout:
    """Return where boxes and links go.

    Args:
        boxes: The boxes.
        links: The ways between them; each box has to be reached from a start.
        starts: Numbers of the boxes of the first rank.
        gap: Room between ranks.
        stretch: Whether all boxes of a rank get the room of the longest along, and ways within a rank run behind them;
            else in front of them.
    """
    return _Planner(boxes, links, starts, gap, stretch).layout()


def ranks_of(count: int, links: Sequence[Link], starts: Sequence[int]) -> list[int]:
    """Return each box's distance from the nearest start."""
    following: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        following[link.source].append(link.target)
    ranks = [-1] * count
    reached = list(starts)
    for number in reached:
        ranks[number] = 0
    for number in reached:  # it grows meanwhile
        for target in following[number]:
            if ranks[target] < 0:
                ranks[target] = ranks[number] + 1
                reached.append(target)
    return ranks


class _Planner:
    def __init__(
        self, boxes: Sequence[Box], links: Sequence[Link], starts: Sequence[int], gap: float, stretch: bool
    ) -> None:
        self.boxes = list(boxes)
        self.gap = gap
        self.links = links
        self.stretch = stretch
        self.real = len(self.boxes)
        self.rank_of = ranks_of(self.real, links, starts)
        # of each link, the boxes that it passes, thin ones of its own included, from the lower rank to the higher
        self.chains = [self._chain(link) for link in links]
        self.steps = [pair for chain in self.chains for pair in pairwise(chain)]
        self.level = [link for link in links if self.rank_of[link.source] == self.rank_of[link.target]]
        flat = [(link.source, link.target) for link in self.level]
        self.ranks = order_ranks(self.rank_of, self.steps, flat)
        self.slots = {number: slot for rank in self.ranks for slot, number in enumerate(rank)}

    def _chain(self, link: Link) -> list[int]:
        low, high = sorted((link.source, link.target), key=lambda number: self.rank_of[number])
        if self.rank_of[low] == self.rank_of[high]:
            return []
        chain = [low]
        for rank in range(self.rank_of[low] + 1, self.rank_of[high]):
            chain.append(len(self.boxes))
            self.boxes.append(Box(0.0, _THIN, _THIN / 2))
            self.rank_of.append(rank)
        return [*chain, high]

    def layout(self) -> Layout:
        across = self._across()
        lanes = self._lanes()
        begins, sizes, end = self._along(lanes)
        self.begins, self.sizes, self.across = begins, sizes, across
        ports = self._ports()
        curves = [
            self._through(number, chain, ports) if chain else self._arc(number, lanes[id(self.links[number])], ports)
            for number, chain in enumerate(self.chains)
        ]
        extent = max(across[number] + self.boxes[number].across for number in range(len(self.boxes)))
        places = [(begins[self.rank_of[number]], across[number]) for number in range(self.real)]
        return Layout(end, extent, places, [self._length(number) for number in range(self.real)], curves)

    # -- across ---------------------------------------------------------------------------------------------------

    def _across(self) -> list[float]:
        """Return where each box begins in its rank: near to what it is linked to."""
        near: list[tuple[list[int], list[int]]] = [([], []) for _ in self.boxes]
        for low, high in self.steps:
            near[low][1].append(high)
            near[high][0].append(low)
        begins = [0.0] * len(self.boxes)
        for rank in self.ranks:
            self._settle(rank, [0.0] * len(rank), begins)
        for turn in range(_ROUNDS):
            last = turn >= _ROUNDS - 2
            for rank in self.ranks if turn % 2 == 0 else reversed(self.ranks):
                wanted = []
                for number in rank:
                    its = near[number][0] + near[number][1] if last else near[number][turn % 2] or [number]
                    its = its or [number]
                    middle = sum(begins[other] + self.boxes[other].anchor for other in its) / len(its)
                    wanted.append(middle - self.boxes[number].anchor)
                self._settle(rank, wanted, begins)
        least = min(begins[number] - box.before for number, box in enumerate(self.boxes))
        return [begin - least for begin in begins]

    def _settle(self, rank: Sequence[int], wanted: Sequence[float], begins: list[float]) -> None:
        """Put the boxes of a rank as near as they can be to where they are wanted."""
        apart = [self.boxes[one].across + _GAP_ACROSS + self.boxes[other].before for one, other in pairwise(rank)]
        for number, place in zip(rank, place_apart(wanted, apart), strict=True):
            begins[number] = place

    # -- along ----------------------------------------------------------------------------------------------------

    def _lanes(self) -> dict[int, float]:
        """Return how far each link within a rank swings out: those over others farther than these."""
        swings: dict[int, float] = {}
        taken: list[tuple[int, int, int, int]] = []  # rank, from, to, lane
        for link in sorted(self.level, key=lambda link: abs(self.slots[link.source] - self.slots[link.target])):
            first, last = sorted((self.slots[link.source], self.slots[link.target]))
            rank = self.rank_of[link.source]
            below = [lane for where, a, b, lane in taken if where == rank and a < last and first < b]
            lane = min(max(below, default=-1) + 1, _MOST_LANES)
            taken.append((rank, first, last, lane))
            swings[id(link)] = _FIRST_LANE + lane * _LANE
        return swings

    def _along(self, lanes: dict[int, float]) -> tuple[list[float], list[float], float]:
        """Return where each rank begins, how long it is, and where the last one ends."""
        sizes = [max(self.boxes[number].along for number in rank) for rank in self.ranks]
        swing = [0.0] * len(self.ranks)
        for link in self.level:
            rank = self.rank_of[link.source]
            swing[rank] = max(swing[rank], lanes[id(link)])
        begins, end = [], 0.0
        for rank, size in enumerate(sizes):
            if not self.stretch:
                end += swing[rank]
            begins.append(end)
            end += size + (swing[rank] if self.stretch else 0.0)
            if rank + 1 < len(sizes):
                end += self.gap
        return begins, sizes, end

    def _length(self, number: int) -> float:
        return self.sizes[self.rank_of[number]] if self.stretch else self.boxes[number].along

    # -- ways -----------------------------------------------------------------------------------------------------

    def _ports(self) -> dict[tuple[int, int, int], float]:
        """Return where each link meets its boxes: by link, end (0 source, 1 target), and the box it meets there."""
        sides: dict[tuple[int, bool], list[tuple[tuple[int, float], int, int]]] = {}
        ports: dict[tuple[int, int, int], float] = {}
        for number, (link, chain) in enumerate(zip(self.links, self.chains, strict=True)):
            for end, (here, there) in enumerate(((link.source, link.target), (link.target, link.source))):
                if end == 0 and link.port is not None:
                    ports[number, 0, here] = self.across[here] + link.port
                    continue
                if chain:
                    there = chain[1] if chain[0] == here else chain[-2]
                behind = self.stretch if not chain else self.rank_of[there] > self.rank_of[here]
                place = self.across[there] + self.boxes[there].anchor
                mine = self.across[here] + self.boxes[here].anchor
                # those within the rank outside, the farthest outermost: then none of them cross here
                order = (1, place) if chain else (0 if place < mine else 2, -place)
                sides.setdefault((here, behind), []).append((order, number, end))
        for (here, _), meeting in sides.items():
            box = self.boxes[here]
            step = min(10.0, 2 * box.spread / max(1, len(meeting) - 1))
            for slot, (_, number, end) in enumerate(sorted(meeting)):
                aside = (slot - (len(meeting) - 1) / 2) * step
                ports[number, end, here] = self.across[here] + box.anchor + aside
        return ports

    def _through(self, number: int, chain: Sequence[int], ports: dict[tuple[int, int, int], float]) -> Curve:
        """Return the way of a link to another rank, straight through the ranks in between."""
        link = self.links[number]
        forward = chain[0] == link.source
        low, high = chain[0], chain[-1]
        x = self.begins[self.rank_of[low]] + self._length(low)
        y = ports[number, 0 if forward else 1, low]
        curve: Curve = [(x, y)]
        end = self.begins[self.rank_of[low]] + self.sizes[self.rank_of[low]]
        if end - x > 1:  # longer boxes of its rank lie beside it: straight on, past them
            curve += [(x + 1, y), (end - 1, y), (end, y)]
            x = end
        for passed in chain[1:]:
            to_x = self.begins[self.rank_of[passed]]
            thin = passed != high
            to_y = self.across[passed] + _THIN / 2 if thin else ports[number, 1 if forward else 0, high]
            bend = max((to_x - x) * 0.5, 24.0)
            curve += [(x + bend, y), (to_x - bend, to_y), (to_x, to_y)]
            x, y = to_x, to_y
            if thin:
                x += self.sizes[self.rank_of[passed]]
                curve += [(to_x + 1, y), (x - 1, y), (x, y)]
        return curve if forward else curve[::-1]

    def _arc(self, number: int, swing: float, ports: dict[tuple[int, int, int], float]) -> Curve:
        """Return the way of a link within a rank: out, along the rank, and in again."""
        link = self.links[number]
        rank = self.rank_of[link.source]
        x = self.begins[rank] + (self.sizes[rank] if self.stretch else 0.0)
        y, to_y = ports[number, 0, link.source], ports[number, 1, link.target]
        turn = min(swing, abs(to_y - y) / 2)
        down = turn if to_y > y else -turn
        out = x + swing if self.stretch else x - swing
        bent = out + (x - out) * (1 - _ROUND)
        return [
            (x, y), (bent, y), (out, y + down * (1 - _ROUND)), (out, y + down),
            (out, y + down), (out, to_y - down), (out, to_y - down),
            (out, to_y - down * (1 - _ROUND)), (bent, to_y), (x, to_y),
        ]  # fmt: skip
