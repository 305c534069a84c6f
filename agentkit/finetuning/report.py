"""What is wrong with training data: a dataframe that says so in a few lines, too."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from agentkit.runtime.graph.labels import visible

if TYPE_CHECKING:
    from agentkit.training_files.checking import Checker

__all__ = ["CheckReport", "report_of"]

_SHOWN: Final = 20
"""Rules that the text shows."""
_ROWS: Final = 40
"""Rows that the table in a notebook shows."""


class CheckReport(pd.DataFrame):
    """What is wrong with training data: a dataframe with a row for each problem.

    Columns: `line` (Int64, from 1; NA where it is about all of them), `field` (string, such as
    "messages[2].tool_calls[0].id"), `rule` (string), `problem` (string), `remedy` (string) and `level` (category:
    "error", which the platform doesn't take, or "warning", which isn't good). Of a rule that is broken very often the
    first lines have rows; `counts` has all. What is chosen from it is an ordinary dataframe.
    """

    @property
    def _constructor(self) -> Callable[..., Any]:  # what pandas asks for
        return pd.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """How many problems there are of each rule, those without a row among them."""
        return dict(self.attrs.get("counts", {}))

    @property
    def examples(self) -> int:
        """Examples that were looked at."""
        return int(self.attrs.get("examples", 0))

    @property
    def errors(self) -> int:
        """Problems that keep the platform from taking the data."""
        return int(self.attrs.get("errors", 0))

    @property
    def warnings(self) -> int:
        """Problems that it doesn't mind."""
        return int(self.attrs.get("warnings", 0))

    @property
    def ok(self) -> bool:
        """Whether the platform takes the data: there are no errors."""
        return not self.errors

    @property
    def summary(self) -> str:
        """It in a line: "train.jsonl: 120 examples for SFT, 3 errors, 1 warning"."""
        kind = self.attrs.get("kind")
        told = f"{self.attrs.get('name', 'data')}: {_count(self.examples, 'example')}"
        told += f" for {str(kind).upper()}" if kind else ""
        if not self.errors and not self.warnings:
            return f"{visible(told)}, nothing wrong"
        found = [_count(self.errors, "error")] * bool(self.errors)
        return ", ".join([visible(told), *found, *[_count(self.warnings, "warning")] * bool(self.warnings)])

    def __repr__(self) -> str:
        lines = [self.summary]
        for rule, rows in self._by_rule()[:_SHOWN]:
            first = rows.iloc[0]
            where = "" if pd.isna(first["line"]) else f"line {first['line']}: "
            field = f"{first['field']} " if first["field"] else ""
            lines.append(f"  {first['level']:7}  {rule}: {where}{visible(field + first['problem'])}")
            count = self.counts.get(rule, len(rows))
            lines.append(f"           {visible(first['remedy'])}{f' ({count:,} times)' if count > 1 else ''}")
        if (more := len(self._by_rule()) - _SHOWN) > 0:
            lines.append(f"  … and {_count(more, 'other rule')}: report.counts")
        return "\n".join(lines)

    __str__ = __repr__

    def _by_rule(self) -> list[tuple[str, pd.DataFrame]]:
        """Return the rows of each rule, errors before warnings, the most frequent first."""
        groups = [(str(rule), pd.DataFrame(rows)) for rule, rows in pd.DataFrame(self).groupby("rule", sort=False)]
        counts = self.counts
        return sorted(groups, key=lambda each: ("error" not in set(each[1]["level"]), -counts.get(each[0], 0)))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # IPython's
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        rows = pd.DataFrame(self)
        table = str(rows.to_html(index=False, max_rows=_ROWS, escape=True, na_rep="")) if len(rows) else ""
        return f"<p>{html.escape(self.summary)}</p>{table}"

    def to_dataframe(self) -> pd.DataFrame:
        """Return it as an ordinary dataframe."""
        return pd.DataFrame(self)


def report_of(checker: Checker, *, name: str, read: bool = True) -> CheckReport:
    """Return the report of a check that is finished.

    Args:
        checker: What looked at the lines.
        name: What was looked at.
        read: Whether it could be read at all.
    """
    found = list(checker.findings)
    report = CheckReport(
        {
            "line": pd.array([pd.NA if each.line is None else each.line for each in found], dtype="Int64"),
            "field": pd.array([each.field for each in found], dtype="string"),
            "rule": pd.array([each.rule for each in found], dtype="string"),
            "problem": pd.array([each.problem for each in found], dtype="string"),
            "remedy": pd.array([each.remedy for each in found], dtype="string"),
            "level": pd.Categorical([each.level for each in found], categories=["error", "warning"]),
        }
    )
    report.attrs |= {
        "name": name,
        "kind": checker.kind if read else None,
        "examples": checker.examples,
        "counts": checker.findings.counts,
        "errors": checker.findings.count("error"),
        "warnings": checker.findings.count("warning"),
    }
    return report


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
