r"""Places in a text, `{{name}}`, and the values that take them.

Names may go on with attributes and indexes: `{{order.id}}`, `{{rows[0]["city"]}}`. Everything else between braces,
calls included, is text and stays as it is, so that JSON, LaTeX and templates need no escaping. `\{{` writes `{{`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Place", "PlaceError", "as_text", "split", "value_at"]

_NAME = r"[A-Za-z_]\w*"
_STEP = r"""\.[A-Za-z_]\w*|\[\s*(?:-?\d+|"[^"\\\n]*"|'[^'\\\n]*')\s*\]"""
_STEPS = re.compile(_STEP)


class PlaceError(Exception):
    """What a place stands for isn't there, or may not be read."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a text."""

    text: str
    """As it was written: `{{order.id}}`."""
    name: str
    """What it begins with: `order`."""
    steps: tuple[str, ...] = ()
    """What follows, attributes and indexes: `.id`."""


def split(text: str, names: Iterable[str] = ()) -> list[str | Place]:
    r"""Return `text` as pieces of text and the places between them; `\{{` is text, `{{`.

    Args:
        text: What a person wrote.
        names: Names that may stand in a place though they are none in Python, such as "Review text".
    """
    odd = sorted((name for name in names if name and not re.fullmatch(_NAME, name)), key=len, reverse=True)
    name = "|".join([*map(re.escape, odd), _NAME])
    pieces: list[str | Place] = []
    end = 0
    for match in re.finditer(rf"\\\{{\{{|\{{\{{\s*({name})((?:{_STEP})*)\s*\}}\}}", text):
        if before := text[end : match.start()]:
            pieces.append(before)
        escaped = match[0] == "\\{{"
        pieces.append("{{" if escaped else Place(match[0], match[1], tuple(_STEPS.findall(match[2]))))
        end = match.end()
    return [*pieces, text[end:]] if end < len(text) else pieces


def value_at(place: Place, value: Any) -> Any:
    """Return what a place stands for, given the value of its name.

    Raises:
        PlaceError: There is no such attribute or index, or an attribute begins with an underscore.
    """
    so_far = place.name
    for step in place.steps:
        value = _take(value, step, so_far, place.text)
        so_far += step
    return value


def _take(value: Any, step: str, so_far: str, place: str) -> Any:
    if step.startswith("."):
        attribute = step[1:]
        if attribute.startswith("_"):
            raise PlaceError(f"{place}: names that begin with an underscore can't be read from a text.")
        try:
            return getattr(value, attribute)
        except AttributeError:
            raise PlaceError(f"{place}: {so_far} has no attribute {attribute!r}.") from None
    key = ast.literal_eval(step[1:-1].strip())
    try:
        return value[key]
    except (LookupError, TypeError):
        raise PlaceError(f"{place}: {so_far} has no item {key!r}.") from None


def as_text(value: Any) -> str:
    """Return a value as the text that takes its place; of a run's result that is what it answered."""
    if isinstance(value, str):
        return value
    if hasattr(value, "final_output") and hasattr(value, "to_input_list"):
        value = value.final_output
    return str(value)
