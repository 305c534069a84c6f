"""What the labelled set is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Document", "without"]


@dataclass(frozen=True, slots=True)
class Document:
    """A file of the set, and the question that it answers, taken out of it."""

    key: str
    """Its name; no ranking sees it."""
    kind: str
    """Which kind of documentation it is."""
    text: str
    """What is indexed."""
    question: str = ""
    """What its author says it answers; "" for a file that is there only to be passed over."""


def without(text: str, phrase: str) -> str:
    """Return a text from which a phrase is gone, wherever it stands, in whatever case and line breaks."""
    words = [re.escape(word) for word in phrase.rstrip(".?!").split()]
    return re.sub(r"\s+".join(words), "", text, flags=re.IGNORECASE) if words else text
