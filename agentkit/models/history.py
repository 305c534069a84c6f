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
            self._encoded_count = len(self)
            if any("provider_data" in item for item in new):
                new = _without_provider_data(new)
            if self._encoded and new:
                self._encoded += b","
            self._encoded += _json.dumps(new)[1:-1]  # all at once: half the time of one by one
        return self._encoded


def _without_provider_data(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return items as the Responses API takes them.

    Left out is what was kept for other APIs, and reasoning that came from them: this one has no place for it.
    """
    return [
        {key: value for key, value in item.items() if key != "provider_data"}
        for item in items
        if not ("provider_data" in item and item.get("type") == "reasoning")
    ]


def encode_items(items: str | list[dict[str, Any]]) -> bytes | bytearray:
    """Return a conversation as JSON items joined by commas; text becomes one user message."""
    if isinstance(items, str):
        return _json.dumps({"role": "user", "content": items})
    return items.encoded() if isinstance(items, History) else History(items).encoded()
