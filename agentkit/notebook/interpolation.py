r"""Values in text: `{{name}}` takes the value that `name` has in the notebook.

Names may go on with attributes and indexes: `{{order.id}}`, `{{rows[0]["city"]}}`. Everything else between braces,
calls included, is text and stays as it is, so that JSON, LaTeX and templates need no escaping. `\{{` writes `{{`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["InterpolationError", "fill"]

_STEP = r"""\.[A-Za-z_]\w*|\[\s*(?:-?\d+|"[^"\\\n]*"|'[^'\\\n]*')\s*\]"""
_PLACE = re.compile(rf"""\\\{{\{{|\{{\{{\s*([A-Za-z_]\w*)((?:{_STEP})*)\s*\}}\}}""")
_STEPS = re.compile(_STEP)


class InterpolationError(Exception):
    """A place in a text can't be filled: the name isn't there, or may not be read."""


def fill(text: str, names: Mapping[str, Any]) -> str:
    r"""Return `text` with each `{{name}}` replaced by its value, and `\{{` by `{{`.

    Args:
        text: A cell's text.
        names: The notebook's variables.

    Raises:
        InterpolationError: A name isn't there, an attribute or index isn't, or an attribute begins with an underscore.
    """
    return _PLACE.sub(lambda match: "{{" if match[0] == "\\{{" else _as_text(_look_up(match, names)), text)


def _look_up(match: re.Match[str], names: Mapping[str, Any]) -> Any:
    name, path = match.groups()
    if name not in names:
        from agentkit.notebook.options import closest

        raise InterpolationError(f"{match[0]}: nothing here is named {name!r}.{closest(name, names)}")
    value, so_far = names[name], name
    for step in _STEPS.findall(path):
        value = _take(value, step, so_far, match[0])
        so_far += step
    return value


def _take(value: Any, step: str, so_far: str, place: str) -> Any:
    if step.startswith("."):
        attribute = step[1:]
        if attribute.startswith("_"):
            raise InterpolationError(f"{place}: names that begin with an underscore can't be read from a text.")
        try:
            return getattr(value, attribute)
        except AttributeError:
            raise InterpolationError(f"{place}: {so_far} has no attribute {attribute!r}.") from None
    key = ast.literal_eval(step[1:-1].strip())
    try:
        return value[key]
    except (LookupError, TypeError):
        raise InterpolationError(f"{place}: {so_far} has no item {key!r}.") from None


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if hasattr(value, "final_output") and hasattr(value, "to_input_list"):  # a run's result: what it answered
        value = value.final_output
    return str(value)
