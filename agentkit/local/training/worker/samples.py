"""The samples of a file, encoded once into a table on the disk from which the trainer reads: memory stays bounded."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agentkit.local.training.worker.conversations import ImagesError, conversation_of, pair_of
from agentkit.local.training.worker.encoding import IGNORED, TemplateError, Tokenizer, encode, encode_pair
from agentkit.local.training.worker.failures import JobFailure
from agentkit.local.training.worker.files import Role, lines_of

__all__ = ["Samples", "SamplesError", "encode_file", "load"]

_AT_ONCE = 500
"""Lines in a batch of the table."""


class SamplesError(JobFailure):
    """A line can't be made into a sample."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What is known of a table of samples."""

    count: int
    tokens: int
    """All of them."""
    learnt: int
    """Of these, those that are learnt."""
    cut: int
    """Examples that were longer than the model reads, and lost their end."""
    dropped: int
    """Examples of which nothing to learn was left."""


def encode_file(
    path: Path,
    target: Path,
    tokenizer: Tokenizer,
    *,
    method: str,
    max_length: int,
    role: Role,
    alive: Callable[[], None],
    most: int | None = None,
) -> Samples:
    """Write the samples of a file into a table; one that is there already stays.

    Args:
        path: A file that was checked.
        target: The table, an Arrow stream.
        tokenizer: The model's.
        method: "supervised" or "dpo".
        max_length: Tokens at which a sample is cut.
        role: What the file is for.
        alive: Called every so often.
        most: Lines that are taken; None for all.

    Raises:
        JobFailure: The model can't read a line, or nothing is left to learn.
        OSError: The table can't be written.
    """
    about = target.with_suffix(".json")
    if about.is_file() and target.is_file():
        return Samples(**json.loads(about.read_text()))
    import pyarrow as pa  # type: ignore[import-untyped]  # it has no types

    counting = _Counting(max_length)
    partial = target.with_suffix(".part")
    names = ("input_ids", "labels") if method == "supervised" else ("prompt_ids", "chosen_ids", "rejected_ids")
    schema = pa.schema([(name, pa.list_(pa.int32())) for name in names])
    partial.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with partial.open("wb") as file, pa.ipc.new_stream(file, schema) as writer:
        batch: list[tuple[list[int], ...]] = []

        def flush() -> None:
            columns = [pa.array([row[at] for row in batch], pa.list_(pa.int32())) for at in range(len(names))]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            batch.clear()
            alive()

        for row in _rows(path, tokenizer, method, role, counting, most):
            batch.append(row)
            if len(batch) >= _AT_ONCE:
                flush()
        if batch:
            flush()
    found = counting.done(role)
    os.replace(partial, target)
    about.write_text(json.dumps(asdict(found)))
    return found


def load(target: Path) -> Any:  # a datasets.Dataset
    """Return a table as the trainer takes it: read from the disk as it is needed."""
    from datasets import Dataset

    return Dataset.from_file(str(target))


class _Counting:
    def __init__(self, max_length: int) -> None:
        self._most = max_length
        self._count = self._tokens = self._learnt = self._cut = self._dropped = 0

    def sample(self, ids: list[int], labels: list[int]) -> tuple[list[int], list[int]] | None:
        if len(ids) > self._most:
            self._cut += 1
            ids, labels = ids[: self._most], labels[: self._most]
        learnt = sum(label != IGNORED for label in labels)
        if not learnt or len(ids) < 2:
            self._dropped += 1
            return None
        self._add(len(ids), learnt)
        return ids, labels

    def pair(self, prompt: list[int], answers: list[list[int]]) -> tuple[list[int], ...] | None:
        room = self._most - len(prompt)
        if any(len(answer) > room for answer in answers):
            self._cut += 1
            answers = [answer[: max(0, room)] for answer in answers]
        if answers[0] == answers[1] or not all(answers) or not prompt:
            self._dropped += 1
            return None
        learnt = sum(len(answer) for answer in answers)
        self._add(2 * len(prompt) + learnt, learnt)
        return prompt, *answers

    def _add(self, tokens: int, learnt: int) -> None:
        self._count += 1
        self._tokens += tokens
        self._learnt += learnt

    def done(self, role: Role) -> Samples:
        if not self._count:
            raise SamplesError(
                f"invalid_{role}_file",
                f"Nothing in the {role} file can be learnt: all {self._dropped:,} examples are longer than the "
                f"{self._most:,} tokens that are read, before their first answer. Shorten their questions, or give a "
                "larger max_length.",
                param=f"{role}_file",
            )
        return Samples(self._count, self._tokens, self._learnt, self._cut, self._dropped)


def _rows(
    path: Path, tokenizer: Tokenizer, method: str, role: Role, counting: _Counting, most: int | None
) -> Iterator[tuple[list[int], ...]]:
    found: list[tuple[list[int], ...] | None]
    for index, (number, line) in enumerate(lines_of(path)):
        if index == most:
            return
        try:
            if method == "supervised":
                found = [
                    counting.sample(each.input_ids, each.labels) for each in encode(tokenizer, conversation_of(line))
                ]
            else:
                pair = encode_pair(tokenizer, pair_of(line))
                found = [counting.pair(pair.prompt_ids, [pair.chosen_ids, pair.rejected_ids])]
        except ImagesError:
            raise SamplesError(
                f"invalid_{role}_file",
                f"Line {number:,} of the {role} file has images, and the model can't see. Take its images out, or "
                "train one of OpenAI's models that can.",
                param=f"{role}_file",
            ) from None
        except TemplateError as error:
            code, param = (f"invalid_{role}_file", f"{role}_file") if error.line else ("invalid_model", "model")
            raise SamplesError(code, f"Line {number:,} of the {role} file: {error}.", param=param) from error
        yield from (row for row in found if row is not None)
