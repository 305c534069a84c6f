"""How long a server asks to wait before it is asked again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

__all__ = ["header", "number", "retry_after_s"]


def retry_after_s(headers: Any, *, now: Callable[[], float] = time.time) -> float | None:
    """Return how many seconds a server asks to wait, or None where it doesn't say.

    Args:
        headers: The answer's: a mapping, or an object with `get`.
        now: The time, in seconds since 1970, against which a date is taken.
    """
    if (milliseconds := number(header(headers, "retry-after-ms"))) is not None:
        return milliseconds / 1000
    said = header(headers, "retry-after")
    if said is None or (seconds := number(said)) is not None:
        return None if said is None else seconds
    try:
        moment = parsedate_to_datetime(said)
    except ValueError:
        return None
    if moment.tzinfo is None:  # "-0000": UTC, from a machine that doesn't know its own zone
        from datetime import UTC

        moment = moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - now(), 0.0)


def header(headers: Any, name: str) -> str | None:
    """Return a header of a mapping or an object with `get`; None where it has none, or no text.

    Args:
        headers: The headers, or None.
        name: The header's name, in lower case.
    """
    if headers is None:
        return None
    found = headers.get(name) if hasattr(headers, "get") else None
    if found is None and isinstance(headers, dict):
        found = next((value for key, value in headers.items() if str(key).lower() == name), None)
    return found if isinstance(found, str) and found else None


def number(text: str | None) -> float | None:
    """Return the number of 0 or more that a header holds, or None."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None
