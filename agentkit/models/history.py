"""The conversation as it goes to the model, encoded once.

A run sends its whole history with every model call. Encoding it anew each time would make the cost of a turn grow
with the turns before it, so each item is encoded when it is first sent and the bytes are kept.
"""

from __future__ import annotations

from typing import Any

from agentkit import _json

__all__ = ["History", "encode_items"]


class History(list[dict[str, Any]]):
    """The items of a conversation, oldest first. It only grows, and items in it are never changed."""

    def __init__(self, items: list[dict[str, Any]] | None = None) -> None:
        super().__init__(items or ())
        self._encoded = bytearray()
        self._encoded_count = 0
        self.kept: dict[str, Any] = {}
        """What a model adapter keeps for the next call of the same conversation, under its own key."""

    def encoded(self) -> bytearray:
        """Return the items as JSON, joined by commas, without brackets."""
        if new := self[self._encoded_count :]:
            if self._encoded:
                self._encoded += b","
            self._encoded += _json.dumps(new)[1:-1]  # all at once: half the time of one by one
            self._encoded_count = len(self)
        return self._encoded


def encode_items(items: str | list[dict[str, Any]]) -> bytes | bytearray:
    """Return a conversation as JSON items joined by commas; text becomes one user message."""
    if isinstance(items, str):
        return _json.dumps({"role": "user", "content": items})
    return items.encoded() if isinstance(items, History) else History(items).encoded()
