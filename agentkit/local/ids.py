"""Ids in the platform's form: a prefix that says what it is, and a random rest."""

from __future__ import annotations

import secrets

__all__ = ["new_id"]


def new_id(prefix: str) -> str:
    """Return a new id such as `resp_6f1c…`, 48 hexadecimal digits after the prefix."""
    return f"{prefix}_{secrets.token_hex(24)}"
