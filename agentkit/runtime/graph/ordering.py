"""The order of boxes within ranks, such that few of the ways between the ranks cross."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["crossings", "order_ranks"]

_SWEEPS = 12
_MOST_SWAPS = 40_000
"""Comparisons of neighbours, after which the order is good enough."""

Steps = Sequence[tuple[int, int]]


def order_ranks(rank_of: Sequence[int], steps: Steps, flat: Steps) -> list[list[int]]:
    """Return the boxes of each rank in their order.

    Args:
        rank_of: The rank of each box.
        steps: Ways from a rank to the next: the box in the lower one, and that in the higher.
        flat: Ways within a rank, which are to be short.

    Source: barycentres, then exchanges of neighbours, as in Gansner et al. 1993, "A technique for drawing directed
    graphs".
    """
    ranks: list[list[int]] = [[] for _ in range(max(rank_of) + 1)]
    for number, rank in enumerate(rank_of):
        ranks[rank].append(number)
    return _Orderer(ranks, steps, flat).best()


def crossings(ranks: Sequence[Sequence[int]], steps: Steps) -> int:
    """Return how many pairs of ways between neighbouring ranks cross."""
    slots = {number: slot for rank in ranks for slot, number in enumerate(rank)}
    between: dict[int, list[tuple[int, int]]] = {}
    of = {number: index for index, rank in enumerate(ranks) for number in rank}
    for low, high in steps:
        between.setdefault(of[low], []).append((slots[low], slots[high]))
    return sum(_inversions([high for _, high in sorted(ways)]) for ways in between.values())


def _inversions(values: list[int]) -> int:
    """Return how many pairs are out of order, by merging."""
    if len(values) < 2:
        return 0
    middle = len(values) // 2
    left, right = values[:middle], values[middle:]
    count = _inversions(left) + _inversions(right)
    left.sort()
    right.sort()
    place = 0
    for value in right:
        while place < len(left) and left[place] <= value:
            place += 1
        count += len(left) - place
    return count


class _Orderer:
    def __init__(self, ranks: list[list[int]], steps: Steps, flat: Steps) -> None:
        self.ranks = ranks
        self.steps = steps
        self.flat = flat
        self.lower: dict[int, list[int]] = {}
        self.higher: dict[int, list[int]] = {}
        self.beside: dict[int, list[int]] = {}
        for low, high in steps:
            self.higher.setdefault(low, []).append(high)
            self.lower.setdefault(high, []).append(low)
        for one, other in flat:
            self.beside.setdefault(one, []).append(other)
            self.beside.setdefault(other, []).append(one)
        self.slots = {number: slot for rank in ranks for slot, number in enumerate(rank)}
        self.swaps = 0

    def best(self) -> list[list[int]]:
        best, cost = [list(rank) for rank in self.ranks], self._cost()
        for sweep in range(_SWEEPS):
            for rank in self.ranks if sweep % 2 == 0 else reversed(self.ranks):
                self._sort(rank, self.lower if sweep % 2 == 0 else self.higher)
            self._exchange()
            now = self._cost()
            if now < cost:
                best, cost = [list(rank) for rank in self.ranks], now
        return best

    def _cost(self) -> float:
        return crossings(self.ranks, self.steps) + sum(
            abs(self.slots[one] - self.slots[other]) for one, other in self.flat
        )

    def _sort(self, rank: list[int], near: dict[int, list[int]]) -> None:
        """Sort by the mean place of what each is linked to; what is linked to nothing keeps its place."""

        def wanted(number: int) -> float:
            linked = near.get(number)
            return sum(self.slots[other] for other in linked) / len(linked) if linked else float(self.slots[number])

        rank.sort(key=lambda number: (wanted(number), self.slots[number]))
        self._note(rank)

    def _note(self, rank: Sequence[int]) -> None:
        for slot, number in enumerate(rank):
            self.slots[number] = slot

    def _exchange(self) -> None:
        """Exchange neighbours as long as that makes it better."""
        better = True
        while better and self.swaps < _MOST_SWAPS:
            better = False
            for rank in self.ranks:
                for slot in range(len(rank) - 1):
                    if self._gain(rank[slot], rank[slot + 1]) > 0:
                        rank[slot], rank[slot + 1] = rank[slot + 1], rank[slot]
                        self.slots[rank[slot]], self.slots[rank[slot + 1]] = slot, slot + 1
                        better = True

    def _gain(self, one: int, other: int) -> int:
        """Return by how much it is better if the neighbours change places."""
        gain = 0
        for near in (self.lower, self.higher):
            mine, its = near.get(one, ()), near.get(other, ())
            self.swaps += len(mine) * len(its) + 1
            for a in mine:
                for b in its:
                    gain += (self.slots[a] > self.slots[b]) - (self.slots[a] < self.slots[b])
        here = self.slots[one]
        for linked, step in ((self.beside.get(one, ()), 1), (self.beside.get(other, ()), -1)):
            for number in linked:
                if number not in (one, other):
                    gain += step if self.slots[number] > here else -step
        return gain
