"""Tokens: what a model call, and a whole run, used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["InputTokensDetails", "OutputTokensDetails", "Usage"]


@dataclass(slots=True)
class InputTokensDetails:
    """What is known of the input tokens."""

    cached_tokens: int = 0
    """Tokens read from the platform's prompt cache."""


@dataclass(slots=True)
class OutputTokensDetails:
    """What is known of the output tokens."""

    reasoning_tokens: int = 0
    """Tokens spent on reasoning that isn't shown."""


@dataclass(slots=True)
class Usage:
    """Tokens used by one model call or added up over many."""

    requests: int = 0
    """Model calls made."""
    input_tokens: int = 0
    """Tokens sent."""
    output_tokens: int = 0
    """Tokens received."""
    total_tokens: int = 0
    """Tokens sent and received, as the platform counts them."""
    input_tokens_details: InputTokensDetails = field(default_factory=InputTokensDetails)
    """Of the tokens sent, those read from a cache."""
    output_tokens_details: OutputTokensDetails = field(default_factory=OutputTokensDetails)
    """Of the tokens received, those spent on reasoning."""

    def add(self, other: Usage) -> None:
        """Add the counts of `other` to these."""
        self.requests += other.requests
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.total_tokens += other.total_tokens
        self.input_tokens_details.cached_tokens += other.input_tokens_details.cached_tokens
        self.output_tokens_details.reasoning_tokens += other.output_tokens_details.reasoning_tokens

    @classmethod
    def from_wire(cls, usage: dict[str, Any] | None) -> Usage:
        """Return the usage of one request from the JSON of either API, absent counts as 0.

        Args:
            usage: The `usage` object of a response or a chat completion; None where a server sends none.
        """
        if not usage:
            return cls(requests=1)
        sent = usage.get("input_tokens", usage.get("prompt_tokens")) or 0
        received = usage.get("output_tokens", usage.get("completion_tokens")) or 0
        sent_details = usage.get("input_tokens_details") or usage.get("prompt_tokens_details") or {}
        received_details = usage.get("output_tokens_details") or usage.get("completion_tokens_details") or {}
        return cls(
            requests=1,
            input_tokens=sent,
            output_tokens=received,
            total_tokens=usage.get("total_tokens") or sent + received,
            input_tokens_details=InputTokensDetails(sent_details.get("cached_tokens") or 0),
            output_tokens_details=OutputTokensDetails(received_details.get("reasoning_tokens") or 0),
        )

    def to_dict(self) -> dict[str, int]:
        """Return the counts as flat JSON, as traces keep them."""
        return {
            "requests": self.requests,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": self.total_tokens,
            "cached_tokens": self.input_tokens_details.cached_tokens,
            "reasoning_tokens": self.output_tokens_details.reasoning_tokens,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, int]) -> Usage:
        """Return the usage that `to_dict` gave."""
        return cls(
            requests=saved["requests"],
            input_tokens=saved["input_tokens"],
            output_tokens=saved["output_tokens"],
            total_tokens=saved["total_tokens"],
            input_tokens_details=InputTokensDetails(saved.get("cached_tokens", 0)),
            output_tokens_details=OutputTokensDetails(saved.get("reasoning_tokens", 0)),
        )
