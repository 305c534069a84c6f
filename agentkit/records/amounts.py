"""Durations, costs and counts as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

__all__ = ["count_of", "dollar_ticks", "dollars", "duration_step_s", "duration_ticks", "seconds"]

_UNITS = ((1e-3, "µs", 1e-6), (1.0, "ms", 1e-3), (120.0, "s", 1.0), (7200.0, "min", 60.0), (float("inf"), "h", 3600.0))
"""Up to which most seconds, what unit, of how many seconds."""
_STEPS_S = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_MOST_TICKS = 7


def seconds(value: float) -> str:
    """Return a duration for a person: "42 µs", "0.4 ms", "12 ms", "1.25 s", "3 min 20 s", "2 h 5 min"."""
    if 0 < value < 0.0000995:
        return f"{value * 1e6:.2g} µs"
    if value < 0.9995:
        milliseconds = value * 1000
        return f"{milliseconds:.1f} ms" if 0 < milliseconds < 9.95 else f"{milliseconds:.0f} ms"
    if value < 9.995:
        return f"{value:.2f} s"
    if value < 119.5:
        return f"{value:.1f} s" if value < 99.95 else f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 120:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def dollars(value: float) -> str:
    """Return a cost for a person, as precise as it takes."""
    if value == 0:
        return "$0"
    if value >= 0.995:
        return f"${value:,.2f}"
    places = 4 if value >= 0.00995 else min(1 - floor(log10(value)), 12)  # two digits of what is small
    return f"${value:.{places}f}"


def count_of(number: int, noun: str) -> str:
    """Return "1 call", "2 calls"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration_ticks(values: Sequence[float]) -> list[str]:
    """Return durations in seconds as an axis has them: all in one unit, and as precise as it takes to be exact."""
    most = max(map(abs, values), default=0.0)
    _, unit, factor = next(each for each in _UNITS if most * (1 + 1e-9) < each[0])
    places = _places([value / factor for value in values], 3)
    return [f"{value / factor:,.{places}f} {unit}" if value else f"0 {unit}" for value in values]


def duration_step_s(most_s: float) -> float | None:
    """Return how far apart ticks of an axis up to `most_s` are where that is minutes or hours; None where it is less.

    Ten and its multiples are no round numbers of those.
    """
    if most_s < 120:
        return None
    return next((step for step in _STEPS_S if most_s / step < _MOST_TICKS), None)


def dollar_ticks(values: Sequence[float]) -> list[str]:
    """Return costs as an axis has them: all as precise as it takes to be exact, cents at least where not whole."""
    places = _places(values, 12)
    places = max(places, 2) if places else 0
    return [f"${value:,.{places}f}" if value else "$0" for value in values]


def _places(values: Sequence[float], most: int) -> int:
    """Return how many digits after the point it takes to write numbers exactly, `most` at most."""
    near = max(map(abs, values), default=0.0) * 1e-6
    return next((n for n in range(most) if all(abs(round(value, n) - value) <= near for value in values)), most)
