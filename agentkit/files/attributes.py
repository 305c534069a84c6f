"""What is kept of a file beside its text: the user's attributes, and where agentkit had it from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agentkit.exceptions import UserError

__all__ = ["MOST_ATTRIBUTES", "SOURCE_KEY", "Attributes", "Source", "checked_attributes", "own_attributes", "source_of"]

Attributes = dict[str, str | float | bool]

SOURCE_KEY: Final = "agentkit_source"
"""The attribute by which agentkit knows its files again: "<SHA-256>  <name>", as `sha256sum` writes it."""
MOST_ATTRIBUTES: Final = 15
"""The API's 16, less the one that agentkit needs."""
_LONGEST_KEY, _LONGEST_TEXT = 64, 512
_LONGEST_NAME: Final = _LONGEST_TEXT - 64 - 2
_LINE: Final = re.compile(r"([0-9a-f]{64})  (.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file in a store came from."""

    sha256: str
    """The hash of its bytes, 64 hexadecimal digits."""
    name: str
    """By what it is known: "docs/a.pdf", "https://…", "bytes:notes.txt", "row:handbook.txt"."""

    def line(self) -> str:
        """Return it as the attribute's value, of at most 512 characters: a longer name is cut at its front."""
        return f"{self.sha256}  {short_name(self.name)}"


def short_name(name: str) -> str:
    """Return a name as it is kept: of one that is too long the end, and a hash that still tells it from others."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{digest}…{name[-(_LONGEST_NAME - 17) :]}"


def source_of(attributes: Mapping[str, Any] | None) -> Source | None:
    """Return where agentkit had a file from; None for one that something else has put into the store."""
    line = (attributes or {}).get(SOURCE_KEY)
    found = _LINE.fullmatch(line) if isinstance(line, str) else None
    return Source(found[1], found[2]) if found else None


def own_attributes(attributes: Mapping[str, Any] | None) -> Attributes:
    """Return a file's attributes without agentkit's."""
    return {key: value for key, value in (attributes or {}).items() if key != SOURCE_KEY}


def checked_attributes(given: object, whose: str, *, most: int = MOST_ATTRIBUTES) -> Attributes:
    """Return attributes as the API takes them. What is None or NaN is left out.

    Args:
        given: Keys and values.
        whose: What they are of, for errors.
        most: How many there may be.

    Raises:
        UserError: There are too many, or one can't be kept; the message says which.
    """
    from agentkit.tooling.file_filters import plain_value  # which loads pydantic: the notebook needs the rest at once

    if not isinstance(given, Mapping):
        raise UserError(
            f"{whose}: attributes have to be a dictionary, not {type(given).__name__} {given!r:.60}.",
            hint='For instance {"year": 2026}.',
        )
    made: Attributes = {}
    for key, value in given.items():
        if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
            text = f"{whose}: the attribute {key!r:.80} has no key that the API takes."
            raise UserError(text, hint=f"A key is a text of 1 to {_LONGEST_KEY} characters.")
        if key == SOURCE_KEY:
            raise UserError(f"{whose}: agentkit keeps {SOURCE_KEY!r} for itself.", hint="Choose another key.")
        if _is_missing(value):
            continue
        plain = plain_value(value, f"{whose}: attribute {key!r}")
        if isinstance(plain, str) and len(plain) > _LONGEST_TEXT:
            text = f"{whose}: attribute {key!r} has {len(plain):,} characters; at most {_LONGEST_TEXT} are kept."
            raise UserError(text, hint="Shorten it.")
        made[key] = plain
    if len(made) > most:
        text = f"{whose} has {len(made)} attributes; at most {most} are kept."
        raise UserError(text, hint="The API has 16, one of which agentkit needs to know its files again.")
    return made


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value
