"""How the tables in PostgreSQL are asked: its marks, and texts as it takes them."""

from __future__ import annotations

import math
import re

from agentkit.local.vector_stores.passages import Attributes
from agentkit.local.vector_stores.tables import Tables, dumped, whole

__all__ = ["TABLES", "compared", "compared_value", "readable", "storable"]

_ESCAPED = re.compile("\x01[\x01\x02]")


def storable(text: str) -> str:
    """Return a text as PostgreSQL can keep it, which has no place for NUL. The order of texts stays what it was.

    Halves of surrogate pairs, which are no characters, are replaced.
    """
    if "\x00" in text or "\x01" in text:
        text = text.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01")
    return whole(text)


def readable(text: str) -> str:
    """Return a text as it was before `storable`."""
    return _ESCAPED.sub(lambda match: chr(ord(match[0][1]) - 1), text) if "\x01" in text else text


def compared(attributes: Attributes) -> str:
    """Return attributes as JSON in the form that filters compare.

    Numbers are exact in it: jsonb's are decimal, so a float that is whole becomes the integer that it is.
    """
    return dumped({storable(key): compared_value(value) for key, value in attributes.items()})


def compared_value(value: str | float | bool) -> str | float | bool:
    """Return one attribute's value in that form."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


TABLES = Tables(mark="%s", storable=storable, readable=readable)
