"""How well a store answers questions whose answers are known: recall, mean reciprocal rank and nDCG."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.files.listing import StoreFile
from agentkit.files.naming import base_name, did_you_mean
from agentkit.files.search import Hit, SearchResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluation", "Question", "evaluation_of", "questions_of", "ranks_checked"]

_WORD: Final = re.compile(r"\w+")
_SHINGLE: Final = 3
_COVERED: Final = 0.5
"""Which share of a passage's runs of three words has to be in a hit for it to be the passage: chunks cut it apart."""
_EXPECTED: Final = ("expected", "file", "files", "filename", "name", "passage")


@dataclass(frozen=True, slots=True)
class Question:
    """A question whose answer is known."""

    question: str
    """What is asked."""
    files: tuple[str, ...] = ()
    """The files that answer it: ids, names or file names."""
    passage: str | None = None
    """The passage that answers it, where that is known rather than the file."""

    @property
    def expected(self) -> str:
        """What is expected, in a line."""
        return ", ".join(self.files) if self.passage is None else self.passage

    @property
    def wanted(self) -> int:
        """How many things are to be found."""
        return len(self.files) if self.passage is None else 1

    def found_by(self, hit: Hit) -> str | None:
        """Return what of the expected a hit is; None for nothing."""
        if self.passage is not None:
            return self.passage if _covers(hit.text, self.passage) else None
        return next((file for file in self.files if file in _names(hit.file_id, hit.name, hit.filename)), None)


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How well questions were answered."""

    questions: pd.DataFrame
    """A row for each question: `question`, `expected`, `rank` (Int64: place of the first passage that is right, from 1;
    NA where there is none), `recall@k` for each k, `reciprocal_rank` and `ndcg@k` (Float64, 0 to 1), `first` (string:
    the file that was found first) and `score` (Float64, its score)."""
    ks: tuple[int, ...]
    """The numbers of passages that were looked at."""
    store: str
    """Name of the store."""

    @property
    def metrics(self) -> dict[str, float]:
        """The means over all questions: `recall@k` for each k, `mrr@k` and `ndcg@k` for the largest."""
        most = self.ks[-1]
        made = {f"recall@{k}": float(self.questions[f"recall@{k}"].mean()) for k in self.ks}
        made[f"mrr@{most}"] = float(self.questions["reciprocal_rank"].mean())
        made[f"ndcg@{most}"] = float(self.questions[f"ndcg@{most}"].mean())
        return made

    @property
    def missed(self) -> pd.DataFrame:
        """The questions of which nothing was found."""
        return self.questions[self.questions["rank"].isna()]

    def to_dataframe(self) -> pd.DataFrame:
        """Return the means as a dataframe of one row: `store` (string), `questions` (Int64), then the metrics."""
        import pandas as pd

        frame = pd.DataFrame({"store": [self.store], "questions": [len(self.questions)], **_as_lists(self.metrics)})
        return frame.astype({"store": "string", "questions": "Int64"})

    def __repr__(self) -> str:
        told = " · ".join(f"{name} {value:.2f}" for name, value in self.metrics.items())
        count = len(self.questions)
        return f"Evaluation({self.store!r}, {count:,} question{'' if count == 1 else 's'}: {told})"

    __str__ = __repr__


def _as_lists(metrics: Mapping[str, float]) -> dict[str, list[float]]:
    return {name: [value] for name, value in metrics.items()}


def ranks_checked(k: int | Sequence[int]) -> tuple[int, ...]:
    """Return the numbers of passages to look at, smallest first.

    Raises:
        UserError: One is out of the search's range.
    """
    ks = [k] if isinstance(k, int) and not isinstance(k, bool) else list(k) if isinstance(k, Sequence) else []
    if not ks or not all(isinstance(each, int) and not isinstance(each, bool) and 1 <= each <= 50 for each in ks):
        raise UserError(f"k can't be {brief(k)}.", hint="It is a number of passages, 1 to 50, or several: (1, 5, 10).")
    return tuple(sorted(set(ks)))


def questions_of(given: Any, files: Sequence[StoreFile]) -> list[Question]:
    """Return questions as they may be given.

    Args:
        given: A dataframe or dictionaries with `question` and `expected` (a file, files, or a passage), `file`, `files`
            or `passage`; or pairs of a question and what is expected.
        files: The store's files, which tell a file from a passage.

    Raises:
        UserError: A question can't be read, or names a file that the store doesn't have.
    """
    if hasattr(given, "to_pandas") and not hasattr(given, "iloc"):
        given = given.to_pandas()
    rows = given.to_dict("records") if hasattr(given, "iloc") and hasattr(given, "to_dict") else given
    if isinstance(rows, (str, Mapping)) or not isinstance(rows, Iterable):
        raise UserError(
            f"Questions can't be {brief(given)}.", hint='Pass a list: [("How long is leave?", "leave.md")].'
        )
    called: dict[str, set[str]] = {}
    for file in files:
        for name in _names(file.id, file.name, file.filename):
            called.setdefault(name, set()).add(file.name)
    made = [_question(row, called) for row in rows]
    if not made:
        raise UserError("There are no questions.", hint="agentkit.make_questions(store) makes some of the files.")
    return made


def _names(file_id: str, name: str, filename: str) -> set[str]:
    """Return by what a file may be told."""
    return {file_id, name, name.removeprefix("bytes:"), base_name(name), filename} - {""}


def _question(row: Any, names: Mapping[str, set[str]]) -> Question:
    if isinstance(row, Question):
        return row
    if isinstance(row, Mapping):
        asked = row.get("question")
        key = next((key for key in _EXPECTED if not _is_nothing(row.get(key))), None)
        expected = None if key is None else row[key]
        if key == "passage":
            return Question(_asked(asked, row), passage=str(expected))
    elif isinstance(row, (tuple, list)) and len(row) == 2:
        asked, expected = row
        key = None
    else:
        raise UserError(f"{brief(row)} is no question.", hint='Use ("How long is leave?", "leave.md").')
    asked = _asked(asked, row)
    if _is_nothing(expected):
        raise UserError(f"What {brief(asked)} is answered by isn't said.", hint="Give a file, files or a passage.")
    if isinstance(expected, str):
        if expected not in names and key in (None, "expected") and len(expected.split()) >= _SHINGLE:
            return Question(asked, passage=expected)
        expected = [expected]
    if not isinstance(expected, Iterable) or isinstance(expected, (bytes, Mapping)):
        text = f"{brief(asked)} can't be answered by {brief(expected)}."
        raise UserError(text, hint='Give a file by its name, several in a list, or a passage: "leave.md".')
    wanted = tuple(dict.fromkeys(str(each) for each in expected))
    if missing := [each for each in wanted if each not in names]:
        meant = did_you_mean(missing[0], {name for each in names.values() for name in each})
        raise UserError(
            f"The store has no file {missing[0]!r}, which is to answer {brief(asked)}.{meant}",
            hint="store.files lists them.",
        )
    return Question(asked, wanted)


def _asked(asked: Any, row: Any) -> str:
    if not isinstance(asked, str) or not asked.strip():
        raise UserError(f"{brief(row)} has no question.", hint="It is a text, under 'question'.")
    return asked


def _is_nothing(value: Any) -> bool:
    if value is None or type(value).__name__ == "NAType":
        return True
    return (isinstance(value, float) and math.isnan(value)) or (isinstance(value, (str, list, tuple)) and not value)


def evaluation_of(
    store: str, questions: Sequence[Question], results: Sequence[SearchResult], ks: tuple[int, ...]
) -> Evaluation:
    """Return how well results answer questions.

    A passage counts at its place among the hits, and once for each file that is expected. With r the places of what was
    found first of each expected file, nDCG@k is the sum of 1/log2(r+1) over those within k, by that of an ideal result.

    Source: Järvelin and Kekäläinen 2002, with gains of 0 and 1.
    """
    import pandas as pd

    rows = [_row(question, result, ks) for question, result in zip(questions, results, strict=True)]
    frame = pd.DataFrame(rows)
    kinds = dict.fromkeys(frame.columns, "Float64") | {
        "question": "string", "expected": "string", "rank": "Int64", "first": "string",
    }  # fmt: skip
    return Evaluation(frame.astype(kinds), ks, store)


def _row(question: Question, result: SearchResult, ks: tuple[int, ...]) -> dict[str, Any]:
    places: dict[str, int] = {}
    for place, hit in enumerate(result, 1):
        if (what := question.found_by(hit)) is not None:
            places.setdefault(what, place)
    ranks = sorted(places.values())
    most = ks[-1]
    ideal = sum(1 / math.log2(place + 1) for place in range(1, min(question.wanted, most) + 1))
    gained = sum(1 / math.log2(place + 1) for place in ranks if place <= most)
    return {
        "question": question.question,
        "expected": question.expected,
        "rank": ranks[0] if ranks else None,
        **{f"recall@{k}": sum(place <= k for place in ranks) / question.wanted for k in ks},
        "reciprocal_rank": 1 / ranks[0] if ranks else 0.0,
        f"ndcg@{most}": gained / ideal,
        "first": result[0].filename if result else None,
        "score": result[0].score if result else None,
    }


def _covers(text: str, passage: str) -> bool:
    """Return whether a text is a passage, or has a good part of it."""
    wanted = _words(passage)
    if len(wanted) < _SHINGLE:
        return " ".join(wanted) in " ".join(_words(text))
    runs = _runs(wanted)
    return len(runs & _runs(_words(text))) >= _COVERED * len(runs)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[place : place + _SHINGLE]) for place in range(len(words) - _SHINGLE + 1)}
