"""What became of files that were put into a store: a dataframe that says so in a line, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, get_args

import pandas as pd

from agentkit.files.progress import FileOutcome, Outcome
from agentkit.runtime.graph.labels import visible

__all__ = ["AddReport", "report_of"]

_ORDER: Final[tuple[str, ...]] = get_args(Outcome)
_TOLD: Final = {"indexing": "still being indexed"}


class AddReport(pd.DataFrame):
    """What became of each file: a dataframe with a row for each.

    Columns: `name` (string), `outcome` (category: "uploaded", "replaced", "updated", "unchanged", "removed",
    "indexing", "skipped", "failed"), `reason` (string, NA where there is none), `bytes` (Int64, NA where it was not
    read) and `file_id` (string). `attrs["store"]` is the store's name. What is chosen from it is an ordinary
    dataframe.
    """

    @property
    def _constructor(self) -> Callable[..., Any]:  # what pandas asks for
        return pd.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """How many files became what: only outcomes that there are."""
        found = self["outcome"].value_counts()
        return {name: int(found[name]) for name in _ORDER if name in found.index and found[name]}

    @property
    def problems(self) -> pd.DataFrame:
        """The files that failed, were skipped or are not ready, with the reason of each."""
        return pd.DataFrame(self[self["outcome"].isin(["failed", "skipped", "indexing"])])

    @property
    def summary(self) -> str:
        """It in a line: "12 files in 'handbook': 10 uploaded, 1 unchanged, 1 failed"."""
        told = ", ".join(f"{count:,} {_TOLD.get(name, name)}" for name, count in self.counts.items())
        files = f"{len(self):,} file{'' if len(self) == 1 else 's'}"
        return f"{files} for {self.attrs.get('store', 'the store')!r}: {told or 'nothing to do'}"

    def __repr__(self) -> str:
        lines = [self.summary]
        problems = self.problems
        for name, outcome, reason in problems[["name", "outcome", "reason"]].head(20).to_numpy().tolist():
            lines.append(f"  {outcome}  {visible(name)}{'' if reason is pd.NA else f': {visible(reason)}'}")
        if len(problems) > 20:
            lines.append(f"  … and {len(problems) - 20:,} more: report.problems")
        return "\n".join(lines)

    __str__ = __repr__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # IPython's
        printer.text(repr(self))

    def to_dataframe(self) -> pd.DataFrame:
        """Return it as an ordinary dataframe."""
        return pd.DataFrame(self)


def report_of(store: str, outcomes: Iterable[FileOutcome]) -> AddReport:
    """Return the report of what became of files.

    Args:
        store: Name of the store.
        outcomes: What became of each, in the order of the rows.
    """
    told = list(outcomes)
    report = AddReport(
        {
            "name": pd.array([each.name for each in told], dtype="string"),
            "outcome": pd.Categorical([each.outcome for each in told], categories=list(_ORDER)),
            "reason": pd.array([each.reason or pd.NA for each in told], dtype="string"),
            "bytes": pd.array([pd.NA if each.size_bytes is None else each.size_bytes for each in told], dtype="Int64"),
            "file_id": pd.array([each.file_id or pd.NA for each in told], dtype="string"),
        }
    )
    report.attrs["store"] = store
    return report
