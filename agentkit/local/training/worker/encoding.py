"""Conversations as tokens, with what of them is learnt.

A chat template is rendered up to each learnt message and with it: what the second text adds to the first is what the
model is to say. So any template will do that goes on where its own question ended, with or without marks of its own for
learnt parts; and what is learnt from is written just as the model is asked. Where a template writes earlier answers in
another way than the last (some leave out what was thought), each answer becomes a sample of its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agentkit.local.chat_templates import TemplateRefusedError, render, special_texts, template_of
from agentkit.local.training.worker.conversations import Conversation, Message, Pair

__all__ = ["IGNORED", "PairSample", "Sample", "TemplateError", "Tokenizer", "encode", "encode_pair"]

IGNORED = -100
"""The label of a token that is not learnt."""


class TemplateError(Exception):
    """A chat template can't be used: it refuses a conversation, or doesn't go on where its question ended.

    Args:
        message: What is wrong.
        line: Whether it is the conversation that it doesn't take; else no conversation will do.
    """

    def __init__(self, message: str, *, line: bool) -> None:
        super().__init__(message)
        self.line = line


class Tokenizer(Hashable, Protocol):
    """What is used of a Hugging Face tokenizer."""

    is_fast: bool
    chat_template: str | dict[str, str] | None
    all_special_tokens: list[str]
    added_tokens_decoder: dict[int, Any]
    """Tokens by their numbers, each with its text as `content`, and whether it is `special`."""

    def apply_chat_template(self, conversation: list[Message], /, **options: Any) -> Any:
        """Return the text of a conversation."""

    def __call__(self, text: str, /, **options: Any) -> Any:
        """Return the tokens of a text."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sequence to learn from."""

    input_ids: list[int]
    labels: list[int]
    """The same where a token is learnt, else `IGNORED`."""


@dataclass(frozen=True, slots=True)
class PairSample:
    """A prompt and two answers."""

    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]


def encode(tokenizer: Tokenizer, conversation: Conversation) -> list[Sample]:
    """Return the samples of a conversation: one, but for templates that write earlier answers in another way.

    Raises:
        TemplateError: The template can't be used, or not for it.
    """
    learnt = sorted(conversation.learnt)
    messages, tools = conversation.messages, conversation.tools
    turns = [_turn(tokenizer, messages[: index + 1], tools) for index in learnt]
    if not turns:
        return []
    last = turns[-1]
    whole = last.text  # what comes after the last answer that is learnt teaches nothing
    if all(whole.startswith(turn.text[: turn.end]) for turn in turns):
        return [_sample(tokenizer, whole, [(turn.start, turn.end) for turn in turns])]
    return [_sample(tokenizer, turn.text, [(turn.start, turn.end)]) for turn in turns]


def encode_pair(tokenizer: Tokenizer, pair: Pair) -> PairSample:
    """Return the sample of a pair.

    Raises:
        TemplateError: The template can't be used, or not for it.
    """
    prompts, answers = [], []
    for answer in (pair.chosen, pair.rejected):
        turn = _turn(tokenizer, [*pair.messages, answer], pair.tools)
        sample = _sample(tokenizer, turn.text, [(turn.start, turn.end)])
        at = next((index for index, label in enumerate(sample.labels) if label != IGNORED), len(sample.labels))
        prompts.append(sample.input_ids[:at])
        answers.append([label for label in sample.labels[at:] if label != IGNORED])
    shared = _shared(prompts)  # they differ where a token of the answer reaches into the prompt
    chosen, rejected = (before[shared:] + after for before, after in zip(prompts, answers, strict=True))
    return PairSample(prompts[0][:shared], chosen, rejected)


def _shared(sequences: Sequence[list[int]]) -> int:
    count = 0
    for first, second in zip(*sequences, strict=False):
        if first != second:
            break
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class _Turn:
    """A conversation up to an answer, as text, and where the answer is in it, in characters."""

    text: str
    start: int
    end: int


def _turn(tokenizer: Tokenizer, messages: list[Message], tools: list[dict[str, Any]] | None) -> _Turn:
    asked = _render(tokenizer, messages[:-1], tools, ask=True)
    text = _render(tokenizer, messages, tools, ask=False)
    if not text.startswith(asked):
        raise TemplateError(
            "the chat template doesn't go on where its question ended: it asks "
            f"with {_around(asked, text)!r}, and writes an answer that is there already as {_around(text, asked)!r}. "
            "Give the model a template whose answers begin as its generation prompt ends",
            line=len(messages) < 2 or messages[-2]["role"] == "assistant",  # it answers nothing
        )
    return _Turn(text, len(asked), len(asked) + _said(text[len(asked) :], special_texts(tokenizer)))


def _around(text: str, other: str) -> str:
    at = next((index for index, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), 0)
    return text[max(0, at - 20) : at + 20]


def _said(answer: str, special: Sequence[str]) -> int:
    """Return how many characters of an answer the model says: not the blanks after the token that ends it."""
    bare = answer.rstrip()
    return len(bare) if bare.endswith(tuple(special)) else len(answer)


def _render(tokenizer: Tokenizer, messages: list[Message], tools: list[dict[str, Any]] | None, *, ask: bool) -> str:
    try:
        return render(tokenizer, template_of(tokenizer), messages, tools or [], ask=ask)
    except TemplateRefusedError as error:
        raise TemplateError(f"the model's chat template doesn't take it: {error}", line=True) from error


def _sample(tokenizer: Tokenizer, text: str, spans: list[tuple[int, int]]) -> Sample:
    """Return a text's tokens; those that reach into one of the spans are learnt. Spans are in order."""
    text = text[: spans[-1][1]]
    if not tokenizer.is_fast:
        return _in_pieces(tokenizer, text, spans)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids: list[int] = encoded["input_ids"]
    labels = [IGNORED] * len(ids)
    waiting = iter(spans)
    start, end = next(waiting)
    for index, (begins, ends) in enumerate(encoded["offset_mapping"]):
        while begins >= end:
            following = next(waiting, None)
            if following is None:
                return Sample(ids, labels)
            start, end = following
        if ends > start:
            labels[index] = ids[index]
    return Sample(ids, labels)


def _in_pieces(tokenizer: Tokenizer, text: str, spans: list[tuple[int, int]]) -> Sample:
    """Return the tokens of a tokenizer that doesn't tell where they are: each part is encoded on its own."""
    ids: list[int] = []
    labels: list[int] = []
    at = 0
    for start, end in spans:
        for piece, learnt in ((text[at:start], False), (text[start:end], True)):
            found = tokenizer(piece, add_special_tokens=False)["input_ids"]
            ids += found
            labels += found if learnt else [IGNORED] * len(found)
        at = end
    return Sample(ids, labels)
