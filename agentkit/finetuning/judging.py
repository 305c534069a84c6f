"""Whether an answer is the right one: as a text, as JSON, or by a function."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from agentkit import _json
from agentkit._repr import brief
from agentkit.exceptions import UserError

__all__ = ["Compare", "Judge", "Verdict", "judge_of", "object_of", "text_of", "wilson"]

Compare = Literal["json", "exact"] | Callable[[str, str], bool]
"""How answers are compared; a function is given the expected answer and the one that was given."""

_FENCE: Final = re.compile(r"\A```[a-z]*\s*\n(.*?)\n?```\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of an answer."""

    right: bool
    """Whether it is the expected one."""
    fields: Mapping[str, bool] = field(default_factory=dict)
    """For JSON, which fields of the expected object are right in it."""


Judge = Callable[[str, str], Verdict]


def judge_of(compare: Any, expected: Sequence[str]) -> tuple[str, Judge]:
    """Return what a comparison is called, and what does it.

    Args:
        compare: "json", "exact", a function, or None for "json" where all expected answers are JSON objects.
        expected: The expected answers.

    Raises:
        UserError: It is something else; or "json", and an expected answer is no JSON object.
    """
    if compare is None:
        compare = "json" if all(isinstance(object_of(each), dict) for each in expected) else "exact"
    if compare == "json":
        for at, each in enumerate(expected, 1):
            if not isinstance(object_of(each), dict):
                raise UserError(f"The answer of case {at:,} is no JSON object: {each!r:.60}.", hint='compare="exact"')
        return "json", _json_judge
    if compare == "exact":
        return "exact", lambda wanted, answer: Verdict(wanted.strip() == answer.strip())
    if callable(compare):
        return str(getattr(compare, "__name__", "function")), _by_function(compare)
    raise UserError(f"compare is {brief(compare)}.", hint='It is "json", "exact" or a function of two texts.')


def _by_function(function: Callable[[str, str], Any]) -> Judge:
    def judge(wanted: str, answer: str) -> Verdict:
        told = function(wanted, answer)
        if not isinstance(told, bool) and type(told).__name__ not in ("bool_", "bool"):
            raise UserError(f"The comparison returned {told!r:.60}.", hint="It says whether an answer is right.")
        return Verdict(bool(told))

    return judge


def _json_judge(wanted: str, answer: str) -> Verdict:
    expected, given = object_of(wanted), object_of(answer)
    fields = {str(key): isinstance(given, dict) and _same(given.get(key, _MISSING), expected[key]) for key in expected}
    return Verdict(isinstance(given, dict) and all(fields.values()) and given.keys() == expected.keys(), fields)


_MISSING: Final = object()


def object_of(text: str) -> Any:
    """Return a text's JSON, fenced or not; None where it is none."""
    found = _FENCE.match(text.strip())
    try:
        return _json.loads(found[1] if found else text)
    except (ValueError, RecursionError):
        return None


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are the same JSON: 1 is 1.0, and not true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def text_of(output: Any) -> str:
    """Return what an agent answered as a text; an output type's value as its JSON."""
    if isinstance(output, str):
        return output
    if hasattr(output, "model_dump_json"):
        return str(output.model_dump_json())
    if output is None:
        return ""
    try:
        return _json.dumps(output).decode()
    except (TypeError, ValueError):
        return json.dumps(output, default=str, ensure_ascii=False)


def wilson(right: int, total: int, *, z: float = 1.959964) -> tuple[float, float]:
    """Return the interval that holds a share with 95 % confidence, both ends from 0 to 1.

    Args:
        right: Cases that were right.
        total: Cases that there were, at least one.
        z: The quantile of the normal distribution; 1.96 for 95 %.

    Source: the score interval, Wilson 1927.
    """
    share = right / total
    middle = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    below = 1 + z * z / total
    return max(0.0, (middle - spread) / below), min(1.0, (middle + spread) / below)
