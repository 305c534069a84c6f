"""Ids in the platform's form: a prefix that says what it is, and a random rest."""

from __future__ import annotations

import secrets

__all__ = ["new_file_id", "new_id"]


def new_id(prefix: str) -> str:
    """Return a new id such as `resp_6f1c…`, 48 hexadecimal digits after the prefix."""
    return f"{prefix}_{secrets.token_hex(24)}"


def new_file_id() -> str:
    """Return a new id such as `file-6f1c…`: OpenAI's files alone have a hyphen."""
    return f"file-{secrets.token_hex(12)}"
