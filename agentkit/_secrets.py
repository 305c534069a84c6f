"""The keys that this process was given, so that nothing it shows or stores repeats them."""

from __future__ import annotations

import os
import re

__all__ = ["Redactor", "known", "register"]

_MIN_CHARS = 8
"""Anything shorter is too likely to be part of a text: "none" and "EMPTY" are, among others."""

_PLACEHOLDERS = frozenset(
    {
        *("anything", "api-key", "dummy-key", "embedded", "lm-studio", "no-api-key", "no-key-needed"),
        *("no-key-required", "not-needed", "not-required", "not-used", "placeholder", "sk-no-key-required"),
    }
)
"""What people put where a key is demanded and none is needed: words that answers may well contain."""

# A key starts a word. In JSON text the word may follow an escape such as \n, whose letter isn't part of it. Real keys
# have digits; without that rule, names such as sk-learn-contrib-project would be taken for one.
_KEY = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4}))sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}")

_registered: set[str] = set()


def register(value: str | None) -> None:
    """Remember a key until the process ends. None, fewer than 8 characters and common placeholders are ignored."""
    if secret := _secret(value):
        _registered.add(secret)


def known() -> list[str]:
    """Return the registered keys and those of the environment (`*_API_KEY`), as it is now.

    The longest come first: one key may be the beginning of another.
    """
    found = {secret for name, value in os.environ.items() if name.endswith("_API_KEY") and (secret := _secret(value))}
    return sorted(found.union(_registered), key=len, reverse=True)


def _secret(value: str | None) -> str:
    """Return what of `value` has to be kept secret, or ""."""
    secret = (value or "").strip()
    return secret if len(secret) >= _MIN_CHARS and secret.lower() not in _PLACEHOLDERS else ""


class Redactor:
    """Knows the keys that were registered or in the environment when it was made. Cheap to make, once a batch."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known = known()

    def clean(self, text: str) -> str:
        """Return `text` with every API key replaced."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, "[redacted]")
        if "sk-" in text:
            text = _KEY.sub("sk-[redacted]", text)
        return text
