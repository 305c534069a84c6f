"""Splitting examples, so that nothing that is in one part is also in another."""

from __future__ import annotations

import random
from collections.abc import Mapping
from math import isclose

from agentkit.exceptions import UserError
from agentkit.records.datasets.examples import Row

__all__ = ["Split", "checked_split", "split_of"]

Split = float | Mapping[str, float] | None
"""The fraction for validation, or a fraction for each name."""


def checked_split(split: Split) -> dict[str, float]:
    """Return the fraction of each part; {} for None.

    Raises:
        UserError: They aren't fractions of a whole.
    """
    if split is None:
        return {}
    hint = 'For example split=0.2 for validation, or split={"train": 0.8, "validation": 0.1, "test": 0.1}.'
    if isinstance(split, Mapping):
        fractions = dict(split)
    elif _is_number(split) and 0 < split < 1:
        fractions = {"train": 1 - split, "validation": split}
    else:
        raise UserError(f"split is a fraction between 0 and 1, or one for each name, not {split!r}.", hint=hint)
    for name, fraction in fractions.items():
        if not isinstance(name, str) or not name:
            raise UserError(f"The parts of a split have names, and {name!r} is none.", hint=hint)
        if not _is_number(fraction) or not 0 < fraction <= 1:
            raise UserError(f"The fraction of {name!r} is between 0 and 1, not {fraction!r}.", hint=hint)
    if not isclose(total := sum(fractions.values()), 1, abs_tol=1e-6):
        raise UserError(f"The fractions of a split add up to 1, and these to {total:g}.", hint=hint)
    return fractions


def split_of(rows: list[Row], fractions: dict[str, float], seed: int) -> list[str]:
    """Return the name of the part that each row belongs to.

    Together stay: examples of one trace, one session or one group of traces, those with the same prompt, and those that
    say the same. The same rows, fractions and seed give the same split.

    Raises:
        UserError: There are too few that can be apart.
    """
    groups = _together(rows)
    if len(groups) < len(fractions):
        raise UserError(
            f"{len(rows)} example{'s' if len(rows) != 1 else ''} can't be split into {len(fractions)} parts: those of"
            " one conversation, and those with the same prompt, stay together, which leaves"
            f" {len(groups)} to divide.",
            hint="Take more traces, fewer parts or split=None.",
        )
    random.Random(seed).shuffle(groups)
    groups.sort(key=len, reverse=True)  # large ones first, while there is room; equal ones stay shuffled
    names = [""] * len(rows)
    sizes = dict.fromkeys(fractions, 0)
    for left, group in zip(range(len(groups), 0, -1), groups, strict=True):
        empty = [name for name in fractions if not sizes[name]]
        # the one that lacks most; the last groups go to those that have none yet
        choice = empty if len(empty) >= left else list(fractions)
        name = max(choice, key=lambda each: fractions[each] * len(rows) - sizes[each])
        sizes[name] += len(group)
        for index in group:
            names[index] = name
    return names


def _together(rows: list[Row]) -> list[list[int]]:
    """Return the indices of rows that must stay together, in order."""
    leader = list(range(len(rows)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    first: dict[tuple[str, object], int] = {}
    for index, row in enumerate(rows):
        for mark in _marks(row):
            other = find(first.setdefault(mark, index))
            mine = find(index)
            leader[max(other, mine)] = min(other, mine)
    groups: dict[int, list[int]] = {}
    for index in range(len(rows)):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _marks(row: Row) -> list[tuple[str, object]]:
    marks: list[tuple[str, object]] = [("same", row.same_as)]
    for example in (row.example, row.other):
        if example is not None:
            trace = example.part.trace
            marks += [("prompt", example.prompt), ("trace", trace.trace_id)]
            marks += [("session", trace.session_id)] if trace.session_id else []
            marks += [("group", trace.group_id)] if trace.group_id else []
    return marks


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
