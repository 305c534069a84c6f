"""Cases whose answers are known: what is asked, and what is to be answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agentkit import _json
from agentkit.exceptions import UserError
from agentkit.finetuning.dataset import FineTuningDataset
from agentkit.finetuning.examples import answers_of, fingerprint, prompt_of, spoken

__all__ = ["Case", "cases_of", "mark_of"]


@dataclass(frozen=True, slots=True)
class Case:
    """A question whose answer is known."""

    messages: tuple[dict[str, Any], ...]
    """What is said before the answer."""
    expected: str
    """The right answer."""

    @property
    def question(self) -> str:
        """The last thing that the user says."""
        said = [spoken(each) for each in self.messages if each.get("role") == "user"]
        return said[-1] if said else ""

    def input(self, *, told: bool) -> list[dict[str, Any]]:
        """Return the messages as an agent is given them.

        Args:
            told: Whether the agent is told already what to be: then the case's system messages are left out.
        """
        kept = [each for each in self.messages if not (told and each.get("role") in ("system", "developer"))]
        return [_as_input(each) for each in kept]


def cases_of(given: Any, prompt: str | None, answer: str | Sequence[str] | None) -> list[Case]:
    """Return the cases of a data set, a dataframe, or a list of questions and answers.

    Args:
        given: A `FineTuningDataset`, a dataframe, or what `FineTuningDataset.from_examples` takes.
        prompt: A dataframe's column of questions; None for the one whose name says so.
        answer: Its column of right answers, or several columns, which become the fields of a JSON object.

    Raises:
        UserError: There are none, one can't be read, or its answer is no text.
    """
    dataset = _dataset(given, prompt, answer)
    cases = [_case(value, dataset.line_number(at)) for at, value in enumerate(dataset)]
    if not cases:
        raise UserError("There are no cases to score with.", hint="Hold some out: train, test = dataset.split().")
    return cases


def mark_of(cases: Sequence[Case]) -> str:
    """Return a mark of the cases: the same for the same questions and answers, in whatever order."""
    marks = sorted(fingerprint([_told_once(case.messages), case.expected]) for case in cases)
    return fingerprint([mark.hex() for mark in marks]).hex()


def _told_once(messages: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    return [each for each in messages if each.get("role") not in ("system", "developer")]


def _dataset(given: Any, prompt: str | None, answer: str | Sequence[str] | None) -> FineTuningDataset:
    if isinstance(given, FineTuningDataset):
        if prompt is not None or answer is not None:
            raise UserError("prompt and answer name columns of a dataframe, and the cases are a FineTuningDataset.")
        return given
    if hasattr(given, "to_pandas") and not hasattr(given, "iloc"):
        given = given.to_pandas()
    if not hasattr(given, "columns"):
        return FineTuningDataset.from_examples(given, name="cases")
    if answer is None or isinstance(answer, str) or not isinstance(answer, Iterable):
        return FineTuningDataset.from_dataframe(given, prompt=prompt, answer=answer, kind="sft", name="cases")
    return _of_columns(given, prompt, list(answer))


def _of_columns(frame: Any, prompt: str | None, columns: list[str]) -> FineTuningDataset:  # a dataframe
    if missing := [each for each in columns if each not in frame.columns]:
        raise UserError(f"There is no column {missing[0]!r}.", hint=f"There are {', '.join(map(repr, frame.columns))}.")
    if not columns:
        raise UserError("answer is a column, or several, not an empty list.")
    name = "answer" if "answer" not in frame.columns else " ".join([*map(str, frame.columns), "answer"])
    rows = frame.assign(**{name: frame[columns].to_dict("records")})
    return FineTuningDataset.from_dataframe(rows, prompt=prompt, answer=name, kind="sft", name="cases")


def _case(line: dict[str, Any], number: int) -> Case:
    answers = answers_of(line)
    if not answers:
        raise UserError(f"Case {number:,} has no answer to compare with.", hint="Its last message is the assistant's.")
    content = answers[0].get("content")
    if answers[0].get("tool_calls") or not isinstance(content, str | list):
        raise UserError(f"Case {number:,} expects a call of a tool, and answers are compared as texts.", hint=_TEXTS)
    messages = tuple(prompt_of(line))
    for each in messages:
        _as_input(each)  # or it would be found out in the middle of a score
    if not messages:
        raise UserError(f"Case {number:,} asks nothing: it begins with its answer.")
    return Case(messages, spoken(answers[0]))


_TEXTS = "Leave such cases out: dataset.map(lambda line: None if line['messages'][-1].get('tool_calls') else line)."


def _as_input(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message of training data as an item of a model's input."""
    role = message.get("role")
    if role == "tool" or message.get("tool_calls"):
        raise UserError(
            "A case has calls of tools before its answer, and an agent makes its own.",
            hint="Score with cases that begin with a question.",
        )
    content = message.get("content")
    if not isinstance(content, list):
        return {"role": role, "content": content or ""}
    return {"role": role, "content": [_part(each) for each in content if isinstance(each, dict)]}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == "image_url" and isinstance(image := part.get("image_url"), dict):
        return {"type": "input_image", "image_url": image.get("url"), "detail": image.get("detail") or "auto"}
    return {"type": "input_text", "text": part["text"] if isinstance(part.get("text"), str) else _written(part)}


def _written(value: Any) -> str:
    return _json.dumps(value).decode()
