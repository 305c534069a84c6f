"""What is taken by the platform and makes a training worse."""

from __future__ import annotations

from typing import Any, Final

from agentkit._secrets import Redactor, find
from agentkit.exceptions import UserError
from agentkit.finetuning.examples import Said, texts_of
from agentkit.finetuning.near import NearDuplicates
from agentkit.finetuning.personal import personal_data
from agentkit.finetuning.together import Read, Together
from agentkit.finetuning.tokens import encoding_of, max_example_tokens, tokens_of
from agentkit.training_files.findings import Findings

__all__ = ["Quality"]

_MOST_BYTES: Final = 8_000_000
"""Bytes of a line up to which all of this is looked for; longer ones are of images, or fail for other reasons."""
_LONGEST: Final = 1_000_000
"""Characters of a text in which personal data is looked for."""

Line = dict[str, Any]


class Quality:
    """Looks at examples one after the other.

    Args:
        findings: Where it tells what it finds.
        kind: "sft" or "dpo".
        model: The model to be trained, which says how many tokens an example may have.
        max_tokens: The same as a number.

    Raises:
        UserError: `max_tokens` is no number.
    """

    def __init__(
        self, findings: Findings, kind: str, *, model: str | None = None, max_tokens: int | None = None
    ) -> None:
        if max_tokens is not None and (
            isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 1
        ):
            raise UserError(f"max_tokens is a whole number of 1 or more, not {max_tokens!r:.60}.")
        self._findings = findings
        self._encoding = encoding_of(model)
        self._limit = max_tokens or max_example_tokens(model)
        self._redactor = Redactor()
        self._together = Together(findings, kind)
        self._near = NearDuplicates()

    def line(self, number: int, data: bytes, value: Line) -> None:
        """Look at an example.

        Args:
            number: Its line.
            data: How it is written.
            value: What it says.
        """
        if self._limit is not None and len(data) > self._limit:  # no token is shorter than a byte
            self._tokens(number, value, self._limit)
        if len(data) > _MOST_BYTES:
            return
        texts = list(texts_of(value))
        if not texts:
            return
        self._together.add(number, value)
        self._near.add(number, texts)
        self._secrets(number, texts)
        self._personal(number, texts)

    def finish(self, read: Read) -> None:
        """Tell what examples say together.

        Args:
            read: Returns the example on a line.
        """
        twice = self._together.finish(read)
        for earlier, later in self._near.pairs(read, without=twice):
            problem = f"says nearly the same as line {earlier:,}"
            remedy = "Keep one: dataset.dedupe(near=True)."
            self._findings.add(later, "near-duplicate", "", problem, remedy, "warning")

    def _tokens(self, number: int, value: Line, limit: int) -> None:
        count = tokens_of(value, self._encoding).tokens
        if count > limit:
            problem = f"has {count:,} tokens, of which {limit:,} are read"
            self._findings.add(number, "truncated", "", problem, "Make it shorter: its end is cut.", "warning")

    def _secrets(self, number: int, texts: list[Said]) -> None:
        if self._redactor.is_harmless("\n".join([said.text for said in texts])):
            return
        for field, _, text in texts:
            kinds = dict.fromkeys(each.kind for each in find(text))
            if kinds:
                remedy = "Take it out, and make a new one: who has the file or the model has the key."
                self._findings.add(number, "secret", field, f"has {', '.join(kinds)}", remedy, "warning")

    def _personal(self, number: int, texts: list[Said]) -> None:
        for field, _, text in texts:
            if kinds := personal_data(text[:_LONGEST]):
                remedy = "Put something made up in its place, if whom it is about didn't agree."
                self._findings.add(number, "personal-data", field, f"has {', '.join(kinds)}", remedy, "warning")
