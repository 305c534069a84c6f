"""What examples say together: the same twice, one prompt answered in two ways, one answer for nearly all.

Of each example a few numbers are kept, and no text: 32 bytes, whatever its length.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from agentkit.finetuning.examples import answer_of, answers_of, fingerprint, is_refusal, prompt_of, spoken, system_of
from agentkit.finetuning.tone import Tone
from agentkit.training_files.findings import Findings

if TYPE_CHECKING:
    import numpy as np

    Marks = np.ndarray[tuple[int], np.dtype[np.uint64]]

__all__ = ["Together"]

Line = dict[str, Any]
Read = Callable[[int], Line | None]

_FEWEST: Final = 10
"""Examples from which on shares are told."""
_REFUSALS: Final = 0.3
"""The share of refusals from which on they are told; OpenAI's guide warns of 60 % where few are wanted."""
_MOST_LABELS: Final = 50
"""Different answers at most where they are labels."""
_TOO_MANY: Final = 0.8
"""The share of the most frequent label from which on it is told."""
_TIMES: Final = 10
"""How many times as frequent as the rarest label the most frequent one is, from which on that is told."""


class Together:
    """Remembers what each example says, and tells how they fit.

    Args:
        findings: Where that is told.
        kind: "sft" or "dpo".
    """

    def __init__(self, findings: Findings, kind: str) -> None:
        self._findings = findings
        self._kind = kind
        self._numbers, self._lines = array("Q"), array("Q")
        self._prompts, self._answers, self._others = array("Q"), array("Q"), array("Q")
        self._systems = array("b")
        self._refusals = 0
        self._tone = Tone()

    def add(self, number: int, line: Line) -> None:
        """Look at an example."""
        answers = answers_of(line)
        settings = (line.get("input") if isinstance(line.get("input"), dict) else line) or {}
        self._numbers.append(number)
        self._lines.append(_number(line))
        self._prompts.append(_number([prompt_of(line), settings.get("tools")]))
        self._answers.append(_number(spoken(answers[0]) if answers else ""))
        self._others.append(_number(spoken(answers[1])) if len(answers) > 1 else 0)
        self._systems.append(system_of(line) is not None)
        answer = answer_of(line)
        self._refusals += is_refusal(answer)
        self._tone.add(answer)

    def finish(self, read: Read) -> set[int]:
        """Tell what was found, and return the lines that say what one before them says.

        Args:
            read: Returns the example on a line.
        """
        twice = self._duplicates()
        if self._kind == "sft":
            self._contradicting_answers()
            self._labels(read)
        else:
            self._contradicting_pairs()
        self._shares()
        return twice

    def _duplicates(self) -> set[int]:
        found = set()
        for first, other in _same(_array(self._lines)):
            problem = f"says the same as line {self._numbers[first]:,}"
            self._warn(self._numbers[other], "duplicate", problem, "Take it out: dataset.dedupe().")
            found.add(self._numbers[other])
        return found

    def _contradicting_answers(self) -> None:
        for first, other in _same(_array(self._prompts)):
            if self._answers[first] != self._answers[other]:
                problem = f"answers the same prompt otherwise than line {self._numbers[first]:,}"
                self._warn(self._numbers[other], "contradiction", problem, "Decide which answer is to be learnt.")

    def _contradicting_pairs(self) -> None:
        """Tell pairs that prefer what another one rejects."""
        liked: dict[tuple[int, int], int] = {}
        for at, mark in enumerate(zip(self._prompts, self._answers, strict=True)):
            liked.setdefault(mark, at)
        for at, mark in enumerate(zip(self._prompts, self._others, strict=True)):
            if (other := liked.get(mark)) is not None and other != at:
                problem = f"rejects what line {self._numbers[other]:,} prefers"
                self._warn(self._numbers[at], "contradiction", problem, "Decide which answer is the better one.")

    def _labels(self, read: Read) -> None:
        """Tell answers that outweigh the others, where answers are labels or one is most of them."""
        import numpy as np

        total = len(self._answers)
        if total < 2 * _FEWEST:
            return
        marks, first, counts = np.unique(_array(self._answers), return_index=True, return_counts=True)
        order = np.lexsort((first, -counts))  # of equally frequent ones the earlier one
        most, least = int(order[0]), int(order[-1])
        share = counts[most] / total
        labels = len(marks) <= min(_MOST_LABELS, total / 4)
        if not (share >= _TOO_MANY if labels else share >= 0.5) and not (
            labels and counts[most] >= _TIMES * counts[least]
        ):
            return
        told = f"{self._shown(read, int(first[most]))} is the answer in {share:.0%} of the examples"
        if labels and least != most:
            told += f", {self._shown(read, int(first[least]))} in {counts[least] / total:.1%}"
        remedy = "Is it as frequent in use? Else add examples of the others, or take dataset.balance()."
        self._warn(None, "imbalance", told, remedy)

    def _shown(self, read: Read, index: int) -> str:
        line = read(self._numbers[index])
        return f"{answer_of(line or {})!r:.60}"

    def _shares(self) -> None:
        total = len(self._numbers)
        if total >= _FEWEST and self._refusals >= _REFUSALS * total:
            problem = f"{self._refusals / total:.0%} of the answers are refusals"
            remedy = 'Is as much refused in use? Else the model learns to refuse: dataset.balance("refusal").'
            self._warn(None, "refusals", problem, remedy)
        told = sum(self._systems)
        if 0 < told < total:
            less = int(told < total - told)
            line = self._numbers[self._systems.index(less)]
            problem = f"{total - told:,} of {total:,} examples have no system message; line {line:,} is "
            problem += "the first that has one" if less else "the first without"
            self._warn(None, "missing-system", problem, "Give all the one that is used later, or none.")
        if mixtures := list(self._tone.mixtures()):
            problem = f"answers are written in several ways: {'; '.join(mixtures)}"
            self._warn(None, "tone", problem, "Write them as the model is to write.")

    def _warn(self, line: int | None, rule: str, problem: str, remedy: str) -> None:
        self._findings.add(line, rule, "", problem, remedy, "warning")


def _number(value: Any) -> int:  # JSON
    return int.from_bytes(fingerprint(value), "big")


def _array(marks: array[int]) -> Marks:
    import numpy as np

    return np.frombuffer(marks, dtype=np.uint64) if marks else np.zeros(0, dtype=np.uint64)


def _same(marks: Marks) -> Iterator[tuple[int, int]]:
    """Yield the places of equal marks: the first of each and every later one."""
    import numpy as np

    _, first, inverse, counts = np.unique(marks, return_index=True, return_inverse=True, return_counts=True)
    for other in np.flatnonzero(counts[inverse] > 1).tolist():
        leader = int(first[inverse[other]])
        if leader != other:
            yield leader, other
