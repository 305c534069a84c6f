"""Data sets without some of their examples, or with changed ones."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agentkit.exceptions import UserError
from agentkit.files.checks import check_switch
from agentkit.finetuning.examples import fingerprint, texts_of
from agentkit.finetuning.making import written
from agentkit.finetuning.near import NearDuplicates, checked_threshold
from agentkit.finetuning.splitting import By, check_seed, labels_of

if TYPE_CHECKING:
    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["balanced", "mapped", "without_duplicates"]

Line = dict[str, Any]


def without_duplicates(dataset: FineTuningDataset, *, near: bool, threshold: float) -> FineTuningDataset:
    """Return the first of examples that say the same; see `FineTuningDataset.dedupe`."""
    check_switch("near", near)
    checked_threshold(threshold)
    seen: set[bytes] = set()
    kept: list[int] = []
    for index, (data, value) in enumerate(zip(dataset.lines, dataset.values(), strict=True)):
        mark = fingerprint(value) if value is not None else fingerprint(data.hex())
        if mark not in seen:
            seen.add(mark)
            kept.append(index)
    if near:
        kept = _without_near(dataset.some(kept), kept, threshold)
    return dataset.some(kept)


def _without_near(dataset: FineTuningDataset, indices: list[int], threshold: float) -> list[int]:
    looks = NearDuplicates(threshold)
    for index, value in enumerate(dataset.values()):
        if value is not None:
            looks.add(index, texts_of(value))
    gone = {later for _, later in looks.pairs(lambda index: dataset[index], most=None)}
    return [original for index, original in enumerate(indices) if index not in gone]


def balanced(dataset: FineTuningDataset, by: By, most: int | None, seed: int) -> FineTuningDataset:
    """Return as many examples of each label, at most; see `FineTuningDataset.balance`."""
    check_seed(seed)
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise UserError(f"most is a whole number of 1 or more, not {most!r:.60}.")
    groups: dict[str, list[int]] = {}
    for index, label in enumerate(labels_of(dataset, by)):
        groups.setdefault(label, []).append(index)
    if most is None and len(groups) > len(dataset) / 2 and len(groups) > 1:
        raise UserError(
            f"There are {len(groups):,} labels for {len(dataset):,} examples: nothing to balance.",
            hint='Say what tells them apart: balance(by="refusal"), a function of an example, or most=….',
        )
    limit = most or min(map(len, groups.values()), default=0)
    chance = random.Random(seed)
    kept = [index for label in sorted(groups) for index in chance.sample(groups[label], min(limit, len(groups[label])))]
    return dataset.some(sorted(kept))


def mapped(dataset: FineTuningDataset, function: Callable[[Line], Line | None]) -> FineTuningDataset:
    """Return the examples as a function makes them; see `FineTuningDataset.map`."""
    from agentkit.finetuning.holding import MadeLines

    if not callable(function):
        raise UserError(f"map takes a function of an example, not {function!r:.60}.")
    made: list[bytes] = []
    kept: list[int] = []
    for index, (data, value) in enumerate(zip(dataset.lines, dataset, strict=True)):
        given = copy.deepcopy(value)
        result = function(given)
        if result is None:
            continue
        if not isinstance(result, dict):
            raise UserError(f"map's function returned {result!r:.60} for example {index}.", hint="Return a dictionary.")
        made.append(data if result == value else written(result, f"What map's function returned for example {index}"))
        kept.append(index)
    rows = dataset.some(kept).sources
    return type(dataset)(dataset.kind, MadeLines(made), name=dataset.name, sources=rows)
