"""Takes what a model thinks out of its text: `<think>…</think>` at the beginning."""

from __future__ import annotations

__all__ = ["ThoughtFilter"]

_BEGIN, _END = "<think>", "</think>"


class ThoughtFilter:
    """Lets the answer through, and not the thoughts before it.

    Args:
        active: Whether the model thinks; else all is let through.
        begun: Whether the prompt ends with the beginning of a thought.
    """

    def __init__(self, *, active: bool, begun: bool) -> None:
        self._before = active and not begun
        self.thinking = begun
        """Whether it thinks now."""
        self._blank = False
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what of the text belongs to the answer."""
        if self._before:
            self._held += text
            bare = self._held.lstrip()
            if bare.startswith(_BEGIN):
                self._before, self.thinking = False, True
                text, self._held = bare[len(_BEGIN) :], ""
            elif _BEGIN.startswith(bare):
                return ""
            else:
                self._before = False
                text, self._held = self._held, ""
        if self.thinking:
            self._held += text
            end = self._held.find(_END)
            if end < 0:
                self._held = self._held[-len(_END) :]
                return ""
            text, self._held = self._held[end + len(_END) :], ""
            self.thinking, self._blank = False, True
        if self._blank:  # the lines between a thought and the answer
            text = text.lstrip()
            self._blank = not text
        return text

    def end(self) -> str:
        """Return what was held back of the answer."""
        held, self._held = self._held, ""
        return held if self._before else ""
