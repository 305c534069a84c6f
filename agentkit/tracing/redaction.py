"""Takes API keys out of what is stored."""

from __future__ import annotations

import os
import re

__all__ = ["Redactor"]

# A key starts a word. In JSON text the word may follow an escape such as \n, whose letter isn't part of it. Real keys
# have digits; without that rule, names such as sk-learn-contrib-project would be taken for one.
_KEY = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4}))sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}")
_MIN_SECRET_CHARS = 8
# What people put where a key is demanded and none is needed: words that answers may well contain.
_PLACEHOLDERS = frozenset({"embedded", "not-needed", "lm-studio", "placeholder", "no-key-needed", "anything"})


class Redactor:
    """Knows the keys in the environment at the time it was made. Cheap to make, once a batch."""

    __slots__ = ("_secrets",)

    def __init__(self) -> None:
        found = {
            value.strip()
            for name, value in os.environ.items()
            if name.endswith("_API_KEY") and value.strip().lower() not in _PLACEHOLDERS
        }
        # The longest first: one may be the beginning of another.
        self._secrets = sorted((s for s in found if len(s) >= _MIN_SECRET_CHARS), key=len, reverse=True)

    def clean(self, text: str) -> str:
        """Return `text` with every API key replaced."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, "[redacted]")
        if "sk-" in text:
            text = _KEY.sub("sk-[redacted]", text)
        return text
