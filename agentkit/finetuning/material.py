"""What a training learns from, and what it is measured on: opened, split and checked."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.finetuning.dataset import FineTuningDataset

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.finetuning.report import CheckReport

__all__ = ["Material", "check", "material_of", "opened_dataset", "tell"]

_QUALITY_UP_TO: Final = 20_000
"""Examples up to which a start looks for what isn't good, too: that takes longer than the rules."""
_IGNORED: Final = ((), ("too-few", "few"))
"""Rules that are not looked at, of examples to train on and of those to measure on, of which few are enough."""
_SHOWN: Final = 5
"""Problems that an error tells."""


@dataclass(frozen=True, slots=True)
class Material:
    """Examples to train on, and to measure on."""

    name: str
    """What it is called in progress and in the files' names."""
    train: FineTuningDataset
    validation: FineTuningDataset | None = None


def opened_dataset(given: Any, what: str = "dataset") -> FineTuningDataset:
    """Return a data set, opened where a file is given.

    Raises:
        UserError: It is neither.
    """
    if isinstance(given, FineTuningDataset):
        return given
    if isinstance(given, str | os.PathLike):
        return FineTuningDataset.from_jsonl(Path(given).expanduser())
    kind = type(given).__name__
    make = "from_dataframe(…)" if kind == "DataFrame" else "from_examples(…)"
    raise UserError(
        f"{what} is a FineTuningDataset or the path of a file, not {kind} {brief(given, 40)}.",
        hint=f"agentkit.FineTuningDataset.{make} makes one.",
    )


def material_of(dataset: Any, validation: Any, seed: Any) -> Material:
    """Return what to train on.

    Args:
        dataset: A data set or a path.
        validation: Likewise, or a fraction of the first; None for none.
        seed: What a fraction is chosen by; None for 0.

    Raises:
        UserError: One can't be read, there are too few examples to split, or the two are of different kinds.
    """
    train = opened_dataset(dataset)
    if validation is None:
        return Material(train.name, train)
    if isinstance(validation, int | float) and not isinstance(validation, bool):
        if not 0 < validation < 1:
            text = f"validation is a fraction between 0 and 1, a data set or a path, not {validation!r}."
            raise UserError(text, hint="validation=0.1 measures on a tenth of the examples.")
        parts = train.split(test=float(validation), seed=seed.__index__() if hasattr(seed, "__index__") else 0)
        return Material(train.name, parts.train, parts.test)
    measured = opened_dataset(validation, "validation")
    if measured.kind != train.kind:
        raise UserError(
            f"{train.name!r:.80} is for {train.kind.upper()}, and {measured.name!r:.80}, for validation, is for "
            f"{measured.kind.upper()}.",
            hint="Both have to be of one kind.",
        )
    return Material(train.name, train, measured)


def check(material: Material, model: str) -> list[CheckReport]:
    """Return the reports of the examples: those to train on, and those to measure on.

    Raises:
        UserError: The platform wouldn't take them.
    """
    quality = len(material.train) <= _QUALITY_UP_TO
    # an overlap is looked for in both directions at once
    reports = [material.train.check(validation=material.validation if quality else None, model=model, quality=quality)]
    if material.validation is not None:
        reports.append(material.validation.check(model=model, quality=False))
    for report, ignored in zip(reports, _IGNORED, strict=False):
        wrong = report[(report["level"] == "error") & ~report["rule"].isin(ignored)]
        if len(wrong):
            told = _refusal(report.summary, wrong, report.errors - len(wrong))
            raise UserError(told, hint="dataset.check() lists all of it. Nothing was sent.")
    return reports


def _refusal(summary: str, wrong: pd.DataFrame, more: int) -> str:
    import pandas as pd

    told = [f"{summary}: no training begins with these."]
    for _, row in wrong.head(_SHOWN).iterrows():
        where = "" if pd.isna(row["line"]) else f"line {row['line']}: "
        told.append(f"  {where}{row['field']}{' ' if row['field'] else ''}{row['problem']}. {row['remedy']}")
    if (more := more + max(0, len(wrong) - _SHOWN)) > 0:
        told.append(f"  … and {more:,} more.")
    return "\n".join(told) + "\n"


def tell(reports: list[CheckReport], *, frames: int) -> None:
    """Warn once of what isn't good, at the line of the caller.

    Args:
        reports: What was found.
        frames: How many calls away that is.
    """
    told = []
    for report, ignored in zip(reports, _IGNORED, strict=False):
        if rules := [rule for rule in report.counts if rule not in ignored]:
            told.append(f"{report.summary} ({', '.join(rules)})")
    if told:
        warnings.warn(f"{'; '.join(told)}. dataset.check() says more.", stacklevel=frames + 1)
