"""Places on a line as near as they can be to where they are wanted, in their order and apart from each other."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["place_apart"]


def place_apart(wanted: Sequence[float], apart: Sequence[float]) -> list[float]:
    """Return places of which each is at least so far behind the one before, with the least squares to those wanted.

    Args:
        wanted: Where each would best be; one at least.
        apart: How far each but the first has to be behind the one before: one fewer than `wanted`.

    Source: pool adjacent violators, the algorithm of isotonic regression (Barlow et al. 1972), on the places less the
    room that lies before them.
    """
    shifts = [0.0]
    for room in apart:
        shifts.append(shifts[-1] + room)
    pools: list[tuple[float, int]] = []  # mean and size
    for place, shift in zip(wanted, shifts, strict=True):
        mean, size = place - shift, 1
        while pools and pools[-1][0] > mean:
            before, its_size = pools.pop()
            mean = (before * its_size + mean * size) / (its_size + size)
            size += its_size
        pools.append((mean, size))
    level = [mean for mean, size in pools for _ in range(size)]
    return [mean + shift for mean, shift in zip(level, shifts, strict=True)]
