"""Takes API keys out of what is stored."""

from __future__ import annotations

import re

from agentkit import _secrets

__all__ = ["Redactor"]

# A key starts a word. In JSON text the word may follow an escape such as \n, whose letter isn't part of it. Real keys
# have digits; without that rule, names such as sk-learn-contrib-project would be taken for one.
_KEY = re.compile(r"(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt])|(?<=\\u[0-9a-f]{4}))sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}")


class Redactor:
    """Knows the keys that were registered or in the environment when it was made. Cheap to make, once a batch."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known = _secrets.known()

    def clean(self, text: str) -> str:
        """Return `text` with every API key replaced."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, "[redacted]")
        if "sk-" in text:
            text = _KEY.sub("sk-[redacted]", text)
        return text
