"""The keys that this process was given, so that nothing it shows or stores repeats them."""

from __future__ import annotations

import os

__all__ = ["known", "register"]

_MIN_CHARS = 8
"""Anything shorter is too likely to be part of a text: "none" and "EMPTY" are, among others."""

_PLACEHOLDERS = frozenset(
    {
        *("anything", "api-key", "dummy-key", "embedded", "lm-studio", "no-api-key", "no-key-needed"),
        *("no-key-required", "not-needed", "not-required", "not-used", "placeholder", "sk-no-key-required"),
    }
)
"""What people put where a key is demanded and none is needed: words that answers may well contain."""

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
