"""What turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Embedder", "EmbedderAwayError", "EmbedderError"]


class EmbedderError(Exception):
    """The embedder can't be used: its files are missing or not what they should be, or its server doesn't answer.

    The message says what happened, with which value, and what to do.
    """


class EmbedderAwayError(EmbedderError):
    """The embedder's server can't be reached, or can't work now: whatever the texts are."""


class Embedder(Protocol):
    """Turns texts into vectors of length 1. Its methods may be called from several threads."""

    @property
    def name(self) -> str:
        """What tells its vectors from those of other embedders."""
        ...

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has.

        Raises:
            EmbedderError: It can't be told, because the embedder can't be used.
        """
        ...

    def windows(self, text: str) -> list[str]:
        """Cut a text into the pieces to embed, at least one: the whole text where it is short enough."""
        ...

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return the texts' vectors, float32 of shape (texts, dimensions), each of length 1.

        A text's vector does not depend on the others.

        Raises:
            EmbedderError: It can't be done.
        """
        ...

    def embed_query(self, text: str) -> np.ndarray:
        """Return the vector of a question, float32 of shape (dimensions,), of length 1.

        Raises:
            EmbedderError: It can't be done.
        """
        ...
