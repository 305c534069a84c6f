"""How many tokens examples have, counted offline as OpenAI's cookbook counts them.

A message has three tokens beside its role and its texts, a name one more, and an answer begins with three. What tools
and their calls add isn't documented: their JSON is counted, which comes near. Source: "How to count tokens with
tiktoken" and "Data preparation and analysis for chat model fine-tuning", OpenAI Cookbook.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
from importlib import resources
from typing import TYPE_CHECKING, Any, NamedTuple

from agentkit import _json
from agentkit._images import LOW_DETAIL_TOKENS, image_info
from agentkit._repr import brief
from agentkit.exceptions import UserError
from agentkit.finetuning.examples import answers_of, messages_of
from agentkit.local.tokenizing import EncodingName, count_tokens

if TYPE_CHECKING:
    import pandas as pd

    from agentkit.finetuning.dataset import FineTuningDataset

__all__ = ["ExampleTokens", "distribution", "encoding_of", "max_example_tokens", "token_frame", "tokens_of"]

Line = dict[str, Any]

_PER_MESSAGE, _PER_NAME, _PER_REPLY = 3, 1, 3
_OLD = ("gpt-3.5", "gpt-35", "gpt-4-", "davinci-002", "babbage-002")


class ExampleTokens(NamedTuple):
    """How long an example is."""

    messages: int
    """Messages in it; of a pair, those of the prompt and both answers."""
    tokens: int
    """All that is read."""
    trained: int
    """Those of the answers that are learnt: answers of weight 0 are not. Of a pair, those of both answers."""


def encoding_of(model: str | None) -> EncodingName:
    """Return the vocabulary of a model: "cl100k_base" of GPT-3.5 and GPT-4, else "o200k_base".

    Raises:
        UserError: It is no name.
    """
    if model is not None and not isinstance(model, str):
        raise UserError(f"model is a model's name, not {brief(model)}.", hint='For instance "gpt-4.1-mini".')
    name = (model or "").removeprefix("ft:")
    return "cl100k_base" if name == "gpt-4" or name.startswith(_OLD) else "o200k_base"


@functools.cache
def _limits() -> dict[str, int]:
    text = resources.files("agentkit").joinpath("data", "fine_tuning.json").read_text(encoding="utf-8")
    limits: dict[str, int] = json.loads(text)["max_example_tokens"]
    return limits


def max_example_tokens(model: str | None) -> int | None:
    """Return how many tokens an example for a model may have; None where that isn't known. Longer ones are cut."""
    name = (model or "").removeprefix("ft:").partition(":")[0]
    limits = _limits()
    matching = [known for known in limits if name == known or name.startswith(f"{known}-20")]
    return limits[max(matching, key=len)] if matching else None


def tokens_of(line: Line, encoding: EncodingName = "o200k_base") -> ExampleTokens:
    """Return how long an example is.

    Args:
        line: The example.
        encoding: The vocabulary.
    """
    messages = messages_of(line)
    is_pair = "input" in line or "preferred_output" in line
    holder = line["input"] if isinstance(line.get("input"), dict) else line
    counts = [_message(each, encoding) for each in messages]
    total = sum(counts) + _PER_REPLY
    trained = 0
    for name in ("tools", "functions"):
        if holder.get(name):
            total += _count(_json.dumps(holder[name]).decode(), encoding)
    if is_pair:
        answers = [_message(each, encoding) for each in answers_of(line)]
        return ExampleTokens(len(messages) + len(answers), total + sum(answers), sum(answers))
    trained = sum(
        count
        for message, count in zip(messages, counts, strict=True)
        if message.get("role") == "assistant" and message.get("weight") != 0
    )
    return ExampleTokens(len(messages), total, trained)


def _message(message: Line, encoding: EncodingName) -> int:
    total = _PER_MESSAGE
    for key, value in message.items():
        if key == "weight" or value is None:
            continue
        if key == "content" and isinstance(value, list):
            total += sum(_part(each, encoding) for each in value)
        elif isinstance(value, str):
            total += _count(value, encoding)
        elif key == "tool_calls" and isinstance(value, list):
            total += sum(_call(each, encoding) for each in value)
        else:
            total += _count(_json.dumps(value).decode(), encoding)
    return total + _PER_NAME * ("name" in message)


def _call(call: Any, encoding: EncodingName) -> int:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        return 0
    return _PER_MESSAGE + sum(_count(str(function.get(name) or ""), encoding) for name in ("name", "arguments"))


def _part(part: Any, encoding: EncodingName) -> int:
    if not isinstance(part, dict):
        return 0
    if part.get("type") != "image_url":
        return _count(text, encoding) if isinstance(text := part.get("text"), str) else 0
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str) or not isinstance(image, dict) or image.get("detail") == "low":
        return LOW_DETAIL_TOKENS
    return _image_tokens(url)


def _image_tokens(url: str) -> int:
    """Return the tokens of an image: by its size where that is known, else the fewest that one has."""
    if not url.startswith("data:"):
        return LOW_DETAIL_TOKENS
    try:
        info = image_info(base64.b64decode(url.partition(",")[2]))
    except (binascii.Error, ValueError):
        return LOW_DETAIL_TOKENS
    return (info.tokens if info is not None else None) or LOW_DETAIL_TOKENS


def _count(text: str, encoding: EncodingName) -> int:
    return _of_short(text, encoding) if len(text) < 4096 else count_tokens(text, encoding)


@functools.lru_cache(maxsize=2048)
def _of_short(text: str, encoding: EncodingName) -> int:
    """Return the tokens of a text; system messages, roles and tools are the same in most examples."""
    return count_tokens(text, encoding)


def token_frame(dataset: FineTuningDataset, model: str | None) -> pd.DataFrame:
    """Return a row for each example; see `FineTuningDataset.tokens`. Lines that can't be read have NA."""
    import pandas as pd

    encoding = encoding_of(model)
    rows = [None if value is None else tokens_of(value, encoding) for value in dataset.values()]
    columns: dict[str, list[int | None]] = {"line": [dataset.line_number(index) for index in range(len(rows))]}
    for at, name in enumerate(ExampleTokens._fields):
        columns[name] = [None if row is None else row[at] for row in rows]
    frame = pd.DataFrame({name: pd.array(values, dtype="Int64") for name, values in columns.items()})
    frame.attrs["encoding"] = encoding
    return frame


def distribution(tokens: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each column of `token_frame` but the line: total, mean, min, p10, p50, p90 and max."""
    import pandas as pd

    rows = {}
    for name in ExampleTokens._fields:
        column = tokens[name].dropna().astype("float64")
        shares = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
        rows[name] = {
            "total": column.sum(), "mean": column.mean(), "min": column.min(),
            **{label: column.quantile(share) for label, share in shares.items()}, "max": column.max(),
        }  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, orient="index").astype("float64")
    frame.attrs.update(tokens.attrs)
    return frame
