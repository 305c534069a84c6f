"""Two parts of a data set, of which neither tells about the other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from agentkit.exceptions import UserError
from agentkit.finetuning.examples import answer_of, fingerprint, is_refusal, messages_of, prompt_of, system_of

if TYPE_CHECKING:
    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["By", "Split", "check_seed", "labels_of", "split_of"]

By = str | Callable[[dict[str, Any]], Any] | Iterable[Any] | None
"""What examples are told apart by: the name of a look at them, a function, or a label for each."""

_LOOKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "answer": answer_of,
    "system": system_of,
    "refusal": lambda line: is_refusal(answer_of(line)),
    "turns": lambda line: sum(each.get("role") == "user" for each in messages_of(line)),
}


class Split(NamedTuple):
    """Two parts of a data set."""

    train: FineTuningDataset
    """What is trained on."""
    test: FineTuningDataset
    """What the training never sees."""


def labels_of(dataset: FineTuningDataset, by: By) -> list[str]:
    """Return a label for each example.

    Raises:
        UserError: There is no such look, or there isn't a label for each.
    """
    if by is None:
        return [""] * len(dataset)
    if isinstance(by, str) and by not in _LOOKS:
        looks = ", ".join(f'"{name}"' for name in _LOOKS)
        raise UserError(f"Examples can't be told apart by {by!r:.60}.", hint=f"Take {looks}, a function or a list.")
    look = _LOOKS[by] if isinstance(by, str) else by
    if callable(look):
        return [_told(look({} if value is None else value)) for value in dataset.values()]
    labels = [_told(each) for each in look]
    if len(labels) != len(dataset):
        raise UserError(f"There are {len(labels):,} labels for {len(dataset):,} examples.", hint="Give one for each.")
    return labels


def _told(label: Any) -> str:
    text = str(label)
    return text if len(text) <= 40 else fingerprint(text).hex()


def split_of(dataset: FineTuningDataset, test: Any, seed: Any, stratify: By) -> Split:
    """Return the parts; see `FineTuningDataset.split`.

    Raises:
        UserError: There are too few examples, or an argument makes no sense.
    """
    if isinstance(test, bool) or not isinstance(test, int | float) or not 0 < test < 1:
        raise UserError(f"test is a fraction between 0 and 1, not {test!r:.60}.", hint="For example test=0.2.")
    check_seed(seed)
    labels = labels_of(dataset, stratify)
    groups = _groups(dataset)
    if len(groups) < 2:
        raise UserError(
            f"{len(dataset):,} example{'s' if len(dataset) != 1 else ''} can't be split: those with the same prompt"
            f" stay together, which leaves {len(groups)}.",
            hint="Take more examples, or examples with other prompts.",
        )
    chosen = set(_chosen(groups, labels, float(test), random.Random(seed)))
    parts = ([at for at in range(len(dataset)) if (at in chosen) is wanted] for wanted in (False, True))
    train, tested = parts
    return Split(
        dataset.some(train, name=f"{dataset.name} (train)"), dataset.some(tested, name=f"{dataset.name} (test)")
    )


def check_seed(seed: Any) -> None:
    """Look whether a seed is one.

    Raises:
        UserError: It isn't.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise UserError(f"seed is a whole number, not {seed!r:.60}.")


def _groups(dataset: FineTuningDataset) -> list[list[int]]:
    """Return the examples that stay together: those with the same prompt."""
    groups: dict[bytes, list[int]] = {}
    for index, value in enumerate(dataset.values()):
        mark = b"" if value is None else fingerprint(prompt_of(value))
        groups.setdefault(mark, []).append(index)
    return list(groups.values())


def _chosen(groups: list[list[int]], labels: list[str], test: float, chance: random.Random) -> list[int]:
    """Return the examples for the test: of each label as near to its fraction as groups allow, and some at all."""
    of_label: dict[str, list[list[int]]] = {}
    for group in groups:
        of_label.setdefault(labels[group[0]], []).append(group)
    chosen: list[list[int]] = []
    owed = 0.0
    for label in sorted(of_label):
        mine = of_label[label]
        chance.shuffle(mine)
        owed += test * sum(map(len, mine))  # what one label is short of, the next one gives
        for group in mine:
            if len(group) / 2 <= owed and len(chosen) < len(groups) - 1:
                chosen.append(group)
                owed -= len(group)
    if not chosen:
        chosen = [min(groups, key=len)]
    return [index for group in chosen for index in group]
