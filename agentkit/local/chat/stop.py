"""Ends a text at the first of some sequences, as it comes in pieces."""

from __future__ import annotations

__all__ = ["StopFilter"]


class StopFilter:
    """Lets text through up to the first stop sequence.

    What might be the beginning of one is held back until it is known.

    Args:
        sequences: Where to stop; not empty texts.
    """

    def __init__(self, sequences: list[str]) -> None:
        self._sequences = sequences
        self._held = ""
        self.stopped = False
        """Whether a sequence has come."""

    def feed(self, text: str) -> str:
        """Return what of the text so far can be passed on."""
        if not self._sequences:
            return text
        text = self._held + text
        self._held = ""
        found = [place for sequence in self._sequences if (place := text.find(sequence)) >= 0]
        if found:
            self.stopped = True
            return text[: min(found)]
        keep = max(_overlap(text, sequence) for sequence in self._sequences)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def end(self) -> str:
        """Return what was held back, now that no more will come."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, sequence: str) -> int:
    """Return how many characters at the end of `text` begin `sequence`."""
    for length in range(min(len(text), len(sequence) - 1), 0, -1):
        if text.endswith(sequence[:length]):
            return length
    return 0
