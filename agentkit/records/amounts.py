"""Durations, costs and counts as people read them."""

from __future__ import annotations

from math import floor, log10

__all__ = ["count_of", "dollars", "seconds"]


def seconds(value: float) -> str:
    """Return a duration for a person: "0.4 ms", "12 ms", "1.25 s", "3 min 20 s", "2 h 5 min"."""
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
