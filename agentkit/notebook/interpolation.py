r"""Values in text: `{{name}}` takes the value that `name` has in the notebook; `\{{` writes `{{`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentkit._places import Place, PlaceError, as_text, split, value_at

__all__ = ["InterpolationError", "fill"]

InterpolationError = PlaceError
"""A place in a text can't be filled: the name isn't there, or may not be read."""


def fill(text: str, names: Mapping[str, Any]) -> str:
    r"""Return `text` with each `{{name}}` replaced by its value, and `\{{` by `{{`.

    Args:
        text: A cell's text.
        names: The notebook's variables.

    Raises:
        InterpolationError: A name isn't there, an attribute or index isn't, or an attribute begins with an underscore.
    """
    return "".join(piece if isinstance(piece, str) else as_text(_look_up(piece, names)) for piece in split(text))


def _look_up(place: Place, names: Mapping[str, Any]) -> Any:
    if place.name not in names:
        from agentkit.notebook.options import closest

        raise InterpolationError(f"{place.text}: nothing here is named {place.name!r}.{closest(place.name, names)}")
    return value_at(place, names[place.name])
