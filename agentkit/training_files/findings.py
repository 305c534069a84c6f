"""What a check finds, in bounded memory: the first of each rule are kept, all are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from agentkit._secrets import Redactor
from agentkit.training_files.rules import LINE_RULES, Problem

__all__ = ["RULES", "SHOWN", "Finding", "Findings"]

SHOWN: Final = 100
"""Problems of a rule that are kept, unless asked otherwise."""

_LONGEST: Final = 300
"""Characters of a text in a finding."""

RULES: Final[dict[str, str]] = {
    **LINE_RULES,
    "not-text": "A file is text in UTF-8: not compressed, no table, no UTF-16.",
    "json-array": "A file has one example a line, and isn't one JSON value over many.",
    "bom": "A file begins with its first line, without a mark of the byte order.",
    "empty-line": "Each line holds an example.",
    "encoding": "A line is UTF-8.",
    "nul": "No text has NUL characters.",
    "control-character": "Line ends and other control characters in texts are escaped.",
    "json": "A line is JSON.",
    "not-a-number": "JSON has no NaN and no Infinity.",
    "number": "Numbers fit into 64 bits.",
    "duplicate-key": "No key is in an object twice.",
    "surrogate": "No text has half a character.",
    "nesting": "Objects and lists lie at most 200 deep in one another.",
    "line-too-long": "A line fits into memory.",
    "too-few": "There are at least 10 examples.",
    "few": "50 examples or more are what begins to help.",
    "file-size": "A file has at most 512 MB.",
    "with-images": "At most 50,000 examples have images.",
    "mixed-kinds": "All lines are of one kind: conversations or pairs.",
    "duplicate": "No example is there twice.",
    "near-duplicate": "No example is nearly the same as another.",
    "overlap": "No example of the validation data is in the training data.",
    "contradiction": "The same prompt has one answer.",
    "imbalance": "No answer outweighs all others.",
    "refusals": "Not most answers are refusals.",
    "missing-system": "All examples have a system message, or none has.",
    "tone": "Answers address the reader and write in one way.",
    "truncated": "An example fits into what the model reads.",
    "secret": "No example has a key.",
    "personal-data": "No example has personal data.",
}
"""Everything that is looked at: a sentence for each rule, by its name."""


class Finding(NamedTuple):
    """Something that is wrong with a data set."""

    line: int | None
    """Line of the file, from 1; None where it is about all of them."""
    field: str
    """Where in the line, such as "messages[2].content"; "" where it is about the whole line or file."""
    rule: str
    """Which rule of `RULES` it breaks."""
    problem: str
    """What is wrong."""
    remedy: str
    """What to do."""
    level: str
    """"error": the platform doesn't take it; or "warning": it does, and it isn't good."""


class Findings:
    """A collection of findings that stays small.

    Args:
        shown: Findings of a rule that are kept; further ones are only counted.
    """

    def __init__(self, shown: int = SHOWN) -> None:
        self._most = shown
        self._redactor = Redactor()
        self._kept: list[Finding] = []
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, line: int | None, rule: str, field: str, problem: str, remedy: str, level: str = "error") -> None:
        """Note a finding."""
        if rule not in RULES:
            raise KeyError(rule)
        self._counts[rule, level] += 1
        if self._counts[rule, level] <= self._most:
            self._kept.append(Finding(line, self._shown(field), rule, self._shown(problem), remedy, level))

    def _shown(self, text: str) -> str:
        """Return a text that can be shown and kept: not long, with nothing that can't be seen, and without keys."""
        cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        return self._redactor.clean(cut if cut.isprintable() else repr(cut)[1:-1])

    def add_problem(self, line: int, problem: Problem) -> None:
        """Note what a line's rules found."""
        self.add(line, problem.rule, problem.field, problem.problem, problem.remedy, problem.level)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each rule, those that weren't kept among them; in the order of `RULES`."""
        found: Counter[str] = Counter()
        for (rule, _), count in self._counts.items():
            found[rule] += count
        return {rule: found[rule] for rule in RULES if found[rule]}

    def count(self, level: str) -> int:
        """Return how many findings there are of a level."""
        return sum(count for (_, each), count in self._counts.items() if each == level)

    def __len__(self) -> int:
        return sum(self._counts.values())

    def __iter__(self) -> Iterator[Finding]:
        """Go through those that were kept: first what is about the whole file, then line by line."""
        return iter(sorted(self._kept, key=lambda each: each.line or 0))
