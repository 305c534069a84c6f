"""Tokens: what a model call, and a whole run, used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agentkit._repr import fields_repr
from agentkit.pricing import cost_usd

__all__ = ["InputTokensDetails", "OutputTokensDetails", "RequestUsage", "Usage"]


@dataclass(slots=True)
class InputTokensDetails:
    """What is known of the input tokens."""

    __repr__ = fields_repr

    cached_tokens: int = 0
    """Tokens read from the platform's prompt cache."""
    cache_write_tokens: int = 0
    """Tokens written to it, which some models charge for."""


@dataclass(slots=True)
class OutputTokensDetails:
    """What is known of the output tokens."""

    __repr__ = fields_repr

    reasoning_tokens: int = 0
    """Tokens spent on reasoning that isn't shown."""


@dataclass(slots=True)
class RequestUsage:
    """Tokens used by one model call, and whose it was."""

    __repr__ = fields_repr

    input_tokens: int
    """Tokens sent."""
    output_tokens: int
    """Tokens received."""
    total_tokens: int
    """Tokens sent and received, as the platform counts them."""
    input_tokens_details: InputTokensDetails
    """Of the tokens sent, those read from a cache."""
    output_tokens_details: OutputTokensDetails
    """Of the tokens received, those spent on reasoning."""
    agent_name: str | None = None
    """Name of the agent whose turn it was."""
    model: str | None = None
    """Name of the model that answered."""

    @property
    def cost_usd(self) -> float | None:
        """What it costs at list price; None where the model's price isn't known."""
        return cost_usd(self.model, self)


@dataclass(slots=True)
class Usage:
    """Tokens used by one model call or added up over many."""

    __repr__ = fields_repr

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
    request_usage_entries: list[RequestUsage] = field(default_factory=list)
    """The same for each model call, in their order."""

    @property
    def cost_usd(self) -> float | None:
        """What all of it costs at list price, in US dollars; None where the price of a model isn't known."""
        costs = [entry.cost_usd for entry in self.request_usage_entries]
        if len(costs) < self.requests or None in costs:
            return None
        return sum(cost for cost in costs if cost is not None)

    def add(self, other: Usage, *, agent_name: str | None = None, model: str | None = None) -> None:
        """Add the counts of `other` to these.

        Args:
            other: The usage of one model call, or of many.
            agent_name: Name of the agent whose call it was, where it is one.
            model: Name of the model that answered.
        """
        if other.request_usage_entries:
            self.request_usage_entries += other.request_usage_entries
        elif other.requests == 1:
            details = (other.input_tokens_details, other.output_tokens_details)
            counts = (other.input_tokens, other.output_tokens, other.total_tokens)
            self.request_usage_entries.append(RequestUsage(*counts, *details, agent_name, model))
        self.requests += other.requests
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens
        self.total_tokens += other.total_tokens
        # new ones: an entry, made when these counts were added elsewhere, may hold the old
        mine, its = self.input_tokens_details, other.input_tokens_details
        self.input_tokens_details = InputTokensDetails(
            mine.cached_tokens + _count(its, "cached_tokens"),
            mine.cache_write_tokens + _count(its, "cache_write_tokens"),
        )
        self.output_tokens_details = OutputTokensDetails(
            self.output_tokens_details.reasoning_tokens + _count(other.output_tokens_details, "reasoning_tokens")
        )

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
            input_tokens_details=InputTokensDetails(
                sent_details.get("cached_tokens") or 0, sent_details.get("cache_write_tokens") or 0
            ),
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
            "cache_write_tokens": self.input_tokens_details.cache_write_tokens,
            "reasoning_tokens": self.output_tokens_details.reasoning_tokens,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the counts and those of each model call, as JSON that `from_json` reads."""
        calls = [
            [e.agent_name, e.model, e.input_tokens, e.output_tokens, e.total_tokens,
             e.input_tokens_details.cached_tokens, e.input_tokens_details.cache_write_tokens,
             e.output_tokens_details.reasoning_tokens]
            for e in self.request_usage_entries
        ]  # fmt: skip
        return {**self.to_dict(), "calls": calls}

    @classmethod
    def from_json(cls, saved: dict[str, Any]) -> Usage:
        """Return the usage that `to_json` gave."""
        entries = [
            RequestUsage(
                sent, received, total, InputTokensDetails(cached, written), OutputTokensDetails(thought), agent, model
            )
            for agent, model, sent, received, total, cached, written, thought in saved["calls"]
        ]
        return cls(
            requests=saved["requests"],
            input_tokens=saved["input_tokens"],
            output_tokens=saved["output_tokens"],
            total_tokens=saved["total_tokens"],
            input_tokens_details=InputTokensDetails(saved["cached_tokens"], saved["cache_write_tokens"]),
            output_tokens_details=OutputTokensDetails(saved["reasoning_tokens"]),
            request_usage_entries=entries,
        )


def _count(details: Any, name: str) -> int:  # our own, or an object of the `openai` client with the same names
    return getattr(details, name, 0) or 0
