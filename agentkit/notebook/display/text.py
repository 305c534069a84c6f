"""Text from outside made fit to be shown: escaped, shortened, without control characters and without keys."""

from __future__ import annotations

import html
import re
from typing import Any

from agentkit import _secrets

__all__ = ["clean", "escape", "one_line", "shorten", "showable_length"]

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)  # not tab and newline; with bidi overrides
_KEY_BEGUN = re.compile(r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]*\Z")
_LONGEST_KEY = 400


def clean(text: str) -> str:
    """Return `text` without API keys, terminal escapes and other control characters, as it may be shown."""
    from agentkit.tracing.redaction import Redactor

    return _CONTROL.sub("", Redactor().clean(text.replace("\r\n", "\n")))


def escape(text: Any) -> str:
    """Return `text` as HTML that shows it and does nothing else.

    Dollar signs get an element of their own, or JupyterLab takes what stands between two of them for a formula.
    """
    return html.escape(clean(str(text))).replace("$", "<span>$</span>")


def one_line(text: str, limit: int) -> str:
    """Return `text` on one line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def shorten(text: str, limit: int) -> str:
    """Return the beginning of `text`, at most `limit` characters, and how long the whole is."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters in all)"


def showable_length(text: str) -> int:
    """Return how many characters of an unfinished text can be shown with no risk of showing a part of an API key."""
    tail_start = max(0, len(text) - _LONGEST_KEY)
    tail = text[tail_start:]
    if match := _KEY_BEGUN.search(tail):
        return tail_start + match.start()
    begun = 0
    for secret in _secrets.known():
        for length in range(min(len(secret) - 1, len(tail)), max(begun, 3), -1):
            if tail.endswith(secret[:length]):
                begun = length
                break
    return len(text) - begun
