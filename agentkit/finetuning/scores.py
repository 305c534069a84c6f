"""Scores: a dataframe with a row for each case, and a table that compares several."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pandas as pd

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.finetuning.judging import wilson
from agentkit.runtime.graph.labels import visible

if TYPE_CHECKING:
    from agentkit.finetuning.dataset import FineTuningDataset
    from agentkit.finetuning.scoring import Answered

__all__ = ["ComparedScores", "Scores", "compared", "scores_of"]

_PREFIX: Final = "right_"
_SHOWN: Final = 5
"""Wrong answers that the text shows."""
_LONGEST: Final = 100


class Scores(pd.DataFrame):
    """Answers to cases, and which are right: a dataframe with a row for each case.

    Columns: `question`, `expected`, `answer` (string; NA where there is none), `right` (boolean), for JSON `right_…`
    (boolean) for each field, `seconds` (Float64), `error` (string), `input_tokens`, `output_tokens` (Int64), `cost_usd`
    (Float64; NA where it isn't known) and `trace_id` (string). What is chosen from it is an ordinary dataframe.
    """

    _metadata: ClassVar[list[str]] = ["prompts"]  # what pandas asks for, to take it for no column
    prompts: list[list[dict[str, Any]]]
    """What was said before each answer, with what the agent is told to be."""

    @property
    def _constructor(self) -> Callable[..., Any]:  # what pandas asks for
        return pd.DataFrame

    @property
    def score(self) -> float:
        """The share of cases that are right, 0 to 1."""
        return float(self["right"].mean())

    @property
    def correct(self) -> int:
        """Cases that are right."""
        return int(self["right"].sum())

    @property
    def interval(self) -> tuple[float, float]:
        """What holds the share with 95 % confidence, by Wilson: few cases tell little."""
        return wilson(self.correct, len(self))

    @property
    def fields(self) -> dict[str, float]:
        """For JSON, the share of cases in which a field is right, of those that have it."""
        columns = [str(name) for name in self.columns if str(name).startswith(_PREFIX)]
        return {name.removeprefix(_PREFIX): float(self[name].mean()) for name in columns}

    @property
    def wrong(self) -> pd.DataFrame:
        """The cases that are wrong."""
        return pd.DataFrame(self)[~self["right"]]

    @property
    def failed(self) -> pd.DataFrame:
        """Those of them that have an error."""
        return pd.DataFrame(self)[self["error"].notna()]

    def confusion(self, field: str | None = None) -> pd.DataFrame:
        """Return how often each expected answer was answered how: a row for each expected one.

        Args:
            field: A field of the JSON; None for the whole answers.

        Raises:
            UserError: There is no such field.
        """
        from agentkit.finetuning.confusing import confusion_of

        return confusion_of(pd.DataFrame(self), field, list(self.fields))

    def to_pairs(self) -> FineTuningDataset:
        """Return pairs for DPO of what is wrong: the expected answer is the liked one, the given one the disliked one.

        Take cases for it that no score is reckoned with later. `sources` has the run of each.

        Raises:
            UserError: No answer is wrong.
        """
        from agentkit.finetuning.pairing import pairs_of

        return pairs_of(pd.DataFrame(self), self.prompts, str(self.attrs.get("name", "scores")))

    @property
    def summary(self) -> str:
        """It in a line: "ft:tiny-1: 92 of 100 right, 92 % (85 to 96 %)"."""
        low, high = (_percent(end) for end in self.interval)
        told = f"{visible(self.attrs.get('name', 'scores'))}: {self.correct:,} of {len(self):,} right"
        return f"{told}, {_percent(self.score)} % ({low} to {high} %)"

    def __repr__(self) -> str:
        if not {"right", "error", "question", "expected", "answer"} <= set(self.columns) or not len(self):
            return repr(pd.DataFrame(self))
        lines = [self.summary]
        lines += [f"  {visible(name)}: {_percent(share)} %" for name, share in self.fields.items()]
        if count := len(self.failed):
            lines.append(f"  {count:,} failed, such as: {visible(self.failed['error'].iloc[0])[:200]}")
        for question, expected, answer in self.wrong[["question", "expected", "answer"]].head(_SHOWN).to_numpy():
            lines += [f"  ✗ {_cut(question)}", f"      expected {_cut(expected)}"]
            lines.append(f"      answered {'nothing' if pd.isna(answer) else _cut(answer)}")
        if (more := len(self.wrong) - _SHOWN) > 0:
            lines.append(f"  … and {more:,} more: scores.wrong")
        return "\n".join(lines)

    __str__ = __repr__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # IPython's
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        if "right" not in self.columns or not len(self):
            return str(pd.DataFrame(self).to_html(escape=True))
        told = "".join(f" · {html.escape(visible(name))} {_percent(share)} %" for name, share in self.fields.items())
        head = f"<p><b>{html.escape(self.summary)}</b>{told}</p>"
        rows = self.wrong[["question", "expected", "answer", "error"]].dropna(axis="columns", how="all")
        if not len(rows):
            return head
        table = rows.head(_SHOWN).map(lambda cell: "" if pd.isna(cell) else _cut(cell))
        more = f"<p>{len(rows):,} are wrong; the others are in <code>scores.wrong</code>.</p>"
        return head + str(table.to_html(escape=True)) + (more if len(rows) > _SHOWN else "")

    def to_dataframe(self) -> pd.DataFrame:
        """Return it as an ordinary dataframe."""
        return pd.DataFrame(self)


class ComparedScores(pd.DataFrame):
    """Several scores of the same cases: a dataframe with a row for each, by its name.

    Columns, shares from 0 to 1: `score`, `low`, `high` (Float64: the 95 % interval), `gained` (Float64: points of a
    hundred more than the first one), a column for each field of JSON, `failed` (Int64: cases with an error), `seconds`
    (Float64: a case's median), `input_tokens`, `output_tokens` (Float64: a case's mean) and `cost_usd` (Float64: of a
    thousand cases; NA where it isn't known). `compared.scores` has the cases of each.
    """

    _metadata: ClassVar[list[str]] = ["scores"]  # what pandas asks for, to take it for no column
    scores: dict[str, Scores]

    @property
    def _constructor(self) -> Callable[..., Any]:  # what pandas asks for
        return pd.DataFrame

    def __repr__(self) -> str:
        return str(_shown(self).to_string(na_rep="unknown"))

    __str__ = __repr__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # IPython's
        printer.text(repr(self))

    def _repr_html_(self) -> str:
        return str(_shown(self).to_html(escape=True, na_rep="unknown"))

    def to_dataframe(self) -> pd.DataFrame:
        """Return it as an ordinary dataframe."""
        return pd.DataFrame(self)


def scores_of(
    answered: Sequence[Answered],
    prompts: list[list[dict[str, Any]]],
    *,
    name: str,
    model: str,
    compare: str,
    cases: str,
) -> Scores:
    """Return what came of cases as a dataframe.

    Args:
        answered: What came of each.
        prompts: What was said before each answer.
        name: Who was asked.
        model: The model's name.
        compare: How answers were compared.
        cases: The mark of the cases.
    """
    columns: dict[str, Any] = {
        "question": pd.array([each.case.question for each in answered], dtype="string"),
        "expected": pd.array([each.case.expected for each in answered], dtype="string"),
        "answer": pd.array([each.answer for each in answered], dtype="string"),
        "right": pd.array([each.verdict.right for each in answered], dtype="boolean"),
    }
    for field in dict.fromkeys(key for each in answered for key in each.verdict.fields):
        columns[f"{_PREFIX}{field}"] = pd.array([each.verdict.fields.get(field) for each in answered], dtype="boolean")
    columns |= {
        "seconds": pd.array([each.seconds for each in answered], dtype="Float64"),
        "error": pd.array([each.error for each in answered], dtype="string"),
        "input_tokens": pd.array([each.input_tokens for each in answered], dtype="Int64"),
        "output_tokens": pd.array([each.output_tokens for each in answered], dtype="Int64"),
        "cost_usd": pd.array([each.cost_usd for each in answered], dtype="Float64"),
        "trace_id": pd.array([each.trace_id for each in answered], dtype="string"),
    }
    scores = Scores(columns)
    scores.attrs |= {"name": name, "model": model, "compare": compare, "cases": cases}
    scores.prompts = prompts
    return scores


def compared(scores: Mapping[str, Any]) -> ComparedScores:
    """Return several scores side by side; see `agentkit.compare_scores`.

    Raises:
        UserError: There are none, one is no score, or they are of different cases.
    """
    if not scores:
        raise UserError("There is nothing to compare.", hint="agentkit.compare_scores(before=…, after=…)")
    for name, each in scores.items():
        if not isinstance(each, Scores):
            raise UserError(f"{name} is {brief(each)}, and no score.", hint="agentkit.score(agent, cases) makes one.")
    first = next(iter(scores.values()))
    for name, each in scores.items():
        if each.attrs.get("cases") != first.attrs.get("cases"):
            raise UserError(f"{name} is of other cases than {next(iter(scores))}.", hint="Score all with the same.")
    rows = {name: _row(each, first) for name, each in scores.items()}
    table = pd.DataFrame.from_dict(rows, orient="index")
    dtypes = {name: "Int64" if name == "failed" else "Float64" for name in table.columns}
    made = ComparedScores(table.astype(dtypes))
    made.scores = dict(scores)
    return made


def _row(scores: Scores, first: Scores) -> dict[str, Any]:
    low, high = scores.interval
    costs = scores["cost_usd"]
    return {
        "score": scores.score, "low": low, "high": high, "gained": 100 * (scores.score - first.score),
        **{name: share for name, share in scores.fields.items() if name not in _OWN},
        "failed": len(scores.failed),
        "seconds": scores["seconds"].median(),
        "input_tokens": scores["input_tokens"].mean(), "output_tokens": scores["output_tokens"].mean(),
        "cost_usd": 1000 * costs.mean() if costs.notna().any() else pd.NA,
    }  # fmt: skip


_OWN: Final = frozenset(
    ("score", "low", "high", "gained", "failed", "seconds", "input_tokens", "output_tokens", "cost_usd")
)


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as it is read: shares in percent, and nothing more exact than it is known."""
    if not {"score", "low", "high", "gained"} <= set(table.columns):
        return pd.DataFrame(table)
    fields = [name for name in table.columns if name not in _OWN]
    shown = pd.DataFrame(index=[visible(name) for name in table.index])
    ends = zip(table["low"], table["high"], strict=True)
    shown["score"] = [f"{_percent(each)} %" for each in table["score"]]
    shown["95 % interval"] = [f"{_percent(low)} to {_percent(high)} %" for low, high in ends]
    shown["gained"] = ["" if at == 0 else f"{round(each):+d} points" for at, each in enumerate(table["gained"])]
    for name in fields:
        shown[visible(name)] = ["" if pd.isna(each) else f"{_percent(each)} %" for each in table[name]]
    if table["failed"].any():
        shown["failed"] = list(table["failed"])
    shown["a case"] = [_duration(each) for each in table["seconds"]]
    told = zip(table["input_tokens"], table["output_tokens"], strict=True)
    shown["tokens in, out"] = ["" if pd.isna(sent) else f"{sent:,.0f}, {got:,.0f}" for sent, got in told]
    shown["1,000 cases"] = ["unknown" if pd.isna(each) else f"${each:,.2f}" for each in table["cost_usd"]]
    return shown


def _duration(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _percent(share: float) -> int:
    return round(100 * share)


def _cut(text: Any) -> str:
    seen = str(visible(str(text))) if any(c.isprintable() and c != " " for c in str(text)) else "nothing that is seen"
    return seen if len(seen) <= _LONGEST else f"{seen[: _LONGEST - 1]}…"
