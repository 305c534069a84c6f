"""What tokens cost: list prices from a dated file, and prices of your own. What isn't known is unknown, never zero."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from agentkit._called_as import called_as
from agentkit.exceptions import UserError

__all__ = [
    "Price",
    "cost_usd",
    "forget_prices",
    "has_own_price",
    "price_of",
    "prices_date",
    "set_price",
    "without_date",
]

_PER = 1_000_000

_DATED = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8})$")
_PREFIXES = ("openai/", "litellm/", "anthropic/", "gemini/", "xai/")
"""What `MultiProvider` and LiteLLM put before a model's name, where the vendor himself answers."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a model's tokens cost, in US dollars for 1,000,000."""

    input: float
    """Of tokens sent."""
    output: float
    """Of tokens received."""
    cached_input: float | None = None
    """Of tokens sent that the platform had in its cache; as other input when None."""
    cache_write: float | None = None
    """Of tokens sent that the platform put into its cache; as other input when None."""
    above: tuple[tuple[int, Price], ...] = ()
    """Other prices for requests with more input tokens than a number, lowest first."""

    def cost_usd(
        self, input_tokens: int, output_tokens: int, cached_tokens: int = 0, cache_write_tokens: int = 0
    ) -> float:
        """Return what a request costs.

        Args:
            input_tokens: Tokens sent, all of them.
            output_tokens: Tokens received, reasoning included.
            cached_tokens: Of the tokens sent, those from the cache.
            cache_write_tokens: Of the tokens sent, those put into the cache.
        """
        price = self
        for limit, higher in self.above:
            if input_tokens > limit:
                price = higher
        cached = price.input if price.cached_input is None else price.cached_input
        written = price.input if price.cache_write is None else price.cache_write
        fresh = max(input_tokens - cached_tokens - cache_write_tokens, 0)
        sent = fresh * price.input + cached_tokens * cached + cache_write_tokens * written
        return (sent + output_tokens * price.output) / _PER


_own: dict[str, Price] = {}


@called_as("agentkit.set_price")
def set_price(
    model: str,
    *,
    input: float,  # noqa: A002 (what everybody calls it)
    output: float,
    cached_input: float | None = None,
    cache_write: float | None = None,
) -> None:
    """Say what a model costs, in US dollars for 1,000,000 tokens. It goes before the list price, also for past calls.

    Args:
        model: The model's name, as it answers to it. Its dated names (`name-2026-11-21`) cost the same.
        input: Of tokens sent.
        output: Of tokens received.
        cached_input: Of tokens sent that the platform had in its cache; as other input when None.
        cache_write: Of tokens sent that the platform put into its cache; as other input when None.

    Raises:
        UserError: A price is no number of 0 or more, or the model has no name.
    """
    if not isinstance(model, str) or not model:
        raise UserError(f"set_price got the model {model!r}.", hint='Name it: set_price("gpt-4.1", input=2, output=8).')
    prices = {"input": input, "output": output, "cached_input": cached_input, "cache_write": cache_write}
    for name, value in prices.items():
        if value is None and name in ("cached_input", "cache_write"):
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise UserError(
                f"The price of {name} of {model!r} has to be a number of 0 or more, not {value!r}.",
                hint="In US dollars for 1,000,000 tokens.",
            )
    _own[model] = _price(prices)


def forget_prices() -> None:
    """Go back to the list prices: forget what `set_price` said."""
    _own.clear()


def price_of(model: str | None) -> Price | None:
    """Return what a model costs, or None where that isn't known.

    A dated name (`gpt-5-2025-08-07`) has the price of the name without the date where it has none of its own, and a
    tuned model (`ft:gpt-4.1-mini-2025-04-14:…`) that of models tuned from the same one. Only models that their vendor
    alone runs are listed: a name such as `gpt-oss-20b` doesn't say who answers, and what he asks for it.
    """
    if not model:
        return None
    if model.startswith("ft:"):
        return _own.get(model) or _find(model.split(":")[1], _tuned(), {})
    return _find(model, _listed())


def without_date(model: str) -> str:
    """Return a model's name without the date at its end: "gpt-4o" of "gpt-4o-2024-08-06"."""
    return _DATED.sub("", model)


def has_own_price(model: str | None) -> bool:
    """Return whether `set_price` has said what a model costs."""
    return bool(_own) and model is not None and (model in _own or _find(model, {}) is not None)


def _find(model: str, listed: Mapping[str, Price], own: Mapping[str, Price] = _own) -> Price | None:
    """Return the price of a model by its own name, without its vendor's, or without its date."""
    names = [model]
    if model.startswith(_PREFIXES):
        names.append(model.rpartition("/")[2])
    names += [without_date(name) for name in names]
    return next((prices[name] for prices in (own, listed) for name in names if name in prices), None)


def cost_usd(model: str | None, usage: Any) -> float | None:
    """Return what a model call costs at list price, or None where that isn't known.

    It isn't where the model has no price, and where it has one but the platform didn't say how many tokens it took.

    Args:
        model: The model that answered.
        usage: Its `Usage`, or a `RequestUsage`.
    """
    price = price_of(model)
    if price is None or (not usage.total_tokens and (price.input or price.output)):
        return None
    details = usage.input_tokens_details
    written = getattr(details, "cache_write_tokens", 0) or 0
    return price.cost_usd(usage.input_tokens, usage.output_tokens, details.cached_tokens, written)


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


@functools.cache
def _tuned() -> dict[str, Price]:
    return {model: _price(entry) for model, entry in _file()["fine_tuned"].items()}


def _price(entry: Mapping[str, Any]) -> Price:
    above = tuple((tier["tokens"], _price(tier)) for tier in entry.get("above", ()))
    return Price(entry["input"], entry["output"], entry.get("cached_input"), entry.get("cache_write"), above)
