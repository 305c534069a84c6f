"""Files as text: what OpenAI's file search reads, read here."""

from __future__ import annotations

from agentkit.local.parsing.parsed import Mark, Parsed, Unreadable
from agentkit.local.parsing.reading import parse

__all__ = ["Mark", "Parsed", "Unreadable", "parse"]
