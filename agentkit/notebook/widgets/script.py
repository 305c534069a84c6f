"""The scripts and style sheets of the widgets: plain files in parts, put together for the browser."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["together"]


@cache
def together(*parts: str) -> str:
    """Return the files of these names, in this folder, as one text; of scripts only the last may export."""
    folder = Path(__file__).parent
    return "\n".join((folder / part).read_text(encoding="utf-8") for part in parts)
