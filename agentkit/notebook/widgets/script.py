"""The scripts of the widgets: plain modules in parts, put together for the browser, which gets each as one text."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["script"]


@cache
def script(*parts: str) -> str:
    """Return the files of these names, in this folder, as one module; only the last may export."""
    folder = Path(__file__).parent
    return "\n".join((folder / part).read_text(encoding="utf-8") for part in parts)
