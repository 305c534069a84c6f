"""What tokens cost: list prices from a dated file, and prices of your own. What isn't known stays unknown, never zero."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

from agentkit.exceptions import UserError

__all__ = ["Price", "cost_usd", "price_of", "prices_date", "set_price"]

_PER = 1_000_000

_FREE = frozenset({"rehearsal-1"})
"""Models of the embedded platform."""

_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost, in US dollars for 1,000,000."""

    input: float
    """Of tokens sent."""
    output: float
    """Of tokens received."""
    cached_input: float | None = None
    """Of tokens sent that the platform had in its cache; as other input when None."""
    above: tuple[tuple[int, Price], ...] = ()
    """Other prices for requests with more input tokens than a number, lowest first."""

    def cost_usd(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """Return what a request costs.

        Args:
            input_tokens: Tokens sent, cached ones included.
            output_tokens: Tokens received, reasoning included.
            cached_tokens: Of the tokens sent, those from the cache.
        """
        price = self
        for limit, higher in self.above:
            if input_tokens > limit:
                price = higher
        cached = price.input if price.cached_input is None else price.cached_input
        fresh = max(input_tokens - cached_tokens, 0)
        return (fresh * price.input + cached_tokens * cached + output_tokens * price.output) / _PER


_own: dict[str, Price] = {}


def set_price(model: str, *, input: float, output: float, cached_input: float | None = None) -> None:  # noqa: A002
    """Say what a model costs, in US dollars for 1,000,000 tokens. It goes before the list price.

    Args:
        model: The model's name, as it answers to it.
        input: Of tokens sent.
        output: Of tokens received.
        cached_input: Of tokens sent that the platform had in its cache; as other input when None.

    Raises:
        UserError: A price is no number of 0 or more.
    """
    for name, value in (("input", input), ("output", output), ("cached_input", cached_input)):
        if value is None and name == "cached_input":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise UserError(f"The price of {name} has to be a number of 0 or more, not {value!r}.")
    _own[model] = Price(float(input), float(output), None if cached_input is None else float(cached_input))


def price_of(model: str | None) -> Price | None:
    """Return what a model costs, or None where that isn't known.

    A dated name (`gpt-5-2025-08-07`) has the price of the name without the date where it has none of its own. Models
    that were tuned (`ft:…`) cost more than what they were made from, so that only a price of your own is known of them.
    """
    if not model:
        return None
    if model in _FREE:
        return Price(0.0, 0.0)
    name = model.rpartition("/")[2] if model.startswith(("openai/", "litellm/")) else model
    listed = _listed()
    for known in (model, name, _DATED.sub("", name)):
        price = _own.get(known) or listed.get(known)
        if price is not None:
            return price
    return None


def cost_usd(model: str | None, usage: Any) -> float | None:
    """Return what a model call costs at list price, or None where the model's price isn't known.

    Args:
        model: The model that answered.
        usage: Its `Usage`, or a `RequestUsage`.
    """
    price = price_of(model)
    if price is None:
        return None
    return price.cost_usd(usage.input_tokens, usage.output_tokens, usage.input_tokens_details.cached_tokens)


def prices_date() -> str:
    """Return the date of the list prices, as YYYY-MM-DD."""
    return str(_file()["date"])


@functools.cache
def _file() -> dict[str, Any]:
    text = (resources.files("agentkit") / "data" / "prices.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


@functools.cache
def _listed() -> dict[str, Price]:
    return {model: _price(entry) for model, entry in _file()["models"].items()}


def _price(entry: dict[str, Any]) -> Price:
    above = tuple((tier["tokens"], _price(tier)) for tier in entry.get("above", ()))
    return Price(entry["input"], entry["output"], entry.get("cached_input"), above)
